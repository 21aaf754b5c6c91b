"""Decrypting with the trustees' share files at hand, as a trustee does at home: one tally, once."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from voting.ballots.election import Election
from voting.ballots.tally import Tally
from voting.ballots.trustee_refusals import TooFewDecryptions
from voting.ballots.trustees import Trustees
from voting.ballots.written import File
from voting.trustees.decrypt import make_decryption
from voting.trustees.shares import Share, bind_tally, read_share, try_share


class ShareFile(NamedTuple):
    """A share, and where it lies."""

    path: Path
    share: Share


def read_shares(paths: Sequence[Path], trustees: Trustees) -> list[ShareFile]:
    """Read shares of this election's key and give as many as are needed; the same share twice counts once.

    FileDamaged, ShareForeign; TooFewDecryptions names the trustees whose share is not there.
    """
    found: dict[int, ShareFile] = {}
    for path in paths:
        share = read_share(path)
        try_share(share, trustees)
        found.setdefault(share.index, ShareFile(path, share))
    if len(found) < trustees.threshold:
        missing = [str(index) for index in range(1, len(trustees.keys) + 1) if index not in found]
        raise TooFewDecryptions(given=len(found), needed=trustees.threshold, trustees=", ".join(missing))
    return [found[index] for index in sorted(found)[: trustees.threshold]]


def decrypt_all(files: Sequence[ShareFile], election: Election, tally: Tally) -> list[File]:
    """Decrypt a tally that was verified, with every share bound to it first; ShareServesAnother, TallyRefused."""
    for path, share in files:
        bind_tally(path, share, election.uuid, tally.digest)
    return [File(f"the decryption by {share.name}", make_decryption(share, election, tally)) for _, share in files]
