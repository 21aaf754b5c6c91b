"""The command line as a newcomer meets it: sentences instead of tracebacks, exit codes, JSON, a whole small poll."""

import csv
import json
import re
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from shell import Shell
from snapshots import assert_as_kept

ROOT = Path(__file__).parents[3]
POLL = (ROOT / "examples" / "poll.toml").read_text(encoding="utf-8")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_bad_input_gets_one_sentence_and_no_traceback(shell: Shell) -> None:
    """No poll file, no secrets, an unreadable roll, a wrong setting, wrong usage, a port taken."""
    assert "poll.toml" in shell("init", "poll.toml", code=1)
    assert "secrets" in shell("poll", "status", code=1)
    assert "Missing argument" in shell("init", code=2)
    assert shell("no-such-command", code=2)
    (shell.folder / "poll.toml").write_text("[poll]\nid = 5\n")
    assert "poll.toml" in shell("init", "poll.toml", code=1)
    (shell.folder / "poll.toml").write_text(POLL, encoding="utf-8")
    shell("init", "poll.toml")
    assert "nowhere.csv" in shell("roll", "import", "nowhere.csv", code=1)
    (shell.folder / "binary.csv").write_bytes(b"\xff\xfe\x00")
    assert "binary.csv" in shell("roll", "import", "binary.csv", code=1)
    assert "poll" in shell("poll", "open", code=1)
    assert "0100000" in shell("member", "show", "0100000", code=1)
    shell.settings["BALLOTLINE_LISTEN"] = "nonsense"
    assert "BALLOTLINE_LISTEN" in shell("poll", "status", code=1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        shell.settings["BALLOTLINE_LISTEN"] = f"127.0.0.1:{taken.getsockname()[1]}"
        assert "in use" in shell("run", code=1)
        assert "in use" in shell("demo", "--port", str(taken.getsockname()[1]), code=1)


def test_a_database_of_a_newer_program_is_refused_by_every_command(shell: Shell) -> None:
    import sqlite3

    (shell.folder / "poll.toml").write_text(POLL, encoding="utf-8")
    shell("init", "poll.toml")
    with sqlite3.connect(shell.folder / "ballotline.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()

    for words in (("poll", "status"), ("init", "poll.toml"), ("run",)):
        assert "newer version" in shell(*words, code=1)


def test_init_twice_changes_nothing_and_keeps_the_secrets(shell: Shell) -> None:
    (shell.folder / "poll.toml").write_text(POLL, encoding="utf-8")
    shell("init", "poll.toml")
    before = (shell.folder / "ballotline.secrets").read_bytes()

    shell("init", "poll.toml")

    assert (shell.folder / "ballotline.secrets").read_bytes() == before
    assert (shell.folder / "ballotline.secrets").stat().st_mode & 0o777 == 0o600


def test_two_options_that_look_alike_are_refused_at_init(shell: Shell) -> None:
    content = POLL.replace('"South Quay"]', '"N\u043erth  Quay"]')
    assert content != POLL
    (shell.folder / "poll.toml").write_text(content, encoding="utf-8")

    said = shell("init", "poll.toml", code=1)

    assert "poll.options names 'North Quay' and 'N\u043erth Quay', which look alike" in said
    assert not (shell.folder / "ballotline.db").exists()


def test_a_small_poll_from_the_file_to_the_verified_bundle(shell: Shell) -> None:
    """Every command of the line, one after the other, as an operator types them."""
    (shell.folder / "poll.toml").write_text(
        POLL.replace("2030-08-01T09:00:00", "2020-08-01T09:00:00"), encoding="utf-8"
    )
    roll = (ROOT / "tests" / "data" / "roll-sample.csv").read_text(encoding="utf-8").splitlines()[:41]
    (shell.folder / "roll.csv").write_text("\n".join(roll) + "\n", encoding="utf-8")
    shell("init", "poll.toml", "--as", "Gwen")
    shell("keys", "create", "--trustees", "3", "--threshold", "2", "--out", "shares")
    assert "good" in shell("keys", "test", "shares/share-1-of-3.json")
    dry = shell.json("roll", "import", "roll.csv", "--dry-run")
    done = shell.json("roll", "import", "roll.csv")
    again = shell.json("roll", "import", "roll.csv")
    assert dry["added"] == done["added"] == again["unchanged"] == 40
    assert (shell.folder / "roll.csv.report.csv").exists()
    issued = shell.json("packs", "issue", "--print-file", "print.csv")
    letters = list(csv.DictReader((shell.folder / "print.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert issued["issued"] == len(letters) > 30
    shell("poll", "open")
    papers = [f"{letter['pack_code']},2021-01-01,received" for letter in letters[:5]]
    (shell.folder / "postal.csv").write_text("pack_code,received_at,status\n" + "\n".join(papers) + "\n")
    assert shell.json("postal", "import", "postal.csv")["added"] == 5
    status = shell.json("poll", "status")
    assert (status["phase"], status["locks"], status["result"], all(status["probes"].values())) == (
        "open",
        {"online": 0, "post": 5},
        None,
        True,
    )
    member = shell.json("member", "show", letters[0]["member_no"])
    assert member["lock"]["how"] == "post"
    assert member["phone"] is None or member["phone"].startswith("+")
    draft = shell.json("notice", "draft", "window_changed", "--as", "Huw")
    assert {text["encoding"] for text in draft["texts"] if text["channel"] == "sms"} == {"GSM-7"}
    assert shell("notice", "approve", str(draft["id"]), "--as", "Huw", code=1) != ""
    shell("window", "set", "2030-08-01", "2030-08-10", "--reason", "added security")
    shell("poll", "close")
    (shell.folder / "count.csv").write_text("option,votes\nNorth Quay,3\nSouth Quay,2\n")
    shell("postal", "count", "count.csv")
    share = ["--share", "shares/share-1-of-3.json", "--share", "shares/share-3-of-3.json"]
    result = shell.json("count", *share, "--out", "result")
    assert [row["votes"] for row in result["questions"][0]["options"]] == [3, 2]
    assert shell.json("poll", "status")["result"] == {name: result[name] for name in result if name != "bundle"}
    assert "Members who voted" in shell("poll", "status")
    assert shell.json("audit")["ok"]
    verdict = shell.json("verify", "result")
    assert verdict["ok"]
    assert verdict["figures"]["fingerprint"] in shell.run("doctor").stdout  # what was to be published before the vote
    box = shell.folder / "result" / "result.json"
    box.write_bytes(box.read_bytes().replace(b"3", b"4", 1))
    assert "result.json" in shell("verify", "result", code=1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("notice", "draft", "--help"), "a line [cy] begins those in another language"),
        (("poll", "rule", "--help"), "A poll file with the new [rule]."),
    ],
    ids=["notice draft", "poll rule"],
)
def test_help_loses_nothing_in_brackets(shell: Shell, words: tuple[str, ...], said: str) -> None:
    """The terminal library takes them for colours."""
    plain = " ".join(shell(*words).replace("│", " ").split())

    assert said in plain


def test_a_draft_is_shown_as_people_will_read_it(shell: Shell) -> None:
    """Without Telegram's HTML, and without a link to a bot that is switched off."""
    (shell.folder / "poll.toml").write_text(POLL, encoding="utf-8")
    shell("init", "poll.toml")
    (shell.folder / "roll.csv").write_bytes((ROOT / "examples" / "roll.csv").read_bytes())
    shell("roll", "import", "roll.csv")

    drafted = shell("notice", "draft", "rule_changed")

    assert "Mae gennych un bleidlais, drwy'r post neu ar-lein." in drafted
    assert "<b>" not in drafted
    assert "&#" not in drafted
    assert "Questions:" not in drafted


def test_doctor_says_what_is_off_and_what_to_do(shell: Shell) -> None:
    said = shell.run("doctor", "--json")
    found = {finding["name"]: finding for finding in json.loads(said.stdout)["findings"]}

    assert said.returncode == 1
    assert found["telegram"]["ok"] is None
    assert found["twilio"]["ok"] is None
    assert found["database"]["what_to_do"]


def test_impossible_rehearsals_are_refused_in_a_sentence(shell: Shell) -> None:
    assert "more than" in shell("rehearse", "--members", "10", "--result", "A=9", "--result", "B=9", code=1)
    assert "OPTION=NUMBER" in shell("rehearse", "--result", "A", code=1)


def test_a_rehearsal_gives_exactly_the_asked_result(shell: Shell) -> None:
    facts = shell.json("rehearse", "--members", "600", "--result", "A=300", "--result", "B=180", "--rejected", "7")

    assert [row["votes"] for row in facts["result"]["questions"][0]["options"]] == [300, 180]
    assert (facts["result"]["rejected_papers"], facts["verified"]) == (7, True)


def test_the_demo_plays_its_story_to_the_end_word_for_word(shell: Shell) -> None:
    """The one command of the README: every step of the story is checked by the story itself."""
    said = shell("demo", "--once")

    assert "The story ended well" in said
    assert_as_kept("story.txt", without_chance(said))


CHANCE = (
    (r"127\.0\.0\.1:\d{5}\b", "SERVICE"),
    (r"\b\d{1,2}:\d\d\b", "TIME"),
    (r"(The word in your pack is|The word printed in it is) \w+\.", r"\1 WORD."),
    (r"(fingerprint) ([2-9A-Z]{4}-){3}[2-9A-Z]{4}", r"\1 FINGERPRINT"),
    (r"\b([2-9A-Z]{4}-){3}[2-9A-Z]{4}\b", "MARK"),
    (r"\b[0-9a-f]{64}\b", "SHA-256"),
    (r"belenios/\w+\.bel", "belenios/UUID.bel"),
    (r"\d+ (entries|heads)", r"SOME \1"),  # the service writes some on a timer
)


def without_chance(said: str) -> str:
    """Put names in place of what is drawn by lot or depends on the machine's pace."""
    for found, name in CHANCE:
        said, times = re.subn(found, name, said)
        assert times, found
    return "\n".join(line.rstrip() for line in said.splitlines()) + "\n"


def test_poll_status_says_that_all_probes_hold_only_when_audit_would(shell: Shell) -> None:
    (shell.folder / "poll.toml").write_text(POLL, encoding="utf-8")
    shell("init", "poll.toml")
    assert "all hold" in shell("poll", "status")
    with closing(sqlite3.connect(shell.folder / "ballotline.db")) as base:
        row = ("Eve", "officer", 66, b"0", "en-GB", 1_659_312_000_000_000)
        base.execute(
            "INSERT INTO staff (name, role, user_id, nonce, language, enrolled_at) VALUES (?, ?, ?, ?, ?, ?)", row
        )
        base.commit()

    broken = [name for name, holds in shell.json("poll", "status")["probes"].items() if not holds]

    assert broken == ["the staff are who the signed entries say"]
    assert "all hold" not in shell("poll", "status")
