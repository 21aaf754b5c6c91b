"""What is refused in a ballot, a key, a credential or an election; every refusal names the field.

    Exception
    └── BallotRefusal       `field` says where, as `answers[0].choices[1].alpha`
        ├── PointWrong       not a point of order q, or not written as one
        ├── ScalarWrong      not a number below q, or not written as one
        ├── ProofWrong       the proof does not hold
        ├── FieldWrong       not the field, list or text that stands there by the rules
        ├── NotThisElection  another election's uuid, hash or text
        ├── ChoiceWrong      an answer that the question does not allow
        └── RandomnessWrong  too few or too many random numbers, or one that is not below q

A class's docstring is its English sentence; `{names}` in it are filled from the facts it is raised with.
"""


class BallotRefusal(Exception):  # noqa: N818 - a refusal is named after the fact
    """{field} is refused."""

    def __init__(self, field: str, **facts: object) -> None:
        self.field = field
        self.facts = facts
        super().__init__((type(self).__doc__ or "").format(field=field, **facts))


class PointWrong(BallotRefusal):
    """{field} is not a point of order q, written as 64 lower-case hexadecimal digits."""


class ScalarWrong(BallotRefusal):
    """{field} is not a number below q, written in decimal digits without leading zeros."""


class ProofWrong(BallotRefusal):
    """{field} does not prove what it has to prove."""


class FieldWrong(BallotRefusal):
    """{field} is not as the rules have it: {problem}."""


class NotThisElection(BallotRefusal):
    """{field} belongs to another election."""


class ChoiceWrong(BallotRefusal):
    """{field} is not allowed by the question: {problem}."""


class RandomnessWrong(BallotRefusal):
    """{field} has to be {needed} numbers below q."""
