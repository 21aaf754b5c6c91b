"""A past hour's key is kept as long as something that waits was closed under it, and no longer, on both engines."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from electorate import open_electorate
from prepared import NOW, SECRETS, later
from sqlalchemy import insert, select, update

from bot.app import chores
from bot.app.hours import KEPT, HoursKeeper, oldest_needed
from bot.house import House
from bot.inbox.inbox import Envelope, Letter, claim, store
from bot.member.chats import STEP_LIFE, Step
from bot.member.code_desk import HELD, HELD_PACK
from bot.member.code_desk import PURPOSE as HELD_PURPOSE
from bot.schema import chat, inbox
from bot.settings import Settings
from voting import schema, secrets_file
from voting.hour_keys import HourKeys
from voting.refusals import KeyGone
from voting.store.database import Database
from voting.votes.waiting_papers import PURPOSE as PAPER_PURPOSE

HOUR = timedelta(hours=1)
THEN = NOW - 5 * HOUR  # on the stroke, as NOW is


class Kept:
    """A house whose secrets lie in a file, and its keeper; time moves when it is told to."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.now = database, NOW
        self.file = folder / "ballotline.secrets"
        secrets_file.save(self.file, replace(SECRETS, hours=HourKeys.make()))
        self.secrets = secrets_file.load(self.file)
        self.hours = self.secrets.hours
        self.envelope = Envelope(self.hours)
        settings = Settings(_env_file=None, secrets_file=self.file)
        self.house = House(settings, database, self.secrets, clock=lambda: self.now)
        self.keeper = HoursKeeper(self.house)

    async def keep(self, now: datetime) -> datetime:
        """Do what the service does every ten minutes; give where the file is then."""
        self.now = now
        await self.keeper.keep()
        return secrets_file.load(self.file).hours.oldest

    async def needed(self, now: datetime = NOW) -> datetime:
        async with self.database.reading() as connection:
            return await oldest_needed(connection, self.hours, now)

    async def writes(self, statement: Any) -> None:
        async with self.database.writing() as connection:
            await connection.execute(statement)

    async def receives(self, at: datetime, key: str = "1") -> None:
        async with self.database.writing() as connection:
            await store(connection, self.envelope, [Letter("telegram", key, key, {"text": "typed"})], at)

    async def handles(self, state: str = "done") -> None:
        await self.writes(update(inbox).values(state=state, payload=None, done_at=self.now))

    async def holds(self, at: datetime, step: Step = Step.VOTE_CODES, user_id: int = 1, **facts: Any) -> None:
        facts = facts or {HELD: self.hours.close(HELD_PURPOSE, b"VOTE-CODE", at).hex()}
        row = {"user_id": user_id, "language": "en-GB", "step": step.value, "facts": facts}
        await self.writes(insert(chat).values(row | {"step_at": at, "seen_at": at}))

    async def holds_pack(self, at: datetime) -> None:
        await self.holds(at, **{HELD_PACK: self.hours.close(HELD_PURPOSE, b"PACK-CODE", at).hex()})

    async def held(self) -> list[dict[str, Any]]:
        async with self.database.reading() as connection:
            return list(await connection.scalars(select(chat.c.facts).order_by(chat.c.user_id)))

    async def opens_paper(self, at: datetime) -> str:
        town = await open_electorate(self.database, members=1)
        paper = await town.opens_paper(town.letters[0])
        closed = self.hours.close(PAPER_PURPOSE, b"secret", at)
        await self.writes(update(schema.intent).values(credential_secret=closed, opened_at=at))
        return paper

    async def paper(self) -> bytes | None:
        async with self.database.reading() as connection:
            closed = await connection.scalar(select(schema.intent.c.credential_secret))
        return None if closed is None else self.hours.open(PAPER_PURPOSE, closed)


@pytest.fixture
def kept(database: Database, tmp_path: Path) -> Kept:
    return Kept(database, tmp_path)


async def test_when_nothing_waits_the_last_hour_is_needed(kept: Kept) -> None:
    assert await kept.needed() == NOW - KEPT == NOW - HOUR


@pytest.mark.parametrize("waiting", ["row", "held", "held pack", "paper"])
async def test_whatever_waits_needs_the_hour_it_was_closed_in(kept: Kept, waiting: str) -> None:
    acts = {"row": kept.receives, "held": kept.holds, "held pack": kept.holds_pack, "paper": kept.opens_paper}
    act = acts[waiting]
    await act(THEN + timedelta(minutes=59))

    assert await kept.needed() == THEN


async def test_the_oldest_of_all_counts(kept: Kept) -> None:
    await kept.opens_paper(THEN)
    await kept.holds(THEN - HOUR)
    await kept.holds(THEN, user_id=2)
    await kept.receives(THEN - 3 * HOUR, "late")
    await kept.receives(THEN - 2 * HOUR, "later")
    assert await kept.needed() == THEN - 3 * HOUR

    await kept.handles()
    assert await kept.needed() == THEN - HOUR


async def test_what_does_not_wait_any_more_needs_nothing(kept: Kept) -> None:
    await kept.receives(THEN)
    await kept.handles("failed")
    await kept.holds(THEN, Step.VOTE_CODES, pack_id=1, member_id=1)
    await kept.holds(THEN, Step.IDLE, user_id=2)
    await kept.opens_paper(THEN)
    await kept.writes(update(schema.intent).values(credential_secret=None))

    assert await kept.needed() == NOW - HOUR


async def test_what_was_closed_before_the_oldest_key_holds_nothing_back(kept: Kept) -> None:
    """Whoever writes to the database could else keep an old key in the file for ever."""
    await kept.receives(THEN)
    await kept.holds(THEN)
    await kept.opens_paper(THEN)

    kept.hours.forget_before(THEN + HOUR)

    assert await kept.needed() == NOW - HOUR


async def test_a_row_is_kept_readable_until_it_is_handled_and_then_its_key_goes(kept: Kept) -> None:
    await kept.receives(THEN)
    async with kept.database.reading() as connection:
        sealed = await connection.scalar(select(inbox.c.payload))
    assert sealed is not None

    assert await kept.keep(NOW) == THEN
    async with kept.database.writing() as connection:
        (row,) = await claim(connection, kept.envelope, who="me", now=NOW, most=1)
    assert row.payload == {"text": "typed"}
    await kept.handles()
    assert await kept.keep(NOW) == NOW - HOUR

    with pytest.raises(KeyGone):
        kept.envelope.open(sealed)
    assert kept.envelope.try_open(sealed) == {}


async def test_a_row_that_came_too_late_to_be_opened_is_claimed_empty_as_one_of_another_key(kept: Kept) -> None:
    await kept.receives(THEN)
    kept.hours.forget_before(NOW)
    await kept.receives(NOW, "2")

    async with kept.database.writing() as connection:
        claimed = await claim(connection, kept.envelope, who="me", now=NOW, most=2)

    assert [row.payload for row in claimed] == [{}, {"text": "typed"}]


async def test_a_paper_that_nobody_comes_back_to_holds_no_key_back_and_is_forgotten_after_a_day(kept: Kept) -> None:
    await kept.opens_paper(NOW)

    for hours in range(1, 25):
        file = await kept.keep(NOW + hours * HOUR)
        assert file >= NOW + (hours - 1) * HOUR
        assert await kept.paper() == b"secret"

    await kept.keep(later(days=1, seconds=1))
    assert await kept.paper() is None


async def test_a_key_goes_only_some_time_after_its_papers_were_closed_anew(kept: Kept) -> None:
    """Whoever read a paper's row a moment before can still open what they read."""
    await kept.opens_paper(THEN)
    async with kept.database.reading() as connection:
        read_before = await connection.scalar(select(schema.intent.c.credential_secret))
    assert read_before is not None

    assert await kept.keep(NOW) == THEN

    assert kept.hours.open(PAPER_PURPOSE, read_before) == b"secret"
    assert await kept.keep(later(minutes=10)) == NOW - HOUR


async def test_a_code_that_is_held_is_forgotten_with_its_conversation_and_no_other_chat_changes(kept: Kept) -> None:
    await kept.holds(NOW - STEP_LIFE - timedelta(seconds=1))
    await kept.holds(NOW - STEP_LIFE, user_id=2)
    await kept.holds(THEN, user_id=3, pack_id=1)

    await kept.keep(NOW)

    gone, held, known = await kept.held()
    assert (gone, list(held), known) == ({}, [HELD], {"pack_id": 1})


async def test_a_code_is_held_for_a_message_that_was_received_in_time_and_waits(kept: Kept) -> None:
    await kept.holds(THEN)
    await kept.receives(THEN + timedelta(minutes=30))

    assert await kept.keep(NOW) == THEN
    assert list((await kept.held())[0]) == [HELD]

    await kept.handles()
    await kept.keep(NOW)
    assert await kept.held() == [{}]


async def test_the_service_does_it_every_ten_minutes_and_at_the_start(kept: Kept) -> None:
    (chore,) = [chore for chore in chores.chores(kept.house) if chore.name == "hours"]
    assert chore.every == timedelta(minutes=10)

    keeping = asyncio.create_task(chores.keep(chore))
    async with asyncio.timeout(10):
        while secrets_file.load(kept.file).hours.oldest != NOW - HOUR:  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.01)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
