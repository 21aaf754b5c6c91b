"""What follows from a question's rules."""

import pytest
from prepared import asked


@pytest.mark.parametrize(
    ("rules", "places", "one_each"),
    [({}, 2, True), ({"blank": True}, 3, True), ({"most": 2}, 2, False), ({"least": 0}, 2, False)],
)
def test_a_paper_has_its_boxes_and_one_mark_or_more(rules: dict[str, object], places: int, *, one_each: bool) -> None:
    question = asked("Who shall lead?", "North", "South", **rules)

    assert (question.places, question.one_each) == (places, one_each)
