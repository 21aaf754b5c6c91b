"""Files that people really had, each with its right outcome: one line per report.

`tests/data/field/README.md` says where they come from. A new report is its file there and its line here.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from prepared import SECRETS, chain_kinds, read_phone, rows
from sqlalchemy import select
from trustee_town import dealt

from voting import schema
from voting.imports.report import Agreed, Asks, ImportReport, keep_report
from voting.model import By
from voting.packs import packs
from voting.packs.packs import Issued, Printing
from voting.poll import polls
from voting.post.scans import import_postal
from voting.refusals import FileUnreadable, PacksMissing
from voting.roll.importing import RollReport, import_roll
from voting.store.database import Database

FIELD = Path(__file__).parents[2] / "data" / "field"
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=ZoneInfo("Europe/London"))
TODAY = "2026-11-26"
NEEDS_PLUS = "another country's number needs its +, a British one +44"
GWEN, HUW = By("Gwen", "command line", NOW), By("Huw", "command line", NOW)


class Office:
    """A membership secretary's desk: the poll of the field files, and a folder."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder = database, folder

    async def prepare(self) -> None:
        async with self.database.writing() as connection:
            delivery = polls.window_of_file(FIELD / "poll.toml", by=GWEN)
            await polls.init(connection, polls.read_poll_file(FIELD / "poll.toml"), delivery, SECRETS, by=GWEN)

    def file(self, name: str) -> Path:
        """Give a copy of a field file with today's date in it."""
        kept = self.folder / name
        kept.write_bytes((FIELD / name).read_bytes().replace(b"TODAY", TODAY.encode()))
        return kept

    async def takes(self, name: str, *, yes: bool = False, distinct: Iterable[frozenset[str]] = ()) -> RollReport:
        agreed = Agreed(sizes=yes, distinct=frozenset(distinct))
        path = self.file(name)
        return await import_roll(self.database, path, SECRETS, read_phone=read_phone, by=GWEN, agreed=agreed)

    async def issues(self, name: str = "print.csv", *rolls: str, **printing: object) -> Issued:
        paths = tuple(self.folder / roll for roll in rolls)
        named = Printing(self.folder / name, roll_paths=paths, **printing)
        return await packs.issue(self.database, SECRETS, named, by=GWEN)

    async def hears_of_packs(self, name: str) -> ImportReport:
        return await packs.update_events(self.database, self.file(name), SECRETS, by=GWEN)

    async def scans(self, *lines: str) -> ImportReport:
        path = self.folder / "postal.csv"
        path.write_bytes("\r\n".join(["pack_code,received_at,status", *lines, ""]).encode())
        return await import_postal(self.database, path, SECRETS, by=GWEN)

    def codes(self, name: str = "print.csv") -> list[str]:
        with (self.folder / name).open(encoding="utf-8", newline="") as file:
            return [row["pack_code"] for row in csv.DictReader(file)]

    async def members(self) -> list[str]:
        return [row[0] for row in await rows(self.database, schema.member, schema.member.c.member_no)]

    async def opens(self) -> None:
        async with self.database.writing() as connection:
            await polls.set_trustees(connection, dealt().trustees.data, "dealer", by=GWEN)
            await polls.open_poll(connection, by=GWEN)


@pytest.fixture
async def office(database: Database, tmp_path: Path) -> Office:
    office = Office(database, tmp_path)
    await office.prepare()
    return office


@dataclass(frozen=True)
class Outcome:
    """What a roll of the field does: the numbers, and what its report says, in any order."""

    added: int
    rejected: int = 0
    eligible: int = 0
    says: tuple[str, ...] = ()


MISSING = "no SMS to this number: missing"


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        pytest.param("02-semicolons.csv", Outcome(3, eligible=3), id="semicolons"),
        pytest.param("02-tabs.csv", Outcome(3, eligible=3), id="tabs"),
        pytest.param("02-sep-line.csv", Outcome(3, eligible=3), id="a sep= line"),
        pytest.param("03-excel-unicode-text.csv", Outcome(3, eligible=3), id="a spreadsheet's Unicode Text"),
        pytest.param("05-heading-case.csv", Outcome(3, eligible=3), id="headings in capitals"),
        pytest.param("06-trailing-comma.csv", Outcome(3, eligible=3), id="a comma at the end of every line"),
        pytest.param(
            "07-blank-rows.csv",
            Outcome(3, eligible=3, says=("41 empty rows, of which this is the first: skipped",)),
            id="empty rows are one line",
        ),
        pytest.param(
            "08-header-again-and-total.csv",
            Outcome(3, rejected=2, eligible=3, says=("the heading again, no row", "a total, no member")),
            id="rows that are no members",
        ),
        pytest.param(
            "09-roll-before.csv",
            Outcome(5, eligible=5, says=("no name: no pack is made unless told", "no postcode")),
            id="a roll as it was",
        ),
        pytest.param(
            "11-landlines-abroad.csv",
            Outcome(
                4,
                eligible=4,
                says=(
                    f"no SMS to this number: landline as one of DE; {NEEDS_PLUS}",
                    "unknown country 'Germany': numbers without + are not read",
                    f"no SMS to this number: malformed as one of an unknown country; {NEEDS_PLUS}",
                    f"no SMS to this number: landline as one of IT; {NEEDS_PLUS}",
                    f"no SMS to this number: landline as one of DE; {NEEDS_PLUS}",
                ),
            ),
            id="landlines abroad",
        ),
        pytest.param(
            "12-join-dates.csv",
            Outcome(
                10,
                eligible=2,
                says=(
                    "unreadable join date '02/05/2011', written with the day or the month first: kept, may not vote",
                    "unreadable join date '25/01/2026', written with the day first: kept, may not vote",
                    "unreadable join date '40665', written with a spreadsheet's day number: kept, may not vote",
                    "unreadable join date '2 May 2011', written with words: kept, may not vote",
                    (
                        "unreadable join date '2011-5-2', written with one digit where there should be two: "
                        "kept, may not vote"
                    ),
                    "unreadable join date '20110502', written with no dashes: kept, may not vote",
                    "unreadable join date '03-06-2030', written with the day or the month first: kept, may not vote",
                    "no join date: kept, may not vote",
                ),
            ),
            id="join dates are never guessed",
        ),
        pytest.param("13-formulas.csv", Outcome(5, eligible=5, says=(MISSING,) * 5), id="formulas"),
        pytest.param(
            "16-addresses-missing.csv",
            Outcome(
                7,
                eligible=7,
                says=(
                    "no address: no pack is made unless told",
                    "no name: no pack is made unless told",
                    "no postcode",
                    "'ZZ9 O1AA x' is no postcode of GB",
                ),
            ),
            id="letters to nowhere",
        ),
        pytest.param("17-roll-north.csv", Outcome(6, eligible=6), id="a part of a roll"),
    ],
)
async def test_a_first_roll(office: Office, name: str, outcome: Outcome) -> None:
    report = await office.takes(name)

    assert sorted(row.reason for row in report.rows) == sorted(outcome.says)
    assert (report.added, report.rejected, report.after.eligible) == (
        outcome.added,
        outcome.rejected,
        outcome.eligible,
    )
    assert report.needs == []


async def test_windows_1252_is_refused_with_its_line_and_how_to_save_it(office: Office) -> None:
    with pytest.raises(FileUnreadable, match="line 251 is not UTF-8: save it as CSV UTF-8"):
        await office.takes("04-windows-1252.csv")

    assert await office.members() == []


async def test_zeros_lost_in_a_spreadsheet_are_five_questions_and_no_new_member(office: Office) -> None:
    await office.takes("09-roll-before.csv")
    before = await office.members(), await chain_kinds(office.database)

    report = await office.takes("09-roll-saved-in-excel.csv", yes=True)

    assert [need.asks for need in report.needs] == [Asks.PAIRS]
    assert report.needs[0].pairs == tuple((f"30000{n}", f"030000{n}") for n in range(1, 6))
    assert (await office.members(), await chain_kinds(office.database)) == before


async def test_no_cell_of_the_report_runs_in_a_spreadsheet(office: Office) -> None:
    report = await office.takes("13-formulas.csv")

    written = keep_report(office.folder / "13-formulas.csv", report)

    assert written is not None
    with written.open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert "'=cmd|' /C calc'!A0" in cells
    assert [cell for cell in cells if cell[:1] in set("=+-@")] == []


async def test_the_print_file_has_formulas_as_they_are(office: Office) -> None:
    await office.takes("13-formulas.csv")
    await office.issues()

    with (office.folder / "print.csv").open(encoding="utf-8", newline="") as file:
        printed = {row["member_no"]: row for row in csv.DictReader(file)}
    assert printed["0700005"]["name"] == "=1+1"
    assert "=cmd|' /C calc'!A0" in printed


async def test_nobody_whom_a_letter_cannot_reach_gets_codes_unless_told(office: Office) -> None:
    await office.takes("16-addresses-missing.csv")

    issued = await office.issues()
    told = await office.issues("again.csv", nowhere_too=True)

    assert (issued.packs, issued.left, issued.nowhere) == (5, 2, 2)
    assert (told.packs, told.left, told.nowhere) == (2, 0, 0)


async def test_who_has_no_pack_is_said_until_every_file_of_the_roll_is_named(office: Office) -> None:
    await office.takes("17-roll-north.csv")
    asked = await office.takes("17-roll-south.csv")
    await office.takes("17-roll-south.csv", yes=True)

    issued = await office.issues()
    with pytest.raises(PacksMissing, match="6 members who may vote have no pack"):
        await office.opens()
    whole = await office.issues("rest.csv", "17-roll-north.csv", "17-roll-south.csv")
    await office.opens()

    assert [need.asks for need in asked.needs] == [Asks.NEW]
    assert (issued.packs, issued.left, issued.nowhere) == (2, 6, 0)
    assert (whole.packs, whole.left) == (6, 0)


async def test_who_is_gone_from_the_file_is_listed_and_stays(office: Office) -> None:
    await office.takes("17-roll-north.csv")

    report = await office.takes("18-roll-without-leavers.csv")

    assert (report.gone, report.after.eligible) == (2, 6)
    assert [row.member_no for row in report.rows] == ["1000005", "1000006"]


async def test_events_are_read_in_british_spelling_and_an_old_envelope_is_the_old_pack_s(office: Office) -> None:
    await office.takes("17-roll-north.csv")
    await office.issues()
    words = await office.hears_of_packs("23-pack-events-words.csv")
    new = Printing(office.folder / "new.csv")
    await packs.replace(office.database, SECRETS, "1000006", new, reason="lost", by=GWEN)
    await packs.replace(office.database, SECRETS, "1000006", new, by=HUW)

    returned = await office.hears_of_packs("23-old-envelope-returned.csv")

    assert (words.added, [row.reason for row in words.rows]) == (4, ["no pack on that day"])
    assert (returned.added, returned.rows) == (1, [])
    async with office.database.reading() as connection:
        pack = schema.pack.c
        found = select(pack.serial, pack.dispatched_on.is_not(None), pack.returned_on.is_not(None))
        member = select(schema.member.c.id).where(schema.member.c.member_no == "1000006").scalar_subquery()
        ways = [
            tuple(row) for row in await connection.execute(found.where(pack.member_id == member).order_by(pack.serial))
        ]
    assert [(serial, bool(left), bool(back)) for serial, left, back in ways] == [(1, True, True), (2, False, False)]


async def test_scans_as_scanners_and_people_write_them(office: Office) -> None:
    """Prefixes, lower case, doubled, capitals, the day first, before the opening, a rejected paper corrected."""
    await office.takes("17-roll-north.csv")
    await office.issues()
    await office.opens()
    code = office.codes()

    prefixes = await office.scans(f"]C1{code[0]},{TODAY}T09:00,received", f"C1{code[1]},{TODAY}T09:01,received")
    lower = await office.scans(
        f"{code[2].lower()},{TODAY}T09:00,received",
        f"{code[2].lower()},{TODAY}T09:00,received",
        f"{code[3].replace('-', 'ß')},{TODAY}T09:03,received",
        f"*{code[5]}*,{TODAY}T09:05,received",
    )
    early = await office.scans(f"{code[4]},2026-10-01 09:00,received", f"{code[4]},1926-11-25,received")
    future = await office.scans(f"{code[4]},2026-12-25 09:00,received")
    capitals = await office.scans(f"{code[4]},25/11/2026 09:30,Received")
    rejected = await office.scans(f"{code[3]},{TODAY}T10:00,rejected")
    corrected = await office.scans(f"{code[3]},{TODAY}T10:00,received")

    assert (prefixes.added, lower.added, lower.unchanged) == (2, 3, 1)
    assert [row.reason for row in early.rows] == ["received before the opening"] * 2
    assert [row.reason for row in future.rows] == ["received in the future"]
    assert (capitals.added, rejected.changed, corrected.changed) == (1, 1, 1)
    received = await rows(office.database, schema.paper, schema.paper.c.outcome)
    assert {row[0] for row in received} == {"locked"}
    moment = (await rows(office.database, schema.paper, schema.paper.c.received_at))[0][0]
    assert moment == datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


def test_every_field_file_has_its_line_here() -> None:
    told = Path(__file__).read_text(encoding="utf-8")

    assert [path.name for path in FIELD.iterdir() if path.name not in told and path.suffix == ".csv"] == []
