"""What else staff are woken for, by the same road as attempts: guessing, books that do not add up, a provider."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ballot_town import WAYS, chats, make_members
from sqlalchemy import insert
from staff_stories import is_true, sends_with, until
from town import Town, Townsperson

from bot.app import chores
from bot.sandbox import Fault
from messages.notices import notices, sending
from messages.notices.model import Content
from voting import schema
from voting.codes.codes import Kind, generate, printed
from voting.model import By
from voting.store.database import Database
from voting.votes.wrong_codes import ALARM_WRONG_CODES

NOBODYS = {"credential": b"x" * 32, "packed": b"nobody's", "digest": b"y" * 32, "entry": 1}
LATE_EVENING = datetime(2022, 8, 3, 20, 30, tzinfo=UTC)  # half past nine in London: no texts before the morning


async def state_of(town: Town) -> str:
    async with town.database.reading() as connection:
        return (await notices.show(connection, 1)).state


async def sends_notice(author: Townsperson, approver: Townsperson) -> None:
    """Tell everybody something, with two people."""
    await author.asks(author.types("/broadcast"), "What shall members be told?")
    await author.asks(author.presses("Reminder"), "to whom?")
    await author.asks(author.presses("Everybody"), "Written by")
    await sends_with(author, approver)


async def test_codes_being_guessed_from_many_chats_reach_staff(town: Town) -> None:
    gwen = await town.staff("gwen")
    rows = [
        {"chat": f"telegram:{number}", "pack_id": None, "code_hash": number.to_bytes(2, "big"), "at": town.clock()}
        for number in range(ALARM_WRONG_CODES - 1)
    ]
    async with town.database.writing() as connection:
        await connection.execute(insert(schema.wrong_code), rows)

    guesser = town.stranger("guesser")
    await guesser.gives_codes(printed(Kind.PACK, generate(Kind.PACK, town.poll.id)))

    alert = await gwen.hears("Codes are being guessed")
    assert "What to do" in alert.words
    await gwen.presses("Acknowledge")
    await gwen.hears("Gwen")


async def test_books_that_do_not_add_up_reach_staff(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chores, "PROBES_EVERY", timedelta(seconds=0.2))
    async with Town(database, tmp_path) as town:
        gwen = await town.staff("gwen")
        async with town.database.writing() as connection:
            await connection.execute(insert(schema.ballot).values(NOBODYS))

        alert = await gwen.hears("The books do not add up")
        assert "ballotline audit" in alert.words


async def schedules_reminder(town: Town, at: datetime) -> None:
    """Have a reminder to everybody wait for its time, written by Gwen and approved by Mair."""
    async with town.database.writing() as connection:
        content = Content(kind="reminder", send_at=at)
        made = await notices.draft(connection, content, ways=WAYS, by=By("Gwen", "command line", town.clock()))
        await notices.approve(connection, made.id, by=By("Mair", "command line", town.clock()))
        await sending.send(connection, made.id, by=By("Gwen", "command line", town.clock()))


async def test_a_notice_whose_audience_grew_is_held_at_its_time_and_goes_when_it_is_approved_again(town: Town) -> None:
    """Nobody is told what nobody approved for so many; staff hear of it and mend it in the chat."""
    gwen, mair = await town.staff("gwen"), await town.staff("mair", "comms")
    await schedules_reminder(town, town.clock() + timedelta(hours=1))
    await make_members(town.database, 20, telegram=chats(20), first=5000)

    town.clock.put(town.clock() + timedelta(hours=1))

    alert = await gwen.hears("A notice did not go at its time", timeout_seconds=20)
    assert "was approved for 5 members and would now go to 25" in alert.words
    assert await state_of(town) == "submitted"
    assert not town.member("ada").phone.messages
    seen = await mair.asks(mair.types("/broadcast 1"), "waits for approval again")
    assert "25" in seen.words
    await mair.asks(mair.presses("Approve"), "Approved")
    await gwen.asks(gwen.types("/broadcast 1"), "Approved")
    await gwen.presses("Send")
    await town.member("ada").phone.hears("have you voted?")


async def test_a_provider_that_refuses_pauses_the_notice_and_staff_go_on_when_it_is_mended(town: Town) -> None:
    gwen, mair = await town.staff("gwen"), await town.staff("mair", "comms")
    town.sandbox.faults.twilio.add(Fault("error", code=20003, count=None))

    await sends_notice(gwen, mair)

    alert = await gwen.hears("A provider refuses our messages", timeout_seconds=20)
    assert "20003" in alert.words
    await until(lambda: is_true(any("Go on" in message.labels for message in gwen.messages)))
    assert await state_of(town) == "paused"
    town.sandbox.faults.twilio.clear()
    await gwen.presses("Go on")

    for name in ("ada", "sian"):
        member = town.member(name)
        await member.phone.hears("STOP", timeout_seconds=20)


async def test_a_notice_is_paused_gone_on_with_and_canceled_in_the_chat(database: Database, tmp_path: Path) -> None:
    async with Town(database, tmp_path, moment=LATE_EVENING) as town:
        gwen, mair = await town.staff("gwen"), await town.staff("mair", "comms")
        await sends_notice(gwen, mair)
        for label, state in (("Pause", "paused"), ("Go on", "sending"), ("Cancel the notice", "canceled")):
            await until(lambda label=label: is_true(label in gwen.buttons))  # type: ignore[misc]
            await gwen.presses(label)

            async def reached(state: str = state) -> bool:
                return await state_of(town) == state

            await until(reached)
        assert "Go on" not in gwen.buttons
        assert [sms for name in ("ada", "sian") for sms in town.member(name).phone.messages] == []


async def test_a_case_is_taken_on_by_one_and_the_others_see_it(town: Town) -> None:
    gwen, huw = await town.staff("gwen"), await town.staff("huw", "support")
    ada, thief = town.member("ada"), town.stranger("thief")
    await ada.votes("North Quay")
    await thief.insists(ada.pack.codes)
    await gwen.hears("used from another account")
    await gwen.presses("Open case")
    await gwen.hears("One person proposes")

    await gwen.presses("I look into it")

    await gwen.hears("Gwen looks into it")
    await huw.asks(huw.types("/cases 1"), "Gwen looks into it")
    case = await town.case_of("ada")
    assert case is not None
    assert case.assigned_to == "Gwen"
