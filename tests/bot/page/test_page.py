"""The voting page's pure functions: what it is made of, what it is told, and the digest of all of it."""

import gzip
import json
import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from page_server import NOW, poll_of
from prepared import WINDOW

from bot.page import page
from bot.page.files import StaticFile, static_files
from bot.page.page import Facts, page_digest, page_html, poll_json, state_of, static_path, words_json
from voting.model import Phase

KILOBYTE = 1_000
LANGUAGES = ("en-GB", "cy")
POLL = poll_of()


# -- what may be done now -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "now", "state"),
    [
        ({}, NOW, "open"),
        ({"phase": Phase.PREPARING}, POLL.opens_at - timedelta(seconds=1), "not_open"),
        ({"phase": Phase.PREPARING}, POLL.opens_at + timedelta(seconds=1), "not_open"),
        ({}, POLL.opens_at - timedelta(seconds=1), "not_open"),
        ({}, POLL.opens_at, "open"),
        ({}, POLL.closes_at - timedelta(microseconds=1), "open"),
        ({}, POLL.closes_at, "closed"),
        ({"phase": Phase.CLOSED}, NOW, "closed"),
        ({"phase": Phase.COUNTED}, POLL.closes_at, "closed"),
    ],
    ids=[
        "open",
        "before",
        "late",
        "opened early",
        "on the opening bell",
        "a moment before the closing bell",
        "on the closing bell",
        "closed early",
        "counted",
    ],
)
def test_the_state_is_what_a_ballot_would_meet_now(facts: dict[str, Phase], now: datetime, state: str) -> None:
    assert state_of(replace(POLL, **facts), now) == state


def test_the_page_is_told_what_the_poll_is_about_in_every_language() -> None:
    told = poll_json(POLL, Facts("hash", "trustees", "MARK", WINDOW), NOW)

    assert json.loads(json.dumps(told)) == told
    assert told["names"] == {"en-GB": "English", "cy": "Cymraeg"}
    assert told["rule"] == {"en-GB": "One vote.", "cy": "Un bleidlais."}
    assert (told["uuid"], told["id"], told["state"]) == (POLL.uuid, POLL.id, "open")
    assert told["window"] == {"first_day": "2022-08-01", "last_day": "2022-08-05"}
    assert told["signing_key"] == POLL.signing_key.hex()
    assert (told["election_hash"], told["trustees_sha256"], told["fingerprint"]) == ("hash", "trustees", "MARK")
    assert told["page"] == page_digest(LANGUAGES)


@pytest.mark.parametrize(
    ("now", "phase", "english", "welsh"),
    [
        (
            NOW - timedelta(days=9),
            Phase.PREPARING,
            "Voting has not opened yet. It opens at 1:00 pm on Monday 15",
            "agor",
        ),
        (NOW, Phase.PREPARING, "Voting has not opened yet. It should open soon", "yn fuan"),
        (NOW, Phase.OPEN, "", ""),
        (NOW, Phase.CLOSED, "Voting closed at 5:00 pm on Friday 2 September 2022 (BST)", "Caeodd"),
    ],
    ids=["before", "late", "open", "closed"],
)
def test_the_page_says_in_each_language_how_things_stand(now: datetime, phase: Phase, english: str, welsh: str) -> None:
    says = poll_json(replace(POLL, phase=phase), Facts(window=WINDOW), now)["says"]

    assert says["en-GB"]["state"].startswith(english)
    assert welsh in says["cy"]["state"]
    assert says["en-GB"]["closes"] == "Voting closes at 5:00 pm on Friday 2 September 2022 (BST)."
    assert says["en-GB"]["window"] == "Packs should come between 1 and 5 August."


def test_without_a_window_and_a_key_the_page_is_told_none() -> None:
    told = poll_json(POLL, Facts(), NOW)

    assert told["window"] is None
    assert told["says"]["cy"]["window"] is None
    assert told["election_hash"] is None


# -- what it is made of ---------------------------------------------------------------------


def test_the_page_runs_nothing_but_its_own_files() -> None:
    html = page_html(LANGUAGES)

    assert re.findall(r"(?:src|href)=\"([^\"]+)\"", html) == [
        f"{static_path()}/{name}" for name in ("mark.svg", "page.css", "app.js", "mark.svg")
    ]
    assert re.search(r"<style|style=|\son\w+=|<script(?! type=\"module\" src=)", html) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_script_the_page_says_how_else_to_vote(language: str) -> None:
    paragraphs = re.findall(rf"<p [^>]*?lang=\"{language}\"[^>]*>([^<]+)</p>", page_html(LANGUAGES))

    assert len(paragraphs) == 3
    assert any("JavaScript" in words for words in paragraphs)


def test_every_import_of_the_page_is_one_of_its_files() -> None:
    files = static_files()
    imported = {
        (name, found)
        for name, file in files.items()
        if name.endswith(".js")
        for found in re.findall(r"(?:from\s*|import\s*|new URL\()'([^']+)'", file.content.decode())
    }

    assert len(imported) > 30
    assert {(name, found) for name, found in imported if found.removeprefix("./") not in files} == set()
    assert all(found.startswith("./") for _, found in imported)


def test_nothing_that_somebody_wrote_can_become_markup_or_script() -> None:
    ours = {name: file.content.decode() for name, file in static_files().items() if name != "licences.txt"}
    forbidden = re.compile(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(|new Function|setHTML")

    assert {name for name, content in ours.items() if forbidden.search(content)} == set()
    assert {
        name for name, content in ours.items() if re.search(r"https?://(?!www\.w3\.org/2000/svg)", content)
    } == set()


def test_the_whole_page_is_small() -> None:
    """Compressed, with the words of one language: what a phone loads before it shows anything, and all it loads."""
    parts = [file.content for name, file in static_files().items() if name != "licences.txt"]
    parts += [page_html(LANGUAGES).encode(), words_json("cy").encode()]

    assert sum(len(gzip.compress(part)) for part in parts) < 60 * KILOBYTE


@pytest.mark.parametrize("name", ["app.js", "page.css", "ed25519.js"])
def test_the_digest_covers_every_file(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = page_digest(LANGUAGES)
    files = static_files()
    changed = {**files, name: StaticFile(files[name].content + b"\n", files[name].media_type)}
    monkeypatch.setattr(page, "static_files", lambda: changed)
    page_digest.cache_clear()

    after = page_digest(LANGUAGES)

    monkeypatch.undo()
    page_digest.cache_clear()
    assert after != before
    assert page_digest(LANGUAGES) == before


def test_the_digest_covers_the_words_and_the_html(monkeypatch: pytest.MonkeyPatch) -> None:
    before = page_digest(LANGUAGES)
    found = {before, page_digest(("en-GB",))}
    for name in ("words_json", "page_html"):
        monkeypatch.setattr(page, name, lambda _: "something else")
        page_digest.cache_clear()
        found.add(page_digest(LANGUAGES))
        monkeypatch.undo()
    page_digest.cache_clear()

    assert len(found) == 4
