"""Live progress over the real wire: one message, edited once a round and only when it moved; at the end the report."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from ballot_town import NOW, chats, make_members, make_poll, send_notice
from prepared import SECRETS
from sqlalchemy import insert, select, update
from telegram import Bot

from bot.sandbox import Fault, Message, Person, Sandbox
from bot.schema import notice_message
from bot.staff import enrolment
from bot.staff.roles import Role
from bot.staff_chat.notice_watch import NoticeWatch
from messages.channels.telegram_request import AiohttpRequest
from messages.notices.life import cancel, finish
from messages.pace.pacer import Pacer
from messages.schema import delivery
from voting.model import By
from voting.store.database import Database

MEMBERS = 40


@dataclass
class Watched:
    """A notice on its way to forty, and Gwen, who watches it."""

    database: Database
    sandbox: Sandbox
    watch: NoticeWatch
    gwen: Person
    notice_id: int

    async def told(self, count: int) -> None:
        """Let so many more messages be taken by the provider."""
        queued = select(delivery.c.id).where(delivery.c.state == "ready").order_by(delivery.c.id).limit(count)
        async with self.database.writing() as connection:
            await connection.execute(
                update(delivery).where(delivery.c.id.in_(queued)).values(state="sent", sent_at=NOW, settled_at=NOW)
            )

    async def ends(self) -> None:
        """Let all of the rest be told, and the notice be done."""
        await self.told(MEMBERS)
        async with self.database.writing() as connection:
            assert await finish(connection, NOW) == [self.notice_id]

    @property
    def looks(self) -> list[Message]:
        """How the one message looked, from the first to the last."""
        return [message for message in self.gwen.chat.log if message.sender == "bot" and message.document is None]

    @property
    def files(self) -> list[str]:
        """The names of the files that came."""
        return [message.document[0] for message in self.gwen.chat.log if message.document is not None]


@pytest.fixture
async def watched(database: Database) -> AsyncIterator[Watched]:
    await make_poll(database)
    await make_members(database, MEMBERS, telegram=chats(MEMBERS))
    await make_members(database, 1, first=500)  # nobody knows how to reach them
    async with Sandbox() as sandbox:
        gwen = sandbox.telegram.person("Gwen")
        await gwen.types("/start")
        request = AiohttpRequest(Pacer(), read_timeout_seconds=2)
        bot = Bot(sandbox.telegram.token, base_url=f"{sandbox.telegram.api_url}/bot", request=request)
        async with database.writing() as connection:
            token = await enrolment.invite_staff(
                connection, Role.OFFICER, name="Gwen", by=By("setup", "command line", NOW)
            )
            await enrolment.enrol(connection, token, user_id=gwen.id, called="Gwen", language="en-GB", now=NOW)
        sent = await send_notice(database)
        shown = await bot.send_message(gwen.id, "Notice 1")
        async with database.writing() as connection:
            await connection.execute(
                insert(notice_message).values(notice_id=sent.id, chat_id=gwen.id, message_id=shown.message_id)
            )
        watch = NoticeWatch(database, SECRETS.button_key, bot, clock=lambda: NOW)
        yield Watched(database, sandbox, watch, gwen, sent.id)
        await request.shutdown()


async def test_however_much_moves_between_two_rounds_it_is_one_edit_of_one_message(watched: Watched) -> None:
    for _ in range(3):
        for _ in range(5):
            await watched.told(2)
        await watched.watch.step()

    assert len({message.message_id for message in watched.looks}) == 1
    assert [message.edited for message in watched.looks] == [False, True, True, True]
    for words, look in zip(("10 sent, 30 waiting", "20 sent", "30 sent"), watched.looks[1:], strict=True):
        assert words in look.words


async def test_nothing_is_edited_when_nothing_moved(watched: Watched) -> None:
    await watched.told(10)
    for _ in range(3):
        await watched.watch.step()

    assert len(watched.looks) == 2


async def test_the_last_edit_is_the_report_and_brings_its_file_once(watched: Watched) -> None:
    await watched.ends()
    for _ in range(3):
        await watched.watch.step()

    assert len(watched.looks) == 2
    assert "Why not" in watched.looks[-1].words
    assert watched.files == ["notice-1-not-reached.csv"]


@pytest.mark.parametrize("method", ["editMessageText", "sendDocument"])
@pytest.mark.parametrize("fault", [Fault("429"), Fault("error", code=502)], ids=["too fast", "away"])
async def test_a_report_that_could_not_be_given_comes_in_the_next_round(
    watched: Watched, method: str, fault: Fault
) -> None:
    watched.sandbox.faults.telegram.add(Fault(fault.kind, method=method, code=fault.code))
    await watched.ends()

    await watched.watch.step()
    assert watched.files == []
    async with asyncio.timeout(10):
        while not watched.files:  # a chat that Telegram holds is left alone for as long as it said
            await watched.watch.step()
            await asyncio.sleep(0.05)
    await watched.watch.step()

    assert "Why not" in watched.looks[-1].words
    assert (len(watched.looks), watched.files) == (2, ["notice-1-not-reached.csv"])


async def test_a_message_that_is_gone_and_a_notice_that_was_canceled_are_looked_after_no_more(watched: Watched) -> None:
    async with watched.database.writing() as connection:
        await cancel(connection, watched.notice_id, by=By("Gwen", "command line", NOW))
    await watched.watch.step()
    before = len(watched.gwen.chat.log)
    await watched.told(5)
    await watched.watch.step()

    assert len(watched.gwen.chat.log) == before
