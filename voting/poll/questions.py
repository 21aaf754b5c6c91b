"""The questions as JSON: in the poll's row, on the chain and in paper.json they are written the same way."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from voting.model import Order, Question


def written_questions(questions: Iterable[Question]) -> list[dict[str, Any]]:
    """Write the questions."""
    return [
        {
            "question": question.text,
            "options": list(question.options),
            "least": question.least,
            "most": question.most,
            "blank": question.blank,
            "order": question.order.value,
            "seats": question.seats,
        }
        for question in questions
    ]


def read_questions(written: Sequence[Mapping[str, Any]]) -> tuple[Question, ...]:
    """Read what `written_questions` wrote."""
    return tuple(
        Question(
            one["question"],
            tuple(one["options"]),
            one["least"],
            one["most"],
            one["blank"],
            Order(one["order"]),
            one["seats"],
        )
        for one in written
    )
