"""The encrypted tally: the product of all ballots' ciphertexts, worked out while the archive is written.

Ballots are streamed in pages and never all in memory; the arithmetic runs in threads, off the event loop.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from voting.ballots.ballot import Ciphertext, write_ballot
from voting.ballots.combination import Combined
from voting.ballots.election import Election
from voting.ballots.group import IDENTITY, plus, product, write_point
from voting.ballots.packed import unpack
from voting.ballots.tally import Tally, read_tally
from voting.ballots.written import File
from voting.count.archive import Archive, Event, compact, sha256
from voting.count.stored import Credentials, all_credentials, ballots_stored, packed_ballots
from voting.model import Poll
from voting.poll.election import election_of, trustees_of
from voting.verify import format as form

Progress = Callable[[str, int, int], None]  # stage, done, of how many
TALLYING: Final = "Tallying"

Sums = list[list[Ciphertext]]  # by question and answer


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
    connection: AsyncConnection, poll: Poll, folder: Path, progress: Progress | None = None
) -> Tallied:
    """Write the archive from its first event to the encrypted tally; the same poll always gives the same bytes."""
    election, of = election_of(poll), await ballots_stored(connection)
    credentials = await all_credentials(connection)
    archive = Archive(folder / form.archive_name(poll.uuid), int(poll.opens_at.timestamp()))
    archive.path.parent.mkdir()
    archive.begin()
    archive.append([_setup(election, trustees_of(poll).data, credentials)])
    setup_bytes = archive.path.stat().st_size
    sums = [[Ciphertext(IDENTITY, IDENTITY)] * question.ciphertexts for question in election.questions]
    done = 0
    async for packed in packed_ballots(connection):
        page = await asyncio.to_thread(_add_page, archive, packed, election)
        sums = [[_plus(*pair) for pair in zip(*both, strict=True)] for both in zip(sums, page, strict=True)]
        done += len(packed)
        if progress is not None:
            progress(TALLYING, done, of)
    written = _write_sums(sums)
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


def _setup(election: Election, trustees: bytes, credentials: Credentials) -> Event:
    parts = {"election": election.written, "trustees": trustees, "credentials": compact(credentials.valid)}
    return Event("Setup", (*parts.values(), compact({name: sha256(part) for name, part in parts.items()})))


def _add_page(archive: Archive, packed: Sequence[bytes], election: Election) -> Sums:
    """Write a page of ballots, and give the products of its ciphertexts."""
    ballots = [unpack(one, election) for one in packed]
    archive.append(Event("Ballot", (write_ballot(ballot),)) for ballot in ballots)
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
