"""What the chain says about the other files, gathered entry by entry while it is walked."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from nacl.signing import VerifyKey

from voting.verify import format as form
from voting.verify.people import same_person
from voting.verify.reading import Found, printable
from voting.verify.spans import Span

LOST_HEADS_MAX: Final = 100
ISSUED_MAX: Final = 1_000_000  # entries that issue credentials, and credentials that they void
NAME_SHOWN_MAX: Final = 60
DIGEST_BYTES: Final = 32
PAPERS: Final = ("n_received", "n_rejected", "n_set_aside")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_FIXED: Final = ("uuid", "signing_key")  # of the poll, from its first entry on
_LATER: Final[Mapping[str, frozenset[str]]] = {  # all that entries may set of the poll once it is open
    "rule_changed": frozenset({"rule", "rule_version"}),
    form.ROLL_CLOSED: frozenset({"members", "eligible"}),
}


class Issue(NamedTuple):
    """An entry that issued credentials: how many, and the SHA-256 of their list."""

    packs: int
    digest: str


@dataclass(slots=True)
class Said:
    """What the chain says."""

    entries: int = 0
    last_hash: str = ""
    last_kind: str = ""
    span: Span = Span.UNMADE
    poll: dict[str, Any] = field(default_factory=dict)
    at_opening: dict[str, Any] = field(default_factory=dict)  # the poll then
    opened_seq: int = 0
    once: dict[str, Found] = field(default_factory=dict)  # bodies of kinds that count once, or whose last one counts
    issued: dict[int, Issue] = field(default_factory=dict)
    voided: dict[bytes, int] = field(default_factory=dict)
    votes: int = 0
    papers: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PAPERS, 0))
    lost_heads: dict[tuple[int, str], str] = field(default_factory=dict)  # with the sentence to be read first

    @property
    def facts(self) -> Found:
        """The poll as the chain's entries made it."""
        return Found(self.poll, form.CHAIN)

    @property
    def opened(self) -> Found:
        """What the opening said."""
        return self.once[form.POLL_OPENED]

    @property
    def uuid(self) -> str:
        """The election's uuid."""
        return self.facts.text("uuid")

    @property
    def verify_key(self) -> VerifyKey:
        """The key that signs the chain."""
        return VerifyKey(self.facts.hex("signing_key", form.KEY_BYTES))

    def moment(self, name: str) -> int:
        """Give a time of the poll, in microseconds."""
        return moment(self.facts, name)


def moment(found: Found, name: str) -> int:
    """Give a time, in microseconds since 1970."""
    try:
        return (datetime.fromisoformat(found.text(name)) - form.EPOCH) // form.MICROSECOND
    except (ValueError, TypeError, OverflowError):
        raise found.wrong(f'"{name}" is not a time with its zone') from None


def take(said: Said, entry: Found) -> None:
    """Gather what an entry says; Wrong when it says what cannot be."""
    kind, body = entry.text("kind"), entry.found("body")
    if kind in form.POLL_SET:
        _take_poll(said, kind, body)
    if kind in _ONCE:
        if kind == form.ROLL_CLOSED and kind in said.once:
            raise entry.wrong(f'"{kind}" comes a second time')
        said.once[kind] = body
    if kind == form.POLL_OPENED:
        said.opened_seq, said.at_opening = entry.whole("seq"), dict(said.poll)
    taker = _TAKERS.get(kind)
    if taker is not None:
        taker(said, entry, body)


def _take_poll(said: Said, kind: str, body: Found) -> None:
    for name in _FIXED:
        if said.poll and body.values.get(name, said.poll.get(name)) != said.poll.get(name):
            raise body.wrong(f'changes the poll\'s "{name}"')
    if said.opened_seq:
        strange = body.values.keys() - _LATER.get(kind, frozenset())
        if strange:
            raise body.wrong(f'changes "{min(strange)}" of a poll that is open')
    said.poll |= body.values
    if len(form.canonical(said.poll)) > form.SMALL_BYTES_MAX:
        raise body.wrong("makes the poll larger than poll.json may be")


def _take_issue(said: Said, entry: Found, body: Found) -> None:
    seq = entry.whole("seq")
    said.issued[seq] = Issue(body.whole("packs"), body.hex("credentials", DIGEST_BYTES).hex())
    for written in body.items("voided") if "voided" in body.values else []:
        if not isinstance(written, str) or not _DIGEST.fullmatch(written):
            raise body.wrong('"voided" is not a list of credentials')
        credential = bytes.fromhex(written)
        if credential in said.voided:
            raise body.wrong(f"voids {written}, which is void already")
        said.voided[credential] = seq
    if max(len(said.issued), len(said.voided)) > ISSUED_MAX:
        raise entry.wrong(f"is one more than the {ISSUED_MAX:,} that issue or void credentials")


def _take_votes(said: Said, entry: Found, body: Found) -> None:
    ballots = body.items("ballots")
    if not all(isinstance(ballot, str) and _DIGEST.fullmatch(ballot) for ballot in ballots):
        raise body.wrong('"ballots" is not a list of SHA-256')
    if not ballots or sorted(set(ballots)) != ballots or body.whole("n") != len(ballots):
        raise body.wrong('"ballots" is not ascending, or not as many as "n"')
    if not said.moment("opens_at") <= entry.whole("at") < said.moment("closes_at"):
        raise entry.wrong("is of votes outside the time for voting")
    said.votes += len(ballots)


def _take_papers(said: Said, _entry: Found, body: Found) -> None:
    said.papers = {name: said.papers[name] + body.number(name) for name in PAPERS}


def _take_lost_head(said: Said, entry: Found, body: Found) -> None:
    seq, digest = body.whole("lost_seq"), body.hex("lost_hash", DIGEST_BYTES).hex()
    asked, approved = body.text("asked_by"), body.text("approved_by")
    if same_person(asked, approved):
        raise entry.wrong("gives up a lost head by one person alone")
    if len(said.lost_heads) == LOST_HEADS_MAX:
        raise entry.wrong(f"gives up more than {LOST_HEADS_MAX} heads")
    said.lost_heads[seq, digest] = (
        f"Entry {entry.whole('seq')} of the chain gives up the head of entry {seq}, which is lost ({digest}): an older"
        f" copy of the database was put back. {_name(asked)} asked for it and {_name(approved)} approved."
        " Votes may have been lost."
    )


def _name(typed: str) -> str:
    return printable(typed[:NAME_SHOWN_MAX])


_ONCE: Final = frozenset(
    {
        form.POLL_OPENED,
        form.TRUSTEES_SET,
        form.ROLL_CLOSED,
        form.POSTAL_COUNTED,
        form.BALLOTS_CLOSED,
        form.COUNTED,
    }
)
_TAKERS: Final[Mapping[str, Callable[[Said, Found, Found], None]]] = {
    form.PACKS_ISSUED: _take_issue,
    form.PACK_REPLACED: _take_issue,
    form.VOTES_LOCKED: _take_votes,
    form.PAPERS_IMPORTED: _take_papers,
    form.HEAD_RESUMED: _take_lost_head,
}
