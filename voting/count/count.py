"""Counting, in one step or in two: `begin`, then the trustees decrypt at home, then `finish`.

The order is what makes it safe to be cut off anywhere: first the chain says which ballots and credentials are counted
and what their encrypted tally is, and its head is signed; only then is anything decrypted. What is published was
verified before it is committed, and committed before it gets its name. Begun again it ends the same: the decryptions
that were counted are kept with the result.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from voting.ballots.combination import Combined, combine
from voting.ballots.written import File
from voting.count.bundle import Bundle, Counted, Ending, write_bundle
from voting.count.entries import close_ballots, keep_result, kept_result
from voting.count.folder import begin_part, publish, refuse_taken
from voting.count.readiness import papers_of, ready_poll, refuse_changed, refuse_small, said
from voting.count.settling import settle
from voting.count.shares import decrypt_all, read_shares
from voting.count.stored import ballots_by_later_credentials, ballots_stored
from voting.count.tally import Progress, Tallied, find_tally, write_result, write_tally
from voting.model import By, Poll
from voting.poll import polls
from voting.poll.election import election_of, questions_of, trustees_of
from voting.refusals import CannotCount
from voting.secrets_file import Secrets
from voting.store.database import Database
from voting.trustees.disk import read_files
from voting.verify import format as form
from voting.verify.result import Asked, Post, Turnout, result_of
from voting.verify.verify import verify

VERIFYING: Final = "Verifying"


async def count(
    database: Database,
    shares: Sequence[Path],
    out: Path,
    *,
    secrets: Secrets,
    by: By,
    publish_small: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Count with share files at hand and write the bundle into `out`; return what result.json says.

    The shares are tried before anything is written, and decrypt only what was verified; each remembers its tally.
    Raises as `begin` and `finish` do, and ShareForeign, ShareServesAnother, TallyRefused.
    """
    async with database.reading() as connection:
        poll = await polls.load(connection)
    refuse_taken(out, poll.uuid, form.TALLIED, form.RESULTED)
    files = read_shares(shares, trustees_of(poll))
    work = await _prepare(database, out, secrets=secrets, by=by, publish_small=publish_small, progress=progress)
    await work.close(publish_small=publish_small)
    decryptions = await asyncio.to_thread(decrypt_all, files, election_of(work.poll), work.tallied.tally)
    result = await work.finish(decryptions)
    publish(out)
    return result


async def begin(
    database: Database,
    out: Path,
    *,
    secrets: Secrets,
    by: By,
    publish_small: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Close the ballots on the chain and write the bundle that the trustees decrypt into `out`, a new or empty folder.

    Again it writes the same bytes. Returns what the trustees read to each other. CannotCount with the reason;
    SmallPoll; ForeignSecrets, NoElectionKey, CredentialsForgotten.
    """
    async with database.reading() as connection:
        refuse_taken(out, (await polls.load(connection)).uuid, form.TALLIED)
    work = await _prepare(database, out, secrets=secrets, by=by, publish_small=publish_small, progress=progress)
    ending = await work.close(publish_small=publish_small)
    publish(out)
    return {**work.tallied.said, "head": {"seq": ending.head.seq, "hash": ending.head.hash.hex()}}


async def finish(
    database: Database,
    decryptions: Sequence[Path],
    out: Path,
    *,
    secrets: Secrets,
    by: By,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Combine the trustees' decryptions and complete the bundle in `out`; return what result.json says.

    `out` is the folder that `begin` wrote, or a new or empty one.

    Any k of them do. Raises as `combine` does, naming the file or the trustee that is wrong or missing; CannotCount
    when `begin` was not there before, or the ballots have changed since.
    """
    files = read_files(decryptions)
    async with database.reading() as connection:
        refuse_taken(out, (await polls.load(connection)).uuid, form.TALLIED, form.RESULTED)
        closed = await said(connection, form.BALLOTS_CLOSED)
    if closed is None:
        raise CannotCount(reason="the tally has not begun; `ballotline tally begin` first")
    work = await _prepare(database, out, secrets=secrets, by=by, publish_small=True, progress=progress)
    result = await work.finish(files)
    publish(out)
    return result


async def _prepare(
    database: Database, out: Path, *, secrets: Secrets, by: By, publish_small: bool, progress: Progress | None
) -> "_Counting":
    """See that the poll can be counted, and write the archive as far as the encrypted tally."""
    async with database.reading() as connection:
        poll = await ready_poll(connection, secrets)
        closed = await said(connection, form.BALLOTS_CLOSED)
        papers = await papers_of(connection, poll)
        refuse_small(await ballots_stored(connection), papers, agreed=publish_small or closed is not None)
        trustees_of(poll)
        folder = begin_part(out)
        known = None if closed is None else find_tally(out, poll, closed["tally"])
        tallied = await write_tally(connection, poll, folder, progress, known=known)
        if closed is not None:
            refuse_changed(closed, tallied)
    return _Counting(database, secrets, by, progress, poll, folder, tallied)


@dataclass(frozen=True, slots=True)
class _Counting:
    """A count on its way, in the folder beside its final place."""

    database: Database
    secrets: Secrets
    by: By
    progress: Progress | None
    poll: Poll
    folder: Path
    tallied: Tallied

    async def close(self, *, publish_small: bool) -> Ending:
        """Commit the chain to what is counted, and write and verify the bundle without result."""
        keep = partial(close_ballots, tallied=self.tallied, publish_small=publish_small, by=self.by)
        return await settle(self.database, keep, self._check)

    async def finish(self, files: Sequence[File]) -> dict[str, Any]:
        """Combine, write and verify the bundle with its result, and keep the result."""
        combined = await self._combine(files)
        async with self.database.reading() as connection:
            kept = await kept_result(connection)
        if kept is not None:  # the same sums from other decryptions: those that were counted stay
            combined = await self._combine([File("a kept decryption", line) for line in kept.decryptions.splitlines()])
        counted = Counted(await self._result(combined), b"".join(one.file.data + b"\n" for one in combined.used))
        write_result(self.tallied.archive, combined)
        keep = partial(keep_result, counted=counted, by=self.by)
        await settle(self.database, keep, partial(self._check, counted=counted))
        return dict(counted.result)

    async def _combine(self, files: Sequence[File]) -> Combined:
        return await asyncio.to_thread(
            combine,
            files,
            election=election_of(self.poll),
            trustees=trustees_of(self.poll),
            tally=self.tallied.tally,
            ballots=self.tallied.ballots,
        )

    async def _result(self, combined: Combined) -> Mapping[str, Any]:
        async with self.database.reading() as connection:
            papers = await papers_of(connection, self.poll)
            roll = await said(connection, form.ROLL_CLOSED)
            later = await ballots_by_later_credentials(connection)
        assert roll is not None
        asked = [
            Asked(question, known.seats)
            for question, known in zip(questions_of(self.poll), self.poll.questions, strict=True)
        ]
        return result_of(
            self.poll.id,
            asked,
            combined.result,
            Post(papers.received, papers.rejected, papers.votes),
            Turnout(self.tallied.ballots, later, roll["eligible"]),
        )

    async def _check(self, ending: Ending, counted: Counted | None = None) -> None:
        """Write the bundle with this ending, and refuse to go on unless it verifies; CannotCount."""
        async with self.database.reading() as connection:
            papers = await papers_of(connection, self.poll)
            bundle = Bundle(self.folder, self.poll, self.secrets, self.tallied, papers.facts(), counted)
            await write_bundle(connection, bundle, ending)
        report = await asyncio.to_thread(verify, self.folder, progress=self._verifying)
        if not report.ok:
            raise CannotCount(reason=f"what was written does not verify: {report.problems[0]}")

    def _verifying(self, done: int, of: int) -> None:
        if self.progress is not None:
            self.progress(VERIFYING, done, of)
