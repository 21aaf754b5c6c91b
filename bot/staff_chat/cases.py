"""Cases, missing packs and members in the staff's chat. What concerns one member is shown to the asker alone."""

import re
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerts.case_acts import acknowledge_case, assign_case, propose_outcome, settle_case
from bot.chat.page import Page
from bot.chat.said import Said
from bot.member.file import member_file
from bot.member.missing_packs import count_waiting, reports
from bot.staff import drafts
from bot.staff.desk import Acting
from bot.staff.drafts import Step
from bot.staff.roles import Act
from bot.staff_chat.case_words import LISTED_MAX, case_said, cases_said, member_said, missing_said, outcome_rows
from bot.staff_chat.visit import StaffVisit
from messages.words.texts import html_text, text
from voting.packs import packs
from voting.packs.mailing_house import overdue_members
from voting.poll.window import current
from voting.refusals import UnknownMember
from voting.roll import roll
from voting.schema import member
from voting.votes import cases
from voting.votes.cases import Outcome
from voting.votes.wrong_codes import lift_lockout

_MARK: Final = re.compile(r"(?P<case>\d+)v(?P<version>\d+)(?:o(?P<outcome>\w+))?$")


async def on_cases(visiting: StaffVisit) -> None:
    """List the cases that are not settled; with a number, show that one."""
    async with visiting.desk.looking(visiting.user_id, Act.SEE_CASES) as looking:
        if visiting.words.isdecimal():
            case = await cases.show_case(looking.connection, int(visiting.words))
            said = case_said(visiting.own_page, case, looking.staff)
        else:
            waiting = await cases.open_cases(looking.connection)
            found = [case for case in await cases.list_cases(looking.connection, limit=200) if case.state != "settled"]
            said = cases_said(visiting.own_page, found[:LISTED_MAX], waiting)
    await visiting.say_privately(said)


async def on_case(visiting: StaffVisit) -> None:
    """Show the case a button names."""
    async with visiting.desk.looking(visiting.user_id, Act.SEE_CASES) as looking:
        case = await cases.show_case(looking.connection, int(visiting.reference))
        said = case_said(visiting.own_page, case, looking.staff)
    await visiting.say_privately(said)


async def on_case_acknowledge(visiting: StaffVisit) -> None:
    """Acknowledge a case from its own page."""
    case_id = int(visiting.reference)
    async with visiting.desk.acting(visiting.user_id, Act.ACKNOWLEDGE) as acting:
        case = await acknowledge_case(acting.connection, case_id, by=acting.by)
        said = case_said(visiting.page, case, acting.staff)
    await visiting.replace(said)


async def on_assign(visiting: StaffVisit) -> None:
    """Take a case."""
    case_id, version, _ = _read(visiting.reference)
    async with visiting.desk.acting(visiting.user_id, Act.WORK_ON_CASES) as acting:
        case = await assign_case(acting.connection, case_id, acting.staff.name, version=version, by=acting.by)
        said = case_said(visiting.page, case, acting.staff)
    await visiting.replace(said)


async def on_outcomes(visiting: StaffVisit) -> None:
    """Offer every outcome again, instead of the one proposed."""
    case_id, version, _ = _read(visiting.reference)
    question = html_text("staff", "case.which_outcome", visiting.language_here, case=case_id)
    await visiting.replace(Said(question, outcome_rows(visiting.page, f"{case_id}v{version}")))


async def on_propose(visiting: StaffVisit) -> None:
    """Take an outcome, and ask for a note."""
    case_id, version, outcome = _read(visiting.reference)
    async with visiting.desk.acting(visiting.user_id, Act.WORK_ON_CASES) as acting:
        await drafts.save(
            acting.connection,
            acting.staff.user_id,
            Step.CASE_NOTE,
            acting.now,
            case=case_id,
            version=version,
            outcome=outcome,
        )
    words = html_text(
        "staff",
        "case.ask_note",
        visiting.language,
        case=case_id,
        outcome=text("staff", f"outcome.{outcome}", visiting.language),
    )
    page = visiting.own_page
    await visiting.replace(
        Said(words, ((page.button("button.no_note", "nonote"), page.button("button.cancel", "cancel")),))
    )


async def on_no_note(visiting: StaffVisit) -> None:
    """Propose without a note."""
    await _propose(visiting, "")


async def on_case_note(visiting: StaffVisit) -> None:
    """Take the note."""
    await _propose(visiting, visiting.words)


async def _propose(visiting: StaffVisit, note: str) -> None:
    async with visiting.desk.acting(visiting.user_id, Act.WORK_ON_CASES) as acting:
        begun = await drafts.load(acting.connection, visiting.user_id, acting.now)
        if begun is None or begun.step is not Step.CASE_NOTE:
            await visiting.toast(text("staff", "draft.over", visiting.language), alert=True)
            return
        await drafts.clear(acting.connection, visiting.user_id)
        facts = begun.facts
        outcome, version = Outcome(facts["outcome"]), facts["version"]
        case = await propose_outcome(acting.connection, facts["case"], outcome, note, version=version, by=acting.by)
        said = case_said(visiting.own_page, case, acting.staff)
    await visiting.replace(said)


async def on_settle(visiting: StaffVisit) -> None:
    """Agree with what another person proposed."""
    case_id, version, _ = _read(visiting.reference)
    async with visiting.desk.acting(visiting.user_id, Act.WORK_ON_CASES) as acting:
        case = await settle_case(acting.connection, case_id, version=version, by=acting.by)
        said = case_said(visiting.page, case, acting.staff)
    await visiting.replace(said)


def _read(reference: str) -> tuple[int, int, str]:
    found = _MARK.match(reference)
    assert found is not None  # our own payload, and its tag fitted
    return int(found["case"]), int(found["version"]), found["outcome"] or ""


# -- packs -------------------------------------------------------------------------------------


async def on_missing_packs(visiting: StaffVisit) -> None:
    """List packs reported missing."""
    async with visiting.desk.looking(visiting.user_id, Act.SEE_PACKS) as looking:
        said = await _missing(looking, visiting)
    await visiting.say_privately(said)


async def on_pack_ask(visiting: StaffVisit) -> None:
    """Ask that a pack be replaced."""
    async with visiting.desk.acting(visiting.user_id, Act.REPLACE_PACKS) as acting:
        reason = "reported missing"
        member_no = await _number_of(acting.connection, visiting.reference)
        await packs.ask_replacement(acting.connection, member_no, reason, by=acting.by)
        said = await _missing(acting, visiting)
    await visiting.replace(said)


async def on_pack_approve(visiting: StaffVisit) -> None:
    """Agree, as the second person; the new pack is made when it is next printed."""
    async with visiting.desk.acting(visiting.user_id, Act.REPLACE_PACKS) as acting:
        member_no = await _number_of(acting.connection, visiting.reference)
        await packs.approve_replacement(acting.connection, member_no, by=acting.by)
        said = await _missing(acting, visiting)
    await visiting.replace(said)


async def _missing(looking: Acting, visiting: StaffVisit) -> Said:
    connection = looking.connection
    reported = await reports(connection, LISTED_MAX, unprinted=True)
    total = await count_waiting(connection)
    late = overdue_members(await current(connection), looking.now.date()).subquery()
    overdue = await connection.scalar(select(func.count()).select_from(late))
    return missing_said(visiting.own_page, reported, total, int(overdue or 0), looking.staff)


# -- members -----------------------------------------------------------------------------------


async def on_member(visiting: StaffVisit) -> None:
    """Show one member's file, to the asker alone."""
    if not visiting.words:
        await visiting.say(Said(html_text("staff", "member.which", visiting.language_here)))
        return
    async with visiting.desk.looking(visiting.user_id, Act.SEE_MEMBERS) as looking:
        said = await _file(looking.connection, visiting.own_page, visiting.words)
    await visiting.say_privately(said)


async def on_unlock(visiting: StaffVisit) -> None:
    """Let a pack be tried again."""
    async with visiting.desk.acting(visiting.user_id, Act.UNLOCK_PACKS) as acting:
        member_no = await _number_of(acting.connection, visiting.reference)
        await lift_lockout(acting.connection, member_no, by=acting.by)
        said = await _file(acting.connection, visiting.page, member_no)
    await visiting.toast(text("staff", "member.unlocked", visiting.language, member_no=member_no))
    await visiting.replace(said)


async def _file(connection: AsyncConnection, page: Page, member_no: str) -> Said:
    found = await roll.find(connection, member_no)
    return member_said(page, await member_file(connection, found.member_no), found.id)


async def _number_of(connection: AsyncConnection, reference: str) -> str:
    """Give the number of the member whom a button names; UnknownMember when they were taken off the roll."""
    member_no = await connection.scalar(select(member.c.member_no).where(member.c.id == int(reference)))
    if member_no is None:
        raise UnknownMember(member_no="?")
    return str(member_no)
