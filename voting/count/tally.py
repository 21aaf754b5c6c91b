"""The encrypted tally: the product of all ballots' ciphertexts, worked out while the archive is written.

Ballots are streamed in pages and never all in memory. The arithmetic runs in two threads, off the event loop: most of
its time goes to a library that lets the other thread work.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from voting.ballots.ballot import Ballot, Ciphertext, write_ballot
from voting.ballots.combination import Combined
from voting.ballots.election import Election
from voting.ballots.group import IDENTITY, plus, product, write_point
from voting.ballots.packed import unpack
from voting.ballots.tally import Tally, read_tally
from voting.ballots.written import File
from voting.count.archive import BLOCK_BYTES, Archive, Event, compact, sha256, whole_blocks
from voting.count.stored import Credentials, all_credentials, ballots_stored, packed_ballots
from voting.model import Poll
from voting.poll.election import election_of, trustees_of
from voting.verify import format as form

Progress = Callable[[str, int, int], None]  # stage, done, of how many
TALLYING: Final = "Tallying"
_AFTER_TALLY_BYTES: Final = 2 * 2 * BLOCK_BYTES  # of the payload and the event that follow it, each a block long

Sums = list[list[Ciphertext]]  # by question and answer


class _Part(NamedTuple):
    """Some ballots: their JSON and their sums."""

    written: list[bytes]
    sums: Sums


@dataclass(frozen=True, slots=True)
class Tallied:
    """The archive as far as its encrypted tally, what it was made of, and the tally."""

    archive: Archive
    setup_bytes: int  # of the archive: as far as its first event
    credentials: Credentials
    ballots: int
    tally: Tally

    @property
    def said(self) -> dict[str, Any]:
        """Give what the chain says of it before anything is decrypted."""
        return {"n": self.ballots, "tally": self.tally.digest, "credentials": self.credentials.digest}


async def write_tally(
    connection: AsyncConnection,
    poll: Poll,
    folder: Path,
    progress: Progress | None = None,
    *,
    known: bytes | None = None,
) -> Tallied:
    """Write the archive from its first event to the encrypted tally; the same poll always gives the same bytes.

    `known` is the tally that an earlier step worked out, if it is the one on the chain: it is not worked out again.
    """
    election, of = election_of(poll), await ballots_stored(connection)
    credentials = await all_credentials(connection)
    archive = begin_archive(poll, folder, credentials)
    setup_bytes = archive.path.stat().st_size
    sums = _no_sums(election)
    done = 0
    async for packed in packed_ballots(connection):
        half = (len(packed) + 1) // 2
        parts = await asyncio.gather(
            *(
                asyncio.to_thread(_read_part, part, election, adds=known is None)
                for part in (packed[:half], packed[half:])
            )
        )
        for part in parts:
            await asyncio.to_thread(archive.append, [Event("Ballot", (written,)) for written in part.written])
            sums = [[_plus(*pair) for pair in zip(*both, strict=True)] for both in zip(sums, part.sums, strict=True)]
        done += len(packed)
        if progress is not None:
            progress(TALLYING, done, of)
    written = _write_sums(sums) if known is None else known
    numbers = {"num_tallied": done, "total_weight": done, "encrypted_tally": sha256(written)}
    archive.append([Event("EndBallots"), Event("EncryptedTally", (written, compact(numbers)))])
    return Tallied(archive, setup_bytes, credentials, done, read_tally(File("the encrypted tally", written), election))


def write_result(archive: Archive, combined: Combined) -> None:
    """Write the rest of the archive: each decryption that was used, as Belenios has it, and the result."""
    events = []
    for one in combined.used:
        owner = compact({"owner": one.index, "payload": sha256(one.published)})
        events.append(Event("PartialDecryption", (one.published, owner)))
    archive.append([*events, Event("Result", (combined.dumps(),))])


def begin_archive(poll: Poll, folder: Path, credentials: Credentials) -> Archive:
    """Write the archive as far as its first event; the folder is one that `begin_part` made."""
    archive = Archive(folder / form.archive_name(poll.uuid), int(poll.opens_at.timestamp()))
    archive.begin()
    archive.append([_setup(election_of(poll), trustees_of(poll).data, credentials)])
    return archive


def _setup(election: Election, trustees: bytes, credentials: Credentials) -> Event:
    parts = {"election": election.written, "trustees": trustees, "credentials": compact(credentials.valid)}
    return Event("Setup", (*parts.values(), compact({name: sha256(part) for name, part in parts.items()})))


def find_tally(out: Path, poll: Poll, digest: str) -> bytes | None:
    """Find the encrypted tally with this SHA-256 at the end of an earlier step's archive; None if it is not there."""
    length = len(_write_sums(_no_sums(election_of(poll))))  # every tally of this election has the same
    try:
        with (out / form.archive_name(poll.uuid)).open("rb") as file:
            file.seek(-whole_blocks(length) - _AFTER_TALLY_BYTES, os.SEEK_END)
            found = file.read(length)
    except OSError:  # there is none, or a shorter one
        return None
    return found if sha256(found) == digest else None


def _no_sums(election: Election) -> Sums:
    return [[Ciphertext(IDENTITY, IDENTITY)] * question.ciphertexts for question in election.questions]


def _read_part(packed: Sequence[bytes], election: Election, *, adds: bool) -> _Part:
    """Write some ballots as the archive has them, and give their sums if they are to be added."""
    ballots = [unpack(one, election) for one in packed]
    return _Part([write_ballot(ballot) for ballot in ballots], _products(ballots if adds else (), election))


def _products(ballots: Sequence[Ballot], election: Election) -> Sums:
    return [
        [
            Ciphertext(
                product(ballot.answers[number].choices[place].alpha for ballot in ballots),
                product(ballot.answers[number].choices[place].beta for ballot in ballots),
            )
            for place in range(question.ciphertexts)
        ]
        for number, question in enumerate(election.questions)
    ]


def _plus(one: Ciphertext, other: Ciphertext) -> Ciphertext:
    return Ciphertext(plus(one.alpha, other.alpha), plus(one.beta, other.beta))


def _write_sums(sums: Sums) -> bytes:
    return compact(
        [[{"alpha": write_point(one.alpha), "beta": write_point(one.beta)} for one in question] for question in sums]
    )
