"""Every credential that was ever issued: by which entry, by which one it was voided, and who has used it."""

import hashlib
import re
from dataclasses import dataclass, field
from typing import Final

from voting.verify import format as form
from voting.verify.reading import Bundle, Wrong
from voting.verify.said import Said

CREDENTIALS_MAX: Final = 1_000_000
_LINE: Final = re.compile(rb"([0-9a-f]{64}) ([1-9][0-9]{0,9}) (-|[1-9][0-9]{0,9})")


@dataclass(slots=True)
class Credentials:
    """What credentials.txt says; keys are the 32 bytes that its digits are of, in their order."""

    issued: dict[bytes, int] = field(default_factory=dict)
    voided: dict[bytes, int] = field(default_factory=dict)
    used: set[bytes] = field(default_factory=set)
    opened_seq: int = 0

    @property
    def after_opening(self) -> int:
        """How many were issued after the opening."""
        return sum(seq > self.opened_seq for seq in self.issued.values())

    @property
    def used_later(self) -> int:
        """How many of those were used."""
        return sum(self.issued[credential] > self.opened_seq for credential in self.used)

    def use(self, credential: bytes, seq: int) -> str:
        """Note that a ballot of entry `seq` uses this credential; give what is wrong about that, or nothing."""
        if credential not in self.issued:
            return "no pack has its credential"
        if self.issued[credential] >= seq:
            return "its credential was issued only after it"
        if self.voided.get(credential, seq) < seq:
            return "its credential was void by then"
        if credential in self.used:
            return "its credential has another ballot"
        self.used.add(credential)
        return ""

    def listed_digest(self) -> tuple[str, int]:
        """Give SHA-256 and length of the archive's list: all that are not void, and all that were used."""
        digest, length, before = hashlib.sha256(b"["), 2, b""
        for credential in self.issued:
            if credential not in self.voided or credential in self.used:
                piece = b'%s"%s"' % (before, credential.hex().encode())
                digest.update(piece)
                length += len(piece)
                before = b","
        digest.update(b"]")
        return digest.hexdigest(), length


class _Lists:
    """SHA-256 of ascending lists of credentials, as the chain names them, by the entry that issued them."""

    def __init__(self) -> None:
        self._digests: dict[int, hashlib._Hash] = {}
        self.counts: dict[int, int] = {}

    def add(self, seq: int, written: bytes) -> None:
        """Add the next one."""
        if seq in self._digests:
            self._digests[seq].update(b"\n" + written)
        else:
            self._digests[seq] = hashlib.sha256(written)
        self.counts[seq] = self.counts.get(seq, 0) + 1

    def digest(self, seq: int) -> str:
        """Give the digest of an entry's list."""
        return self._digests[seq].hexdigest() if seq in self._digests else hashlib.sha256().hexdigest()


def check_credentials(bundle: Bundle, said: Said, credentials: Credentials) -> str:
    """Read credentials.txt, and check it against every entry that issued or voided any."""
    lists = _Lists()
    credentials.opened_seq = said.opened_seq
    last = b""
    for line, raw in bundle.lines(form.CREDENTIALS):
        match = _LINE.fullmatch(raw)
        if match is None:
            raise Wrong(form.CREDENTIALS, line, "is not a credential with its entries")
        if line > CREDENTIALS_MAX:
            raise Wrong(form.CREDENTIALS, line, f"is one more than the {CREDENTIALS_MAX:,} that a poll may have")
        written, seq = match[1], int(match[2])
        if written <= last:
            raise Wrong(form.CREDENTIALS, line, "is not in order, or stands there twice")
        credential, last = bytes.fromhex(written.decode()), written
        ended = None if match[3] == b"-" else int(match[3])
        if seq not in said.issued:
            raise Wrong(form.CREDENTIALS, line, f"names entry {seq}, which issued no pack")
        if ended != said.voided.get(credential):
            raise Wrong(form.CREDENTIALS, line, "is not voided by the entry that the chain has for it")
        if ended is not None:
            if ended <= seq:
                raise Wrong(form.CREDENTIALS, line, "is void before it is issued")
            credentials.voided[credential] = ended
        credentials.issued[credential] = seq
        lists.add(seq, written)
        lists.add(0, written)
    _insist_on_lists(said, credentials, lists)
    return f"{len(credentials.issued):,} credentials, {credentials.after_opening:,} of them issued after the opening"


def _insist_on_lists(said: Said, credentials: Credentials, lists: _Lists) -> None:
    for seq, issue in said.issued.items():
        if lists.counts.get(seq, 0) != issue.packs or lists.digest(seq) != issue.digest:
            raise Wrong(form.CREDENTIALS, None, f"does not have the credentials that entry {seq} issued")
    if said.voided.keys() != credentials.voided.keys():
        raise Wrong(form.CREDENTIALS, None, "does not have a credential that the chain voids")
    if said.once[form.BALLOTS_CLOSED].text("credentials") != lists.digest(0):
        raise Wrong(form.CREDENTIALS, None, "is not the list that the chain closed before the count")


def check_sizes(said: Said, credentials: Credentials, ballots: int) -> str:
    """Check that there are not more votes than working packs, nor more of those than members."""
    roll = said.once[form.ROLL_CLOSED]
    members, eligible = roll.whole("members"), roll.whole("eligible")
    working = len(credentials.issued) - len(credentials.voided)
    voters = ballots + said.papers["n_received"] + said.papers["n_rejected"]
    if eligible > members:
        raise roll.wrong(f"counts {eligible:,} members who could vote of {members:,}")
    if working > members:
        raise roll.wrong(f"counts {members:,} members, who have {working:,} working packs")
    if voters > min(eligible, working):
        raise roll.wrong(
            f"counts {eligible:,} members who could vote with {working:,} packs, and {voters:,} have voted"
        )
    return f"{voters:,} have voted, {working:,} packs work, {eligible:,} of {members:,} members could vote"
