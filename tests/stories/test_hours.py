"""Two hours later whoever copies the whole disk, secrets file included, finds nothing of what members typed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from nacl.exceptions import CryptoError
from prepared import SECRETS
from sqlalchemy import select
from town import Town

from bot import schema
from bot.app import chores
from bot.inbox import inbox
from voting import secrets_file
from voting.hour_keys import HourKeys, closed_in, hour_bytes
from voting.refusals import KeyGone
from voting.store.database import Database


@dataclass(frozen=True)
class Closed:
    """What was closed in this story, and under what words."""

    purpose: bytes
    closed: bytes
    plain: bytes


@dataclass
class Copied:
    """What a thief has: every file of the folder, byte for byte, and the keys in one of them."""

    files: dict[str, bytes]
    hours: HourKeys

    @classmethod
    def of(cls, town: Town) -> "Copied":
        path = town.settings.secrets_file
        files = {one.name: one.read_bytes() for one in town.folder.iterdir() if one.is_file()}
        del files["print.csv"]  # the letters themselves
        return cls(files, secrets_file.load(path).hours)

    def has(self, words: bytes) -> bool:
        return any(words in content for content in self.files.values())

    def opens(self, one: Closed) -> bool:
        """Try under the hour it names, and under every other that the file still gives."""
        hours = [self.hours.oldest + timedelta(hours=place) for place in range(48)]
        tries = [one.closed, *(hour_bytes(hour) + one.closed[4:] for hour in hours)]
        return any(self._opens(one.purpose, value) for value in tries)

    def _opens(self, purpose: bytes, value: bytes) -> bool:
        try:
            self.hours.open(purpose, value)
        except (KeyGone, CryptoError):
            return False
        return True


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[Closed]:
    """Note whatever is closed under an hour's key."""
    seen: list[Closed] = []
    real = HourKeys.close

    def close(self: HourKeys, purpose: bytes, plain: bytes, at: datetime) -> bytes:
        closed = real(self, purpose, plain, at)
        seen.append(Closed(purpose, closed, plain))
        return closed

    monkeypatch.setattr(HourKeys, "close", close)
    return seen


@pytest.fixture
async def town(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    """Give a town whose secrets lie in a file, as a service's do."""
    monkeypatch.setattr(chores, "HOURS_EVERY", timedelta(seconds=0.1))
    town = Town(database, tmp_path)
    path = tmp_path / "ballotline.secrets"
    await asyncio.to_thread(secrets_file.save, path, replace(SECRETS, hours=HourKeys.make()))
    town.secrets = await asyncio.to_thread(secrets_file.load, path)
    async with town:
        yield town


def spellings(code: str) -> list[bytes]:
    """Give the ways in which a code could lie there: as printed and as it is read."""
    return [
        code.encode(),
        code.replace("-", "").encode(),
        code.lower().encode(),
        code.replace("-", "").lower().encode(),
    ]


async def people_type_codes(town: Town) -> None:
    """Ada votes; sian gives one code and walks away; bob leaves his paper open; a stranger guesses."""
    ada, sian, bob, eve = town.member("ada"), town.member("sian"), town.member("bob"), town.stranger("eve")
    await ada.votes("North Quay")
    await sian.gives_codes(sian.pack.vote_code)
    await bob.opens_paper()
    await eve.gives_codes(f"{ada.pack.pack_code} {bob.pack.vote_code}")
    await town.settles()


async def moves_on(town: Town, hours: float, oldest: datetime) -> None:
    """Let time pass, until the keeper has seen it."""
    town.clock.put(town.clock() + timedelta(hours=hours))
    async with asyncio.timeout(20):
        while (await asyncio.to_thread(secrets_file.load, town.settings.secrets_file)).hours.oldest < oldest:  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.05)


async def test_two_hours_later_no_copy_of_everything_shows_what_was_typed(town: Town, watched: list[Closed]) -> None:
    began = town.clock()
    await people_type_codes(town)
    typed = [
        spelled
        for name in ("ada", "sian", "bob")
        for code in (town.member(name).pack.codes.split())
        for spelled in spellings(code)
    ]
    rows = [one for one in watched if one.purpose == b"inbox"]
    assert any(b"/vote" in one.plain for one in rows)
    assert any(
        town.member("sian").pack.vote_code.replace("-", "").encode() in one.plain
        for one in watched
        if one.purpose == b"held"
    )

    at_once = Copied.of(town)
    assert all(at_once.opens(one) for one in watched)  # whoever copies within the hour can
    assert sum(at_once.has(one.closed) for one in watched) > len(rows) / 2  # and it does lie there
    so_far = list(watched)
    await moves_on(town, 2, began.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1))
    later = Copied.of(town)

    assert sum(later.has(one.closed) for one in so_far) > 0  # the log and free pages still hold some
    assert [one for one in so_far if later.opens(one)] == []
    for one in so_far:
        with pytest.raises(KeyGone):
            later.hours.open(one.purpose, one.closed)
        assert not later.has(one.plain)
    assert [words for words in typed if later.has(words)] == []
    assert not later.has(b"/vote")
    assert all(closed_in(one.closed) < later.hours.oldest for one in so_far)


async def test_were_nothing_erased_everything_that_was_typed_would_open(
    town: Town, watched: list[Closed], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can see a leak."""
    monkeypatch.setattr(HourKeys, "forget_before", lambda _self, _at: None)
    await people_type_codes(town)
    so_far = list(watched)
    town.clock.put(town.clock() + timedelta(hours=2))
    await town.member("bea").asks(town.member("bea").types("/vote"))

    later = Copied.of(town)

    assert so_far
    assert all(later.opens(one) for one in so_far)


async def test_who_walked_away_from_a_code_or_a_paper_goes_on_later(town: Town, watched: list[Closed]) -> None:
    """The lapsed code is asked for again; the paper is still open."""
    sian, bob = town.member("sian"), town.member("bob")
    began = town.clock()
    await people_type_codes(town)
    await moves_on(town, 3, began + timedelta(hours=1))
    assert watched

    await bob.asks(bob.presses("North Quay"), "You chose")
    await bob.asks(bob.presses("Cast my vote"), "Your vote is locked")
    await sian.votes("South Quay")

    assert await town.locks() == 3


async def test_a_held_code_whose_hour_is_erased_is_asked_for_again(town: Town) -> None:
    """As after a restore: the chat holds what nobody can open any more."""
    ada = town.member("ada")
    await ada.gives_codes(ada.pack.vote_code)
    await ada.hears("that is a vote code")
    town.secrets.hours.forget_before(town.clock() + timedelta(hours=1))

    await ada.asks(ada.types(ada.pack.pack_code), ada.pack.word)
    await ada.asks(ada.types(ada.pack.vote_code), "your voting paper")


async def test_a_row_whose_hour_is_erased_is_set_aside_with_an_alert(town: Town) -> None:
    letter = inbox.Letter("telegram", "1", "telegram:1", {"update_id": 1, "message": {"text": "typed"}})
    earlier = town.clock() - timedelta(days=2)
    closed_long_ago = inbox.Envelope(HourKeys.make())
    async with town.database.writing() as connection:
        await inbox.store(connection, closed_long_ago, [letter], earlier)

    async def told() -> bool:
        async with town.database.reading() as connection:
            kinds = await connection.scalars(select(schema.alert.c.kind).where(schema.alert.c.occasion.like("inbox:%")))
            return kinds.all() == ["unreadable"]

    async with asyncio.timeout(20):
        while not await told():  # noqa: ASYNC110 - the service does it in its own time
            await asyncio.sleep(0.05)
    async with town.database.reading() as connection:
        state = select(schema.inbox.c.state, schema.inbox.c.payload).where(schema.inbox.c.key == "1")
        assert (await connection.execute(state)).one() == ("failed", None)
