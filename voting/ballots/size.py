"""How large a ballot can be: a box that takes ballots from outside takes no more bytes than that."""

from functools import lru_cache
from typing import Final

from voting.ballots.ballot import Answer, Ballot, Ciphertext, write_ballot
from voting.ballots.election import Question, hash_of
from voting.ballots.group import ORDER, base_times
from voting.ballots.proofs import Proof

_WIDEST: Final = Proof(ORDER - 1, ORDER - 1)  # no scalar has more digits; every point has as many


@lru_cache(maxsize=4)  # asked for with every ballot from the page
def ballot_bytes_max(uuid: str, questions: tuple[Question, ...]) -> int:
    """Count the bytes of the longest JSON that a signed ballot of this election can have."""
    point = base_times(1)
    answers = tuple(
        Answer(
            (Ciphertext(point, point),) * question.ciphertexts,
            ((_WIDEST, _WIDEST),) * question.ciphertexts,
            (_WIDEST,) * question.branches,
            (_WIDEST, _WIDEST) if question.blank else None,
        )
        for question in questions
    )
    return len(write_ballot(Ballot(uuid, hash_of(b""), point, answers, _WIDEST)))
