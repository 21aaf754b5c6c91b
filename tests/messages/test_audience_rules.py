"""Audiences against rules written once more: members of every kind, days around the window, any mess in a name."""

import random
from datetime import date, timedelta
from typing import Any

import pytest
from ballot_town import NOW, make_members, make_poll, numbers, send_notice, set_window
from sqlalchemy import insert, select, update

from messages import audience
from messages.audience import TOLD_OR_UNKNOWN, Audience, Group, parse
from messages.refusals import AudienceUnknown
from messages.schema import delivery
from voting.schema import lock, member, pack
from voting.store.database import Database

LAST_DAY = date(2022, 8, 5)
POSTED = date(2022, 8, 2)


async def members_of(database: Database, name: str, today: date = LAST_DAY) -> set[int]:
    async with database.reading() as connection:
        where = audience.where(parse(name), today=today)
        return set((await connection.execute(select(member.c.id).where(where))).scalars())


async def a_crowd(database: Database, seed: int, count: int = 60) -> dict[int, dict[str, Any]]:
    """Make members by dice; give what each is."""
    dice = random.Random(seed)
    await make_poll(database)
    await make_members(database, count)
    crowd = {}
    async with database.writing() as connection:
        for one in range(1, count + 1):
            what: dict[str, Any] = {
                "eligible": dice.random() < 0.8,
                "area": dice.choice(["North", "South", "north", ""]),
                "language": dice.choice(["en-GB", "cy", "pl"]),
                "pack": dice.choice([None, "live", "live", "replaced", "void"]),
                "dispatched": dice.choice([None, POSTED]),
                "delivered": dice.choice([None, None, POSTED]),
            }
            what["voted"] = what["pack"] is not None and dice.random() < 0.3
            crowd[one] = what
            values = {name: what[name] for name in ("eligible", "area", "language")}
            await connection.execute(update(member).where(member.c.id == one).values(values))
            if what["pack"]:
                await connection.execute(
                    insert(pack).values(
                        id=one,
                        member_id=one,
                        serial=1,
                        pack_hash=b"p%d" % one,
                        state=what["pack"],
                        issued_at=NOW,
                        dispatched_on=what["dispatched"],
                        delivered_on=what["delivered"],
                    )
                )
            if what["voted"]:
                await connection.execute(insert(lock).values(member_id=one, how="post", at=NOW, pack_id=one))
    return crowd


RULES: dict[str, Any] = {
    "all": lambda _what: True,
    "not_dispatched": lambda what: what["pack"] != "live" or not (what["dispatched"] or what["delivered"]),
    "overdue": lambda what: what["pack"] == "live" and not what["delivered"] and not what["voted"],
    "not_voted": lambda what: not what["voted"],
    "area:North": lambda what: what["area"] == "North",
    "language:cy": lambda what: what["language"] == "cy",
}


@pytest.mark.parametrize("seed", range(3))
async def test_each_audience_is_who_its_rule_says_and_only_who_may_vote(database: Database, seed: int) -> None:
    """Sixty members by dice; the day after the window, so that packs can be overdue."""
    crowd = await a_crowd(database, seed)

    for name, rule in RULES.items():
        expected = {one for one, what in crowd.items() if what["eligible"] and rule(what)}
        assert await members_of(database, name, LAST_DAY + timedelta(days=1)) == expected, name
        assert expected, f"nobody in {name}: the dice tested nothing"


@pytest.mark.parametrize(
    ("windows", "days_after", "anybody"),
    [([], -1, False), ([], 0, False), ([], 1, True), ([10], 1, False), ([10], 6, True), ([10, 3], 1, True)],
    ids=[
        "a day before the last",
        "on the last day",
        "the day after",
        "the window moved later",
        "after the later one too",
        "the newest counts, not the latest",
    ],
)
async def test_a_pack_is_overdue_from_the_day_after_the_newest_window(
    database: Database, windows: list[int], days_after: int, anybody: bool
) -> None:
    await a_crowd(database, seed=0)
    for version, last in enumerate(windows, start=2):
        await set_window(database, version, date(2022, 8, 1), date(2022, 8, last))

    assert bool(await members_of(database, "overdue", LAST_DAY + timedelta(days=days_after))) is anybody


STATES = ("ready", "sending", "sent", "delivered", "unknown", "failed", "canceled", "skipped")


@pytest.mark.parametrize("other", STATES)
@pytest.mark.parametrize("state", STATES)
async def test_unreached_is_who_has_rows_and_none_that_told_them_or_may_have(
    database: Database, state: str, other: str
) -> None:
    """A chat message and the text in its place: one of the two is enough."""
    await make_poll(database)
    await make_members(database, 1, telegram=["71"], sms=numbers(1))
    sent = await send_notice(database)
    async with database.writing() as connection:
        row = (await connection.execute(select(delivery))).mappings().one()
        await connection.execute(update(delivery).values(state=state))
        await connection.execute(
            insert(delivery).values(
                dict(row) | {"id": 1000, "channel": "sms", "address": "+447700900777", "state": other}
            )
        )

    told = {state, other} & set(TOLD_OR_UNKNOWN)
    assert await members_of(database, f"unreached:{sent.id}") == (set() if told else {1})
    assert await members_of(database, f"unreached:{sent.id + 1}") == set()


MESS = {
    "capital letters": ("ALL", Audience(Group.ALL)),
    "spaces around": ("  not_voted\n", Audience(Group.NOT_VOTED)),
    "spaces around the colon": ("area : Isle of Man ", Audience(Group.AREA, "Isle of Man")),
    "a colon in the value": ("area:A: B", Audience(Group.AREA, "A: B")),
    "capital letters of the value stay": ("AREA:North", Audience(Group.AREA, "North")),
    "another alphabet": ("area:Ynys Môn", Audience(Group.AREA, "Ynys Môn")),
    "a number": ("unreached: 12", Audience(Group.UNREACHED, "12")),
}


@pytest.mark.parametrize(("name", "meant"), MESS.values(), ids=MESS.keys())
def test_a_name_is_read_as_people_type_it(name: str, meant: Audience) -> None:
    assert parse(name) == meant


NONSENSE = {
    "a minus": "unreached:-1",
    "a fraction": "unreached:1.5",
    "SQL": "unreached:1 OR 1=1",
    "a hyphen for the line": "not-voted",
    "two names": "all,overdue",
    "a colon and nothing": "not_voted:",
    "only a colon": ":",
    "a value without a name": ":North",
}


@pytest.mark.parametrize("name", NONSENSE.values(), ids=NONSENSE.keys())
def test_a_name_nobody_defined_is_refused_and_named(name: str) -> None:
    with pytest.raises(AudienceUnknown) as caught:
        parse(name)

    assert caught.value.facts["audience"] == name


async def test_a_value_is_data_and_never_sql(database: Database) -> None:
    await a_crowd(database, seed=0)

    assert await members_of(database, "area:x' OR '1'='1") == set()
    assert await members_of(database, "area:%") == set()
