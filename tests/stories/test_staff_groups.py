"""A staff group that is lost, closed or moved is told to the officers, and nobody's press is without an answer."""

import json

import pytest
from sqlalchemy import select
from staff_stories import raise_alerts, until
from town import Town, Townsperson

from bot.alerts import alerts
from bot.alerts.alerts import Kind
from bot.sandbox import Fault
from bot.sandbox.telegram.groups import Group
from bot.schema import alert, inbox, staff_group
from bot.staff import enrolment
from voting.model import By


async def staff_group_of(town: Town, *people: Townsperson, topic: bool = False) -> tuple[Group, int | None]:
    """Make a group in which the first of these has sent /here; in a topic of it, if so."""
    group = town.sandbox.telegram.group("Ballot staff", members=[one.person for one in people], topics=topic)
    opening = await people[0].types("@ballot alerts", chat=group) if topic else None
    thread = opening.message_id if opening else None
    await people[0].types("/here", chat=group, thread=thread)
    await people[0].hears("This is a staff group now", chat=group)
    return group, thread


def refuses(town: Town, chat_id: int, code: int, why: str, **parameters: int) -> Fault:
    """Let Telegram refuse what is said in a chat, in its own shape, over the wire."""
    answer = {"ok": False, "error_code": code, "description": why, "parameters": parameters}
    fault = Fault("other_before", count=None, code=code, body=json.dumps(answer), chat_id=chat_id, method="sendMessage")
    return town.sandbox.faults.telegram.add(fault)


async def alerts_of(town: Town, kind: Kind) -> int:
    async with town.database.reading() as connection:
        return len((await connection.execute(select(alert.c.id).where(alert.c.kind == kind.value))).all())


async def is_staff_group(town: Town, chat_id: int) -> bool:
    wanted = (staff_group.c.chat_id == chat_id) & staff_group.c.removed_at.is_(None)
    async with town.database.reading() as connection:
        return await connection.scalar(select(staff_group.c.chat_id).where(wanted)) is not None


async def shown_to(person: Townsperson, count: int) -> bool:
    """Tell whether so many alerts of `raise_alerts` are in this person's own chat."""
    return sum("could not" in one.words for one in person.messages) >= count


LOST = {
    "the group is not there": (400, "Bad Request: chat not found", True),
    "the bot was removed": (403, "Forbidden: bot was kicked from the supergroup chat", True),
    "the group was deleted": (403, "Forbidden: the group chat was deleted", True),
    "upgraded, and nobody said to what": (400, "Bad Request: group chat was upgraded to a supergroup chat", True),
    "the bot may not write": (400, "Bad Request: not enough rights to send text messages to the chat", False),
}


@pytest.mark.parametrize(("code", "why", "gone"), LOST.values(), ids=LOST.keys())
@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
async def test_a_group_that_cannot_be_told_is_told_to_the_officers(town: Town, code: int, why: str, gone: bool) -> None:
    """Also to the officer who is not on duty; once; and the alert itself is read in staff's own chats."""
    gwen, huw = await town.staff("gwen"), await town.staff("huw", "support")
    group, _ = await staff_group_of(town, gwen, huw)
    await huw.asks(huw.types("/duty on"))
    refuses(town, group.chat_id, code, why)

    await raise_alerts(town, 2)

    for person in (gwen, huw):
        told = await person.hears("A staff group cannot be told", timeout_seconds=20)
        assert "“Ballot staff”" in told.words
    assert await is_staff_group(town, group.chat_id) is not gone
    assert await alerts_of(town, Kind.GROUP_LOST) == 1


async def test_acknowledging_it_does_not_raise_it_again(town: Town) -> None:
    """The alert is about a group that it cannot be shown in either."""
    gwen = await town.staff("gwen")
    group, _ = await staff_group_of(town, gwen)
    refuses(town, group.chat_id, 400, LOST["the bot may not write"][1])
    await raise_alerts(town, 1)
    await gwen.hears("A staff group cannot be told", timeout_seconds=20)

    async with town.database.writing() as connection:
        for one in await alerts.open_alerts(connection):
            await alerts.acknowledge(connection, one.id, by=By("Gwen", "chat", town.clock()))
    await gwen.hears("Acknowledged by Gwen", timeout_seconds=20)
    await raise_alerts(town, 2)
    await until(lambda: shown_to(gwen, 2))

    async with town.database.reading() as connection:
        kinds = [one.kind for one in await alerts.open_alerts(connection)]
    assert Kind.GROUP_LOST not in kinds


async def test_a_bot_removed_from_a_staff_group_says_so_at_once(town: Town) -> None:
    """Telegram tells us of the removal: no alert has to fail first. Of any other group nobody hears."""
    gwen = await town.staff("gwen")
    group, _ = await staff_group_of(town, gwen)
    other = town.sandbox.telegram.group("Allotments", members=[gwen.person])

    other.kicks_bot(gwen.person)
    group.kicks_bot(gwen.person)

    told = await gwen.hears("A staff group cannot be told", timeout_seconds=20)
    assert "“Ballot staff”" in told.words
    assert not await is_staff_group(town, group.chat_id)
    assert await alerts_of(town, Kind.GROUP_LOST) == 1


@pytest.mark.parametrize("heard", [True, False], ids=["the update came first", "an alert met it first"])
async def test_a_group_that_became_a_supergroup_is_followed(town: Town, heard: bool) -> None:
    """Nothing is lost, so nobody is told of a loss; the alert is read in the new group."""
    gwen = await town.staff("gwen")
    group, _ = await staff_group_of(town, gwen)
    old = group.chat_id
    if heard:
        group.migrate()
        await town.settles()
    else:
        new = town.sandbox.telegram.group("Ballot staff", members=[gwen.person], topics=True)
        refuses(
            town, old, 400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=new.chat_id
        )
        group = new

    await raise_alerts(town, 1)

    await gwen.hears("What to do", chat=group, timeout_seconds=20)
    assert (await is_staff_group(town, old), await is_staff_group(town, group.chat_id)) == (False, True)
    assert await alerts_of(town, Kind.GROUP_LOST) == 0


@pytest.mark.parametrize("why", ["TOPIC_CLOSED", "message thread not found", "TOPIC_DELETED"])
async def test_of_a_closed_topic_the_general_topic_hears(town: Town, why: str) -> None:
    """An alert, and the answer to an admin's command, go to the group's general topic: no five tries, no new alert."""
    gwen = await town.staff("gwen")
    group, thread = await staff_group_of(town, gwen, topic=True)
    closed = refuses(town, group.chat_id, 400, f"Bad Request: {why}")
    closed.count = 1
    await raise_alerts(town, 1)
    assert (await gwen.hears("What to do", chat=group, timeout_seconds=20)).thread_id is None

    closed.count = 1
    await gwen.types("/staff", chat=group, thread=thread)
    assert (await gwen.hears("You can send", chat=group)).thread_id is None
    assert await alerts_of(town, Kind.GROUP_LOST) == 0
    assert await alerts_of(town, Kind.INBOX_FAILED) == 1  # the one that was raised


# -- presses that Telegram has forgotten -------------------------------------------------


async def leaves(town: Town, person: Townsperson) -> None:
    async with town.database.writing() as connection:
        known = await enrolment.find(connection, person.id)
        assert known is not None
        await enrolment.remove(connection, known.id, by=By("Huw", "command line", town.clock()))


async def tries_and_alerts(town: Town) -> tuple[int, int]:
    """Give the most tries of any row of the inbox, and how many alerts there are."""
    await town.settles()
    async with town.database.reading() as connection:
        tries = list((await connection.execute(select(inbox.c.tries))).scalars())
        return max(tries), len((await connection.execute(select(alert.c.id))).all())


@pytest.mark.parametrize("forgotten", [False, True], ids=["in time", "forgotten by Telegram"])
async def test_who_was_removed_is_told_in_one_sentence_whatever_button_they_press(town: Town, forgotten: bool) -> None:
    gwen = await town.staff("gwen")
    await gwen.types("/staff")
    await gwen.hears("You can send")
    await leaves(town, gwen)
    if forgotten:
        refuses_press(town)

    await gwen.presses("Go on duty")

    if forgotten:
        assert (await gwen.hears("Only staff")).words == "Only staff can do that."
    else:
        await gwen.sees_alert("Only staff")
    assert await tries_and_alerts(town) == (1, 0)
    assert sum("Only staff" in one.words for one in gwen.messages) == int(forgotten)


def refuses_press(town: Town) -> None:
    why = "Bad Request: query is too old and response timeout expired or query ID is invalid"
    body = json.dumps({"ok": False, "error_code": 400, "description": why})
    fault = Fault("other_before", count=None, code=400, body=body, method="answerCallbackQuery")
    town.sandbox.faults.telegram.add(fault)


async def test_who_was_removed_and_has_blocked_the_bot_costs_nothing(town: Town) -> None:
    """The sentence reaches nobody, and that is no trouble."""
    gwen = await town.staff("gwen")
    await gwen.types("/staff")
    await gwen.hears("You can send")
    await leaves(town, gwen)
    refuses_press(town)
    refuses(town, gwen.id, 403, "Forbidden: bot was blocked by the user")

    await gwen.presses("Go on duty")

    assert await tries_and_alerts(town) == (1, 0)


async def test_a_refusal_of_a_forgotten_press_is_read_in_the_person_s_own_chat(town: Town) -> None:
    """Staff who may not do it are told, though nothing can be shown over the button any more."""
    gwen = await town.staff("gwen")
    await gwen.types("/staff")
    page = await gwen.hears("You can send")
    refuses_press(town)

    await gwen.press_data("gs-duty:on.AAAAAAAAAAAAAAAA", message=page)

    await gwen.hears("not one of ours")
    assert await tries_and_alerts(town) == (1, 0)


async def test_a_member_s_foreign_press_that_telegram_forgot_is_answered_by_a_message(town: Town) -> None:
    ada = town.member("ada")
    await ada.types("/start")
    page = await ada.hears("What would you like to do?")
    refuses_press(town)

    await ada.press_data("gvote:.AAAAAAAAAAAAAAAA", message=page)

    await ada.hears("begin again")
    assert await tries_and_alerts(town) == (1, 0)
