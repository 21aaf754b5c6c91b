"""README.txt of the bundle: what it says at which stage, and lines that a terminal shows whole."""

import pytest

from voting.count.readme import readme


@pytest.mark.parametrize("stage", ["tally", "result"])
def test_it_says_how_questions_are_named(stage: str) -> None:
    written = readme(stage, uuid="Ba11ot1inefor1", cut=5_120)

    assert "How questions are named, and how to read their numbers" in written
    assert 'In postal.json they are named "(blank)".' in written
    assert "{" not in written
    assert max(map(len, written.splitlines())) <= 120


def test_how_to_read_the_result_stands_where_there_is_one() -> None:
    tally, result = (readme(stage, uuid="Ba11ot1inefor1", cut=5_120) for stage in ("tally", "result"))

    assert "every percentage is of\nthe voters, not of the votes" in result
    assert '"elected" stands there only where the question says how many seats' in result
    assert "result.json" not in tally
