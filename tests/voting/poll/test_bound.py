"""Members are shown the poll that the signed opening bound, and no other, whatever stands in its row."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from electorate import open_electorate
from forged_chain import STRANGER, put, read, resigned, without_triggers
from prepared import CLOSES_AT, GWEN, OPENS_AT, asked, make_poll
from sqlalchemy import update

from voting import schema
from voting.audit.chain import Entry
from voting.model import Phase, Poll
from voting.poll import bound, polls
from voting.poll.bound import PaperChanged, load_bound
from voting.poll.questions import written_questions
from voting.store.database import Database
from voting.trustees.dealer import deal_all

CHANGES: dict[str, Callable[[Poll], dict[str, Any]]] = {
    "options": lambda _: {"questions": written_questions([asked("Who shall lead?", "South", "North")])},
    "question": lambda _: {"questions": written_questions([asked("Who shall go?", "North", "South")])},
    "title": lambda _: {"title": "Another"},
    "the close": lambda _: {"closes_at": CLOSES_AT + timedelta(hours=1)},
    "the opening": lambda _: {"opens_at": OPENS_AT - timedelta(hours=1)},
    "the trustees": lambda _: {"trustees_file": deal_all(3, 2).trustees.data},
    "trustees that are none": lambda _: {"trustees_file": b"[]"},
    "no trustees": lambda _: {"trustees_file": None},
    "the key's kind": lambda _: {"key_kind": "ceremony"},
    "the uuid": lambda _: {"uuid": "AnotherBaLLotLine"},
    "no paper": lambda _: {"paper": None},
    "a paper that is none": lambda _: {"paper": b"{"},
    "the paper": lambda poll: {"paper": (poll.paper or b"").replace(b"North", b"Nobody")},
    "paper and options": lambda poll: {
        "paper": (poll.paper or b"").replace(b"North", b"Nobody"),
        "questions": written_questions([asked("Who shall lead?", "Nobody", "South")]),
    },
    "a text that cannot stand in an election": lambda _: {"title": "x" * 2_000},
}


async def changes(database: Database, **values: object) -> None:
    async with database.writing() as connection:
        await without_triggers(connection, "poll")
        await connection.execute(update(schema.poll).values(values))


async def loaded(database: Database) -> Poll:
    async with database.reading() as connection:
        return await load_bound(connection)


async def probed(database: Database) -> tuple[bool, str]:
    async with database.reading() as connection:
        found = await bound.probe(connection)
    return found.holds, found.detail


async def test_an_open_poll_is_shown_as_it_opened(database: Database) -> None:
    """The rule may change meanwhile."""
    await open_electorate(database)
    async with database.writing() as connection:
        rule = {"en-GB": "One vote, once.", "cy": "Un bleidlais, unwaith."}
        await polls.change_rule(connection, rule, by=GWEN)

    assert (await loaded(database)).rule == rule
    assert await loaded(database) == await loaded(database)
    assert await probed(database) == (True, "open")


@pytest.mark.parametrize("changed", CHANGES)
async def test_a_poll_that_somebody_changed_in_the_database_is_shown_to_nobody(
    database: Database, changed: str
) -> None:
    """Also right after it was read and found good; put back as it was, it is good again."""
    await open_electorate(database)
    poll = await loaded(database)
    values = CHANGES[changed](poll)

    await changes(database, **values)

    with pytest.raises(PaperChanged, match="is not the one that the chain bound at the opening"):
        await loaded(database)
    holds, detail = await probed(database)
    assert not holds
    assert "Nobody is shown a paper" in detail
    await changes(database, **{name: getattr(poll, name) for name in values} | _listed(poll, values))
    assert (await loaded(database)).phase is Phase.OPEN


def _listed(poll: Poll, values: dict[str, Any]) -> dict[str, Any]:
    return {"questions": written_questions(poll.questions)} if "questions" in values else {}


async def test_before_the_opening_a_poll_may_change(database: Database) -> None:
    assert await probed(database) == (True, "no poll yet")
    await make_poll(database)
    await changes(database, title="Another")

    assert (await loaded(database)).title == "Another"
    assert await probed(database) == (True, "preparing")


def without(entries: list[Entry], _poll: Poll) -> list[Entry]:
    return [entry for entry in entries if entry.kind != "poll_opened"]


def signed_by_a_stranger(entries: list[Entry], poll: Poll) -> list[Entry]:
    return resigned(entries, STRANGER, poll.uuid)


def saying_something_else(entries: list[Entry], _poll: Poll) -> list[Entry]:
    """Under the hash and the signature that it had."""
    return [replace(one, body=one.body | {"paper": "0" * 64}) if one.kind == "poll_opened" else one for one in entries]


@pytest.mark.parametrize(
    ("forge", "why"),
    [
        (without, "no entry opened it"),
        (signed_by_a_stranger, "is not signed by this poll's signing key"),
        (saying_something_else, "does not say what was hashed"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_an_opening_that_is_not_signed_opens_nothing(
    database: Database, forge: Callable[[list[Entry], Poll], list[Entry]], why: str
) -> None:
    town = await open_electorate(database)
    await put(database, forge(await read(database), town.poll))

    with pytest.raises(PaperChanged, match=why):
        await loaded(database)
