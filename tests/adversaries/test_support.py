"""A support person: sees what helps members and nothing of a vote, and does nothing alone that takes two."""

from pathlib import Path

import pytest
from enrolled import enrolled
from prepared import GWEN, NOW, SECRETS, make_poll
from sqlalchemy import insert
from town import Town

from bot.house import House
from bot.settings import Settings
from bot.staff.desk import StaffDesk
from bot.staff.roles import ALLOWED, Act, NotYourRole, Role
from messages.notices import notices
from messages.notices.model import Content
from messages.words.wording import Ways
from voting import schema
from voting.model import By
from voting.packs.packs import approve_replacement, ask_replacement
from voting.refusals import NeedsSecondPerson
from voting.store.database import Database
from voting.votes import cases

OFFICERS_ONLY = (
    Act.INVITE_STAFF,
    Act.REMOVE_STAFF,
    Act.IMPORT_FILES,
    Act.SET_WINDOW,
    Act.WRITE_NOTICES,
    Act.APPROVE_NOTICES,
    Act.SEND_NOTICES,
    Act.TURN_CHANNELS_ON,
    Act.SEE_CHAIN,
    Act.RESUME_HEAD,
)


async def test_support_is_shown_no_choice_and_no_code(database: Database, tmp_path: Path) -> None:
    """Ada votes, somebody tries with her codes; support looks at everything they may, in the chat.

    Guard: nobody below k trustees has a choice; codes stand in the print file only; member and case pages name neither.
    """
    async with Town(database, tmp_path) as town:
        huw = await town.staff("huw", "support")
        ada, thief = town.member("ada"), town.stranger("thief")
        receipt = await ada.votes("North Quay")
        await thief.insists(ada.pack.codes)
        await huw.hears("used from another account")

        for command in (f"/member {ada.member_no}", "/cases", "/staff", "/missing_packs", "/turnout"):
            await huw.types(command)
            await town.settles()

        said = "\n".join(message.words for message in huw.person.chat.log)
        assert ada.member_no in said
        for secret in ("North Quay", "South Quay", receipt, *ada.pack.codes.split()):
            assert secret not in said


@pytest.mark.parametrize("act", OFFICERS_ONLY)
async def test_support_acts_as_no_officer(database: Database, act: Act) -> None:
    """Guard: `insist`, asked for each request; the role comes from the signed entry."""
    await make_poll(database)
    huw = await enrolled(database, role=Role.SUPPORT)
    desk = StaffDesk(House(Settings(_env_file=None), database, SECRETS, clock=lambda: NOW), wake=lambda: None)

    with pytest.raises(NotYourRole):
        async with desk.acting(huw.user_id, act):
            pass
    assert Role.SUPPORT not in ALLOWED[act]


async def test_support_does_nothing_alone_that_takes_two(database: Database) -> None:
    """Replacing a letter, settling a case, a notice to many. Guard: `looks_like` of both names; a CHECK beside it."""
    await make_poll(database)
    huw, lookalike = By("Huw", "chat", NOW), By("huw ", "console", NOW)
    async with database.writing() as connection:
        people = [
            {"id": n, "member_no": str(n), "language": "cy", "area": "Wales", "country": "GB", "eligible": True}
            for n in (1, 2)
        ]
        await connection.execute(insert(schema.member), people)
        live = {"member_id": 1, "serial": 1, "pack_hash": b"p", "state": "live", "issued_at": NOW, "credential": b"c"}
        await connection.execute(insert(schema.pack).values(live))
        await ask_replacement(connection, "1", "lost", by=huw)
        case = {"member_id": 2, "opened_at": NOW, "state": "open", "version": 1}
        await connection.execute(insert(schema.case).values(case))
        shown = (await cases.list_cases(connection))[0]
        proposed = await cases.propose(
            connection, shown.id, next(iter(cases.Outcome)), "", version=shown.version, by=huw
        )
        content = Content(kind="reminder", send_at=None)
        drafted = await notices.draft(connection, content, ways=Ways(bot_url="https://t.me/b"), by=huw)

        for who in (huw, lookalike):
            with pytest.raises(NeedsSecondPerson):
                await approve_replacement(connection, "1", by=who)
            with pytest.raises(NeedsSecondPerson):
                await cases.settle(connection, shown.id, version=proposed.version, by=who)
            with pytest.raises(NeedsSecondPerson):
                await notices.approve(connection, drafted.id, by=who)
        await approve_replacement(connection, "1", by=GWEN)
