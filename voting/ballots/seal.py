"""Seal a ballot: from choices and random numbers, both arguments, to ciphertexts and proofs.

The credential's public half is enough: nothing here is secret but the choices and the random numbers. The same
arguments give the same ballot, so that a tested ballot can be computed again elsewhere.
"""

from collections.abc import Iterator, Sequence

from voting.ballots.ballot import Answer, Ballot, Ciphertext, sum_of, write_choices
from voting.ballots.election import Election, Question
from voting.ballots.group import (
    BASE,
    IDENTITY,
    ORDER,
    Point,
    base_times,
    check_point,
    plus,
    random_scalar,
    times,
    write_point,
)
from voting.ballots.proofs import Branch, Proof, prove_one_of
from voting.ballots.refusals import ChoiceWrong, RandomnessWrong

Choices = Sequence[Sequence[int]]  # a question: 0 or 1 an option, in their order; before them blank, where allowed


def draws_needed(election: Election) -> int:
    """Count the random numbers of one ballot: one a ciphertext, two a statement of a proof."""
    return sum(_draws_of(question) for question in election.questions)


def draw_randomness(election: Election) -> list[int]:
    """Draw the random numbers of one ballot from the system; they are secret, and never used twice."""
    return [random_scalar() for _ in range(draws_needed(election))]


def seal(election: Election, credential: Point, choices: Choices, draws: Sequence[int]) -> Ballot:
    """Seal the choices for this credential, without a signature.

    `draws` are `draws_needed` numbers below q. A question takes them in this order: r of every ciphertext; then nonce
    and challenge of every statement of the proofs of each ciphertext, of the sum, of blank. A true statement's
    challenge is not used, so that how many are drawn says nothing. Refuses choices that the paper does not allow.
    """
    check_point(credential, "credential")
    if len(choices) != len(election.questions):
        raise ChoiceWrong("answers", problem=f"{len(election.questions)} questions")
    needed = draws_needed(election)
    if len(draws) != needed or not all(0 <= number < ORDER for number in draws):
        raise RandomnessWrong("draws", needed=needed)
    left = iter(draws)
    context = f"{election.hash}|{write_point(credential)}"
    answers = []
    for number, (question, bits) in enumerate(zip(election.questions, choices, strict=True)):
        check_choice(question, bits, f"answers[{number}]")
        answers.append(_Sealing(election.key, question, bits, left).answer(context))
    return Ballot(election.uuid, election.hash, credential, tuple(answers))


def check_choice(question: Question, bits: Sequence[int], field: str) -> None:
    """Raise `ChoiceWrong(field)` unless the question allows this answer."""
    if len(bits) != question.ciphertexts or not all(bit in {0, 1} for bit in bits):
        raise ChoiceWrong(field, problem=f"{question.ciphertexts} times 0 or 1")
    chosen = sum(bits[question.blank :])
    if question.blank and bits[0]:
        if chosen:
            raise ChoiceWrong(field, problem="a blank answer chooses nothing")
    elif not question.least <= chosen <= question.most:
        raise ChoiceWrong(field, problem=f"{question.least} to {question.most} options")


def _draws_of(question: Question) -> int:
    count = question.ciphertexts
    return count + 2 * (2 * count + question.branches + 2 * question.blank)


class _Sealing:
    """One question on its way into a ballot; takes its random numbers from the front of `draws`."""

    def __init__(self, key: Point, question: Question, bits: Sequence[int], draws: Iterator[int]) -> None:
        self.key, self.question, self.bits, self.draws = key, question, bits, draws
        self.randomness = [next(draws) for _ in bits]

    def answer(self, context: str) -> Answer:
        """Encrypt and prove; `context` is the specification's S0."""
        pairs = list(zip(self.bits, self.randomness, strict=True))
        choices = tuple(self._encrypt(bit, secret) for bit, secret in pairs)
        individual = []
        for choice, (bit, secret) in zip(choices, pairs, strict=True):
            prefix = f"prove|{context}|{write_choices([choice])}|"
            individual.append(self._prove([(secret, bit), (secret, bit - 1)], prefix))
        all_choices = f"{context}|{write_choices(choices)}"
        if self.question.blank:
            return Answer(choices, tuple(individual), *self._blank(all_choices))
        return Answer(choices, tuple(individual), self._sum(choices, all_choices))

    def _encrypt(self, bit: int, secret: int) -> Ciphertext:
        return Ciphertext(base_times(secret), plus(times(secret, self.key), BASE if bit else IDENTITY))

    def _sum(self, choices: Sequence[Ciphertext], context: str) -> tuple[Proof, ...]:
        prefix = f"prove|{context}|{write_choices([sum_of(choices)])}|"
        return self._prove(self._sums(self.randomness, self.bits), prefix)

    def _blank(self, context: str) -> tuple[tuple[Proof, ...], tuple[Proof, ...]]:
        secret, blank = self.randomness[0], self.bits[0]
        rest, bits = self.randomness[1:], self.bits[1:]
        overall = self._prove([(secret, blank - 1), *self._sums(rest, bits)], f"bproof1|{context}|")
        return overall, self._prove([(secret, blank), (sum(rest), sum(bits))], f"bproof0|{context}|")

    def _sums(self, randomness: Sequence[int], bits: Sequence[int]) -> list[tuple[int, int]]:
        values = range(self.question.least, self.question.most + 1)
        return [(sum(randomness), sum(bits) - value) for value in values]

    def _prove(self, statements: Sequence[tuple[int, int]], prefix: str) -> tuple[Proof, ...]:
        branches = [Branch(secret, offset, next(self.draws), next(self.draws)) for secret, offset in statements]
        true = next(index for index, branch in enumerate(branches) if not branch.offset)
        return tuple(prove_one_of(self.key, branches, true, prefix))
