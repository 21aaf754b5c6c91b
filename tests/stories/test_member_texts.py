"""Stories by text message: one line for each keyword, in the member's language; STOP means stop at once."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
from town import Town

from messages.reach import State, channels_of
from voting.model import StaffRules
from voting.roll import roll
from voting.store.database import Database

pytestmark = pytest.mark.filterwarnings("ignore:.*PTB_TIMEDELTA:telegram.warnings.PTBDeprecationWarning")


@pytest.fixture
async def town(database: Database, tmp_path: Path) -> AsyncIterator[Town]:
    """Give a town with webhooks: texts come no other way."""
    async with Town(database, tmp_path, webhooks=True) as town:
        yield town


@pytest.mark.parametrize("asked", ["STATUS", "status", " Status. "])
async def test_status_says_where_the_pack_is(town: Town, asked: str) -> None:
    ada = town.member("ada")
    await ada.phone.texts(asked)
    await ada.phone.hears("your voting pack has not been posted yet. It should arrive 1-5 August 2022")
    await town.changes_pack("ada", dispatched_on=date(2022, 8, 2))

    await ada.phone.texts(asked)

    await ada.phone.hears("was posted on Tuesday 2 August 2022")


async def test_status_after_the_vote_says_so_and_no_more(town: Town) -> None:
    ada = town.member("ada")
    await ada.votes("North Quay")

    await ada.phone.texts("STATUS")

    said = await ada.phone.hears("a vote from you is locked")
    assert "Quay" not in said.body


async def test_a_welsh_member_is_answered_in_welsh_whatever_the_word(town: Town) -> None:
    sian = town.member("sian")
    for asked in ("STATWS", "STATUS"):
        await sian.phone.texts(asked)
        await sian.phone.hears("nid yw eich pecyn pleidleisio wedi'i bostio eto")


async def test_a_number_that_two_members_share_is_told_how_to_see_their_own(town: Town) -> None:
    bob = town.member("bob")
    await bob.phone.texts("STATUS")
    await bob.phone.hears("More than one member uses this number")


async def test_a_number_we_do_not_know_is_told_so_in_the_language_of_its_word(town: Town) -> None:
    phone = town.sandbox.twilio.phone("+447700900999")
    await phone.texts("STATUS")
    await phone.hears("We do not have this number on our list")
    await phone.texts("STATWS")
    await phone.hears("Nid yw'r rhif hwn ar ein rhestr")


async def test_who_cannot_vote_is_told_so(town: Town) -> None:
    newt = town.member("newt")
    await newt.phone.texts("STATUS")
    await newt.phone.hears("you cannot vote in this ballot")


@pytest.mark.parametrize("asked", ["hello?", "what is this", "🙂", "VOTE NORTH"])
async def test_anything_else_gets_one_line_of_help(town: Town, asked: str) -> None:
    ada = town.member("ada")
    await ada.phone.texts(asked)
    await ada.phone.hears("we can only read STATUS, STOP, START or HELP")


async def test_stop_stops_at_once_and_is_not_answered_twice(town: Town) -> None:
    """Twilio itself answers the exact English word on a long code."""
    ada = town.member("ada")

    await ada.phone.texts("STOP")
    await town.settles()

    assert await sms_state(town, "ada") is State.OPTED_OUT
    assert [sms for sms in ada.phone.messages if "You will get no more texts from us" in sms.body] == []


async def test_stop_in_welsh_is_ours_to_answer_and_start_ends_it(town: Town) -> None:
    sian = town.member("sian")
    await sian.phone.texts("STOPIO")
    await sian.phone.hears("Ni fyddwch yn cael rhagor o negeseuon testun")
    assert await sms_state(town, "sian") is State.OPTED_OUT

    await sian.phone.texts("Dechrau")

    await sian.phone.hears("Byddwch yn cael negeseuon testun gennym")
    assert await sms_state(town, "sian") is State.ON


async def test_help_in_welsh(town: Town) -> None:
    sian = town.member("sian")
    await sian.phone.texts("cymorth")
    await sian.phone.hears("atebwch STATWS")


async def test_after_the_close_a_text_says_so(town: Town) -> None:
    ada = town.member("ada")
    await town.closes_poll()
    await ada.phone.texts("STATUS")
    await ada.phone.hears("voting closed at")


@pytest.mark.parametrize(
    ("name", "asked", "heard"),
    [
        pytest.param("ada", "hello?", "To ask something else: 020 7946 0000", id="English"),
        pytest.param("sian", "helo?", "I ofyn rhywbeth arall: 020 7946 0000", id="Welsh"),
        pytest.param("newt", "STATUS", "If that seems wrong, tell us: 020 7946 0000", id="may not vote"),
    ],
)
async def test_where_the_poll_names_a_contact_a_text_names_it(
    database: Database, tmp_path: Path, name: str, asked: str, heard: str
) -> None:
    async with Town(database, tmp_path, webhooks=True, staff=StaffRules(contact="020 7946 0000")) as town:
        member = town.member(name)
        await member.phone.texts(asked)
        await member.phone.hears(heard)


async def test_without_a_contact_a_text_names_the_bot(town: Town) -> None:
    newt = town.member("newt")
    await newt.phone.texts("STATUS")
    await newt.phone.hears(f"If that seems wrong, tell us: https://t.me/{town.sandbox.telegram.bot_username}")


async def sms_state(town: Town, name: str) -> State:
    async with town.database.reading() as connection:
        member = await roll.find(connection, town.member_nos[name])
        return next(found.state for found in await channels_of(connection, member.id) if found.kind == "sms")
