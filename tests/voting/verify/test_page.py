"""The page of the result: everything that has to be said on it, and nothing that runs or is fetched."""

import re
import tomllib
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

import pytest

from voting.ballots.election import Question
from voting.verify.page import result_page
from voting.verify.page_words import FOLDER, USUAL, NoLocalTime, local_time, tag_for, words_in
from voting.verify.result import Asked, Post, Turnout, result_of

ASKED = {
    "question": {"en-GB": "Who?", "cy": "Pwy?", "fr": "Qui ?"},
    "options": [
        {"en-GB": "North & Sea", "cy": "Gogledd & Môr", "fr": "Nord & mer"},
        {"en-GB": "<South>", "cy": "<De>", "fr": "<Sud>"},
    ],
    "least": 1,
    "most": 1,
    "seats": None,
}
POLL = {
    "title": "Leader",
    "languages": ["en-GB"],
    "questions": [ASKED],
    "kind": "ceremony",
    "fingerprint": "ABCD-EFGH-JKMN-PQRS",
    "opens_at": "2022-08-01T08:00:00+00:00",
    "closes_at": "2022-09-02T16:05:00+00:00",
    "timezone": "Europe/London",
}
BOTH = {**POLL, "languages": ["en-GB", "cy"]}


def page(
    online: tuple[int, int] = (8, 4),
    post: tuple[int, int] = (2, 1),
    *,
    poll: Mapping[str, Any] = POLL,
    later: int = 3,
    justification: str | None = None,
) -> str:
    """The page, and that every tag is closed."""
    asked = [Asked(Question("Who?", ("North & Sea", "<South>"), 1, 1))]
    result = result_of("p", asked, [online], Post(sum(post), 5, [post]), Turnout(sum(online), later, 40))
    written = result_page(poll, result, justification).decode()
    _Balanced().check(written)
    return written


class _Balanced(HTMLParser):
    open: list[str]

    def check(self, text: str) -> None:
        self.open = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {"script", "iframe", "object", "embed", "link", "img", "base", "form"}
        assert not {name for name, _ in attrs} & {"src", "onload"}
        assert all(value and value.startswith("#") for name, value in attrs if name == "href")
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def facts(written: str) -> dict[str, str]:
    """The list under the table."""
    return dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", written))


def test_it_shows_every_option_and_figure() -> None:
    written = page()

    assert "<span>North &amp; Sea</span>" in written
    assert "<span>&lt;South&gt;</span>" in written
    assert '<td>8</td><td>2</td><td class="votes">10</td><td>66.67%</td>' in written
    assert facts(written) == {
        "Members who could vote": "40",
        "Valid votes": "15",
        "Papers received and rejected": "5",
        "Online votes with a pack issued after the opening": "3",
        "Turnout, valid votes only": "37.50%",
        "Turnout, rejected papers included": "50.00%",
    }
    assert "<code>ABCD-EFGH-JKMN-PQRS</code>" in written
    assert 'class="note"' not in written


def test_large_figures_are_grouped() -> None:
    assert "<td>141,725</td>" in page((141_725, 4))


@pytest.mark.parametrize("kind", ["dealer", "ceremony"])
def test_a_dealers_key_is_called_so(kind: str) -> None:
    assert ("made by a dealer" in page(poll={**POLL, "kind": kind})) is (kind == "dealer")


@pytest.mark.parametrize(
    ("online", "post", "said"),
    [
        ((8, 0), (2, 1), ["Every online vote"]),
        ((8, 4), (0, 3), ["Every vote by post"]),
        ((0, 8), (0, 3), ["Every online vote", "Every vote by post"]),
        ((1, 0), (0, 0), ["Every online vote"]),
        ((0, 0), (0, 0), []),
        ((8, 4), (2, 1), []),
    ],
)
def test_that_everybody_agreed_cannot_be_hidden(
    online: tuple[int, int], post: tuple[int, int], said: list[str]
) -> None:
    written = page(online, post)

    assert [
        words for words in ("Every online vote", "Every vote by post") if f"{words} was for the same" in written
    ] == said
    assert ("a result cannot hide that" in written) is bool(said)


def test_why_papers_differ_is_said() -> None:
    written = page(justification="one & only")

    assert "one &amp; only</p>" in written
    assert "differs from the number scanned" in written


def test_nobody_at_all_is_shown_too() -> None:
    written = page((0, 0), (0, 0))

    assert "width:0%" in written
    assert "<td>0.00%</td>" in written


def sections(written: str) -> list[tuple[str, str]]:
    """Each part of the page with its language."""
    return re.findall(r'<section lang="(.*?)" id="language-\d+">(.*?)</section>', written, re.DOTALL)


def test_every_language_of_the_poll_has_its_part() -> None:
    written = page(poll=BOTH, justification="why")
    (english, first), (welsh, second) = sections(written)

    assert (english, welsh) == ("en-GB", "cy")
    assert "<title>Result / Canlyniad: Leader</title>" in written
    assert '<a href="#language-2" lang="cy">Cymraeg</a>' in written
    assert "Votes were taken from 09:00 on 1 August 2022 to 17:05 on 2 September 2022 (Europe/London)." in first
    assert "Derbyniwyd pleidleisiau o 09:00 ar 1 Awst 2022 hyd at 17:05 ar 2 Medi 2022 (Europe/London)." in second
    assert "<span>Gogledd &amp; Môr</span>" in second
    assert facts(second)["Pleidleisiau dilys"] == facts(first)["Valid votes"] == "15"
    assert '<p lang="">why</p>' in second


def test_one_language_needs_no_links() -> None:
    assert "<nav>" not in page()
    assert "<title>Result: Leader</title>" in page()


def test_a_language_without_words_has_its_questions_among_english_ones() -> None:
    written = page(poll={**POLL, "languages": ["cy", "fr"]})
    _, (english, second) = sections(written)

    assert english == "en-GB"
    assert '<p class="question" lang="fr">Qui ?</p>' in second
    assert '<span lang="fr">Nord &amp; mer</span>' in second
    assert "<dt>Valid votes</dt>" in second
    assert '<a href="#language-2">fr</a>' in written


def test_the_parts_say_the_same_in_the_same_order() -> None:
    first, second = (body for _, body in sections(page((0, 8), (0, 3), poll={**BOTH, "kind": "dealer"})))

    assert re.findall(r"<[^>]+>", re.sub(r'aria-label=".*?"', "", first)) == re.findall(
        r"<[^>]+>", re.sub(r'aria-label=".*?"', "", second)
    )
    assert second.count('class="note"') == 3


@pytest.mark.parametrize(
    ("language", "tag"),
    [("cy", "cy"), ("cy-GB", "cy"), ("en", "en-GB"), ("EN-gb", "en-GB"), ("en-IE", "en-GB"), ("fr", None), ("", None)],
)
def test_words_fit_their_language_in_every_region(language: str, tag: str | None) -> None:
    assert tag_for(language) == tag


def test_every_language_has_the_same_words_with_the_same_places() -> None:
    def places(value: object) -> object:
        if isinstance(value, dict):
            assert "other" in value
            return {place for form in value.values() for place in re.findall(r"{\w*}", form)}
        return len(value) if isinstance(value, list) else set(re.findall(r"{\w*}", str(value)))

    files = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.toml")}
    shapes = {tag: {key: places(value) for key, value in texts.items()} for tag, texts in files.items()}

    assert len(shapes) > 1
    assert all(shape == shapes[USUAL] for shape in shapes.values())
    assert all(texts[key] for texts in files.values() for key in texts)


def test_numbers_are_written_as_the_language_does() -> None:
    words = words_in("cy")
    german = type(words)("de", {**words.texts, "group": ".", "decimal": ",", "percent": "{number} %"})

    assert words.number(1_234_567) == "1,234,567"
    assert german.number(1_234_567) == "1.234.567"
    assert german.percent("12.34") == "12,34 %"


@pytest.mark.parametrize(
    ("written", "zone"),
    [
        pytest.param("2022-08-01T08:00:00+00:00", "Mars/Olympus", id="no such zone"),
        pytest.param("2022-08-01T08:00:00+00:00", "Europe", id="a folder of zones"),
        pytest.param("2022-08-01T08:00:00+00:00", "../../etc/hostname", id="a way out"),
        pytest.param("2022-08-01T08:00:00+00:00", "\0", id="what no file is called"),
        pytest.param("9999-12-31T23:59:59+00:00", "Asia/Tokyo", id="the end of days"),
        pytest.param("yesterday", "Europe/London", id="no time"),
    ],
)
def test_a_time_that_no_clock_shows_is_none(written: str, zone: str) -> None:
    with pytest.raises(NoLocalTime):
        local_time(written, zone)
