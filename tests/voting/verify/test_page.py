"""The page of the result: everything that has to be said on it, and nothing that runs or is fetched."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

import pytest

from voting.ballots.election import Question
from voting.verify.page import result_page
from voting.verify.result import Asked, Post, Turnout, result_of

ASKED = {"least": 1, "most": 1, "seats": None}
POLL = {"title": "Leader", "questions": [ASKED], "kind": "ceremony", "fingerprint": "ABCD-EFGH-JKMN-PQRS"}


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
        assert not {name for name, _ in attrs} & {"src", "href", "onload"}
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
    assert '<td>8</td><td>2</td><td class="votes">10</td><td>66.67 %</td>' in written
    assert facts(written) == {
        "Members who could vote": "40",
        "Valid votes": "15",
        "Papers received and rejected": "5",
        "Online votes with a pack issued after the opening": "3",
        "Turnout, valid votes only": "37.50 %",
        "Turnout, rejected papers included": "50.00 %",
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

    assert "<p>one &amp; only</p>" in written
    assert "differs from the number scanned" in written


def test_nobody_at_all_is_shown_too() -> None:
    written = page((0, 0), (0, 0))

    assert "width:0%" in written
    assert "<td>0.00 %</td>" in written
