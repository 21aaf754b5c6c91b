"""A trustee's share of the election key: the same file from ceremony and dealer, tried, and good for one election.

A share is `share-I-of-N.json`, mode 0600, written once. Beside it lies what it was used for (see `memory`): keep
both together, for a copy elsewhere has forgotten.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from voting.ballots.election import Election
from voting.ballots.group import ORDER, Point, base_times, read_point, read_scalar, write_point
from voting.ballots.pedersen import TRUSTEES_MAX
from voting.ballots.refusals import FieldWrong
from voting.ballots.trustees import Trustees
from voting.ballots.written import read_fields, read_json, read_number, read_same, reading, sha256_hex, write_json
from voting.trustees.disk import SECRET, read_file, write_once
from voting.trustees.memory import remember
from voting.trustees.refusals import ShareForeign, ShareServesAnother, TallyRefused

_KIND: Final = "ballotline share 1"
_NAMES: Final = ("format", "index", "of", "threshold", "election_key", "secret", "digest")


@dataclass(frozen=True, slots=True, repr=False)
class Share:
    """A trustee's place, the election key, and the secret exponent of the trustee's own key."""

    index: int
    of: int
    threshold: int
    election_key: Point
    secret: int

    def __repr__(self) -> str:
        """Never the secret."""
        return f"<{self.name}>"

    @property
    def name(self) -> str:
        """What to call this share in a sentence."""
        return f"share {self.index} of {self.of}"

    @property
    def key(self) -> Point:
        """The public half."""
        return base_times(self.secret)

    def dumps(self) -> bytes:
        """Write the file; its digest finds a slip, it is no proof."""
        fields = {
            "format": _KIND,
            "index": self.index,
            "of": self.of,
            "threshold": self.threshold,
            "election_key": write_point(self.election_key),
            "secret": str(self.secret),
        }
        return write_json({**fields, "digest": sha256_hex(write_json(fields))}).encode("ascii")


def share_path(directory: Path, index: int, of: int) -> Path:
    """Name a share's file."""
    return directory / f"share-{index}-of-{of}.json"


def write_share(directory: Path, share: Share) -> Path:
    """Write a share's file, readable by its owner only; raises FileTaken rather than overwrite another."""
    path = share_path(directory, share.index, share.of)
    write_once(path, share.dumps(), SECRET)
    return path


def read_share(path: Path) -> Share:
    """Read a share's file; raises FileDamaged."""
    file = read_file(path)
    with reading(file.name):
        found = read_json(file.data, "the file")
        kind, index, of, threshold, key, secret, _ = read_fields(found, _NAMES, "the file")
        read_same(kind, _KIND, "format")
        size = read_number(of, TRUSTEES_MAX, "of")
        share = Share(
            read_number(index, size, "index"),
            size,
            read_number(threshold, size, "threshold"),
            read_point(key, "election_key"),
            read_scalar(secret, "secret"),
        )
        if share.dumps() != file.data or not 0 < share.secret < ORDER:
            raise FieldWrong("digest", problem="it is not that of the share")
        return share


def try_share(share: Share, trustees: Trustees) -> None:
    """Return when the share fits the published trustees; raises ShareForeign."""
    place = (share.of, share.threshold, share.election_key)
    if place != (len(trustees.keys), trustees.threshold, trustees.election_key):
        raise ShareForeign(share=share.name)
    if share.key != trustees.keys[share.index - 1]:
        raise ShareForeign(share=share.name)


def try_election(share: Share, election: Election) -> None:
    """Return when the share is one of this election's key (`keys test SHARE --election FILE`); raises ShareForeign."""
    if share.election_key != election.key:
        raise ShareForeign(share=share.name)


def bind_election(path: Path, share: Share, uuid: str) -> None:
    """Bind a share's file to one election for ever; raises ShareServesAnother."""
    bound = remember(path, "uuid", uuid)
    if bound != uuid:
        raise ShareServesAnother(share=share.name, uuid=bound)


def bind_tally(path: Path, share: Share, uuid: str, tally_digest: str) -> None:
    """Bind a share's file to one tally of its election for ever; raises ShareServesAnother, TallyRefused."""
    bind_election(path, share, uuid)
    if remember(path, "tally", tally_digest) != tally_digest:
        raise TallyRefused(share=share.name)
