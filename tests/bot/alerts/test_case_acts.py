"""Whatever is done to a case shows at its alert, whichever door it came through."""

from collections.abc import Awaitable, Callable

import pytest
from electorate import Electorate, open_electorate
from prepared import NOW, SECRETS
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerts import alerts, case_acts, hooks
from voting.model import By
from voting.refusals import CaseChanged, NeedsSecondPerson
from voting.store.database import Database
from voting.votes import cases
from voting.votes.cases import Case, Outcome
from voting.votes.checks import Checks

GWEN, HUW = By("Gwen", "chat", NOW), By("Huw", "console", NOW)
CaseAct = Callable[[AsyncConnection, int], Awaitable[Case]]


@pytest.fixture
async def town(database: Database) -> Electorate:
    """Ada voted, somebody gave her codes after that, and staff were told."""
    town = await open_electorate(database)
    town.checks = Checks(database, SECRETS, on_attempt=hooks.on_attempt)
    await town.votes(town.letters[0])
    await town.gives_codes(town.letters[0], chat="telegram:66", flow="a", warned=True)
    return town


async def told(database: Database) -> alerts.Alert:
    async with database.reading() as connection:
        found = await alerts.alert_of_case(connection, 1)
        assert found is not None
        return found


async def acknowledge(connection: AsyncConnection, version: int) -> Case:
    return await case_acts.acknowledge_case(connection, 1, by=GWEN)


async def assign(connection: AsyncConnection, version: int) -> Case:
    return await case_acts.assign_case(connection, 1, "Huw", version=version, by=GWEN)


async def propose(connection: AsyncConnection, version: int) -> Case:
    return await case_acts.propose_outcome(connection, 1, Outcome.CODES_STOLEN, "", version=version, by=GWEN)


async def settle(connection: AsyncConnection, version: int) -> Case:
    return await case_acts.settle_case(connection, 1, version=version, by=HUW)


async def do(town: Electorate, *acts: CaseAct) -> Case:
    for act in acts:
        async with town.database.writing() as connection:
            case = await act(connection, (await cases.show_case(connection, 1)).version)
    return case


@pytest.mark.parametrize(
    "acts",
    [
        pytest.param((acknowledge,), id="acknowledged"),
        pytest.param((assign,), id="given to somebody"),
        pytest.param((propose,), id="an outcome proposed"),
        pytest.param((propose, settle), id="settled"),
    ],
)
async def test_the_alert_is_shown_anew_after_each_act(town: Electorate, acts: tuple[CaseAct, ...]) -> None:
    before = await told(town.database)

    await do(town, *acts)

    after = await told(town.database)
    assert after.version == before.version + len(acts)
    assert (after.ended_at is not None) == (settle in acts)


async def test_who_acknowledged_a_case_acknowledged_its_alert(town: Electorate) -> None:
    case = await do(town, acknowledge, acknowledge)

    alert = await told(town.database)
    assert (case.acknowledged_by, alert.acknowledged_by, alert.next_page_at) == ("Gwen", "Gwen", None)


async def test_a_case_that_no_alert_tells_of_is_acknowledged_too(database: Database) -> None:
    town = await open_electorate(database)
    await town.votes(town.letters[0])
    await town.gives_codes(town.letters[0], chat="telegram:66", flow="a", warned=True)

    assert (await do(town, acknowledge)).acknowledged_by == "Gwen"


async def test_what_is_refused_changes_neither_case_nor_alert(town: Electorate) -> None:
    case = await do(town, propose)
    before = await told(town.database)

    async with town.database.writing() as connection:
        with pytest.raises(NeedsSecondPerson):
            await case_acts.settle_case(connection, 1, version=case.version, by=GWEN)
        with pytest.raises(CaseChanged):
            await case_acts.assign_case(connection, 1, "Huw", version=case.version - 1, by=GWEN)

    assert await told(town.database) == before
