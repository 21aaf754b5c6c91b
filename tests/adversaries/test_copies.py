"""All files of the database, at several moments, the bundle and one share fewer than needed: no choice of anybody.

What could tell a choice: a code or a credential's secret that waits with a paper, a random number of a ballot. All
of that kind is watched while a poll is held, and looked for, in every spelling, in every file.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from counted_town import CountedTown, open_town
from counting import close
from electorate import Electorate, Letter, press
from nacl.exceptions import CryptoError
from opened import choices_of
from prepared import GWEN, NOW, SECRETS
from sqlalchemy import make_url, select, text

from voting import schema, secrets_file
from voting.backup.making import make
from voting.ballots.combination import lagrange
from voting.ballots.credential import derive_secret
from voting.ballots.election import Election
from voting.ballots.group import BASE, IDENTITY, ORDER, minus, times
from voting.ballots.packed import unpack
from voting.codes.codes import Kind, generate, printed
from voting.count.count import begin
from voting.poll.election import election_of
from voting.refusals import KeyGone, WrongVoteCode
from voting.store.database import Database
from voting.trustees.shares import Share
from voting.votes import sealing
from voting.votes.right_codes import Purpose

MEMBERS = 12
PIECE_BYTES = 4096
OVERLAP_BYTES = 128


@dataclass
class Watched:
    """Secrets that were there for a moment."""

    draws: list[int] = field(default_factory=list)  # of every ballot what must never be known: r, and each nonce
    codes: list[str] = field(default_factory=list)
    secrets: list[int] = field(default_factory=list)  # of credentials

    def needles(self) -> Iterator[bytes]:
        """Give each in every way it could be written."""
        for number in (*self.draws, *self.secrets):
            raw = number.to_bytes(32, "big")
            yield from (raw, raw[::-1], raw.hex().encode(), str(number).encode())
        for code in self.codes:
            yield from (code.encode(), code.lower().encode())


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    """Watch what the house draws for ballots."""
    found = Watched()

    def note(numbers: Sequence[int]) -> Sequence[int]:
        found.draws.extend(numbers)
        return numbers

    def draw(election: Election) -> Sequence[int]:
        draws = real_draws(election)
        options = election.questions[0].ciphertexts
        note([*draws[:options], *draws[options::2]])  # the others are challenges of false statements: published
        return draws

    real_draws, real_scalar = sealing.draw_randomness, sealing.random_scalar
    monkeypatch.setattr(sealing, "draw_randomness", draw)
    monkeypatch.setattr(sealing, "random_scalar", lambda: note([real_scalar()])[0])
    return found


class Disk:
    """Every file that the database's engine keeps, its log too, copied now and then."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.pieces: dict[bytes, None] = {}  # what is the same as in an earlier copy is kept once

    async def copy(self) -> None:
        """Take all of them as they are now: live rows, dead ones, free pages, the log."""
        for path in await self._files():
            self.take(path.read_bytes())

    def take(self, content: bytes) -> None:
        """Take a file, in pieces that overlap by more than anything that is looked for."""
        for start in range(0, len(content), PIECE_BYTES):
            self.pieces[content[start : start + PIECE_BYTES + OVERLAP_BYTES]] = None

    @property
    def all(self) -> bytes:
        """Everything in all copies."""
        return b"\0".join(self.pieces)

    async def _files(self) -> list[Path]:
        if self.database.is_sqlite:
            path = Path(make_url(self.database.url).database or "")
            return sorted(one for one in path.parent.glob(f"{path.name}*") if one.is_file())
        async with self.database.reading() as connection:
            folder = Path(str(await connection.scalar(text("SHOW data_directory"))))
            own = await connection.scalar(text("SELECT oid FROM pg_database WHERE datname = current_database()"))
        async with self.database.writing() as connection:
            await connection.execute(text("CHECKPOINT"))
        log = sorted((folder / "pg_wal").iterdir(), key=lambda path: path.stat().st_mtime)
        return [*(folder / "base" / str(own)).iterdir(), *[path for path in log if path.is_file()][-1:]]


async def people_vote(town: CountedTown, watched: Watched, disk: Disk) -> list[int]:
    """Nine vote in the chat, one says Not now, one leaves the paper open, one types a wrong code."""
    voters = Electorate(town.database, town.letters)
    chosen = [place * 7 % 3 % 2 for place in range(9)]
    for place, option in enumerate(chosen):
        intent = await voters.opens_paper(town.letters[place])
        if place in {1, 5}:
            await disk.copy()  # in mid-vote: credentials' secrets wait with papers
        await voters.clerk.cast(press(intent, town.letters[place].chat, option), NOW)
    aside = await voters.opens_paper(town.letters[9])
    async with town.database.writing() as connection:
        await sealing.put_aside(connection, aside)
    await voters.opens_paper(town.letters[10])
    wrong = generate(Kind.VOTE, town.poll.id)
    with pytest.raises(WrongVoteCode):
        await voters.checks.both_codes(
            town.letters[11].pack_code, wrong, chat="telegram:1", purpose=Purpose.VOTE, flow="f", warned=False, now=NOW
        )
    watched.codes.append(wrong)
    await disk.copy()
    return chosen


def secrets_of(letters: Iterable[Letter], uuid: str, watched: Watched) -> None:
    for letter in letters:
        watched.codes += [letter.pack_code, printed(Kind.PACK, letter.pack_code)]
        watched.codes += [letter.vote_code, printed(Kind.VOTE, letter.vote_code)]
        watched.secrets.append(derive_secret(letter.pack_code, letter.vote_code, uuid))


async def test_all_files_the_bundle_and_one_share_tell_no_choice(
    database: Database, tmp_path: Path, watched: Watched
) -> None:
    """Guards: the hour's key that closes what waits with a paper; no column for a choice or a code; the threshold.

    Also that random numbers are fresh and never stored.
    """
    town = await open_town(database, MEMBERS)
    disk = Disk(database)
    chosen = await people_vote(town, watched, disk)
    secrets_of(town.letters, town.poll.uuid, watched)
    await close(town)
    await begin(database, tmp_path / "bundle", secrets=SECRETS, by=GWEN, publish_small=True)
    await disk.copy()
    for path in (tmp_path / "bundle").rglob("*"):
        disk.take(path.read_bytes() if path.is_file() else b"")
    haystack = disk.all

    needles = await asyncio.to_thread(lambda: [needle for needle in watched.needles() if needle in haystack])

    assert len(watched.draws) == 9 * 8
    assert needles == []
    async with database.reading() as connection:
        rows = (await connection.execute(select(schema.ballot))).all()
        waiting = await connection.scalars(select(schema.intent.c.credential_secret))
        assert [closed is not None for closed in waiting].count(True) == 1  # the paper that lies open
    assert all(row.credential in haystack and row.packed in haystack for row in rows)  # it would be found
    assert len(rows) == len(chosen)
    for share in town.dealt.shares:
        assert not any(_opened_by([share], row.packed, town) for row in rows)
    # k shares do open them, so what is looked at is the right thing.
    assert sorted(choices_of([row.packed for row in rows], election_of(town.poll), town.dealt)) == sorted(
        [(1 - option, option) for option in chosen]
    )


async def test_a_backup_in_mid_vote_with_its_secrets_tells_no_choice(
    database: Database, tmp_path: Path, watched: Watched
) -> None:
    """Whoever steals both files of `ballotline backup`, and every file of the database too.

    Guards: what waits with a paper does not travel (`OF_VOTES`), nor does the hours' key (`without_hours`).
    """
    town = await open_town(database, MEMBERS)
    await people_vote(town, watched, Disk(database))
    secrets_of(town.letters, town.poll.uuid, watched)
    async with database.reading() as connection:
        waits = [one for one in await connection.scalars(select(schema.intent.c.credential_secret)) if one is not None]

    made = await make(database, SECRETS, tmp_path / "backup", working=tmp_path, now=NOW)

    copied, stolen = made.file.read_bytes(), secrets_file.load(made.secrets_file)
    assert [needle for needle in watched.needles() if needle in copied] == []
    assert len(waits) == 1
    assert waits[0] not in copied
    with pytest.raises((CryptoError, KeyGone)):
        stolen.hours.open(sealing.PURPOSE, waits[0])
    assert SECRETS.hours.open(sealing.PURPOSE, waits[0]) in {one.to_bytes(32, "big") for one in watched.secrets}


def _opened_by(shares: Sequence[Share], packed: bytes, town: CountedTown) -> bool:
    indexes = [share.index for share in shares]
    secret = sum(share.secret * lagrange(share.index, indexes) for share in shares) % ORDER
    ballot = unpack(packed, election_of(town.poll))
    tries = [secret, *(share.secret for share in shares)]
    return any(
        minus(beta, times(one, alpha)) in {IDENTITY, BASE} for alpha, beta in ballot.answers[0].choices for one in tries
    )


async def test_were_secrets_kept_in_the_clear_they_would_be_found(
    database: Database, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can see a leak: in live rows, and in what is left of rows that were blanked."""

    def open_to_all(_keys: object, _purpose: bytes, plain: bytes, _at: Any) -> bytes:
        return b"hour" + plain

    monkeypatch.setattr(type(SECRETS.hours), "close", open_to_all)
    monkeypatch.setattr(type(SECRETS.hours), "open", lambda _keys, _purpose, closed: closed[4:])
    town = await open_town(database, MEMBERS)
    disk = Disk(database)
    await people_vote(town, watched, disk)
    secrets_of(town.letters, town.poll.uuid, watched)
    haystack = disk.all

    found = [secret for secret in watched.secrets if secret.to_bytes(32, "big") in haystack]

    assert len(found) > MEMBERS / 2
