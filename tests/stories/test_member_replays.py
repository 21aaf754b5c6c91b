"""A replay is not an attempt: a hundred members vote while everything they send comes again and again.

Within the provider's rules: a message comes again with its own update id, a press also with a new one, at any later
time. https://github.com/tdlib/telegram-bot-api/issues/699
"""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from town import Resident, Town

from bot.edge.letters import letter_of
from bot.inbox.inbox import Claimed
from voting import schema
from voting.store.database import Database

pytestmark = pytest.mark.filterwarnings("ignore:.*PTB_TIMEDELTA:telegram.warnings.PTBDeprecationWarning")

TOGETHER = 25
TIMES_MAX = 5
ECHO_SECONDS = 0.05


@pytest.mark.parametrize(("members", "webhooks"), [(100, False), (20, True)], ids=["100, polling", "20, webhooks"])
async def test_members_vote_once_however_often_their_updates_come(
    database: Database, tmp_path: Path, *, members: int, webhooks: bool
) -> None:
    chance = random.Random(2022)
    residents = [Resident(f"member{number}", None) for number in range(members)]
    async with Town(database, tmp_path, residents=residents, webhooks=webhooks) as town:
        over = asyncio.Event()
        echo = asyncio.create_task(echoes(town, chance, over))
        receipts = await everybody_votes(town)
        over.set()
        await echo

        for update in again_and_again(town.sandbox.telegram.updates, chance):
            hand_over(town, update)
        await town.settles(120)

        assert await receipts_in_the_database(town) == receipts
        assert await town.count("North Quay") == members // 2
        assert await town.count("South Quay") == members // 2
        assert await town.attempts() == 0
        assert await cases(town) == 0
        shown = [town.member(name).last.words for name in receipts]
        assert all(receipt in words for receipt, words in zip(receipts.values(), shown, strict=True))


async def test_a_message_handled_again_after_a_crash_has_the_same_effect_as_once(town: Town) -> None:
    """A crash between the work and our note of it: the inbox hands the same row over again."""
    ada = town.member("ada")
    await ada.votes("North Quay")

    await ada.asks(ada.types(ada.pack.codes), "from now on that is recorded")
    await handled_again(town, times=3)
    assert await town.attempts() == 0

    await ada.asks(ada.types("/vote"), "that is recorded and reported")
    await handled_again(town, times=3)
    await ada.asks(ada.types(ada.pack.codes), "has already been used")
    await handled_again(town, times=3)
    assert await town.attempts() == 1


async def test_the_other_accounts_codes_read_again_after_the_vote_are_no_attempt(town: Town) -> None:
    """One person, two accounts; the second had its paper before the first voted, and its message comes again."""
    ada, laptop = town.member("ada"), town.stranger("laptop")
    await laptop.gives_codes(ada.pack.codes)
    await town.settles()
    codes = town.sandbox.telegram.updates[-1]
    await ada.votes("North Quay")

    await handled_again(town, codes, times=2)
    assert (await town.attempts(), await cases(town)) == (0, 0)

    await laptop.asks(laptop.types(ada.pack.codes), "the staff can see it")
    assert (await town.attempts(), await cases(town)) == (1, 1)


async def handled_again(town: Town, update: dict[str, Any] | None = None, *, times: int) -> None:
    """Hand an update, or the newest, over once more, as if nobody had noted that it is done."""
    await town.settles()
    assert town.service is not None
    letter = letter_of(update or town.sandbox.telegram.updates[-1])
    for turn in range(times):
        row = Claimed(
            turn, letter.source, letter.key, letter.queue, letter.payload, tries=turn + 2, received_at=town.clock()
        )
        await town.service.reader.handle(row)


async def everybody_votes(town: Town) -> dict[str, str]:
    """Let all vote, many at once, half for each option; give the receipts as heard."""
    turns = asyncio.Semaphore(TOGETHER)

    async def vote(number: int, name: str) -> tuple[str, str]:
        async with turns:
            return name, await town.member(name).votes("South Quay" if number % 2 else "North Quay")

    pairs = await asyncio.gather(*(vote(number, resident.name) for number, resident in enumerate(town.residents)))
    return dict(pairs)


async def echoes(town: Town, chance: random.Random, over: asyncio.Event) -> None:
    """Repeat what was sent while the story goes on."""
    while not over.is_set():
        updates = town.sandbox.telegram.updates
        if updates:
            hand_over(town, chance.choice(updates[-4 * TOGETHER :]))
        await asyncio.sleep(ECHO_SECONDS)


def again_and_again(updates: list[dict[str, Any]], chance: random.Random) -> list[dict[str, Any]]:
    """Give each update up to TIMES_MAX times more, in any order."""
    repeated = [update for update in updates for _ in range(chance.randrange(TIMES_MAX + 1))]
    chance.shuffle(repeated)
    return repeated


def hand_over(town: Town, update: dict[str, Any]) -> None:
    """Deliver an update once more: a press as a new update, a message as the same."""
    telegram = town.sandbox.telegram
    press = update.get("callback_query")
    if press is None:
        telegram.redeliver(update["update_id"])
    else:
        telegram.update("callback_query", {**press, "id": f"{press['id']}1"}, chat_id=press["from"]["id"])


async def receipts_in_the_database(town: Town) -> dict[str, str]:
    names = {number: name for name, number in town.member_nos.items()}
    query = select(schema.member.c.member_no, schema.lock.c.receipt).join(
        schema.lock, schema.lock.c.member_id == schema.member.c.id
    )
    async with town.database.reading() as connection:
        return {names[row.member_no]: row.receipt for row in await connection.execute(query)}


async def cases(town: Town) -> int:
    async with town.database.reading() as connection:
        return int(await connection.scalar(select(func.count()).select_from(schema.case)) or 0)
