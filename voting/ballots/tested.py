"""A ballot that a member tested instead of casting: its choice and random numbers, from which it is sealed again.

The file is `{"format","uuid","election_hash","credential","choices","draws","seal_code"}`, in this order; choices are
0 or 1 by question and answer, draws decimal texts. Such a ballot was never signed, so nobody can cast it.
"""

from typing import Final, NamedTuple

from voting.ballots.ballot import seal_code
from voting.ballots.election import Election
from voting.ballots.group import read_point, read_scalar
from voting.ballots.refusals import FieldWrong, NotThisElection
from voting.ballots.seal import seal
from voting.ballots.strict_json import read_json

TESTED_BYTES_MAX: Final = 4 * 1024 * 1024
_KIND: Final = "ballotline tested 1"
_NAMES: Final = ("format", "uuid", "election_hash", "credential", "choices", "draws", "seal_code")


class Tested(NamedTuple):
    """What it held: the chosen answers by question, none for a blank vote; and the seal code, computed again."""

    election: Election
    held: tuple[tuple[str, ...], ...]
    seal_code: str


def read_tested(raw: bytes, election: Election) -> Tested:
    """Seal a tested ballot again; `FieldWrong("seal_code")` if it comes out as another one.

    Other refusals name the field: another election's ballot, choices that the paper does not allow, bad numbers.
    """
    content = read_json(raw, bytes_max=TESTED_BYTES_MAX, field="the file").fields(_NAMES)
    if content["format"].value != _KIND:
        raise FieldWrong("format", problem=f"it is not {_KIND}")
    for field, own in (("uuid", election.uuid), ("election_hash", election.hash)):
        if content[field].value != own:
            raise NotThisElection(field)
    credential = read_point(content["credential"].value, "credential")
    choices = [[bit.number() for bit in question.items()] for question in content["choices"].items()]
    draws = [read_scalar(draw.value, draw.field) for draw in content["draws"].items()]
    code = seal_code(seal(election, credential, choices, draws))
    if content["seal_code"].value != code:
        raise FieldWrong("seal_code", problem=f"sealed again the ballot has the code {code}")
    return Tested(election, _held(election, choices), code)


def _held(election: Election, choices: list[list[int]]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        tuple(option for option, bit in zip(question.options, bits[question.blank :], strict=True) if bit)
        for question, bits in zip(election.questions, choices, strict=True)
    )
