"""Where the poll stands: every pack under one of five states, and numbers that agree with one another."""

from pathlib import Path

import pytest
from counting import take_papers
from electorate import Letter, open_electorate, pack_row
from prepared import CLOSES_AT, GWEN, OPENS_AT, POLL, asked, make_poll
from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection
from trustee_town import dealt

from voting import schema
from voting.poll import polls
from voting.poll.election import fingerprint_of
from voting.poll.keys import CEREMONY, DEALER, set_trustees
from voting.poll.status import poll_facts
from voting.refusals import NoPoll
from voting.store.database import Database


async def test_a_poll_in_the_middle_of_it_is_told_in_numbers(database: Database, tmp_path: Path) -> None:
    """Seven members: two voted online, one by post, one lapsed; one pack was replaced, one is void, the rest unused."""

    async def with_older_packs(connection: AsyncConnection) -> None:
        old = [Letter(member, 10 + member, f"2345678{member}A", "23456789ABCD") for member in (5, 6)]
        states = ("replaced", "void")
        rows = [pack_row(POLL, letter, serial=0, state=state) for letter, state in zip(old, states, strict=True)]
        await connection.execute(insert(schema.pack), rows)

    town = await open_electorate(database, 7, before_open=with_older_packs)
    await town.votes(town.letters[0])
    await town.votes(town.letters[1])
    await town.gives_codes(town.letters[1], chat="telegram:99", warned=True)
    await take_papers(town, tmp_path, [town.letters[2]])
    async with database.writing() as connection:
        await connection.execute(update(schema.member).where(schema.member.c.id == 7).values(eligible=False))

    async with database.reading() as connection:
        facts = await poll_facts(connection)
        poll = await polls.load(connection)

    assert facts == {
        "poll": POLL.id,
        "title": POLL.title,
        "phase": "open",
        "opens_at": OPENS_AT.isoformat(),
        "closes_at": CLOSES_AT.isoformat(),
        "key": {
            "kind": "dealer",
            "trustees": 3,
            "threshold": 2,
            "without_yes": [],
            "fingerprint": fingerprint_of(poll),
        },
        "roll": {"members": 7, "eligible": 6},
        "packs": {"issued": 9, "voted_online": 2, "voted_by_post": 1, "void": 1, "replaced": 1, "unused": 4},
        "locks": {"online": 2, "post": 1},
        "ballots": 2,
        "open_cases": 1,
        "result": None,
    }


async def test_before_the_roll_everything_is_nought(database: Database) -> None:
    await make_poll(database)

    async with database.reading() as connection:
        facts = await poll_facts(connection)

    assert facts["phase"] == "preparing"
    assert facts["key"] is None
    assert facts["roll"] == {"members": 0, "eligible": 0}
    assert set(facts["packs"].values()) == {0}
    assert (facts["locks"], facts["ballots"]) == ({"online": 0, "post": 0}, 0)


async def test_without_a_poll_there_is_nothing_to_tell(database: Database) -> None:
    async with database.reading() as connection:
        with pytest.raises(NoPoll):
            await poll_facts(connection)


async def test_before_the_opening_it_says_whose_yes_is_missing(database: Database) -> None:
    await make_poll(database)

    async with database.writing() as connection:
        await set_trustees(connection, dealt().trustees.data, CEREMONY, by=GWEN)
        facts = (await poll_facts(connection))["key"]

    assert (facts["kind"], facts["without_yes"]) == ("ceremony", [1, 2, 3])
    assert facts["fingerprint"]


async def test_a_text_that_cannot_stand_in_the_election_leaves_no_fingerprint(database: Database) -> None:
    await make_poll(database, questions=(asked("Who\nshall lead?", "North", "South"),))

    async with database.writing() as connection:
        await set_trustees(connection, dealt().trustees.data, DEALER, by=GWEN)
        facts = (await poll_facts(connection))["key"]

    assert (facts["fingerprint"], facts["without_yes"]) == ("", [])
