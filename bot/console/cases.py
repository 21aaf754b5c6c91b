"""Cases: what is known of a vote tried after the lock, in the order it happened; and what two people decide."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from starlette.responses import Response

from bot.alerts.case_acts import acknowledge_case, assign_case, propose_outcome, settle_case
from bot.console.door import Action, Screen
from bot.console.speech import Speech
from bot.console.visit import FormWrong, Visit, load_poll
from bot.member.chats import is_page
from bot.staff import enrolment
from bot.staff.roles import Act, may
from voting.votes import cases
from voting.votes.cases import AttemptRow, Case, Outcome

PAGE: Final = 40
STATES: Final = ("open", "proposed", "settled")


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened in a case; `side`: vote, attempt or staff."""

    at: datetime
    side: str
    words: str
    detail: str = ""


async def show_list(visit: Visit) -> Response:
    """List cases, newest first, one state or all."""
    state = visit.asked("state") if visit.asked("state") in STATES else None
    async with visit.console.house.database.reading() as connection:
        found = await cases.list_cases(connection, state=state, limit=PAGE + 1, before_id=visit.asked_number("before"))
        more = found[PAGE - 1].id if len(found) > PAGE else None
        return await visit.page(
            connection, "cases.html", cases=found[:PAGE], state=state, more=more, states=STATES, kind_of=kind_of
        )


async def show_one(visit: Visit) -> Response:
    """Show one case whole."""
    async with visit.console.house.database.reading() as connection:
        found = await cases.show_case(connection, visit.path("case_id"))
        speech = visit.speech(await load_poll(connection))
        people = [one for one in await enrolment.everybody(connection) if may(one.role, Act.WORK_ON_CASES)]
        return await visit.page(
            connection,
            "case.html",
            case=found,
            moments=sorted(moments(found, speech), key=lambda moment: moment.at),
            people=people,
            outcomes=[outcome.value for outcome in Outcome],
            typed=visit.form,
        )


async def acknowledge(visit: Visit) -> Response:
    """Say that somebody is looking: here and wherever the alert is shown."""
    case_id = visit.path("case_id")
    async with visit.console.house.database.writing() as connection:
        await acknowledge_case(connection, case_id, by=visit.by)
    return await _done(visit, case_id)


async def assign(visit: Visit) -> Response:
    """Give it to somebody."""
    case_id = visit.path("case_id")
    async with visit.console.house.database.writing() as connection:
        person = await enrolment.by_id(connection, visit.number("to"))
        await assign_case(connection, case_id, person.name, version=visit.number("version"), by=visit.by)
    return await _done(visit, case_id)


async def propose(visit: Visit) -> Response:
    """Propose an outcome, which another person has to agree with."""
    case_id = visit.path("case_id")
    try:
        outcome = Outcome(visit.word("outcome"))
    except ValueError:
        raise FormWrong(field="outcome") from None
    async with visit.console.house.database.writing() as connection:
        await propose_outcome(
            connection, case_id, outcome, visit.word("note"), version=visit.number("version"), by=visit.by
        )
    return await _done(visit, case_id)


async def settle(visit: Visit) -> Response:
    """Agree with the proposed outcome."""
    case_id = visit.path("case_id")
    async with visit.console.house.database.writing() as connection:
        await settle_case(connection, case_id, version=visit.number("version"), by=visit.by)
    return await _done(visit, case_id)


def kind_of(attempt: AttemptRow) -> str:
    """Name an attempt as the words do: by its class, and whether it was on the voting page."""
    return f"{attempt.kind}_page" if is_page(attempt.chat) else attempt.kind


def moments(case: Case, speech: Speech) -> Iterator[Moment]:
    """Tell a case as it happened."""
    if case.locked_at is not None:
        online = "moment.locked_page" if is_page(case.locked_chat) else "moment.locked_chat"
        how = online if case.locked_how == "online" else "moment.locked_post"
        yield Moment(case.locked_at, "vote", speech.t(how), speech.t("moment.it_stands"))
    for attempt in case.attempts:
        yield Moment(
            attempt.at, "attempt", speech.say(kind_of(attempt), "attempt"), speech.t(_where_from(case, attempt.chat))
        )
    if case.disputed_at is not None:
        yield Moment(case.disputed_at, "attempt", speech.t("moment.disputed"), speech.t("moment.disputed_why"))
    if case.acknowledged_at is not None:
        words = speech.t("moment.acknowledged", name=str(case.acknowledged_by))
        yield Moment(case.acknowledged_at, "staff", words)
    if case.proposed_at is not None:
        words = speech.t("moment.proposed", name=str(case.proposed_by))
        yield Moment(case.proposed_at, "staff", words, case.note or "")
    if case.settled_at is not None:
        yield Moment(case.settled_at, "staff", speech.t("moment.settled", name=str(case.settled_by)))


def _where_from(case: Case, chat: str | None) -> str:
    if chat is None:
        return "moment.on_paper"
    first, here = case.locked_chat, "page" if is_page(chat) else "chat"
    if first is None:
        return f"moment.{here}_after_post"
    if is_page(chat) != is_page(first):
        return f"moment.{here}_not_there"
    return f"moment.{here}_same" if chat == first else f"moment.{here}_other"


async def _done(visit: Visit, case_id: int) -> Response:
    await visit.console.snapshots.expire()
    visit.console.desk.wake()
    return visit.back(f"/console/cases/{case_id}")


_ONE: Final = "/cases/{case_id:int}"
SCREENS: Final = (Screen("/cases", Act.SEE_CASES, show_list), Screen(_ONE, Act.SEE_CASES, show_one))
ACTIONS: Final = (
    Action(f"{_ONE}/acknowledge", Act.ACKNOWLEDGE, acknowledge, show_one),
    Action(f"{_ONE}/assign", Act.WORK_ON_CASES, assign, show_one),
    Action(f"{_ONE}/propose", Act.WORK_ON_CASES, propose, show_one),
    Action(f"{_ONE}/settle", Act.WORK_ON_CASES, settle, show_one),
)
