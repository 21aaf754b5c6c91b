"""A roll's file that would change much is asked about, and what somebody accepted is on the chain."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prepared import NOW, POLL, SECRETS, chain_kinds, line, make_poll, rows, take_roll, write_roll
from sqlalchemy import insert, update

from messages.schema import channel
from voting import schema
from voting.imports.report import Agreed, Asks, Level
from voting.model import By
from voting.packs.packing import Printing, imported_rolls
from voting.packs.packs import issue
from voting.poll import polls
from voting.refusals import MemberHasPack, MemberInUse, PollOver, UnknownMember
from voting.roll import roll
from voting.roll.leaving import lapse_file, remove
from voting.roll.rows import number_key
from voting.store.database import Database

GWEN = By("Gwen", "command line", NOW)
NOTHING = Agreed()


@pytest.fixture
async def prepared(database: Database) -> Database:
    await make_poll(database)
    return database


async def members(database: Database) -> list[str]:
    return [row[0] for row in await rows(database, schema.member, schema.member.c.member_no)]


async def accepted(database: Database) -> object:
    bodies = await rows(database, schema.chain, schema.chain.c.seq, schema.chain.c.body)
    return bodies[-1][1].get("accepted")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("0300001", "300001", id="leading zeros"),
        pytest.param("a-12", "A-12", id="case"),
        pytest.param("A 12", "A12", id="spaces"),
        pytest.param("A-12", "A–12", id="an en dash"),
        pytest.param("A-12", "A\u221212", id="a minus"),
        pytest.param("A-012", "A-12", id="zeros after letters"),
        pytest.param("300001.0", "300001", id="a fraction"),
        pytest.param("Ａ１２", "A12", id="full-width"),
    ],
)
def test_numbers_that_differ_only_in_how_they_are_written_have_one_key(one: str, other: str) -> None:
    assert number_key(one) == number_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("300001", "300010"), ("A-12", "A12"), ("A12", "B12"), ("1.5", "15"), ("A0", "A"), ("100", "1")],
)
def test_other_numbers_have_another_key(one: str, other: str) -> None:
    assert number_key(one) != number_key(other)


@settings(deadline=None)  # the machine may be busy
@given(st.from_regex(r"[1-9a-z][0-9a-z-]{0,12}", fullmatch=True), st.integers(0, 9))
def test_what_a_spreadsheet_does_to_a_number_keeps_its_key(number: str, zeros: int) -> None:
    written = ("0" * zeros if number[0].isdigit() else "") + number

    assert number_key(written) == number_key(number.upper()) == number_key(f" {number} ")


@pytest.mark.parametrize("in_one", [pytest.param(True, id="in one file"), pytest.param(False, id="on the roll before")])
async def test_numbers_that_may_be_one_person_s_are_asked_about(
    prepared: Database, tmp_path: Path, in_one: bool
) -> None:
    path = tmp_path / "roll.csv"
    if not in_one:
        await take_roll(prepared, write_roll(path, [line("007"), line("9")]))
    before = await members(prepared), await chain_kinds(prepared), await rows(prepared, schema.roll_file)
    lines = [line("007"), line("7")] if in_one else [line("7"), line("9")]

    report = await take_roll(prepared, write_roll(path, lines))

    assert [(need.asks, need.pairs) for need in report.needs] == [(Asks.PAIRS, (("7", "007"),))]
    assert "1 pair of numbers" in report.needs[0].sentence
    questions = [(row.member_no, row.reason) for row in report.rows if row.level is Level.QUESTION]
    where = "on line 2" if in_one else "on the roll"
    assert questions == [
        ("7", f"may be the person who is 007 {where}: the numbers differ only in how they are written")
    ]
    assert (await members(prepared), await chain_kinds(prepared), await rows(prepared, schema.roll_file)) == before


async def test_pairs_that_somebody_calls_different_people_are_taken_and_never_asked_again(
    prepared: Database, tmp_path: Path
) -> None:
    path = write_roll(tmp_path / "roll.csv", [line("007", name="A"), line("7", name="B")])
    agreed = Agreed(distinct=frozenset({frozenset(("7", "007"))}))

    report = await take_roll(prepared, path, agreed=agreed)
    again = await take_roll(prepared, path, agreed=NOTHING)

    assert (report.needs, report.added, again.needs, again.unchanged) == ([], 2, [], 2)
    assert (await chain_kinds(prepared)).count("roll_imported") == 1
    assert await accepted(prepared) == {"pairs": 1}


async def test_only_the_pairs_that_were_named_are_accepted(prepared: Database, tmp_path: Path) -> None:
    path = write_roll(tmp_path / "roll.csv", [line("007"), line("7"), line("a"), line("A")])

    report = await take_roll(prepared, path, agreed=Agreed(sizes=True, distinct=frozenset({frozenset(("7", "007"))})))

    assert [need.pairs for need in report.needs] == [(("A", "a"),)]
    assert await members(prepared) == []


async def test_many_pairs_are_named_by_a_few(prepared: Database, tmp_path: Path) -> None:
    lines = [line(number) for n in range(1, 6) for number in (f"{n}", f"0{n}")]

    report = await take_roll(prepared, write_roll(tmp_path / "roll.csv", lines))

    few = "5 pairs of numbers may be one person's each: 01 and 1, 02 and 2, 03 and 3 and 2 more."
    assert report.needs[0].sentence.startswith(few)


@pytest.mark.parametrize(("new", "asks"), [pytest.param(1, [], id="a tenth"), pytest.param(2, [Asks.NEW], id="over")])
async def test_over_a_tenth_new_is_a_question(prepared: Database, tmp_path: Path, new: int, asks: list[Asks]) -> None:
    path = tmp_path / "roll.csv"
    old = [line(f"{n}") for n in range(10, 20)]
    first = await take_roll(prepared, write_roll(path, old), agreed=NOTHING)

    report = await take_roll(
        prepared, write_roll(path, [*old, *(line(f"{n}") for n in range(30, 30 + new))]), agreed=NOTHING
    )

    assert first.needs == []
    assert [need.asks for need in report.needs] == asks
    assert len(await members(prepared)) == (10 if asks else 11)


@pytest.mark.parametrize(
    ("fall", "asks"), [pytest.param(1, [], id="a tenth"), pytest.param(2, [Asks.ELIGIBLE], id="over")]
)
async def test_over_a_tenth_who_may_vote_no_more_is_a_question(
    prepared: Database, tmp_path: Path, fall: int, asks: list[Asks]
) -> None:
    path = tmp_path / "roll.csv"
    await take_roll(prepared, write_roll(path, [line(f"{n}") for n in range(10, 20)]))
    late = [line(f"{n}", joined_on="02/05/2011" if n < 10 + fall else "2011-05-02") for n in range(10, 20)]

    report = await take_roll(prepared, write_roll(path, late), agreed=NOTHING)

    assert [need.asks for need in report.needs] == asks
    assert report.notes[0].startswith("Only join dates like 2011-05-02 are read; these are written with the day or")
    eligible = 10 - fall
    assert report.notes[1] == f"{eligible} members may vote (before: 10); {fall} on the roll may not."
    assert sum(row[0] for row in await rows(prepared, schema.member, schema.member.c.eligible)) == (10 if asks else 9)


async def test_accepted_sizes_are_on_the_chain(prepared: Database, tmp_path: Path) -> None:
    path = tmp_path / "roll.csv"
    await take_roll(prepared, write_roll(path, [line("1"), line("2")]))

    await take_roll(prepared, write_roll(path, [line("1", joined_on=""), line("3")]), agreed=Agreed(sizes=True))

    assert await accepted(prepared) == {"new": {"new": 1, "members": 2}}
    await take_roll(prepared, write_roll(path, [line("1"), line("2", joined_on=""), line("3", joined_on="")]))
    assert await accepted(prepared) == {"eligible": {"before": 2, "after": 1}}


def test_agreeing_to_what_was_asked_agrees_to_nothing_else() -> None:
    assert Agreed.to([]) == NOTHING


async def test_many_lapse_by_a_file(prepared: Database, tmp_path: Path) -> None:
    path = tmp_path / "roll.csv"
    await take_roll(prepared, write_roll(path, [line(f"{n}") for n in range(10, 40)]))
    leavers = tmp_path / "leavers.csv"
    leavers.write_text("Member No;since\n10;May\n11;June\n99;May\n;May\n10;May\n")

    tried = await lapse_file(prepared, leavers, "left", by=GWEN, dry_run=True)
    report = await lapse_file(prepared, leavers, "left", by=GWEN)
    again = await lapse_file(prepared, leavers, "left", by=GWEN)

    assert (tried.changed, report.changed, report.unchanged, again.changed, again.unchanged) == (2, 2, 0, 0, 2)
    assert sorted((row.line, row.reason) for row in report.rows) == [(4, "not on the roll"), (5, "no member_no")]
    assert report.notes == ["28 members may vote (before: 30)."]
    async with prepared.reading() as connection:
        assert (await roll.find(connection, "11")).ineligible_reason == "lapsed"
    bodies = await rows(prepared, schema.chain, schema.chain.c.seq, schema.chain.c.body)
    assert bodies[-1][1] == {"members": 2}, "a digest of few numbers would tell whoever guesses them"
    assert (await chain_kinds(prepared))[-1] == "eligibility_lapsed"


async def test_of_a_report_only_who_is_gone_lapses(prepared: Database, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    await take_roll(prepared, write_roll(path, [line(f"{n}") for n in range(10, 40)]))
    path.write_text("line,level,member_no,reason\n2,warning,10,no postcode\n,gone,11,on the roll\n,gone,'=1,x\n")

    report = await lapse_file(prepared, path, "left", by=GWEN)

    assert (report.changed, [row.member_no for row in report.rows]) == (1, ["=1"])
    async with prepared.reading() as connection:
        assert (await roll.find(connection, "10")).eligible


async def test_a_lapse_of_over_a_tenth_is_a_question(prepared: Database, tmp_path: Path) -> None:
    path = write_roll(tmp_path / "roll.csv", [line("1"), line("2")])
    await take_roll(prepared, path)

    asked = await lapse_file(prepared, path, "the wrong file", by=GWEN)
    taken = await lapse_file(prepared, path, "left", by=GWEN, agreed=Agreed(sizes=True))

    assert [need.asks for need in asked.needs] == [Asks.ELIGIBLE]
    assert (taken.needs, taken.changed) == ([], 2)
    assert await accepted(prepared) == {"eligible": {"before": 2, "after": 0}}


async def test_a_member_taken_in_by_mistake_is_taken_off_before_there_is_a_pack(
    prepared: Database, tmp_path: Path
) -> None:
    path = write_roll(tmp_path / "roll.csv", [line("1"), line("2")])
    await take_roll(prepared, path)

    async with prepared.writing() as connection:
        await remove(connection, "1", by=GWEN)
        with pytest.raises(UnknownMember):
            await remove(connection, "1", by=GWEN)

    assert await members(prepared) == ["2"]
    assert (await chain_kinds(prepared))[-1] == "member_removed"


async def test_a_member_with_a_pack_stays_on_the_roll(prepared: Database, tmp_path: Path) -> None:
    await take_roll(prepared, write_roll(tmp_path / "roll.csv", [line("1")]))
    await issue(prepared, SECRETS, Printing(tmp_path / "print.csv"), by=GWEN)

    async with prepared.writing() as connection:
        with pytest.raises(MemberHasPack, match="1 already has a pack"):
            await remove(connection, "1", by=GWEN)
    assert await members(prepared) == ["1"]


async def test_a_member_who_is_named_elsewhere_stays_on_the_roll(prepared: Database, tmp_path: Path) -> None:

    await take_roll(prepared, write_roll(tmp_path / "roll.csv", [line("1")]))
    async with prepared.writing() as connection:
        member = await roll.find(connection, "1")
        telegram = {"kind": "telegram", "address": "5", "state": "on", "since": NOW}
        await connection.execute(insert(channel).values(member_id=member.id, **telegram))

    with pytest.raises(MemberInUse):
        async with prepared.writing() as connection:
            await remove(connection, "1", by=GWEN)
    assert await members(prepared) == ["1"]


async def test_nobody_leaves_the_roll_of_a_poll_that_is_over(prepared: Database, tmp_path: Path) -> None:
    path = write_roll(tmp_path / "roll.csv", [line("1")])
    await take_roll(prepared, path)
    async with prepared.writing() as connection:
        await connection.execute(update(schema.poll).values(phase="closed"))

    with pytest.raises(PollOver):
        await lapse_file(prepared, path, "left", by=GWEN)
    async with prepared.writing() as connection:
        with pytest.raises(PollOver):
            await remove(connection, "1", by=GWEN)
        assert (await polls.load(connection)).id == POLL.id
        assert await imported_rolls(connection) == [path]
