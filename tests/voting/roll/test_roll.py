"""The roll: every row is taken, or its reason is in the report; nothing is half done, nothing personal is kept."""

import csv
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from prepared import (
    HEADER,
    NOW,
    POLL,
    SECRETS,
    chain_kinds,
    later,
    line,
    make_poll,
    rows,
    take_roll,
    write_roll,
)
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.imports import report as reports
from voting.imports.report import Agreed, Level, ReportRow
from voting.model import By, Phase
from voting.poll import polls
from voting.refusals import FileUnreadable, NoPoll, PollOver, UnknownMember
from voting.roll import roll
from voting.roll.rows import Ineligible, ineligible, person_digest
from voting.store.database import Database

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"
SAMPLE = ROOT / "tests" / "data" / "roll-sample.csv"


@pytest.fixture
async def prepared(database: Database) -> Database:
    await make_poll(database)
    return database


def reasons(report: reports.ImportReport) -> list[tuple[int, str]]:
    return sorted((row.line, row.reason) for row in report.rows)


async def test_the_sample_roll_is_taken_but_for_the_rows_that_cannot_be(prepared: Database) -> None:
    """2,013 rows with every fault a membership system produces; each number was counted in the file by hand."""
    report = await take_roll(prepared, SAMPLE)

    warnings = Counter(row.reason.split(":")[0].split(" ")[0] for row in report.rows if row.level is Level.WARNING)
    assert report.counts() == {"added": 2004, "changed": 0, "unchanged": 0, "rejected": 9, "warnings": 317}
    assert warnings == {"no": 293, "possible": 8, "unknown": 5, "joined": 9, "unreadable": 2}
    assert {row.line for row in report.rows if row.level is Level.REJECTED} == {
        563,
        567,
        1129,
        1131,
        1283,
        1573,
        1708,
        1857,
        1970,
    }


async def test_the_example_roll_shows_what_a_report_names(database: Database) -> None:
    poll = polls.read_poll_file(EXAMPLES / "poll.toml")
    async with database.writing() as connection:
        delivery = polls.window_of_file(EXAMPLES / "poll.toml", by=By("Gwen", "command line", NOW))
        await polls.init(connection, poll, delivery, SECRETS, by=By("Gwen", "command line", NOW))

    report = await take_roll(database, EXAMPLES / "roll.csv")

    assert report.counts() == {"added": 10, "changed": 0, "unchanged": 0, "rejected": 0, "warnings": 3}
    assert reasons(report) == [
        (7, "no SMS to this number: missing"),
        (10, "no SMS to this number: landline"),
        (11, "joined on 2030-07-01, after 2030-06-03: kept, may not vote"),
    ]


async def test_each_planted_fault_of_the_sample_is_named(prepared: Database) -> None:
    report = await take_roll(prepared, SAMPLE)
    said = {(row.line, row.reason) for row in report.rows}

    assert {
        (563, "the member_no is already on line 562"),
        (1129, "no member_no"),
        (73, "no SMS to this number: malformed"),
        (248, "no SMS to this number: landline"),
        (133, "unreadable join date '31/02/2019', written with the day first: kept, may not vote"),
        (1560, "unreadable join date 'yesterday', written with words: kept, may not vote"),
        (92, "joined on 2022-12-26, after 2022-06-03: kept, may not vote"),
        (349, "possible duplicate of 9902709 (same name and postcode)"),
        (1009, "possible duplicate of 0102429 (same name and postcode)"),
    } <= said
    counted = Counter(reason.split(":")[0] for _, reason in said)
    assert counted["unknown language 'klingon'"] == 4
    assert counted["unknown language 'fr'"] == 1
    assert sum("duplicate" in reason for _, reason in said) == 8
    assert sum("joined on" in reason for _, reason in said) == 9


async def test_the_same_file_again_changes_nothing(prepared: Database) -> None:
    first = await take_roll(prepared, SAMPLE)
    before = await rows(prepared, schema.member), await chain_kinds(prepared)

    again = await take_roll(prepared, SAMPLE)

    assert again.counts() == first.counts() | {"added": 0, "unchanged": 2004}
    assert again.rows == first.rows
    assert (await rows(prepared, schema.member), await chain_kinds(prepared)) == before


async def test_neither_name_nor_address_is_stored(prepared: Database, tmp_path: Path) -> None:
    await take_roll(prepared, write_roll(tmp_path / "roll.csv", [line("1", name="Ada Quill", address_1="9 Elm Row")]))

    kept = repr(await rows(prepared, schema.member)) + repr(await rows(prepared, schema.chain))
    assert not any(secret in kept for secret in ("Ada", "Quill", "Elm", "YO1"))


async def test_a_dry_run_reports_the_same_and_leaves_no_trace(prepared: Database) -> None:
    told = await take_roll(prepared, SAMPLE, dry_run=True)

    assert await rows(prepared, schema.member) == []
    assert await rows(prepared, schema.roll_file) == []
    assert await chain_kinds(prepared) == ["poll_initialised", "window_set"]
    assert await take_roll(prepared, SAMPLE) == told


async def test_a_later_file_changes_what_differs_and_leaves_who_is_absent(prepared: Database, tmp_path: Path) -> None:
    path = tmp_path / "roll.csv"
    await take_roll(prepared, write_roll(path, [line("1", name="A"), line("2", name="B"), line("3", name="C")]))

    report = await take_roll(
        prepared, write_roll(path, [line("2", name="B", area="London"), line("3", name="C"), line("4", name="D")])
    )

    assert report.counts() == {"added": 1, "changed": 1, "unchanged": 1, "rejected": 0, "warnings": 0}
    assert await rows(prepared, schema.member, schema.member.c.member_no, schema.member.c.area) == [
        ("1", "Yorkshire"),
        ("2", "London"),
        ("3", "Yorkshire"),
        ("4", "Yorkshire"),
    ]


async def test_the_chain_knows_the_file_by_its_digest_and_counts_only(prepared: Database, tmp_path: Path) -> None:
    path = write_roll(tmp_path / "roll.csv", [line("77001", name="Ada"), line("")])
    await take_roll(prepared, path)

    body = (await rows(prepared, schema.chain, schema.chain.c.seq, schema.chain.c.body))[-1][1]
    assert body.pop("sha256") == (await rows(prepared, schema.roll_file))[0][0].hex()
    assert body == {"added": 1, "changed": 0, "unchanged": 0, "rejected": 1, "warnings": 0}


async def test_a_rejected_repeat_is_not_doubted_as_well(prepared: Database, tmp_path: Path) -> None:
    path = write_roll(tmp_path / "roll.csv", [line("1", name="A"), line("2"), line("1", phone="none", language="xx")])

    assert (await take_roll(prepared, path)).rows == [
        ReportRow(4, Level.REJECTED, "1", "the member_no is already on line 2")
    ]


async def test_a_person_on_the_roll_before_is_found_as_a_duplicate(prepared: Database, tmp_path: Path) -> None:
    path = tmp_path / "roll.csv"
    await take_roll(prepared, write_roll(path, [line("1", name="Siân O'Neill", postcode="cf13 1ue")]))

    report = await take_roll(prepared, write_roll(path, [line("2", name="SIAN ONEILL", postcode="CF131UE")]))

    assert reasons(report) == [
        (0, "on the roll, not in this file: stays as it is"),
        (2, "possible duplicate of 1 (same name and postcode)"),
    ]


@pytest.mark.parametrize(
    ("cells", "reason", "stored"),
    [
        pytest.param({"language": "cy"}, None, ("cy", True, None), id="all in order"),
        pytest.param({"language": "EN_gb"}, None, ("en-GB", True, None), id="language in another spelling"),
        pytest.param({"language": "cy-GB"}, None, ("cy", True, None), id="language with a region the poll leaves out"),
        pytest.param({"language": "en"}, None, ("en-GB", True, None), id="language without its region"),
        pytest.param({"language": ""}, "unknown language '': en-GB is used", ("en-GB", True, None), id="no language"),
        pytest.param({"phone": ""}, "no SMS to this number: missing", ("en-GB", True, None), id="no phone"),
        pytest.param({"joined_on": "2022-06-03"}, None, ("en-GB", True, None), id="joined on the cut-off day"),
        pytest.param(
            {"joined_on": "2022-06-04"},
            "joined on 2022-06-04, after 2022-06-03: kept, may not vote",
            ("en-GB", False, "joined_late"),
            id="joined a day late",
        ),
        pytest.param(
            {"joined_on": ""},
            "no join date: kept, may not vote",
            ("en-GB", False, "join_date_unknown"),
            id="no join date",
        ),
        pytest.param(
            {"joined_on": "2022-13-01"},
            "unreadable join date '2022-13-01': kept, may not vote",
            ("en-GB", False, "join_date_unknown"),
            id="no such month",
        ),
    ],
)
async def test_what_a_row_says_is_taken_or_doubted(
    prepared: Database, tmp_path: Path, cells: dict[str, str], reason: str | None, stored: tuple[str, bool, str | None]
) -> None:
    report = await take_roll(prepared, write_roll(tmp_path / "roll.csv", [line("1", **cells)]))

    assert [row.reason for row in report.rows] == ([reason] if reason else [])
    assert report.added == 1
    member = schema.member.c
    assert await rows(prepared, schema.member, member.language, member.eligible, member.ineligible_reason) == [stored]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param(line("x" * 65), "a member_no longer than 64 characters", id="endless number"),
        pytest.param(
            line('"1\n2"', name="Ada"), "a control character in the member_no", id="line break inside the number"
        ),
        pytest.param(line("1", area="a\0b"), "a NUL character", id="NUL"),
        pytest.param("1,2,3", "3 fields instead of 11", id="ragged"),
        pytest.param(line("1") + ",more", "12 fields instead of 11", id="one field too many"),
        pytest.param(line("1", name='"A"B'), "not a CSV row: ',' expected after '\"'", id="stray quote"),
    ],
)
async def test_a_row_that_cannot_be_taken_never_stops_the_others(
    prepared: Database, tmp_path: Path, row: str, reason: str
) -> None:
    path = write_roll(tmp_path / "roll.csv", [line("7"), row, "", line("8")])

    report = await take_roll(prepared, path)

    assert report.added == 2
    assert [(row.line, row.level, row.reason) for row in report.rows if row.level is Level.REJECTED] == [
        (3, Level.REJECTED, reason)
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b"", "it has no header", id="empty"),
        pytest.param(HEADER.replace(",area", "").encode(), "its header names area nowhere", id="column missing"),
        pytest.param(f"{HEADER},area".encode(), "its header names area twice", id="column twice"),
        pytest.param(f"{HEADER},shoe".encode(), "its header has the unknown column 'shoe'", id="unknown column"),
        pytest.param(b"\n\n,,\n", "it has no header", id="only empty lines"),
        pytest.param(
            f"{HEADER}\n{line('1', name='Zoë')}\n".encode("latin-1"),
            "line 2 is not UTF-8: save it as CSV UTF-8",
            id="Latin-1",
        ),
        pytest.param(b'"member_no', "its header is not a CSV row", id="header never ends"),
        pytest.param(
            f'{HEADER}\n1,"A\n{line("2")}\n'.encode(), "a quoted field that begins on line 2", id="quote never closed"
        ),
        pytest.param(
            f'{HEADER}\n1,"A\n{line("2", name=chr(34) + "B" + chr(34))}\n'.encode(),
            "a quoted field that begins on line 2",
            id="quote closed by another row's",
        ),
    ],
)
async def test_a_file_that_is_not_a_roll_is_refused_whole(
    prepared: Database, tmp_path: Path, content: bytes, problem: str
) -> None:
    path = tmp_path / "roll.csv"
    path.write_bytes(content)

    with pytest.raises(FileUnreadable, match=r"roll\.csv") as refused:
        await take_roll(prepared, path)

    assert problem in str(refused.value)
    assert await rows(prepared, schema.member) == []


async def test_a_file_that_is_not_there_is_refused(prepared: Database, tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="No such file"):
        await take_roll(prepared, tmp_path / "none.csv")


async def test_a_spreadsheet_s_byte_order_mark_and_column_order_do_not_matter(
    prepared: Database, tmp_path: Path
) -> None:
    path = tmp_path / "roll.csv"
    names, cells = list(reversed(HEADER.split(","))), list(reversed(line("1").split(",")))
    path.write_bytes(b"\xef\xbb\xbf" + f"{','.join(names)}\r\n{','.join(cells)}\r\n".encode())

    report = await take_roll(prepared, path)

    assert report.counts() == {"added": 1, "changed": 0, "unchanged": 0, "rejected": 0, "warnings": 0}


async def test_progress_is_told_batch_by_batch(prepared: Database) -> None:
    done: list[int] = []
    await take_roll(prepared, SAMPLE, progress=done.append)

    assert done == [2000, 2013]


async def test_the_roll_needs_a_poll(database: Database) -> None:
    with pytest.raises(NoPoll):
        await take_roll(database, SAMPLE)


async def test_the_roll_is_closed_with_the_poll(prepared: Database, tmp_path: Path) -> None:
    await take_roll(prepared, write_roll(tmp_path / "roll.csv", [line("1")]))
    async with prepared.writing() as connection:
        await connection.execute(update(schema.poll).values(phase=Phase.CLOSED))

    with pytest.raises(PollOver, match="closed"):
        await take_roll(prepared, SAMPLE)
    with pytest.raises(PollOver):
        async with prepared.writing() as connection:
            await roll.lapse(connection, "1", "left", by=By("Gwen", "command line", NOW))


async def test_a_lapse_outlives_the_next_import_and_can_be_undone(prepared: Database, tmp_path: Path) -> None:
    path = write_roll(tmp_path / "roll.csv", [line("1")])
    await take_roll(prepared, path)
    async with prepared.writing() as connection:
        lapsed = await roll.lapse(connection, "1", "Ada Quill resigned", by=By("Gwen", "command line", NOW))
        assert await roll.lapse(connection, "1", "twice", by=By("Gwen", "command line", later(days=1))) == lapsed

    report = await take_roll(prepared, path)

    assert report.unchanged == 1
    assert (lapsed.eligible, lapsed.ineligible_reason, lapsed.lapsed_at) == (False, Ineligible.LAPSED, NOW)
    async with prepared.writing() as connection:
        assert await roll.find(connection, "1") == lapsed
        restored = await roll.restore(connection, "1", by=By("Gwen", "command line", NOW))
        assert await roll.restore(connection, "1", by=By("Gwen", "command line", NOW)) == restored
    assert (restored.eligible, restored.ineligible_reason, restored.lapsed_at) == (True, None, None)
    assert (await chain_kinds(prepared))[-2:] == ["eligibility_lapsed", "eligibility_restored"]
    assert "Quill" not in repr(await rows(prepared, schema.chain))


async def test_why_somebody_lapsed_is_kept_as_it_can_be_shown(prepared: Database, tmp_path: Path) -> None:
    await take_roll(prepared, write_roll(tmp_path / "roll.csv", [line("1")]))

    async with prepared.writing() as connection:
        await roll.lapse(connection, "1", " Ada\u200b\n resigned\x07 ", by=By("Gwen", "command line", NOW))

    assert await rows(prepared, schema.member, schema.member.c.lapsed_reason) == [("Ada resigned",)]


async def test_restoring_does_not_make_a_late_joiner_a_voter(prepared: Database, tmp_path: Path) -> None:
    await take_roll(prepared, write_roll(tmp_path / "roll.csv", [line("1", joined_on="2022-07-01")]))
    async with prepared.writing() as connection:
        await roll.lapse(connection, "1", "left", by=By("Gwen", "command line", NOW))
        restored = await roll.restore(connection, "1", by=By("Gwen", "command line", NOW))

    assert (restored.eligible, restored.ineligible_reason) == (False, "joined_late")


async def test_a_lock_outlives_an_import_that_takes_the_right_away(prepared: Database, tmp_path: Path) -> None:
    path = tmp_path / "roll.csv"
    await take_roll(prepared, write_roll(path, [line("1")]))
    async with prepared.writing() as connection:
        member = await roll.find(connection, "1")
        pack_values = {"id": 1, "member_id": member.id, "serial": 1, "pack_hash": b"p"}
        await connection.execute(insert(schema.pack).values(**pack_values, state="live", issued_at=NOW))
        await connection.execute(insert(schema.lock).values(member_id=member.id, how="post", at=NOW, pack_id=1))

    report = await take_roll(prepared, write_roll(path, [line("1", joined_on="2022-07-01")]))

    assert "may no longer vote, but has voted: the vote stands" in [row.reason for row in report.rows]
    assert len(await rows(prepared, schema.lock)) == 1


async def test_who_is_not_on_the_roll_is_said(prepared: Database) -> None:
    async with prepared.reading() as connection:
        with pytest.raises(UnknownMember, match="0999"):
            await roll.find(connection, "0999")


async def test_a_crash_in_the_middle_leaves_nothing_half_done(prepared: Database) -> None:
    """Also the table the import stages in is gone, so that the next one can work on the same connection."""

    class PowerCutError(Exception):
        pass

    def cut(done: int) -> None:
        raise PowerCutError

    with pytest.raises(PowerCutError):
        await take_roll(prepared, SAMPLE, progress=cut)

    assert await rows(prepared, schema.member) == []
    assert (await take_roll(prepared, SAMPLE)).added == 2004


async def test_what_belongs_to_a_new_roll_is_done_with_it_or_neither_is(prepared: Database) -> None:
    seen: list[int | None] = []

    class PowerCutError(Exception):
        pass

    async def count(connection: AsyncConnection) -> None:
        seen.append(await connection.scalar(select(func.count()).select_from(schema.member)))

    async def cut(_connection: AsyncConnection) -> None:
        raise PowerCutError

    await take_roll(prepared, SAMPLE, on_taken=count, dry_run=True)
    assert seen == []
    with pytest.raises(PowerCutError):
        await take_roll(prepared, SAMPLE, on_taken=cut)
    assert await rows(prepared, schema.member) == []

    await take_roll(prepared, SAMPLE, on_taken=count)
    assert seen == [2004]


def test_a_digest_is_one_person_s_and_needs_name_and_place() -> None:
    one = person_digest(SECRETS.code_key, "Seán Ó'Briain", "CF13 1UE")

    assert one == person_digest(SECRETS.code_key, " sean o-BRIAIN", "cf131ue")
    assert one != person_digest(SECRETS.code_key, "Sean Brian", "CF13 1UE")
    assert one != person_digest(b"k" * 32, "Sean OBriain", "CF13 1UE")
    assert person_digest(SECRETS.code_key, "", "CF13 1UE") is None
    assert person_digest(SECRETS.code_key, "Sean", " - ") is None


def test_the_report_is_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = reports.report_path(tmp_path / "roll.csv")
    report = reports.ImportReport()
    report.warn(9, "2", "a, b")
    report.reject(3, "1", "no")
    reports.write_report(path, report.rows)
    reports.write_report(path, report.rows)

    assert path.name == "roll.csv.report.csv"
    assert path.stat().st_mode & 0o777 == 0o600
    with path.open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [
            ["line", "level", "member_no", "reason"],
            ["3", "rejected", "1", "no"],
            ["9", "warning", "2", "a, b"],
        ]


def test_the_last_day_to_have_joined_counts() -> None:
    assert ineligible(POLL.joined_by, POLL.joined_by) is None
    assert ineligible(date(2022, 6, 4), POLL.joined_by) is Ineligible.JOINED_LATE


async def test_no_table_of_the_import_stays_behind(prepared: Database) -> None:
    await take_roll(prepared, SAMPLE)

    async with prepared.reading() as connection:
        with pytest.raises(Exception, match="staged_roll"):
            await connection.execute(text("SELECT * FROM staged_roll"))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param("Total,2,,,,,,,,,", "a total, no member", id="a total in two cells"),
        pytest.param("Harbour branch,,,,,,,,,,", "nothing but a member_no: no member", id="a title"),
        pytest.param(
            line("3.00001E+05"),
            "a member_no that a spreadsheet has shortened: export the roll again with numbers as text",
            id="a shortened number",
        ),
    ],
)
async def test_a_row_that_is_no_member_is_rejected_as_what_it_is(
    prepared: Database, tmp_path: Path, row: str, reason: str
) -> None:
    report = await take_roll(prepared, write_roll(tmp_path / "roll.csv", [row]))

    assert (report.added, [(each.line, each.reason) for each in report.rows]) == (0, [(2, reason)])


async def test_a_script_reads_who_may_vote_and_who_is_gone(prepared: Database, tmp_path: Path) -> None:
    path = tmp_path / "roll.csv"
    await take_roll(prepared, write_roll(path, [line("1"), line("2", joined_on="")]))

    report = await take_roll(prepared, write_roll(path, [line("2"), line("3")]), agreed=Agreed())

    assert report.facts() == {
        "eligible": 3,
        "eligible_before": 1,
        "gone": 1,
        "needs": {"new": {"new": 1, "members": 2}},
    }
