"""Cases: one per member, acknowledged by the first, settled by two people, never lost to a faster colleague."""

import pytest
from electorate import Electorate, open_electorate
from prepared import NOW, chain_kinds
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from voting import schema
from voting.model import By
from voting.refusals import CaseChanged, CaseSettled, CaseUnknown, NeedsSecondPerson, NothingProposed
from voting.store.database import Database
from voting.votes import cases
from voting.votes.cases import Outcome

VIA = "chat"


@pytest.fixture
async def town(database: Database) -> Electorate:
    """Ada voted, and somebody else gave her codes after that."""
    town = await open_electorate(database)
    await town.votes(town.letters[0])
    await town.gives_codes(town.letters[0], chat="telegram:66", flow="a", warned=True)
    return town


async def propose(town: Electorate, version: int, actor: str = "Nia") -> cases.Case:
    async with town.database.writing() as connection:
        return await cases.propose(
            connection, 1, Outcome.CODES_STOLEN, " letter\u200b  taken\n", version=version, by=By(actor, VIA, NOW)
        )


async def settle(town: Electorate, version: int, actor: str) -> cases.Case:
    async with town.database.writing() as connection:
        return await cases.settle(connection, 1, version=version, by=By(actor, VIA, NOW))


async def test_a_case_shows_its_evidence_and_never_an_option(town: Electorate) -> None:
    async with town.database.reading() as connection:
        (case,) = await cases.list_cases(connection)
        assert await cases.list_cases(connection, state="settled") == []
        assert await cases.list_cases(connection, before_id=1) == []
        assert await cases.case_of_member(connection, 2) is None
        assert await cases.open_cases(connection) == 1
        with pytest.raises(CaseUnknown):
            await cases.show_case(connection, 99)
        rows = await cases.export_rows(connection)

    assert (case.member_no, case.state, case.locked_how) == ("0000001", "open", "online")
    assert [(row.kind, row.chat) for row in case.attempts] == [("foreign", "telegram:66")]
    assert [(row["member_no"], row["attempt"], row["same_chat"]) for row in rows] == [("0000001", "foreign", False)]
    assert not any("North" in str(value) or "South" in str(value) for value in rows[0].values())


async def test_the_first_to_acknowledge_stands(town: Electorate) -> None:
    async with town.database.writing() as connection:
        await cases.acknowledge(connection, 1, by=By("Nia", VIA, NOW))
        case = await cases.acknowledge(connection, 1, by=By("Gwen", VIA, NOW))

    assert case.acknowledged_by == "Nia"


@pytest.mark.parametrize("name", ["NIA", " Nia ", "N\u0456a", "Ｎｉａ", "Ni\u200ba"])
async def test_whose_name_looks_like_the_proposer_s_is_no_second_person(town: Electorate, name: str) -> None:
    proposed = await propose(town, (await case_of(town)).version)

    with pytest.raises(NeedsSecondPerson):
        await settle(town, proposed.version, name)

    assert (await settle(town, proposed.version, "Nia 2")).settled_by == "Nia 2"


async def test_two_different_people_settle(town: Electorate) -> None:
    with pytest.raises(NothingProposed):
        await settle(town, 1, "Gwen")
    proposed = await propose(town, (await case_of(town)).version)
    with pytest.raises(NeedsSecondPerson):
        await settle(town, proposed.version, "NIA")

    settled = await settle(town, proposed.version, "Gwen")

    assert (settled.state, settled.note, settled.proposed_by, settled.settled_by) == (
        "settled",
        "letter taken",
        "Nia",
        "Gwen",
    )
    with pytest.raises(CaseSettled):
        await settle(town, settled.version, "Huw")
    with pytest.raises(CaseSettled):
        await propose(town, settled.version)
    assert (await chain_kinds(town.database))[-2:] == ["case_outcome_proposed", "case_settled"]


async def test_the_database_too_refuses_one_person_as_two(town: Electorate) -> None:
    with pytest.raises(DBAPIError):
        async with town.database.writing() as connection:
            await connection.execute(update(schema.case).values(proposed_by="Nia", settled_by="Nia"))


async def test_who_looks_at_an_older_version_changes_nothing(town: Electorate) -> None:
    seen = (await case_of(town)).version
    async with town.database.writing() as connection:
        await cases.assign(connection, 1, "Huw", version=seen, by=By("Gwen", VIA, NOW))

    with pytest.raises(CaseChanged):
        await propose(town, seen)

    assert (await case_of(town)).assigned_to == "Huw"


async def test_a_new_attempt_opens_a_settled_case_again(town: Electorate) -> None:
    proposed = await propose(town, (await case_of(town)).version)
    await settle(town, proposed.version, "Gwen")

    await town.gives_codes(town.letters[0], chat="telegram:67", flow="b", warned=True)

    case = await case_of(town)
    assert (case.state, case.outcome, len(case.attempts)) == ("open", None, 2)


async def test_a_member_says_that_the_first_vote_was_not_theirs(town: Electorate) -> None:
    async with town.database.writing() as connection:
        case = await cases.dispute(connection, 1, now=NOW)
        again = await cases.dispute(connection, 1, now=NOW)
        nobody = await cases.dispute(connection, 3, now=NOW)

    assert case is not None
    assert again is not None
    assert (case.disputed_at, again.version, nobody) == (NOW, case.version, None)


async def case_of(town: Electorate) -> cases.Case:
    async with town.database.reading() as connection:
        return await cases.show_case(connection, 1)


async def test_who_says_the_vote_was_not_theirs_has_a_case_without_any_attempt(town: Electorate) -> None:
    await town.votes(town.letters[1])

    async with town.database.writing() as connection:
        case = await cases.dispute(connection, 2, now=NOW)

    assert case is not None
    assert (case.state, case.disputed_at, case.attempts) == ("open", NOW, ())
    assert await town.broken_probes() == []
