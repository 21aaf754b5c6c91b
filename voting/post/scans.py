"""Scanned returns of votes by post: each locks its member, unless there is a lock already.

A pack holds one paper, so a pack code scanned again is the same envelope again, whatever the time on the scan: it
changes nothing but the status. A paper first scanned as received may turn out to be rejected (opened and found
invalid), and a rejection may be corrected. A rejected paper has arrived and uses up its vote like any other: it locks,
counts for the turnout that includes rejected papers, and adds no vote. A paper of a replaced or void pack is set aside
and has no effect on the member: somebody else may have had that letter.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import bindparam, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.imports.csv_file import CsvFile, Row
from voting.imports.report import ImportReport
from voting.imports.taking import Progress, Source, take_file
from voting.model import By, How, Phase, Poll
from voting.poll import polls
from voting.poll.counting import refuse_when_counting
from voting.post.scanned import COLUMNS, WORDS, Aside, Outcome, Pack, Paper, Scan, ScanReader, Status
from voting.refusals import PollNotOpen
from voting.secrets_file import Secrets
from voting.store.columns import Instant
from voting.store.database import Database
from voting.store.inserts import insert_into
from voting.store.turns import wait_for_turn
from voting.votes.attempts import OnAttempt, classify, record, tell_nobody
from voting.votes.locks import find_locks

_ENTRY: Final = "papers_imported"
TURN: Final = 0x7363616E73  # files of scans are taken one after the other
_FILE: Final = Source(_ENTRY, COLUMNS)


async def import_postal(
    database: Database,
    path: Path,
    secrets: Secrets,
    *,
    on_attempt: OnAttempt = tell_nobody,
    by: By,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Take a file of scans in one transaction: each paper locks its member unless there is a lock already.

    A paper that comes after a lock is set aside, and recorded as an attempt in the same transaction. Papers received
    in time may be imported until the count; one received before the opening, or at or after the closing time, is
    rejected. Rejected rows too: mistyped codes and unknown packs, unreadable or future times, unknown statuses. A
    file that was imported before corrects nothing. FileUnreadable, NoPoll, PollNotOpen (before the opening),
    PollOver (the count has begun).
    """
    report = ImportReport()

    async def begin(connection: AsyncConnection, file: CsvFile) -> _Taker:
        await wait_for_turn(connection, TURN)  # else the same envelope, twice at once, would come after itself
        await connection.execute(select(schema.poll.c.only).with_for_update(read=True))  # the count waits
        poll = await polls.load(connection)
        if poll.phase is Phase.PREPARING:
            raise PollNotOpen(opens_at=poll.opens_at, closes_at=poll.closes_at)
        await refuse_when_counting(connection, poll)
        reader = ScanReader(poll, secrets.code_key, report, by.at)
        before, known = await _tally(connection), await _was_imported(connection, file)
        return _Taker(connection, poll, reader, report, on_attempt, by.at, before, known)

    return await take_file(database, path, _FILE, report, begin, by=by, dry_run=dry_run, progress=progress)


async def _was_imported(connection: AsyncConnection, file: CsvFile) -> bool:
    bodies = await connection.scalars(select(schema.chain.c.body).where(schema.chain.c.kind == _ENTRY))
    return any(body["sha256"] == file.sha256.hex() for body in bodies)


async def _tally(connection: AsyncConnection) -> dict[str, int]:
    paper = schema.paper
    rows = await connection.execute(select(paper.c.outcome, func.count()).group_by(paper.c.outcome))
    found = {row[0]: row[1] for row in rows}
    return {
        "received": found.get(Outcome.LOCKED, 0),
        "rejected": found.get(Outcome.REJECTED, 0),
        "set_aside": found.get(Outcome.SET_ASIDE, 0),
    }


@dataclass(frozen=True, slots=True)
class _Taker:
    """Takes scans, a batch at a time, in the caller's transaction."""

    connection: AsyncConnection
    poll: Poll
    reader: ScanReader
    report: ImportReport
    on_attempt: OnAttempt
    now: datetime
    before: dict[str, int]  # papers by outcome
    known: bool  # whether this very file was imported before

    async def take(self, batch: list[Row]) -> None:
        """Judge each row, try for the locks in one statement, then see to the papers that came too late."""
        scans = [scan for row in batch if (scan := self.reader.read(row)) is not None]
        last = {scan.digest: scan.status for scan in scans}  # what the file says of each in the end
        packs = await self._packs({scan.digest for scan in scans})
        locked = set(await find_locks(self.connection, {pack.member_id for pack in packs.values()}))
        first: dict[int, tuple[Scan, Pack]] = {}  # by member: whose paper is tried for the lock
        late: list[tuple[Scan, Pack]] = []  # papers of those who have voted
        for scan in scans:
            if (pack := packs.get(scan.digest)) is None:
                self.report.reject(scan.line, "", "no pack has this code")
            elif pack.paper is not None and not _may_be_tried_again(pack):
                self._note_again(scan, pack, pack.paper, last[scan.digest])
            elif scan.received_at >= self.poll.closes_at:
                self.report.reject(scan.line, pack.member_no, "received after the close")
            elif not pack.live:  # perhaps stolen, so it has no effect on the member
                self._put(scan, pack, Outcome.SET_ASIDE)
                self._say_aside(scan, pack, Aside.DEAD_PACK)
            elif pack.member_id in locked:
                self._put(scan, pack, Outcome.SET_ASIDE)
                late.append((scan, pack))
            elif not pack.eligible:
                self._put(scan, pack, Outcome.SET_ASIDE)
                self._say_aside(scan, pack, Aside.NOT_ELIGIBLE)
            else:
                self._put(scan, pack, Outcome.REJECTED if scan.status is Status.REJECTED else Outcome.LOCKED)
                first[pack.member_id] = (scan, pack)
        await self._see_to_late(await self._lock(first) + late)
        await self._write([(pack.id, pack.paper) for pack in packs.values() if pack.paper is not None])

    async def finish(self) -> dict[str, Any]:
        """Give how many more papers of each outcome there are now."""
        after = await _tally(self.connection)
        return {f"n_{name}": after[name] - self.before[name] for name in after}

    async def _packs(self, digests: set[bytes]) -> dict[bytes, Pack]:
        """Find packs by the hash of their code; their rows and their members' are locked until the transaction ends."""
        pack, member, paper = schema.pack, schema.member, schema.paper
        found = (
            select(
                pack.c.pack_hash,
                pack.c.id,
                pack.c.member_id,
                member.c.member_no,
                pack.c.state,
                member.c.eligible,
                paper.c.id.label("paper_id"),
                paper.c.status,
                paper.c.received_at,
                paper.c.outcome,
                paper.c.reason,
            )
            .join(member, member.c.id == pack.c.member_id)
            .outerjoin(paper, paper.c.pack_id == pack.c.id)
            .where(pack.c.pack_hash.in_(digests))
            .with_for_update(read=True, of=(pack, member))
        )
        packs = {}
        for row in await self.connection.execute(found):
            reason = None if row.reason is None else Aside(row.reason)
            known = row.paper_id is not None and Paper(
                Status(row.status), row.received_at, Outcome(row.outcome), reason, stored=True
            )
            packs[row.pack_hash] = Pack(
                row.id, row.member_id, row.member_no, row.state == "live", row.eligible, known or None
            )
        return packs

    def _put(self, scan: Scan, pack: Pack, outcome: Outcome) -> None:
        """Note a new paper, or one that is tried again."""
        stored = pack.paper is not None
        pack.paper = Paper(scan.status, scan.received_at, outcome, stored=stored, changed=stored)
        if stored:
            self.report.changed += 1
        else:
            self.report.added += 1

    def _note_again(self, scan: Scan, pack: Pack, paper: Paper, last: Status) -> None:
        """Note the same envelope once more; only another status changes anything."""
        if paper.status is Status.RECEIVED and scan.status is Status.REJECTED:
            self._correct(paper, Status.REJECTED, Outcome.LOCKED, Outcome.REJECTED)
            words = "received before, now rejected: it is no vote, and the member stays locked"
        elif paper.status is Status.REJECTED and scan.status is last is Status.RECEIVED and not self.known:
            self._correct(paper, Status.RECEIVED, Outcome.REJECTED, Outcome.LOCKED)
            words = "rejected before, now received: it is a vote; both stay on the chain"
        else:
            self.report.unchanged += 1
            if scan.received_at != paper.received_at:
                self.report.warn(scan.line, pack.member_no, "scanned before with another time: the same paper")
            return
        if paper.outcome is Outcome.SET_ASIDE:
            words = f"{scan.status} now, but it was set aside before and stays unopened"
        self.report.warn(scan.line, pack.member_no, words)
        self.report.changed += 1

    def _correct(self, paper: Paper, status: Status, before: Outcome, after: Outcome) -> None:
        paper.status, paper.changed = status, True
        if paper.outcome is before:
            paper.outcome = after

    async def _lock(self, first: dict[int, tuple[Scan, Pack]]) -> list[tuple[Scan, Pack]]:
        """Lock the members whose paper came first; return those whose vote elsewhere was locked meanwhile."""
        if not first:
            return []
        pack, lock = schema.pack, schema.lock
        tried = [found.id for _, found in first.values()]
        papers = (
            select(pack.c.member_id, literal(How.POST.value), literal(self.now, Instant), pack.c.id)
            .where(pack.c.id.in_(tried))
            .order_by(pack.c.member_id)  # two imports at once wait for each other in the same order
        )
        statement = insert_into(self.connection, lock).from_select(["member_id", "how", "at", "pack_id"], papers)
        won = await self.connection.execute(statement.on_conflict_do_nothing().returning(lock.c.member_id))
        lost = set(first) - {row.member_id for row in won}
        return [first[member_id] for member_id in lost]

    async def _see_to_late(self, late: list[tuple[Scan, Pack]]) -> None:
        """Set papers aside that came after a vote, and record each as an attempt."""
        locks = await find_locks(self.connection, {pack.member_id for _, pack in late})
        for scan, pack in late:
            lock = locks[pack.member_id]
            kind = classify(lock, chat=None, paper=True, warned=False)
            assert kind is not None  # only a chat is warned first
            self._say_aside(scan, pack, Aside.ONLINE_VOTE)
            await record(
                self.connection,
                member_id=pack.member_id,
                kind=kind,
                pack_id=pack.id,
                chat=None,
                occasion=f"paper:{pack.id}",
                on_attempt=self.on_attempt,
                now=self.now,
            )

    def _say_aside(self, scan: Scan, pack: Pack, reason: Aside) -> None:
        assert pack.paper is not None
        pack.paper.outcome, pack.paper.reason = Outcome.SET_ASIDE, reason
        self.report.warn(scan.line, pack.member_no, f"set aside: {WORDS[reason]}")

    async def _write(self, papers: list[tuple[int, Paper]]) -> None:
        rows = [
            {
                "of_pack": pack_id,
                "status": paper.status,
                "received_at": paper.received_at,
                "outcome": paper.outcome,
                "reason": paper.reason,
                "imported_at": self.now,
                "stored": paper.stored,
            }
            for pack_id, paper in papers
            if paper.changed or not paper.stored
        ]
        new = [{"pack_id": row["of_pack"], **_without(row, "of_pack", "stored")} for row in rows if not row["stored"]]
        changed = [_without(row, "stored") for row in rows if row["stored"]]
        if new:
            await self.connection.execute(insert(schema.paper), new)
        if changed:
            statement = update(schema.paper).where(schema.paper.c.pack_id == bindparam("of_pack"))
            await self.connection.execute(statement, changed)


def _may_be_tried_again(pack: Pack) -> bool:
    """Whether the pack's paper was set aside only because its member could not vote then, and can now."""
    return pack.eligible and pack.paper is not None and pack.paper.reason is Aside.NOT_ELIGIBLE


def _without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
