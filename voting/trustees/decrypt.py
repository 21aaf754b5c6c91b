"""A trustee decrypts one tally, once (`trustee decrypt`): checked first, recorded second, written last.

Who gives a trustee made-up archives could have single ballots opened. So nothing is decrypted that the caller has not
verified whole, and the share remembers its election and tally before a byte of the decryption exists. Killed in
between, the same tally may be decrypted again; the factors are the same, only the proofs' nonces differ.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from voting.ballots.election import read_election
from voting.trustees.decryption import make_decryption, read_decryption
from voting.trustees.disk import File, check_own, read_file, write_once
from voting.trustees.shares import bind_tally, check_election_key, read_share, try_share
from voting.trustees.tally import read_tally
from voting.trustees.trustees import read_trustees
from voting.trustees.written import reading


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
