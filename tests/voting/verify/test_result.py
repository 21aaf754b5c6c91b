"""What result.json says of a question: who is elected, what is tied, how many answered, whether papers add up."""

from itertools import product
from typing import Any

import pytest

from voting.ballots.election import Question
from voting.verify.page import result_page
from voting.verify.result import (
    Asked,
    Post,
    Turnout,
    adds_up,
    counted_papers,
    papers_of,
    result_of,
    said_of,
    standing_said,
)

ONE = Question("Who?", ("A", "B", "C"), 1, 1)
ONE_OR_BLANK = Question("Who?", ("A", "B", "C"), 1, 1, blank=True)
SEVERAL = Question("Which?", ("A", "B", "C"), 1, 2, blank=True)
POLL = {
    "title": "Leader",
    "languages": ["en-GB", "cy"],
    "kind": "ceremony",
    "fingerprint": "ABCD-EFGH-JKMN-PQRS",
    "opens_at": "2022-08-01T08:00:00+00:00",
    "closes_at": "2022-09-02T16:00:00+00:00",
    "timezone": "Europe/London",
}


def result(question: Question, online: list[int], seats: int | None = None, ballots: int = 12) -> dict[str, Any]:
    """The result of one question without papers."""
    post = Post(0, 0, [[0] * question.ciphertexts])
    return result_of("p", [Asked(question, seats)], [online], post, Turnout(ballots, 0, 40))


@pytest.mark.parametrize(
    ("votes", "seats", "elected", "tied"),
    [
        pytest.param([5, 3, 1], None, None, [], id="no seats"),
        pytest.param([5, 5, 1], None, None, ["A", "B"], id="no seats, a tie at the top"),
        pytest.param([5, 1, 1], None, None, [], id="no seats, a tie further down"),
        pytest.param([0, 0, 0], None, None, [], id="no seats, no votes"),
        pytest.param([5, 3, 1], 1, "A", [], id="one seat"),
        pytest.param([1, 3, 5], 2, "BC", [], id="two seats"),
        pytest.param([5, 3, 3], 2, "A", ["B", "C"], id="a tie at the last seat"),
        pytest.param([3, 3, 1], 2, "AB", [], id="equal, and a seat for each"),
        pytest.param([3, 3, 3], 2, "", ["A", "B", "C"], id="all equal"),
        pytest.param([0, 0, 0], 1, "", ["A", "B", "C"], id="nobody voted"),
        pytest.param([4, 0, 2], 3, "ABC", [], id="a seat for everybody"),
    ],
)
def test_the_first_are_elected_and_a_tie_elects_nobody(
    votes: list[int], seats: int | None, elected: str | None, tied: list[str]
) -> None:
    (found,) = result(ONE, votes, seats)["questions"]

    assert found["tied"] == tied
    if elected is None:
        assert all("elected" not in row for row in found["options"])
    else:
        assert "".join(row["option"] for row in found["options"] if row["elected"]) == elected


def test_blank_votes_stand_apart_and_are_voters_too() -> None:
    found = result(ONE_OR_BLANK, [2, 7, 3, 0])

    assert found["questions"][0]["blank"] == {"online": 2, "post": 0, "votes": 2}
    assert found["questions"][0]["voters"]["votes"] == found["votes"] == 12
    assert said_of(found) == "A 7, B 3, C 0, blank 2"


@pytest.mark.parametrize(
    ("question", "votes", "received", "papers"),
    [
        pytest.param(ONE, [1, 2, 3], 9, 6, id="one each: as many as marks"),
        pytest.param(ONE_OR_BLANK, [4, 1, 2, 3], 9, 10, id="blank votes are marks"),
        pytest.param(SEVERAL, [1, 3, 2, 1], 5, 5, id="several: as many as received"),
        pytest.param(SEVERAL, [1, 6, 2, 1], 5, 7, id="at least as many as one option and blank"),
        pytest.param(SEVERAL, [1, 5, 5, 5], 5, 9, id="at least as many as the marks need"),
    ],
)
def test_how_many_papers_answered(question: Question, votes: list[int], received: int, papers: int) -> None:
    assert papers_of(question, votes, received) == papers
    assert counted_papers([question, ONE], [votes, [0, 0, 1]], received) == max(papers, 1)


@pytest.mark.parametrize("question", [ONE_OR_BLANK, SEVERAL])
@pytest.mark.parametrize("papers", [0, 1, 2])
def test_numbers_add_up_exactly_if_so_many_papers_can_have_them(question: Question, papers: int) -> None:
    """Every number up to one more than the papers, against every pile of papers that there can be."""
    allowed = [
        bits
        for bits in product((0, 1), repeat=4)
        if (bits[0] and not any(bits[1:])) or (not bits[0] and question.least <= sum(bits) <= question.most)
    ]
    possible = {tuple(map(sum, zip(*pile, strict=True))) or (0,) * 4 for pile in product(allowed, repeat=papers)}

    for votes in product(range(papers + 2), repeat=4):
        assert adds_up(question, votes, papers) is (votes in possible), votes


def page(question: Question, found: dict[str, Any], seats: int | None) -> str:
    """The page of a poll with this question."""
    both = {"en-GB": "{}", "cy": "{} (cy)"}
    asked = {
        "question": {tag: form.format(question.text) for tag, form in both.items()},
        "options": [{tag: form.format(name) for tag, form in both.items()} for name in question.options],
        "least": question.least,
        "most": question.most,
        "seats": seats,
    }
    return result_page({**POLL, "questions": [asked]}, found, None).decode()


def test_the_page_says_who_is_elected_and_what_shares_are_of() -> None:
    written = page(SEVERAL, result(SEVERAL, [2, 9, 5, 1], 2), 2)

    assert "<span>A</span> <strong>elected</strong>" in written
    assert "Elected, for 2 seats: <span>A, B</span>." in written
    assert "Shares are of the members who voted, not of the votes." in written
    assert '<td class="votes">9</td><td>75.00%</td>' in written
    assert "Members who voted</th><td>12</td>" in written
    assert "A tie" not in written
    assert "<span>A (cy)</span> <strong>etholwyd</strong>" in written
    assert "Etholwyd, ar gyfer 2 sedd: <span>A (cy), B (cy)</span>." in written
    assert "Gallai pob aelod ddewis hyd at 2 opsiwn." in written


def test_the_page_calls_a_tie_a_tie() -> None:
    assert "A tie: <span>A, B</span> have the same number of votes." in page(ONE, result(ONE, [6, 6, 0]), None)
    written = page(ONE, result(ONE, [6, 3, 3], 2), 2)
    assert "Elected, for 2 seats: <span>A</span>." in written
    assert (
        "A tie: <span>B, C</span> have the same number of votes for the last seats, and none of them is elected."
        in written
    )
    assert "Nifer cyfartal o bleidleisiau ar gyfer y seddi olaf: <span>B (cy), C (cy)</span>." in written
    assert "Elected, for 1 seat: nobody." in page(ONE, result(ONE, [4, 4, 4], 1), 1)


def test_an_option_that_everybody_marked_cannot_be_hidden() -> None:
    written = page(SEVERAL, result(SEVERAL, [0, 12, 5, 1]), None)

    assert "Every online vote has the same option in it, and a result cannot hide that." in written


def test_a_number_to_choose_is_said_as_it_is() -> None:
    at_most_one = Question("Which?", ("A", "B", "C"), 0, 1)
    assert "Each member could choose up to 1 option." in page(at_most_one, result(at_most_one, [1, 6, 6]), None)
    exactly = Question("Which?", ("A", "B", "C"), 2, 2)

    assert "Each member could choose 2 options." in page(exactly, result(exactly, [12, 6, 6]), None)


@pytest.mark.parametrize(
    ("votes", "seats", "said"),
    [
        ([5, 3, 1], None, []),
        ([5, 5, 1], None, ["A tie: A, B have the same number of votes."]),
        ([5, 3, 1], 2, ["Elected: A, B."]),
        (
            [5, 3, 3],
            2,
            [
                "Elected: A.",
                "A tie: B, C have the same number of votes for the last seats, and none of them is elected.",
            ],
        ),
        (
            [3, 3, 3],
            2,
            [
                "Elected: nobody.",
                "A tie: A, B, C have the same number of votes for the last seats, and none of them is elected.",
            ],
        ),
    ],
)
def test_who_is_elected_and_what_is_tied_is_said_without_the_poll_file(
    votes: list[int], seats: int | None, said: list[str]
) -> None:
    assert standing_said(result(ONE, votes, seats)["questions"][0]) == said


def test_one_seat_is_one_seat() -> None:
    assert standing_said(result(ONE, [5, 3, 1], 1)["questions"][0], 1) == ["Elected, for 1 seat: A."]
