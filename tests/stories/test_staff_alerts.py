"""Second attempts as staff hear of them: at once, neutral, acknowledged for all, settled by two."""

from datetime import timedelta

import pytest
from staff_stories import is_true, raise_alerts, set_phone, until, wrong_vote_code
from town import Town

from voting.votes import cases


async def attempt_by_stranger(town: Town) -> None:
    """Ada votes; then somebody else types her codes."""
    ada, thief = town.member("ada"), town.stranger("thief")
    await ada.votes("North Quay")
    await thief.insists(ada.pack.codes)


async def test_a_second_attempt_from_another_phone_reaches_staff(town: Town) -> None:
    """Whoever holds the letter after the vote is locked cannot vote, and staff hear of it with the evidence."""
    gwen = await town.staff("gwen")

    await attempt_by_stranger(town)

    alert = await gwen.hears("used from another account")
    assert town.member("ada").member_no in alert.words
    assert "First vote: online" in alert.words
    assert "What to do" in alert.words
    assert "North Quay" not in alert.words
    assert await town.count("North Quay") == 1


async def test_an_alert_acknowledged_by_one_changes_for_all(town: Town) -> None:
    gwen, huw = await town.staff("gwen"), await town.staff("huw", "support")
    await attempt_by_stranger(town)
    await gwen.hears("used from another account")
    await huw.hears("used from another account")

    await gwen.presses("Acknowledge")

    await gwen.hears("Acknowledged by Gwen")
    changed = await huw.hears("Acknowledged by Gwen")
    assert "Acknowledge" not in changed.labels
    case = await town.case_of("ada")
    assert case is not None
    assert case.acknowledged_by == "Gwen"


async def test_of_two_who_acknowledge_the_first_counts_and_the_second_is_told_who(town: Town) -> None:
    gwen, huw = await town.staff("gwen"), await town.staff("huw")
    await attempt_by_stranger(town)
    alert = await huw.hears("used from another account")
    await gwen.hears("used from another account")
    await gwen.presses("Acknowledge")
    await huw.hears("Acknowledged by Gwen")

    await huw.presses("Acknowledge", message=alert)

    await huw.sees_alert("Acknowledged by Gwen")
    case = await town.case_of("ada")
    assert case is not None
    assert case.acknowledged_by == "Gwen"


async def test_more_attempts_join_the_case_and_edit_the_alert_instead_of_flooding(town: Town) -> None:
    gwen = await town.staff("gwen")
    await attempt_by_stranger(town)
    await gwen.hears("used from another account")
    before = len(gwen.messages)

    second = town.stranger("second")
    await second.insists(town.member("ada").pack.codes)

    async def two_lines() -> bool:
        return gwen.last.words.count("valid codes were used from another account") == 2

    await until(two_lines)
    assert len(gwen.messages) == before


async def test_a_case_is_settled_by_two_people_with_a_note(town: Town) -> None:
    gwen, huw = await town.staff("gwen"), await town.staff("huw", "support")
    await attempt_by_stranger(town)
    await gwen.hears("used from another account")
    await gwen.presses("Open case")
    await gwen.hears("One person proposes")
    await gwen.presses("An innocent reason was found")
    await gwen.hears("Write a note")
    await gwen.types("A second phone in the family.")
    await gwen.hears("Gwen proposes: An innocent reason was found")
    assert not any("Agree" in label for label in gwen.buttons)

    await huw.types("/cases")
    await huw.hears("One open case")
    await huw.presses("Case 1")
    await huw.hears("Note: A second phone in the family.")
    await huw.presses("Agree")

    await huw.hears("agreed by Huw")
    await gwen.hears("agreed by Huw")
    case = await town.case_of("ada")
    assert case is not None
    assert (case.state, case.outcome) == ("settled", cases.Outcome.EXPLAINED)


async def test_a_settled_case_is_raised_again_by_a_new_attempt(town: Town) -> None:
    gwen, huw = await town.staff("gwen"), await town.staff("huw")
    await attempt_by_stranger(town)
    await gwen.hears("used from another account")
    await gwen.presses("Open case")
    await gwen.hears("One person proposes")
    await gwen.presses("No action")
    await gwen.hears("Write a note")
    await gwen.presses("Without a note")
    await gwen.hears("Gwen proposes")
    await huw.types("/cases 1")
    await huw.hears("Gwen proposes")
    await huw.presses("Agree")
    await huw.hears("agreed by Huw")

    late = town.stranger("late")
    await late.insists(town.member("ada").pack.codes)

    await until(lambda: is_true(gwen.last.words.count("valid codes were used") == 2))
    assert "Acknowledge" in gwen.last.labels
    case = await town.case_of("ada")
    assert case is not None
    assert case.state == "open"


async def test_nobody_acknowledges_and_the_next_person_is_woken_then_texts_go_out(town: Town) -> None:
    gwen, huw = await town.staff("gwen"), await town.staff("huw", "support")
    for person in (gwen, huw):
        await person.types("/duty on")
        await person.hears("you are on duty")
    await set_phone(town, "Huw", huw.number)
    await attempt_by_stranger(town)
    await gwen.hears("used from another account")
    await huw.hears("used from another account")

    town.clock.put(town.clock() + timedelta(minutes=11))
    await huw.hears("Nobody has acknowledged", timeout_seconds=15)
    town.clock.put(town.clock() + timedelta(minutes=11))

    text = await huw.phone.hears("Nobody has acknowledged", timeout_seconds=15)
    assert town.member("ada").member_no not in text.body
    assert not any("Nobody has acknowledged" in message.words for message in gwen.messages)


async def test_an_acknowledged_alert_wakes_nobody(town: Town) -> None:
    """The state is looked at again before each page."""
    gwen, huw = await town.staff("gwen"), await town.staff("huw", "support")
    for person in (gwen, huw):
        await person.types("/duty on")
        await person.hears("you are on duty")
    await attempt_by_stranger(town)
    await gwen.hears("used from another account")
    await gwen.presses("Acknowledge")
    await huw.hears("Acknowledged by Gwen")

    town.clock.put(town.clock() + timedelta(hours=2))
    await gwen.types("/staff")

    await gwen.hears("No alert waits")
    assert not any("Nobody has acknowledged" in message.words for message in huw.history)


async def test_a_storm_becomes_one_message(town: Town) -> None:
    gwen = await town.staff("gwen")

    await raise_alerts(town, 40)

    await gwen.hears("40 alerts", timeout_seconds=15)
    shown = [message for message in gwen.messages if "⚠" in message.words]
    assert len(shown) <= 6
    await gwen.presses("Acknowledge all")
    await gwen.hears("All are acknowledged", timeout_seconds=15)


async def test_a_lockout_is_told_and_lifted_from_the_members_page(town: Town) -> None:
    gwen = await town.staff("gwen", "support")
    ada, guesser = town.member("ada"), town.stranger("guesser")
    await guesser.gives_codes(ada.pack.pack_code)
    for _ in range(5):
        await guesser.heard_any("vote code", "does not belong")
        await guesser.types(wrong_vote_code(town))
        await town.settles()

    await gwen.hears("Too many wrong vote codes", timeout_seconds=15)
    await gwen.types(f"/member {ada.member_no}")
    await gwen.hears("locked after wrong codes")
    await gwen.presses("Unlock the pack")

    await gwen.sees_alert("can be tried again")
    await until(lambda: is_true("locked after wrong codes" not in gwen.last.words))


@pytest.mark.parametrize("topics", [False, True], ids=["plain group", "topics"])
async def test_a_staff_group_hears_alerts_where_an_officer_said_here(town: Town, *, topics: bool) -> None:
    gwen, huw = await town.staff("gwen"), await town.staff("huw", "support")
    group = town.sandbox.telegram.group("Ballot staff", members=[gwen.person, huw.person], topics=topics)
    opening = await gwen.types("@ballot alerts", chat=group) if topics else None
    topic = opening.message_id if opening else None
    await gwen.types("/here", chat=group, thread=topic)
    await gwen.hears("This is a staff group now", chat=group)

    await attempt_by_stranger(town)

    alert = await gwen.hears("used from another account", chat=group)
    assert alert.thread_id == topic
    await huw.presses("Acknowledge", chat=group)
    await gwen.hears("Acknowledged by Huw", chat=group)
