"""The poll closes whatever Telegram does: what was pressed before is a vote, and is answered when that can be."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select
from town import Town

from bot.inbox.inbox import Letter, store
from bot.member.closing import WAIT_SECONDS, close_poll
from bot.sandbox import Fault
from bot.schema import inbox
from voting.model import By, Phase
from voting.poll import polls

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])

PAGE = "<html><body>Please sign in to the network</body></html>"
SAYING = ("sendMessage", "editMessageText", "deleteMessage", "answerCallbackQuery")
AWAY = {
    "a proxy answers in its place": Fault("other_before", count=None, code=403, body=PAGE),
    "it holds everybody for an hour": Fault("429", count=None, retry_after=3600),
}


def faults_of(fault: Fault) -> list[Fault]:
    """Give the fault for each way in which a bot speaks; updates still come."""
    same = {name: getattr(fault, name) for name in ("kind", "count", "code", "body", "retry_after")}
    return [Fault(**same, method=method) for method in SAYING]


async def presses_behind_a_message_without_answer(town: Town, fault: Fault) -> None:
    """Let ada press 'Cast my vote' behind a message whose answer waits."""
    ada = town.member("ada")
    await ada.opens_paper()
    await ada.asks(ada.presses("North Quay"), "You chose")
    for one in faults_of(fault):
        town.sandbox.faults.telegram.add(one)
    await ada.types("hello? anybody?")
    await ada.presses("Cast my vote")
    async with asyncio.timeout(20):
        while len(await waiting(town)) < 2:  # noqa: ASYNC110 - another task stores them; two rows
            await asyncio.sleep(0.05)


async def waiting(town: Town) -> list[str]:
    async with town.database.reading() as connection:
        rows = await connection.execute(select(inbox.c.key).where(inbox.c.state == "new"))
        return list(rows.scalars())


def by_gwen(town: Town) -> By:
    return By("Gwen", "command line", town.clock())


@pytest.mark.parametrize("why", AWAY)
async def test_a_press_behind_an_answer_that_waits_is_a_vote_when_the_poll_closes(town: Town, why: str) -> None:
    """Telegram is away: the poll closes all the same, and says how many have no answer yet."""
    await presses_behind_a_message_without_answer(town, AWAY[why])

    closed = await close_poll(town.service.house, by=by_gwen(town), wait_seconds=0.2)

    assert closed.poll.phase is Phase.CLOSED
    assert closed.unanswered == 2  # the words, and the press behind them
    assert await town.lock_of("ada") is not None
    assert await town.count("North Quay") == 1


async def test_who_pressed_in_time_gets_the_receipt_when_telegram_is_back(town: Town) -> None:
    """The row is handled after the close: the press is a replay of the vote that was locked, never an attempt."""
    await presses_behind_a_message_without_answer(town, AWAY["a proxy answers in its place"])
    await close_poll(town.service.house, by=by_gwen(town), wait_seconds=0)

    town.sandbox.faults.telegram.clear()
    town.clock.put(town.clock() + timedelta(minutes=1))

    lock = await town.lock_of("ada")
    await town.member("ada").hears(lock.receipt, timeout_seconds=30)
    assert await town.attempts() == 0
    assert await town.locks() == 1


async def test_a_press_received_at_the_close_or_after_it_is_no_vote(town: Town) -> None:
    """What counts is when a press was stored."""
    at = town.clock()
    await presses_behind_a_message_without_answer(town, AWAY["a proxy answers in its place"])

    closed = await close_poll(town.service.house, by=By("Gwen", "command line", at), wait_seconds=0)

    assert closed.unanswered == 0
    assert await town.lock_of("ada") is None


async def test_what_is_handled_meanwhile_is_waited_for_and_no_longer(town: Town) -> None:
    """The reader is given a moment: the poll closes as soon as nothing waits."""
    async with town.database.writing() as connection:
        key = Letter("telegram", "900001", "telegram:other", {"update_id": 900001})
        await store(connection, town.service.reader.envelope, [key], town.clock())
    began = asyncio.get_running_loop().time()

    closed = await close_poll(town.service.house, by=by_gwen(town))

    assert closed.unanswered == 0
    assert asyncio.get_running_loop().time() - began < WAIT_SECONDS


PAYLOADS = {
    "nothing": {},
    "a press from nobody": {"callback_query": {"data": "p"}},
    "a press that is a word": {"callback_query": "p"},
    "a press by somebody whose id is a word": {"callback_query": {"from": {"id": "1"}, "data": "p"}},
    "a press on a button of others": {"callback_query": {"from": {"id": 1}, "data": "gx:.y"}},
    "a press without a button": {"callback_query": {"from": {"id": 1}}},
    "a press on a paper that there is not": {"callback_query": {"from": {"id": 1}, "data": 7}},
}


@pytest.mark.parametrize("payload", PAYLOADS)
async def test_rows_that_are_no_vote_do_not_stop_the_close(town: Town, payload: str) -> None:
    """Whatever lies in the inbox, also of a service that is not running: the poll closes."""
    await town.stops()
    async with town.database.writing() as connection:
        key = Letter("telegram", "900001", "telegram:1", PAYLOADS[payload])
        await store(connection, town.service.reader.envelope, [key], town.clock())

    closed = await close_poll(town.service.house, by=by_gwen(town), wait_seconds=0)

    assert closed.unanswered == 1
    async with town.database.reading() as connection:
        assert (await polls.load(connection)).phase is Phase.CLOSED
