"""A rehearsal: a whole poll at full size, through the same code as the real one, to a given result.

Nothing is simulated: the roll is imported from a file, packs are issued into a print file, every vote starts from codes
read there and goes through the same checks and the same clerk, papers are scanned and counted, trustees' shares open
the box, and `verify` checks the published bundle. Only the people are made up.
"""

import asyncio
import contextlib
import csv
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final, TextIO

from sqlalchemy import func, select

from voting import schema, secrets_file
from voting.audit import chain
from voting.audit.probes import run_probes
from voting.audit.signer import Signer
from voting.count.count import count
from voting.model import By, Poll, Window
from voting.packs import packs
from voting.poll import polls
from voting.poll.keys import DEALER
from voting.post import papers as postal_count
from voting.post import scanned, scans
from voting.rehearsal.outcome import Rehearsal
from voting.rehearsal.people import write_roll
from voting.rehearsal.plan import FIRST_OPTION, PAPER, REJECTED, CannotRehearse, Plan, usual_plan
from voting.rehearsal.stopwatch import Clock, Progress, Stage, Stopwatch, clock_from, peak_memory_bytes
from voting.rehearsal.voters import Crowd, RehearsalFailed, Voter, insist
from voting.roll.importing import import_roll
from voting.roll.rows import ReadPhone
from voting.sealing import seal, shares
from voting.secrets_file import Secrets
from voting.store import upgrade
from voting.store.database import Database
from voting.trustees.dealer import deal_all
from voting.verify.verify import Report, verify
from voting.votes.box import empty_tray, move_tray
from voting.votes.checks import Checks
from voting.votes.clerk import Clerk

__all__ = [
    "CannotRehearse",
    "Plan",
    "Progress",
    "Rehearsal",
    "RehearsalFailed",
    "Stage",
    "rehearse",
    "usual_plan",
]

TRUSTEES: Final = 3
THRESHOLD: Final = 2
MOVE_EVERY_SECONDS: Final = 1.0
POLL_ID: Final = "rehearsal"
ACTOR: Final = "rehearsal"
BOT_URL: Final = "https://t.me/rehearsal_bot"
_A_DAY: Final = timedelta(days=1)


async def rehearse(
    folder: Path,
    plan: Plan,
    *,
    read_phone: ReadPhone,
    now: datetime,
    url: str | None = None,
    progress: Progress | None = None,
    random: Random | None = None,
) -> Rehearsal:
    """Run the whole poll in an empty `folder`, and in the empty database at `url` if not in a file there.

    Raises RehearsalFailed when anything but the given result comes out: another number, a bundle that does not
    verify, an identity that does not hold, an attempt unseen or a replay taken for one; PollExists.
    """
    secrets = secrets_file.make()
    signer = Signer.beside(secrets, folder / "rehearsal.secrets")
    database = Database(url or f"sqlite+aiosqlite:///{folder / 'rehearsal.db'}", signer)
    try:
        run = _Run(
            folder,
            plan,
            database,
            secrets,
            clock=clock_from(now),
            random=random or Random(),  # noqa: S311 - people and choices that are made up
            watch=Stopwatch(progress),
        )
        return await run.whole(read_phone)
    finally:
        await database.close()


class _Run:
    """One rehearsal, stage by stage."""

    def __init__(
        self,
        folder: Path,
        plan: Plan,
        database: Database,
        secrets: Secrets,
        *,
        clock: Clock,
        random: Random,
        watch: Stopwatch,
    ) -> None:
        self.folder, self.plan, self.database = folder, plan, database
        self.clock, self.random, self.watch = clock, random, watch
        self.secrets = secrets
        self.poll = _poll(plan, clock())
        self.key = seal.create_election_key(TRUSTEES, THRESHOLD, poll_id=POLL_ID)
        self.dealt = deal_all(TRUSTEES, THRESHOLD)
        self.papers_after_votes = 0

    async def whole(self, read_phone: ReadPhone) -> Rehearsal:
        await upgrade.upgrade(self.database)
        await self._set_up(read_phone)
        crowd = await self._vote()
        await self._post()
        await self._close()
        result, bundle = await self._count()
        with self.watch.stage("verify the bundle", self._ballots, "ballots") as counter:
            verdict = await asyncio.to_thread(verify, bundle)
            counter.reach(self._ballots)
        entries = await self._audit()
        attempts = crowd.attempts + self.papers_after_votes
        await self._insist(result, verdict, attempts)
        return Rehearsal(
            tuple(self.watch.stages),
            result,
            verdict,
            bundle,
            attempts,
            crowd.replays,
            entries,
            peak_memory_bytes(),
            self.watch.seconds,
        )

    def _by(self) -> By:
        return By(ACTOR, "command line", self.clock())

    @property
    def _ballots(self) -> int:
        return sum(self.plan.online)

    async def _set_up(self, read_phone: ReadPhone) -> None:
        """Make the poll and its key, import the roll, issue the packs, open."""
        members, roll_path = self.plan.members, self.folder / "roll.csv"
        with self.watch.stage("write a roll of made-up people", members, "rows") as counter:
            write_roll(roll_path, members, joined_by=self.poll.joined_by, random=self.random, progress=counter.reach)
        today = self.clock().date()
        async with self.database.writing() as connection:
            window = Window(1, today, today, "rehearsal", self.clock(), ACTOR)
            await polls.init(connection, self.poll, window, self.secrets, by=self._by())
            await polls.set_election_key(
                connection,
                self.key.public_key,
                trustees=TRUSTEES,
                threshold=THRESHOLD,
                share_digests=self.key.share_digests,
                by=self._by(),
            )
            await polls.set_trustees(connection, self.dealt.trustees.data, DEALER, by=self._by())
        with self.watch.stage("import the roll", members, "rows") as counter:
            report = await import_roll(
                self.database,
                roll_path,
                self.secrets,
                read_phone=read_phone,
                by=self._by(),
                progress=counter.reach,
            )
            insist(report.added == members, f"{report.added:,} of {members:,} members were imported")
        with self.watch.stage("issue packs, with the print file", members, "packs") as counter:
            printing = packs.Printing(self.folder / "print.csv", BOT_URL)
            issued = await packs.issue(
                self.database,
                self.secrets,
                printing,
                by=self._by(),
                progress=counter.reach,
            )
            insist(issued.packs == members, f"{issued.packs:,} packs were issued for {members:,} members")
        async with self.database.writing() as connection:
            await polls.open_poll(connection, by=self._by())

    async def _vote(self) -> Crowd:
        """Have everybody vote who does so online, while ballots move from the tray to the box."""
        checks, clerk = Checks(self.database, self.secrets), Clerk(self.database, self.secrets)
        crowd = Crowd(self.plan, self.poll, checks, clerk, self.clock)
        with (
            self.watch.stage("vote online: read codes, check both, seal, lock", self._ballots, "votes") as counter,
            (self.folder / "postal.csv").open("w", encoding="utf-8", newline="") as papers,
        ):
            async with self._moving():
                await crowd.vote(self._letters(papers), counter)
            await clerk.finish()
        return crowd

    @asynccontextmanager
    async def _moving(self) -> AsyncIterator[None]:
        """Move ballots to the box from time to time, as the running service does."""
        over = asyncio.Event()

        async def move() -> None:
            while not over.is_set():
                await move_tray(self.database, now=self.clock())
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), MOVE_EVERY_SECONDS)

        async with asyncio.TaskGroup() as group:
            group.create_task(move())
            yield
            over.set()

    def _letters(self, papers: TextIO) -> Iterator[Voter]:
        """Open the letters: yield who votes online, and write down the papers of the others."""
        writer = csv.writer(papers)
        writer.writerow(scanned.COLUMNS)
        voters = 0
        with (self.folder / "print.csv").open(encoding="utf-8", newline="") as file:
            for letter, act in zip(csv.DictReader(file), self.plan.acts(self.random), strict=True):
                pack_code, sends_paper = letter["pack_code"], act in {PAPER, REJECTED}
                if act >= FIRST_OPTION:
                    voters += 1
                    yield Voter(voters, f"{pack_code} {letter['vote_code']}", act - FIRST_OPTION)
                    sends_paper = voters % self.plan.one_in_attempts == 0
                    self.papers_after_votes += sends_paper
                if sends_paper:
                    status = scanned.Status.REJECTED if act == REJECTED else scanned.Status.RECEIVED
                    writer.writerow([pack_code, self.clock().isoformat(), status])

    async def _post(self) -> None:
        """Import the scans; each paper of somebody who voted online has to be set aside."""
        papers = sum(self.plan.post) + self.plan.rejected
        path = self.folder / "postal.csv"
        with self.watch.stage("import scanned papers", papers + self.papers_after_votes, "papers") as counter:
            report = await scans.import_postal(self.database, path, self.secrets, by=self._by(), progress=counter.reach)
        due = papers + self.papers_after_votes
        insist((report.added, report.rejected) == (due, 0), f"papers were imported as {report.counts()}")

    async def _close(self) -> None:
        """Close the poll, box what is left in the tray, and take the count of papers."""
        with self.watch.stage("close, and box the rest", self._ballots, "ballots") as counter:
            async with self.database.writing() as connection:
                await polls.close_poll(connection, by=self._by())
            await empty_tray(self.database, now=self.clock())
            counter.reach(self._ballots)
        path = self.folder / "postal-count.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(postal_count.COLUMNS)
            writer.writerows(zip(self.poll.options, self.plan.post, strict=True))
        await postal_count.import_count(self.database, path, by=self._by())

    async def _count(self) -> tuple[dict[str, Any], Path]:
        """Open the box with as many shares as it takes."""
        trustees, bundle = self.folder / "shares", self.folder / "bundle"
        trustees.mkdir()
        given = self.random.sample(shares.write_shares(trustees, self.key.shares), THRESHOLD)
        with self.watch.stage("open the box, count, write the bundle", self._ballots, "ballots") as counter:
            result = await count(
                self.database,
                given,
                bundle,
                secrets=self.secrets,
                by=self._by(),
                progress=counter.reach,
            )
        return result, bundle

    async def _audit(self) -> int:
        """Walk the whole chain and try every identity."""
        async with self.database.reading() as connection:
            entries = int(await connection.scalar(select(func.count()).select_from(schema.chain)) or 0)
        with self.watch.stage("audit: walk the chain, try every identity", entries, "entries") as counter:
            async with self.database.reading() as connection:
                counter.reach(await chain.walk(connection))
                broken = [probe.name for probe in await run_probes(connection) if not probe.holds]
        insist(not broken, f"these identities do not hold: {'; '.join(broken)}")
        return entries

    async def _insist(self, result: dict[str, Any], verdict: Report, attempts: int) -> None:
        """Compare what came out with what was asked for."""
        votes = {option["option"]: option["votes"] for option in result["options"]}
        rejected = result["rejected_papers"]
        asked = (dict(self.plan.result), self.plan.rejected)
        insist((votes, rejected) == asked, f"the result is {votes} and {rejected} rejected papers")
        insist(verdict.ok and verdict.result == result, f"the bundle does not verify: {verdict.problems[:1]}")
        async with self.database.reading() as connection:
            recorded = await connection.scalar(select(func.count()).select_from(schema.attempt))
        insist(recorded == attempts, f"{recorded} attempts were recorded instead of {attempts}")


def _poll(plan: Plan, now: datetime) -> Poll:
    return Poll(
        id=POLL_ID,
        title="Rehearsal",
        question="A poll of people who do not exist",
        options=tuple(plan.result),
        opens_at=now - _A_DAY,
        closes_at=now + _A_DAY,
        timezone="Europe/London",
        joined_by=now.date() - 90 * _A_DAY,
        languages=("en-GB", "cy"),
        rule={"en-GB": "You can vote once only.", "cy": "Dim ond unwaith y gallwch bleidleisio."},
    )
