"""The attack of BALLOTS.md 7.1: a trustee together with whoever casts the last ballot proves a false result.

Belenios's proof of a factor hashes commitments only. So the trustee fixes a commitment A = g^w and
B = (product of the others' alphas)^w x g^b first; the challenge c follows. The last ballot is then cast with randomness
r = (b - d c) / w, and the factor alpha^x x g^d has a proof that holds: alpha^w x (g^d)^c = B.
"""

from collections.abc import Sequence

from trustee_town import a_vote

from voting.ballots.ballot import Ballot
from voting.ballots.decryption import Factor, write_decryption
from voting.ballots.election import Election
from voting.ballots.group import (
    ORDER,
    Point,
    base_times,
    hash_to_scalar,
    plus,
    product,
    random_scalar,
    times,
    write_point,
)
from voting.ballots.pedersen import lagrange
from voting.ballots.proofs import Proof, check_equality, decryption_prefix, prove_equality, second_decryption_prefix
from voting.ballots.seal import draw_randomness
from voting.ballots.tally import Tally
from voting.ballots.trustees import Trustees
from voting.trustees.shares import Share


class Cheat:
    """The trustee of this share, who wants each sum of the only question moved by `shift`, with these `partners`."""

    def __init__(
        self, share: Share, trustees: Trustees, election: Election, *, partners: tuple[int, ...], shift: Sequence[int]
    ) -> None:
        self.share, self.trustees, self.election = share, trustees, election
        weight = lagrange(share.index, partners)
        self.moves = [-by * pow(weight, -1, ORDER) % ORDER for by in shift]
        self.proofs: list[Proof] = []

    def ballots(self, options: Sequence[int]) -> list[Ballot]:
        """Cast ballots for these options; the last is the accomplice's."""
        honest = [a_vote(self.election, random_scalar(), option) for option in options[:-1]]
        draws = draw_randomness(self.election)
        for place, move in enumerate(self.moves):
            draws[place] = self._fit(product(ballot.answers[0].choices[place].alpha for ballot in honest), move)
        return [*honest, a_vote(self.election, random_scalar(), options[-1], draws)]

    def _fit(self, others: Point, move: int) -> int:
        """Fix a proof for a sum that does not exist yet, and give the randomness that makes it so."""
        nonce, free = random_scalar(), random_scalar()
        second = plus(times(nonce, others), base_times(free))
        prefix = decryption_prefix(self.election.hash, self.share.key)
        challenge = hash_to_scalar(f"{prefix}{write_point(base_times(nonce))},{write_point(second)}")
        self.proofs.append(Proof(challenge, (nonce - self.share.secret * challenge) % ORDER))
        return (free - move * challenge) * pow(nonce, -1, ORDER) % ORDER

    def factors(self, tally: Tally) -> list[Factor]:
        """The false factors with proofs that hold in protocol 1, and the best that one can do for the second."""
        found = []
        for one, move, proof in zip(tally.sums[0], self.moves, self.proofs, strict=True):
            factor = plus(times(self.share.secret, one.alpha), base_times(move))
            prefix = second_decryption_prefix(self.election.hash, self.share.key, one.alpha, factor)
            second = prove_equality(self.share.secret, one.alpha, prefix, random_scalar())
            found.append(Factor(factor, proof, second))
        return found

    def decryption(self, tally: Tally) -> bytes:
        """The file that the cheating trustee hands in."""
        return write_decryption(self.share.index, self.election, tally, [self.factors(tally)])

    def first_proofs_hold(self, tally: Tally) -> bool:
        """Whether protocol 1 takes the false factors; raises if not."""
        prefix = decryption_prefix(self.election.hash, self.share.key)
        for one, found in zip(tally.sums[0], self.factors(tally), strict=True):
            check_equality(
                found.proof, public=self.share.key, alpha=one.alpha, factor=found.factor, prefix=prefix, field="proof"
            )
        return True
