"""Stories by text message: one line for each keyword, in the member's language; STOP means stop at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import select
from staff_stories import is_true, until
from town import Town

from bot.member_chat import sms
from bot.schema import alert
from messages.reach import State, channels_of, set_channel_state
from messages.words.sms_text import encode_plan
from voting.model import StaffRules, Ways
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


HELP = "CYMORTH"  # the English word is answered by Twilio itself


@pytest.mark.parametrize(("name", "status"), [("ada", "STATUS"), ("sian", "STATWS")])
async def test_while_votes_are_taken_by_page_status_and_help_name_it(town: Town, name: str, status: str) -> None:
    """Beside the bot, in two segments at most; and no more once voting is over."""
    member = town.member(name)
    english, welsh = ("was posted", "to end texts", "Vote here: "), ("ei bostio", "i atal", "Pleidleisio yma: ")
    words = {"ada": english, "sian": welsh}[name]
    await town.changes_pack(name, dispatched_on=date(2022, 8, 2))
    await member.phone.texts(status)
    said = [await member.phone.hears(words[0])]
    await member.phone.texts(HELP)
    said.append(await member.phone.hears(words[1]))
    town.clock.put(town.poll.closes_at + timedelta(seconds=1))
    await member.phone.texts(HELP)
    late = await member.phone.hears(words[1])

    for text in said:
        assert f"{words[2]}https://ballot.example/vote" in text.body
        assert "https://t.me/" in text.body
        assert encode_plan(text.body).segments <= 2
    assert "/vote" not in late.body


async def test_where_the_page_is_off_no_text_names_it(database: Database, tmp_path: Path) -> None:
    async with Town(database, tmp_path, webhooks=True, ways=Ways(page=False)) as town:
        ada = town.member("ada")
        await ada.phone.texts(HELP)
        assert "/vote" not in (await ada.phone.hears("to end texts")).body


async def test_a_link_that_makes_a_text_too_long_is_left_out(database: Database, tmp_path: Path) -> None:
    """The title is long: without the link the help takes two segments, with it three."""
    title = ("The ballot for the leader of the Free Party of Anglesey, Arfon and Meirionnydd, with all branches " * 2)[
        :188
    ]
    async with Town(database, tmp_path, webhooks=True, title=title) as town:
        ada = town.member("ada")
        await ada.phone.texts(HELP)
        said = await ada.phone.hears("to end texts")

    assert encode_plan(said.body).segments == 2
    assert "/vote" not in said.body


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


async def answers_by_itself(town: Town, number: str, words: str, seconds: float) -> int:
    """Let a phone answer each text with these words for a while; give how many texts it got."""
    phone = town.sandbox.twilio.phone(number)
    answered, until = 0, monotonic() + seconds
    await phone.texts(words)
    while monotonic() < until:
        while answered < len(phone.inbox):
            answered += 1
            await phone.texts(words)
        await asyncio.sleep(0.02)
    return len(phone.inbox)


async def alerts_of(town: Town, kind: str) -> list[dict[str, object]]:
    async with town.database.reading() as connection:
        rows = await connection.execute(select(alert.c.facts).where(alert.c.kind == kind))
        return [dict(facts) for facts in rows.scalars()]


async def test_a_phone_that_answers_by_itself_gets_three_answers_a_day(town: Town) -> None:
    number = town.member("ada").number

    assert await answers_by_itself(town, number, "I am driving and will read this later", 3) == sms.UNKNOWN_PER_DAY

    assert await alerts_of(town, "answers_stopped") == [{"count": 1}]
    await town.member("ada").phone.texts("STATUS")
    await town.member("ada").phone.hears("has not been posted yet")
    town.clock.put(town.clock() + timedelta(days=1))
    await town.member("ada").phone.texts("what?")
    await town.settles()
    await until(lambda: is_true(len(town.member("ada").phone.inbox) == sms.UNKNOWN_PER_DAY + 2))


async def test_even_a_keyword_is_answered_only_so_often_a_day(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sms, "ANSWERS_PER_DAY", 4)
    assert await answers_by_itself(town, town.member("ada").number, "STATUS", 3) == 4
    assert await alerts_of(town, "answers_stopped") == [{"count": 1}]


@pytest.mark.parametrize(
    "words", ["STOP please", "stop stop", "Stop texting me, thank you", "STOP\nAda Jones", "Arrêt", "stopp bitte"]
)
async def test_stop_is_heard_in_a_whole_sentence(town: Town, words: str) -> None:
    ada = town.member("ada")
    await ada.phone.texts(words)
    await town.settles()
    assert await sms_state(town, "ada") is State.OPTED_OUT


async def test_words_that_may_mean_stop_reach_a_person_who_stops_them_with_one_press(town: Town) -> None:
    gwen, ada = await town.staff("gwen"), town.member("ada")
    await ada.phone.texts("I have asked you before to stop this, who are you")
    said = await gwen.hears("may mean that they want no more", timeout_seconds=30)
    assert ada.number not in said.words
    assert await sms_state(town, "ada") is State.ON

    await gwen.presses("Stop texts to this number")

    await gwen.hears("Acknowledged by", timeout_seconds=30)
    assert await sms_state(town, "ada") is State.OPTED_OUT


@pytest.mark.parametrize("app", ["whatsapp:", "rcs:"])
async def test_stop_by_another_app_counts_for_the_number(town: Town, app: str) -> None:
    ada = town.member("ada")
    await town.sandbox.twilio.phone(app + ada.number).texts("STOP please")
    await town.settles()
    assert await sms_state(town, "ada") is State.OPTED_OUT


@pytest.mark.parametrize(("kind", "reason"), [("telegram", "blocked"), ("telegram", "deactivated"), ("sms", "30005")])
async def test_a_channel_that_is_off_by_mistake_is_on_again_as_soon_as_its_person_writes(
    town: Town, kind: str, reason: str
) -> None:
    ada = town.member("ada")
    await ada.links()
    address = str(ada.id) if kind == "telegram" else ada.number
    async with town.database.writing() as connection:
        await set_channel_state(connection, kind, address, State.DEAD, reason=reason, now=town.clock())

    await (ada.types("/help") if kind == "telegram" else ada.phone.texts("HELLO"))

    await town.settles()
    async with town.database.reading() as connection:
        member = await roll.find(connection, town.member_nos["ada"])
        assert {one.kind: one.state for one in await channels_of(connection, member.id)}[kind] is State.ON


async def test_stop_said_while_the_service_was_down_counts_once_it_is_back(town: Town) -> None:
    """Twilio hands a text over once: what nobody took is fetched from its list at the start."""
    ada = town.member("ada")
    await town.stops()
    await ada.phone.texts("STOP")

    await town.starts()

    async with asyncio.timeout(20):
        while await sms_state(town, "ada") is not State.OPTED_OUT:  # noqa: ASYNC110 - in a database
            await asyncio.sleep(0.05)
    assert len(ada.phone.inbox) == 1, "Twilio has answered it"
