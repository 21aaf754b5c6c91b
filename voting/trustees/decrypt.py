"""A trustee decrypts one tally, once (`trustee decrypt`): checked first, recorded second, written last.

Who gives a trustee made-up archives could have single ballots opened. So nothing is decrypted that the caller has not
verified whole, and the share remembers its election and tally before a byte of the decryption exists. Killed in
between, the same tally may be decrypted again; the factors are the same, only the proofs' nonces differ.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from voting.ballots.decryption import Factor, read_decryption, write_decryption
from voting.ballots.election import Election, read_election
from voting.ballots.group import random_scalar, times
from voting.ballots.proofs import decryption_prefix, prove_equality, second_decryption_prefix
from voting.ballots.tally import Sum, Tally, read_tally
from voting.ballots.trustees import check_election_key, read_trustees
from voting.ballots.written import File, reading
from voting.trustees.disk import check_own, read_file, write_once
from voting.trustees.shares import Share, bind_tally, read_share, try_share


class Verified(NamedTuple):
    """The bytes of a bundle that was verified whole: election.json, trustees.json, the encrypted tally."""

    election: bytes
    trustees: bytes
    tally: bytes


def decrypt(share_path: Path, out: Path, verify: Callable[[], Verified]) -> None:
    """Write this trustee's decryption of the tally that `verify` gives.

    `verify` checks the whole bundle, shows the trustee what is about to be decrypted, and raises if anything is
    wrong or the trustee says no; only what it returns is decrypted. Raises FileDamaged, FileForeign, ShareForeign,
    ShareServesAnother, TallyRefused; FileTaken if `out` holds another file.
    """
    share = read_share(share_path)
    verified = verify()
    with reading("election.json"):
        election = read_election(verified.election)
    trustees = read_trustees(File("trustees.json", verified.trustees))
    tally = read_tally(File("the encrypted tally", verified.tally), election)
    check_election_key(trustees, election)
    try_share(share, trustees)
    bind_tally(share_path, share, election.uuid, tally.digest)
    if out.exists():
        found = read_decryption(read_file(out), election, tally, trustees)
        check_own(found.file, found.index, share.index)
    else:
        write_once(out, make_decryption(share, election, tally))


def make_decryption(share: Share, election: Election, tally: Tally) -> bytes:
    """Decrypt every sum with one share; no record is kept here (see `decrypt`)."""
    factors = [[_factor(share, election, one) for one in question] for question in tally.sums]
    return write_decryption(share.index, election, tally, factors)


def _factor(share: Share, election: Election, one: Sum) -> Factor:
    factor = times(share.secret, one.alpha)
    first = decryption_prefix(election.hash, share.key)
    second = second_decryption_prefix(election.hash, share.key, one.alpha, factor)
    proofs = (prove_equality(share.secret, one.alpha, prefix, random_scalar()) for prefix in (first, second))
    return Factor(factor, *proofs)
