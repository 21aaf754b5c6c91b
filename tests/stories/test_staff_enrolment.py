"""Who gets in: links that work once, roles, groups, strangers who get nowhere."""

import pytest
from staff_stories import is_true, until
from town import Town, Townsperson

from bot.chat import members_menu
from bot.chat.buttons import gesture_button
from bot.chat.page import GESTURE_PREFIX
from bot.staff import enrolment, login_links, roles
from bot.staff.roles import Role
from bot.staff_chat import handlers
from voting.model import By

COMMANDS = [*handlers.COMMANDS]


async def test_a_link_enrols_one_person_and_nobody_after(town: Town) -> None:
    link = await town.invite("officer")
    gwen, mallory = town.stranger("gwen"), town.stranger("mallory")

    await gwen.opens(link)
    await gwen.hears("You are on the staff now as officer")
    await mallory.opens(link)

    await mallory.hears("was used already")
    await mallory.types("/staff")
    await mallory.hears("did not understand")


async def test_staff_are_told_what_their_role_can_do(town: Town) -> None:
    gwen, huw, mair = await town.staff("gwen"), await town.staff("huw", "support"), await town.staff("mair", "comms")
    for person in (gwen, huw, mair):
        await person.types("/staff")
    officers = (await gwen.hears("You can send")).words
    assert all(f"/{name} " in officers for name in COMMANDS if name != "staff")
    supports = (await huw.hears("You can send")).words
    assert "/cases" in supports
    assert "/broadcast" not in supports
    comms = (await mair.hears("You can send")).words
    assert "/broadcast" in comms
    assert "/member" not in comms


@pytest.mark.parametrize("role", list(Role), ids=str)
async def test_the_commands_menu_of_staff_is_what_their_role_can_do_and_leaves_with_them(
    town: Town, role: Role
) -> None:
    person = await town.staff("pat", role)
    stranger = town.stranger("mallory")

    await until(lambda: is_true(person.commands[0].command == "staff"))

    offered = [line.command for line in person.commands]
    may = [name for name, (act, _) in handlers.COMMANDS.items() if roles.may(role, act) and name != "here"]
    assert set(offered) == {*may, *members_menu.COMMANDS}
    assert len(offered) == len(set(offered))
    assert [line.command for line in stranger.commands] == list(members_menu.COMMANDS)
    async with town.database.writing() as connection:
        found = await enrolment.find(connection, person.id)
        assert found is not None
        await enrolment.remove(connection, found.id, by=By("Huw", "command line", town.clock()))
    await until(lambda: is_true([line.command for line in person.commands] == list(members_menu.COMMANDS)))


async def test_the_menu_follows_a_new_role_a_new_language_and_a_restart(town: Town) -> None:
    pat = await town.staff("pat", Role.SUPPORT)
    await until(lambda: is_true("cases" in commands_of(pat)))
    await pat.opens(await town.invite(Role.COMMS))
    await until(lambda: is_true("broadcast" in commands_of(pat) and "cases" not in commands_of(pat)))
    await pat.asks(pat.types("/language"))
    await pat.presses("Cymraeg")
    await until(lambda: is_true(pat.commands[0].description.startswith("pwy ydych chi")))
    await town.stops()
    town.sandbox.telegram.world.commands.clear()

    await town.starts()

    await until(lambda: is_true("broadcast" in commands_of(pat)))


def commands_of(person: Townsperson) -> list[str]:
    return [line.command for line in person.commands]


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_stranger_who_tries_a_staff_command_gets_nowhere(town: Town, command: str) -> None:
    mallory = town.stranger("mallory")

    await mallory.types(f"/{command} 100001")

    await mallory.hears("did not understand")
    assert "100001" not in mallory.last.words


@pytest.mark.parametrize("role", list(Role), ids=str)
async def test_every_command_serves_the_roles_of_the_table_and_no_other(town: Town, role: Role) -> None:
    person = await town.staff("pat", role)
    for name, (act, _) in handlers.COMMANDS.items():
        answer = await person.asks(person.types(f"/{name}"))
        refused = answer.words.startswith(f"That is not for {role}")
        assert refused != roles.may(role, act), name


@pytest.mark.parametrize("role", [Role.COMMS, Role.SUPPORT], ids=str)
async def test_no_button_serves_a_role_that_is_not_in_the_table(town: Town, role: Role) -> None:
    """Even one that was made for this very chat, as when somebody's role changed since."""
    person = await town.staff("pat", role)
    page = person.last
    for name, (act, _) in handlers.GESTURES.items():
        if roles.may(role, act):
            continue
        told = len(person.alerts)
        payload = gesture_button(town.secrets.button_key, person.id, GESTURE_PREFIX + name, "1v1")
        await person.press_data(payload, message=page)
        await until(lambda told=told: is_true(len(person.alerts) > told))
        assert person.alerts[-1].startswith(f"That is not for {role}"), name


async def test_who_was_removed_gets_nowhere_at_once(town: Town) -> None:
    gwen = await town.staff("gwen")
    await gwen.types("/staff")
    await gwen.hears("You can send")
    async with town.database.writing() as connection:
        person = await enrolment.find(connection, gwen.id)
        assert person is not None
        await enrolment.remove(connection, person.id, by=By("Huw", "command line", town.clock()))

    await gwen.types("/staff")

    await gwen.hears("did not understand")


async def test_a_button_of_a_removed_colleague_does_nothing(town: Town) -> None:
    gwen = await town.staff("gwen")
    await gwen.types("/staff")
    await gwen.hears("You can send")
    async with town.database.writing() as connection:
        person = await enrolment.find(connection, gwen.id)
        assert person is not None
        await enrolment.remove(connection, person.id, by=By("Huw", "command line", town.clock()))

    await gwen.presses("Go on duty")

    await gwen.sees_alert("Only staff")


async def test_a_forged_press_does_nothing(town: Town) -> None:
    gwen = await town.staff("gwen")
    await gwen.types("/staff")
    page = await gwen.hears("You can send")

    await gwen.press_data("gs-duty:on.AAAAAAAAAAAAAAAA", message=page)

    await gwen.sees_alert("not one of ours")
    async with town.database.reading() as connection:
        assert await enrolment.on_duty(connection) == []


async def test_a_button_taken_to_another_chat_does_nothing(town: Town) -> None:
    gwen, huw = await town.staff("gwen"), await town.staff("huw")
    await gwen.types("/staff")
    hers = await gwen.hears("You can send")
    await huw.types("/staff")
    his = await huw.hears("You can send")

    await huw.press_data(hers.buttons[0][0].callback_data, message=his)

    await huw.sees_alert("not one of ours")


async def test_an_anonymous_admin_is_told_why_nothing_happens(town: Town) -> None:
    gwen = await town.staff("gwen")
    group = town.sandbox.telegram.group("Ballot staff", members=[gwen.person])

    await gwen.types("/here", chat=group, anonymously=True)

    await gwen.hears("nobody can tell who you are", chat=group)


async def test_a_group_is_no_place_for_staff_before_an_officer_says_so(town: Town) -> None:
    gwen, huw = await town.staff("gwen"), await town.staff("huw", "support")
    group = town.sandbox.telegram.group("Friends", members=[gwen.person, huw.person])

    await huw.types("/turnout", chat=group)
    await huw.hears("not a staff group", chat=group)
    await huw.types("/here", chat=group)
    await huw.hears("That is not for support", chat=group)
    await gwen.types("/here", chat=group)
    await gwen.hears("This is a staff group now", chat=group)
    await huw.types("/turnout", chat=group)

    picture = await huw.hears("have voted", chat=group)
    assert picture.photo is not None


async def test_a_member_asked_about_in_a_group_is_shown_to_the_asker_alone(town: Town) -> None:
    gwen = await town.staff("gwen")
    group = town.sandbox.telegram.group("Ballot staff", members=[gwen.person])
    await gwen.types("/here", chat=group)
    await gwen.hears("This is a staff group now", chat=group)

    await gwen.types(f"/member {town.member('ada').member_no}", chat=group)

    await gwen.hears("answered you in private", chat=group)
    await gwen.hears("May vote")
    assert not any("May vote" in message.words for message in group.messages)


async def test_a_console_link_comes_in_private_and_works_once(town: Town) -> None:
    gwen = await town.staff("gwen")

    await gwen.types("/console")

    words = (await gwen.hears("/console/login/")).words
    token = words.rpartition("/")[2].strip()
    async with town.database.writing() as connection:
        assert (await login_links.redeem_login(connection, town.secrets, token, town.clock())).name == "Gwen"


async def test_turnout_is_a_picture_for_a_phone_that_reveals_nothing(town: Town) -> None:
    gwen = await town.staff("gwen", "comms")
    await town.member("ada").votes("North Quay")

    await gwen.types("/turnout")

    picture = await gwen.hears("At least 0 of 5")
    assert picture.photo is not None
    assert picture.photo.startswith(b"\x89PNG")


async def test_staff_who_are_members_still_vote(town: Town) -> None:
    """The staff's side lets through what is not meant for it, codes above all."""
    ada = town.member("ada")
    async with town.database.writing() as connection:
        token = await enrolment.invite_staff(connection, Role.COMMS, by=By("Gwen", "command line", town.clock()))
    await ada.opens(f"https://t.me/{town.sandbox.telegram.bot_username}?start={enrolment.PREFIX}{token}")
    await ada.hears("on the staff now")
    await ada.types("/window")
    await ada.hears("Send the new first and last day")

    await ada.votes("North Quay")

    assert await town.count("North Quay") == 1


async def test_a_missing_pack_is_replaced_by_two(town: Town) -> None:
    gwen, huw = await town.staff("gwen"), await town.staff("huw", "support")
    ada = town.member("ada")
    await ada.links()
    await ada.asks(ada.types("/missing"))
    await ada.presses("It came, but damaged")
    await gwen.hears("One member reported a missing or damaged pack")

    await gwen.types("/missing_packs")
    await gwen.hears("One pack reported missing")
    await gwen.presses(f"Replace {ada.member_no}")
    await gwen.hears("Gwen asked to replace it")
    assert not any("Approve" in label for label in gwen.buttons)
    await huw.types("/missing_packs")
    await huw.hears("Gwen asked to replace it")
    await huw.presses("Approve replacing")

    await huw.hears("approved by Huw, to be printed")
