"""`ballotline verify`, as somebody who has a bundle types it."""

import json
from pathlib import Path

import pytest
from ended_worker import let_one_be_killed
from made_bundle import UUID, Made, head_line
from made_edits import after, entry
from typer.testing import CliRunner

from bot.cli import build
from voting.ballots.ballot import ballot_mark
from voting.verify import format as form


@pytest.fixture(scope="module")
def made() -> Made:
    return Made()


@pytest.fixture(scope="module")
def bundle(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.write(tmp_path_factory.mktemp("made") / "bundle")


def said(*arguments: str | Path, code: int = 0, typed: str = "") -> str:
    """What the command prints, both streams."""
    result = CliRunner().invoke(build(), ["verify", *map(str, arguments)], input=typed)
    assert result.exit_code == code, result.output
    return result.output


def test_a_good_bundle_is_told_with_its_result(made: Made, bundle: Path) -> None:
    printed = said(bundle)

    assert "Every file is what the signed" in printed
    assert "8 ballots online, 1 of them by credentials issued after the opening" in printed
    assert f"Fingerprint: {made.fingerprint}" in printed
    assert made.entries[-1]["hash"] in printed
    assert "North" in printed
    assert "compare the fingerprint" in printed


def test_with_what_was_published_nothing_is_left_to_compare(made: Made, bundle: Path, tmp_path: Path) -> None:
    head = tmp_path / "head.json"
    head.write_bytes(head_line(7, made.entries[6]["hash"]))

    printed = said(bundle, "--key", made.fingerprint, "--head", head, "--poll", "leader-2022")

    assert "The chain has the head that was kept" in printed.replace("\n", " ") or "head that was" in printed
    assert "compare the fingerprint" not in printed


def test_a_bundle_without_a_result_is_told_so_far(tmp_path: Path) -> None:
    printed = said(Made(stage=form.TALLIED).write(tmp_path / "bundle"))

    assert "Turnout" not in printed
    assert "8 ballots online" in printed


@pytest.mark.parametrize("option", [(), ("--json",)], ids=["for people", "for scripts"])
def test_a_worker_ended_from_outside_is_one_sentence(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, option: tuple[str, ...]
) -> None:
    """As a kernel that is out of memory ends it: the bundle is not blamed, and nothing of it is said."""
    let_one_be_killed(monkeypatch)
    printed = said(bundle, *option, code=1)
    assert printed == (
        "A process that checked ballots was ended from outside; nothing is known of the bundle, check it again.\n"
    )


def test_what_is_wrong_is_told_and_the_command_fails(tmp_path: Path) -> None:
    folder = Made().write(tmp_path / "bundle")
    (folder / form.README).write_bytes(b"\x1b[2J Believe me.\n")

    printed = said(folder, code=1)

    assert "README.txt, line 1: was changed" in printed
    assert "This bundle cannot be believed as it is." in printed
    assert "\x1b[2J" not in printed
    assert "there is no such folder" in said(tmp_path / "nowhere", code=1)


def test_a_head_that_was_given_up_is_read_first(tmp_path: Path) -> None:
    lost = entry("head_resumed", lost_seq=11, lost_hash="ab" * 32, asked_by="Gwen", approved_by="Huw")
    folder = Made(edit_entries=after("votes_locked", lost)).write(tmp_path / "bundle")

    assert said(folder).startswith("Read first: Entry 11 of the chain gives up the head of entry 11")


def test_an_option_never_controls_the_terminal(tmp_path: Path) -> None:
    printed = said(Made(options=("North\u202e", "South")).write(tmp_path / "bundle"))

    assert "\u202e" not in printed
    assert "North?" in printed


def test_json_has_everything(made: Made, bundle: Path) -> None:
    facts = json.loads(said(bundle, "--json"))

    assert facts["ok"]
    assert facts["stage"] == form.RESULTED
    assert facts["figures"]["fingerprint"] == made.fingerprint
    assert facts["result"]["votes"] == 11
    assert {check["ok"] for check in facts["checks"]} == {True}
    wrong = json.loads(said(bundle, "--json", "--poll", "another", code=1))
    assert wrong["problems"] == [
        {
            "file": form.POLL,
            "line": None,
            "what": "is the poll 'leader-2022', not 'another'",
            "member": None,
            "byte": None,
        }
    ]


def test_a_member_looks_for_their_mark(made: Made, bundle: Path) -> None:
    mark = ballot_mark(made.made[0])

    assert mark in said(bundle, "--receipt", mark)
    assert "is the mark of no ballot in the archive" in said(bundle, "--receipt", "2222-2222-2222-2222", code=1)


def test_codes_are_asked_for_and_never_shown(made: Made, bundle: Path) -> None:
    typed = "VK475JSUE\nES2G2H74GVKQ\n"
    printed = said(bundle, "--receipt", ballot_mark(made.made[0]), "--codes", typed=typed, code=1)

    assert "Pack code" in printed
    assert "Vote code" in printed
    assert "VK475JSUE" not in printed
    assert "the codes: are no pack's in this poll" in printed
    assert "--codes needs --receipt" in said(bundle, "--codes", code=2).replace("\n", " ")
    assert UUID not in "VK475JSUE"
