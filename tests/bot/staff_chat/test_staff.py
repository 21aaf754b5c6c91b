"""Who may do what, who is on the staff, and what links are worth; on both engines."""

import ast
from datetime import timedelta
from pathlib import Path

import pytest
from enrolled import BY, enrolled
from prepared import NOW, SECRETS, chain_kinds, make_poll

from bot.alerts import alerts
from bot.house import House
from bot.settings import Settings
from bot.staff import enrolment, roles
from bot.staff.desk import StaffDesk
from bot.staff.enrolment import (
    ANONYMOUS_ADMIN,
    AnonymousAdmin,
    InvitationUnusable,
    StaffUnknown,
)
from bot.staff.login_links import LoginLinkUnusable, make_login_link, redeem_login
from bot.staff.roles import ALLOWED, Act, NotStaff, NotYourRole, Role
from bot.staff_chat import broadcast, handlers, notices, window, words
from voting.model import By
from voting.store.database import Database

# -- roles ---------------------------------------------------------------------------------

OFFICERS_ONLY = {
    Act.IMPORT_FILES,
    Act.INVITE_STAFF,
    Act.REMOVE_STAFF,
    Act.SET_DUTY,
    Act.SET_GROUP,
    Act.SEE_CHAIN,
    Act.RESUME_HEAD,
    Act.RESUME_TEXTS,
    Act.TURN_CHANNELS_ON,
}
NOT_COMMS = {
    Act.GO_ON_DUTY,
    Act.ACKNOWLEDGE,
    Act.SEE_CASES,
    Act.WORK_ON_CASES,
    Act.SEE_MEMBERS,
    Act.UNLOCK_PACKS,
    Act.SEE_PACKS,
    Act.REPLACE_PACKS,
}
NOT_SUPPORT = {Act.SEE_NOTICES, Act.WRITE_NOTICES, Act.APPROVE_NOTICES, Act.SEND_NOTICES, Act.SET_WINDOW}


@pytest.mark.parametrize("act", list(Act), ids=str)
def test_an_officer_may_do_everything(act: Act) -> None:
    assert roles.may(Role.OFFICER, act)


@pytest.mark.parametrize("act", list(Act), ids=str)
def test_comms_may_tell_members_things_and_no_more(act: Act) -> None:
    assert roles.may(Role.COMMS, act) == (act not in OFFICERS_ONLY | NOT_COMMS)


@pytest.mark.parametrize("act", list(Act), ids=str)
def test_support_may_help_members_and_no_more(act: Act) -> None:
    assert roles.may(Role.SUPPORT, act) == (act not in OFFICERS_ONLY | NOT_SUPPORT)


def test_every_command_of_the_staff_menu_is_a_command_with_the_same_act() -> None:
    assert words.COMMANDS.items() <= {name: act for name, (act, _) in handlers.COMMANDS.items()}.items()
    assert handlers.COMMANDS.keys() - words.COMMANDS.keys() == {"staff"}


def test_every_button_has_its_act_and_no_two_share_a_name() -> None:
    rooms = (window, broadcast, notices)
    names = [name for room in rooms for name in room.GESTURES]
    assert len(names) == len(set(names))
    assert {act for act, _ in handlers.GESTURES.values()} <= ALLOWED.keys()


def test_every_gesture_a_page_offers_is_one_that_is_taken() -> None:
    """A button that nobody answers would be a dead end."""
    offered = set()
    rooms = [Path(room.__file__).parent for room in (handlers, alerts)]
    for path in [path for room in rooms for path in room.glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            values = [argument.value if isinstance(argument, ast.Constant) else None for argument in node.args]
            owner = ast.unparse(node.func.value)
            if "page" in owner and node.func.attr == "button":
                offered.add(values[1])
            if "page" in owner and node.func.attr == "payload":
                offered.add(values[0])
    assert offered - {None} == handlers.GESTURES.keys()


# -- invitations ---------------------------------------------------------------------------


async def test_an_invitation_enrols_one_person_once(database: Database) -> None:
    async with database.writing() as connection:
        token = await enrolment.invite_staff(connection, Role.COMMS, by=BY)
        assert len(token) == 32
        huw = await enrolment.enrol(connection, token, user_id=7, called="Huw", language="cy", now=NOW)
        assert (huw.name, huw.role, huw.language) == ("Huw", Role.COMMS, "cy")

        assert await enrolment.enrol(connection, token, user_id=7, called="Huw", language="cy", now=NOW) == huw
        with pytest.raises(InvitationUnusable):
            await enrolment.enrol(connection, token, user_id=8, called="Mal", language="en", now=NOW)
        assert await enrolment.find(connection, 8) is None
    assert await chain_kinds(database) == ["staff_invited", "staff_enrolled"]


async def test_an_invitation_lasts_a_day_and_no_longer(database: Database) -> None:
    async with database.writing() as connection:
        token = await enrolment.invite_staff(connection, Role.COMMS, by=BY)
        late = NOW + timedelta(hours=24)
        with pytest.raises(InvitationUnusable):
            await enrolment.enrol(connection, token, user_id=7, called="Huw", language="en", now=late)


@pytest.mark.parametrize("token", ["", "x", "a" * 32], ids=["empty", "short", "made up"])
async def test_a_token_nobody_made_enrols_nobody(database: Database, token: str) -> None:
    async with database.writing() as connection:
        with pytest.raises(InvitationUnusable):
            await enrolment.enrol(connection, token, user_id=7, called="Huw", language="en", now=NOW)


async def test_the_anonymous_admin_of_a_group_is_nobody(database: Database) -> None:
    async with database.writing() as connection:
        token = await enrolment.invite_staff(connection, Role.OFFICER, by=BY)
        with pytest.raises(AnonymousAdmin):
            await enrolment.enrol(connection, token, user_id=ANONYMOUS_ADMIN, called="Group", language=None, now=NOW)


@pytest.mark.parametrize(
    ("called", "named"),
    [
        pytest.param("huw", "huw 2", id="a colleague's name in another case"),
        pytest.param("  Huw ", "Huw 2", id="with spaces"),
        pytest.param("System", "System 2", id="the name of what nobody did"),
        pytest.param("H\u057dw", "H\u057dw 2", id="Armenian u"),
        pytest.param("Ｈｕｗ", "Ｈｕｗ 2", id="full width"),
        pytest.param("\u202eH\u200buw\u00ad", "Huw 2", id="unseen characters"),
        pytest.param("Sуsteм", "Sуsteм 2", id="looks like the program itself"),
        pytest.param("\u200b\u2800", "Staff", id="nothing that can be seen"),
        pytest.param("", "Staff", id="no name"),
        pytest.param("x" * 100, "x" * 40, id="too long"),
    ],
)
async def test_no_two_people_have_one_name_on_the_chain(database: Database, called: str, named: str) -> None:
    await enrolled(database, "Huw", user_id=7)

    second = await enrolled(database, user_id=8, called=called or " ")

    assert second.name == named


async def test_an_invitation_can_say_the_name(database: Database) -> None:
    async with database.writing() as connection:
        token = await enrolment.invite_staff(connection, Role.OFFICER, name="Gwen Evans", by=BY)
        gwen = await enrolment.enrol(connection, token, user_id=7, called="xX_gw_Xx", language="en", now=NOW)
    assert gwen.name == "Gwen Evans"


async def test_an_invitation_s_name_that_looks_like_a_colleague_s_gets_a_number(database: Database) -> None:
    await enrolled(database, "Gwen", user_id=8)
    async with database.writing() as connection:
        token = await enrolment.invite_staff(connection, Role.OFFICER, name="Gw\u0435n\u200b", by=BY)
        second = await enrolment.enrol(connection, token, user_id=7, called="xX_gw_Xx", language="en", now=NOW)
    assert second.name == "Gw\u0435n 2"


async def test_a_second_invitation_changes_the_role_and_not_the_name(database: Database) -> None:
    await enrolled(database, "Huw", Role.SUPPORT)

    again = await enrolled(database, "Other", Role.OFFICER)

    assert (again.name, again.role) == ("Huw", Role.OFFICER)


# -- removal -------------------------------------------------------------------------------


async def test_who_was_removed_is_nobody_at_once_and_can_come_back(database: Database) -> None:
    await make_poll(database)
    huw = await enrolled(database)
    desk = desk_of(database)
    async with database.writing() as connection:
        link = await make_login_link(connection, SECRETS, huw.id, NOW)
        await enrolment.remove(connection, huw.id, by=BY)

    with pytest.raises(NotStaff):
        async with desk.acting(huw.user_id, Act.SEE_STAFF):
            pass
    async with database.writing() as connection:
        with pytest.raises(LoginLinkUnusable):
            await redeem_login(connection, SECRETS, link, NOW)
        with pytest.raises(StaffUnknown):
            await enrolment.remove(connection, huw.id, by=BY)
    again = await enrolled(database)
    assert again.name == "Huw"
    assert again.id != huw.id


def desk_of(database: Database) -> StaffDesk:
    house = House(Settings(_env_file=None), database, SECRETS, clock=lambda: NOW)
    return StaffDesk(house, wake=lambda: None)


async def test_the_desk_lets_nobody_act_beyond_their_role(database: Database) -> None:
    await make_poll(database)
    huw = await enrolled(database, role=Role.SUPPORT)
    desk = desk_of(database)

    with pytest.raises(NotYourRole, match="officer, comms"):
        async with desk.acting(huw.user_id, Act.SET_WINDOW):
            pass
    async with desk.acting(huw.user_id, Act.SEE_CASES) as acting:
        assert acting.by == By("Huw", "chat", NOW)
    with pytest.raises(NotStaff):
        async with desk.looking(999, Act.SEE_STAFF):
            pass


# -- links into the console ----------------------------------------------------------------


async def test_a_login_link_works_once_within_ten_minutes(database: Database) -> None:
    huw = await enrolled(database)
    async with database.writing() as connection:
        token = await make_login_link(connection, SECRETS, huw.id, NOW)
        late = await make_login_link(connection, SECRETS, huw.id, NOW)

        assert (await redeem_login(connection, SECRETS, token, NOW)).id == huw.id
        with pytest.raises(LoginLinkUnusable):
            await redeem_login(connection, SECRETS, token, NOW)
        with pytest.raises(LoginLinkUnusable):
            await redeem_login(connection, SECRETS, late, NOW + timedelta(minutes=10))
        with pytest.raises(LoginLinkUnusable):
            await redeem_login(connection, SECRETS, "made up", NOW)


# -- duty ----------------------------------------------------------------------------------


async def test_the_duty_list_keeps_its_order(database: Database) -> None:
    people = [await enrolled(database, name, user_id=place) for place, name in enumerate(("Huw", "Sian", "Mair"), 7)]
    async with database.writing() as connection:
        for person in reversed(people):
            await enrolment.set_duty(connection, person.id, on=True, by=BY)
        assert [person.name for person in await enrolment.on_duty(connection)] == ["Mair", "Sian", "Huw"]

        await enrolment.set_duty(connection, people[1].id, on=False, by=BY)
        assert [person.name for person in await enrolment.on_duty(connection)] == ["Mair", "Huw"]

        listed = await enrolment.set_duty_list(connection, [people[0].id, people[1].id], by=BY)
        assert [person.name for person in listed] == ["Huw", "Sian"]


async def test_going_on_duty_twice_is_once(database: Database) -> None:
    huw = await enrolled(database)
    async with database.writing() as connection:
        once = await enrolment.set_duty(connection, huw.id, on=True, by=BY)
        assert await enrolment.set_duty(connection, huw.id, on=True, by=BY) == once
    assert (await chain_kinds(database)).count("duty_changed") == 1
