"""Files on the command line: what is asked is asked, or the exit is 1; who has no pack is said; pipes and templates."""

import csv
import json
import os
import pty
from pathlib import Path

import forked
import pytest
from forked import Forked
from prepared import HEADER, line
from shell import ROOT, Shell

FIELD = ROOT / "tests" / "data" / "field"


@pytest.fixture
async def office(tmp_path: Path, database_url: str) -> Shell:
    """A folder with the field files, on a database of either engine."""
    for path in FIELD.glob("*.[ct]*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    shell = Shell(tmp_path)
    shell.settings["BALLOTLINE_DATABASE_URL"] = database_url
    shell("init", "poll.toml")
    return shell


def report(shell: Shell, name: str) -> list[list[str]]:
    with (shell.folder / f"{name}.report.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def test_a_file_that_asks_changes_nothing_and_says_how_to_answer(office: Shell) -> None:
    office("roll", "import", "09-roll-before.csv")

    refused = office.run("roll", "import", "09-roll-saved-in-excel.csv", "--yes", "--json")
    said = json.loads(refused.stdout)

    assert (refused.returncode, said["taken"], list(said["needs"])) == (1, False, ["pairs"])
    assert said["needs"]["pairs"]["pairs"][0] == ["300001", "0300001"]
    assert "5 pairs of numbers may be one person's each" in refused.stderr
    assert "--distinct 09-roll-saved-in-excel.csv.pairs.csv" in refused.stderr
    assert [row[1] for row in report(office, "09-roll-saved-in-excel.csv")].count("question") == 5
    assert office.json("poll", "status")["roll"]["members"] == 5


def test_pairs_are_accepted_by_the_file_that_names_them(office: Shell) -> None:
    name = "09-roll-saved-in-excel.csv"
    office("roll", "import", "09-roll-before.csv")
    office("roll", "import", name, code=1)

    without_sizes = office("roll", "import", name, "--distinct", f"{name}.pairs.csv", code=1)
    done = office.json("roll", "import", name, "--distinct", f"{name}.pairs.csv", "--yes")

    assert "5 members would be new on a roll of 5" in without_sizes
    assert (done["added"], done["taken"], done["needs"]) == (5, True, {})


def test_a_terminal_asks_and_takes_yes_for_an_answer(office: Shell) -> None:
    office("roll", "import", "17-roll-north.csv")

    assert "Nothing was changed." in answered(office, "n", "roll", "import", "17-roll-south.csv")
    assert office.json("poll", "status")["roll"]["members"] == 6
    assert "8 members may vote (before: 6)." in answered(office, "y", "roll", "import", "17-roll-south.csv")
    assert office.json("poll", "status")["roll"]["members"] == 8


def answered(shell: Shell, answer: str, *words: str) -> str:
    """Run a command in a terminal, type one line, and give all that stood on the screen."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BALLOTLINE_")}
    here, there = pty.openpty()
    process = Forked(
        *("-m", "bot.cli", *words),
        cwd=shell.folder,
        env=kept | shell.settings | {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "TERM": "dumb"},
        stdin=there,
        stdout=there,
        stderr=there,
    )
    os.close(there)
    os.write(here, f"{answer}\n".encode())
    screen = b""
    while piece := _read(here):
        screen += piece
    process.wait(60)
    os.close(here)
    return screen.decode()


def _read(handle: int) -> bytes:
    try:
        return os.read(handle, 65_536)
    except OSError:  # the other end of a terminal that is closed
        return b""


def test_who_has_no_pack_is_said_by_issue_doctor_and_opening(office: Shell) -> None:
    office("roll", "import", "17-roll-north.csv")
    office("roll", "import", "17-roll-south.csv", "--yes")
    office("keys", "create", "--trustees", "3", "--threshold", "2", "--out", "shares")

    left = office.run("packs", "issue", "--print-file", "print.csv", "--json")
    refused = office("poll", "open", code=1)
    examined = {found["name"]: found for found in json.loads(office.run("doctor", "--json").stdout)["findings"]}
    told = office("packs", "issue", "--print-file", "none.csv", "--despite-missing-packs")
    whole = office(
        "packs", "issue", "--print-file", "b.csv", "--roll", "17-roll-north.csv", "--roll", "17-roll-south.csv"
    )
    office("poll", "open")

    assert (left.returncode, json.loads(left.stdout)) == (
        1,
        {"issued": 2, "print_file": "print.csv", "missing": 6, "incomplete": 0},
    )
    assert "6 members who may vote have no pack." in left.stderr
    assert "17-roll-north.csv" in left.stderr
    assert "6 members who may vote have no pack" in refused
    assert (examined["packs"]["ok"], examined["packs"]["detail"]) == (False, "6 of 8 who may vote have no pack")
    assert told == "Nothing was made.\n"
    assert "6 packs are in b.csv" in whole


def test_nobody_eligible_is_said_and_an_encrypted_file_is_named_as_it_is(office: Shell) -> None:
    nobody = office_with_nobody(office)
    assert "Nobody on the roll may vote" in nobody
    assert "Next:" not in nobody
    office("roll", "import", "17-roll-north.csv", "--yes")
    key = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"

    said = office("packs", "issue", "--print-file", "p.csv", "--roll", "17-roll-north.csv", "--recipient", key)

    assert "6 packs are in p.csv.age (encrypted)." in said
    assert "Next: give p.csv.age to the mailing house" in said
    assert (office.folder / "p.csv.age").exists()


def office_with_nobody(office: Shell) -> str:
    (office.folder / "late.csv").write_text("\n".join([HEADER, line("1", joined_on="2030-01-01"), ""]))
    office("roll", "import", "late.csv")
    return office("packs", "issue", "--print-file", "p.csv")


def test_those_who_are_gone_from_a_file_lapse_by_its_report(office: Shell) -> None:
    office("roll", "import", "17-roll-north.csv")
    office("roll", "import", "18-roll-without-leavers.csv")

    name = "18-roll-without-leavers.csv.report.csv"
    asked = office("roll", "lapse", "--file", name, "--reason", "left", code=1)
    done = office.json("roll", "lapse", "--file", name, "--reason", "left", "--yes")
    again = office.json("roll", "import", "18-roll-without-leavers.csv")

    assert "Only 4 members could vote, where 6 can now" in asked
    assert (done["changed"], again["gone"], again["report"]) == (2, 0, None)
    assert not (office.folder / name).exists(), "a clean import takes the report of the one before away"
    office("roll", "lapse", "1000001", "--file", "x.csv", "--reason", "both", code=2)
    office("roll", "lapse", "--reason", "neither", code=2)


def test_a_member_is_taken_off_the_roll_with_the_number_s_channel(office: Shell) -> None:
    office("roll", "import", "17-roll-north.csv")

    office("roll", "remove", "1000001")

    assert "not on the roll" in office("member", "show", "1000001", code=1)
    office("packs", "issue", "--print-file", "print.csv")
    assert "already has a pack" in office("roll", "remove", "1000002", code=1)


@pytest.mark.parametrize("kind", ["roll", "pack-events", "postal", "postal-count"])
def test_a_template_is_a_file_whose_example_row_is_never_taken(tmp_path: Path, kind: str) -> None:
    shell = Shell(tmp_path)
    printed = shell("template", kind)

    (tmp_path / "empty.csv").write_text(printed, encoding="utf-8")
    (tmp_path / "poll.toml").write_bytes((FIELD / "poll.toml").read_bytes())
    shell("init", "poll.toml")
    words = {"roll": ("roll", "import"), "pack-events": ("packs", "update")}.get(kind)
    if words:
        done = shell.json(*words, "empty.csv")
        assert (done["added"], done["rejected"]) == (0, 1)
        assert done["reasons"][0]["reason"] == "the example row of the template"
    assert printed.splitlines()[1].startswith("EXAMPLE,")


def test_a_pipe_is_read_and_its_report_lies_here(office: Shell) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BALLOTLINE_")}
    with (office.folder / "08-header-again-and-total.csv").open("rb") as roll:
        done = forked.run(
            *("-m", "bot.cli", "roll", "import", "-", "--json"),
            cwd=office.folder,
            env=kept | office.settings | {"PYTHONPATH": str(ROOT)},
            stdin=roll.fileno(),
        )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["report"] == "stdin.report.csv"
    assert "read from a pipe" in office("packs", "issue", "--print-file", "print.csv", code=1)


def test_the_screen_says_what_changed_in_words(office: Shell) -> None:
    said = office("roll", "import", "12-join-dates.csv", "--dry-run")

    assert "(dry run: nothing changed)" in said
    assert (
        "      2 warning: unreadable join date …, written with the day or the month first: kept, may not vote" in said
    )
    assert "If it were taken:" in said
    assert "2 members may vote (before: 0); 8 on the roll may not." in said
