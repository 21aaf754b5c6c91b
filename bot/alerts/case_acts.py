"""What staff do to a case, for chat and console: the act, and its alert shown anew, in one transaction."""

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerts import alerts
from voting.model import By
from voting.votes import cases
from voting.votes.cases import Case, Outcome


async def acknowledge_case(connection: AsyncConnection, case_id: int, *, by: By) -> Case:
    """Acknowledge a case, and the alert that tells of it. The first to do so stays. CaseUnknown."""
    told = await alerts.alert_of_case(connection, case_id)
    if told is not None:
        await alerts.acknowledge(connection, told.id, by=by)
    return await cases.acknowledge(connection, case_id, by=by)


async def assign_case(connection: AsyncConnection, case_id: int, to: str, *, version: int, by: By) -> Case:
    """Give a case to somebody; its alert says so. CaseUnknown, CaseChanged, CaseSettled."""
    case = await cases.assign(connection, case_id, to, version=version, by=by)
    await alerts.case_changed(connection, case_id, by.at)
    return case


async def propose_outcome(
    connection: AsyncConnection, case_id: int, outcome: Outcome, note: str, *, version: int, by: By
) -> Case:
    """Propose an outcome; its alert says so. CaseUnknown, CaseChanged, CaseSettled."""
    case = await cases.propose(connection, case_id, outcome, note, version=version, by=by)
    await alerts.case_changed(connection, case_id, by.at)
    return case


async def settle_case(connection: AsyncConnection, case_id: int, *, version: int, by: By) -> Case:
    """Agree with another person's proposal; the alert ends. NeedsSecondPerson, NothingProposed, CaseChanged."""
    case = await cases.settle(connection, case_id, version=version, by=by)
    await alerts.case_changed(connection, case_id, by.at, ended=True)
    return case
