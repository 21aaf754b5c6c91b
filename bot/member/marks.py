"""What is marked on a paper so far: a bit for every place of all questions in a row, the first one lowest.

A question's places are those of its ballot: the blank vote first where it is allowed, then an option each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from voting.ballots.election import Question
from voting.ballots.refusals import ChoiceWrong
from voting.ballots.seal import Choices, check_choice


@dataclass(frozen=True, slots=True, repr=False)
class Marks:
    """The marks on a paper with these questions. No repr: what was chosen must not reach a log."""

    questions: Sequence[Question]
    bits: int = 0

    @property
    def fit(self) -> bool:
        """Whether every mark has its place on this paper."""
        return self.bits >> sum(question.ciphertexts for question in self.questions) == 0

    @property
    def choices(self) -> Choices:
        """Give the marks as a ballot takes them."""
        return tuple(self.of(number) for number in range(len(self.questions)))

    def of(self, number: int) -> tuple[int, ...]:
        """Give a question's marks."""
        first = self._first(number)
        return tuple(self.bits >> first + place & 1 for place in range(self.questions[number].ciphertexts))

    def options(self, number: int) -> list[int]:
        """Give the numbers of the options that are marked in a question."""
        bits = self.of(number)[self.questions[number].blank :]
        return [option for option, bit in enumerate(bits) if bit]

    def is_blank(self, number: int) -> bool:
        """Say whether a question is answered by a blank vote."""
        return bool(self.questions[number].blank and self.of(number)[0])

    def is_allowed(self, number: int) -> bool:
        """Say whether a question's marks are an answer that its rules allow."""
        try:
            check_choice(self.questions[number], self.of(number), "answer")
        except ChoiceWrong:
            return False
        return True

    def first_wrong(self) -> int | None:
        """Give the first question that is not answered as its rules allow; None on a paper that can be cast."""
        numbers = range(len(self.questions))
        return next((number for number in numbers if not self.is_allowed(number)), None)

    def only(self, number: int, option: int) -> "Marks":
        """Mark one option of a question and no other."""
        return self._with(number, 1 << self.questions[number].blank + option)

    def blank(self, number: int) -> "Marks":
        """Mark a question's blank vote and nothing else there."""
        return self._with(number, 1)

    def toggled(self, number: int, option: int) -> "Marks":
        """Mark an option, or take its mark away; not beyond the most that the question allows."""
        question, there = self.questions[number], set(self.options(number))
        changed = there ^ {option}
        kept = changed if len(changed) <= question.most else there
        return self._with(number, sum(1 << question.blank + each for each in kept))

    def _first(self, number: int) -> int:
        return sum(question.ciphertexts for question in self.questions[:number])

    def _with(self, number: int, bits: int) -> "Marks":
        first, places = self._first(number), self.questions[number].ciphertexts
        others = self.bits & ~(((1 << places) - 1) << first)
        return Marks(self.questions, others | bits << first)
