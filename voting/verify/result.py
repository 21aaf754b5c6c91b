"""What result.json says: of every question the votes by option and way, who is elected and what is tied; the turnout.

Votes of a question are numbers in the order of its ciphertexts: blank votes first where they are allowed, then a
number an option. On paper they are counted by option, so how many papers answered a question that takes several
options is not in its count: it is as many as were received, or as its numbers show at least.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from voting.ballots.election import Question

Votes = Sequence[Sequence[int]]  # by question


class Asked(NamedTuple):
    """A question, and how many of its options are elected; None where nobody is."""

    question: Question
    seats: int | None = None


class Post(NamedTuple):
    """What came by post: valid papers, rejected ones, and the votes counted."""

    received: int
    rejected: int
    votes: Votes


class Turnout(NamedTuple):
    """Ballots online, those among them by credentials issued after the opening, and who could vote."""

    ballots: int
    later: int
    eligible: int


def papers_of(question: Question, votes: Sequence[int], received: int) -> int:
    """Say how many papers answered a question: as many as its marks, or at least as many as its numbers show."""
    if question.one_each:
        return sum(votes)
    blank, options = _parted(question, votes)
    return max(received, blank + max(options), blank - (-sum(options) // question.most))


def adds_up(question: Question, votes: Sequence[int], received: int) -> bool:
    """Say whether this many valid papers can have these votes."""
    blank, options = _parted(question, votes)
    marked = received - blank
    possible = question.least * marked <= sum(options) <= question.most * marked
    return 0 <= blank <= received and possible and all(0 <= votes <= marked for votes in options)


def counted_papers(questions: Sequence[Question], votes: Votes, received: int) -> int:
    """Say how many papers were counted: as many as at the question that has most."""
    return max(papers_of(question, numbers, received) for question, numbers in zip(questions, votes, strict=True))


def percent(part: int, whole: int) -> str:
    """Give a percentage with two decimals, halves up, worked out in whole numbers; of nobody it is 0.00."""
    hundredths = (20_000 * part + whole) // (2 * whole) if whole else 0
    return f"{hundredths // 100}.{hundredths % 100:02}"


def result_of(poll_id: str, asked: Sequence[Asked], online: Votes, post: Post, turnout: Turnout) -> dict[str, Any]:
    """Give result.json; both turnouts, with and without rejected papers."""
    papers = counted_papers([one.question for one in asked], post.votes, post.received)
    votes = turnout.ballots + papers
    return {
        "poll": poll_id,
        "questions": [
            _question(one, there, here, (turnout.ballots, papers_of(one.question, here, post.received)))
            for one, there, here in zip(asked, online, post.votes, strict=True)
        ],
        "online": turnout.ballots,
        "post": papers,
        "votes": votes,
        "rejected_papers": post.rejected,
        "eligible": turnout.eligible,
        "ballots_by_later_credentials": turnout.later,
        "turnout_with_rejected": percent(votes + post.rejected, turnout.eligible),
        "turnout_without_rejected": percent(votes, turnout.eligible),
    }


def said_of(result: Mapping[str, Any]) -> str:
    """Say a result in one line."""
    questions = []
    for one in result["questions"]:
        lines = [f"{option['option']} {option['votes']:,}" for option in one["options"]]
        lines += [] if one["blank"] is None else [f"blank {one['blank']['votes']:,}"]
        questions.append(", ".join(lines))
    return "; ".join(questions)


def standing_said(found: Mapping[str, Any], seats: int | None = None) -> list[str]:
    """Say of a question of result.json who is elected and what is tied; `seats` is how many are, where it is known."""
    said, is_election = [], "elected" in found["options"][0]
    if is_election:
        names = ", ".join(option["option"] for option in found["options"] if option["elected"])
        where = "" if seats is None else ", for 1 seat" if seats == 1 else f", for {seats} seats"
        said.append(f"Elected{where}: {names or 'nobody'}.")
    if found["tied"]:
        tie = f"A tie: {', '.join(found['tied'])} have the same number of votes"
        said.append(f"{tie} for the last seats, and none of them is elected." if is_election else f"{tie}.")
    return said


def _question(asked: Asked, online: Sequence[int], post: Sequence[int], voters: tuple[int, int]) -> dict[str, Any]:
    question = asked.question
    ways = [_ways(*pair) for pair in zip(online, post, strict=True)]
    blank, options = (ways[0], ways[1:]) if question.blank else (None, ways)
    elected, tied = _standing([one["votes"] for one in options], asked.seats)
    rows = [{"option": name, **votes} for name, votes in zip(question.options, options, strict=True)]
    if asked.seats is not None:
        rows = [{**row, "elected": place in elected} for place, row in enumerate(rows)]
    return {
        "question": question.text,
        "options": rows,
        "blank": blank,
        "voters": _ways(*voters),
        "tied": [question.options[place] for place in tied],
    }


def _standing(votes: Sequence[int], seats: int | None) -> tuple[set[int], list[int]]:
    """Say who is elected, and who is tied: for the last seat, or for the most votes where there are no seats."""
    places = range(len(votes))
    last = sorted(votes, reverse=True)[(seats or 1) - 1]
    reached = [place for place in places if votes[place] >= last]
    level = [place for place in places if votes[place] == last]
    if seats is None:
        return set(), level if last and len(level) > 1 else []
    if len(reached) == seats:
        return set(reached), []
    return set(reached) - set(level), level


def _ways(online: int, post: int) -> dict[str, int]:
    return {"online": online, "post": post, "votes": online + post}


def _parted(question: Question, votes: Sequence[int]) -> tuple[int, Sequence[int]]:
    return (votes[0], votes[1:]) if question.blank else (0, votes)
