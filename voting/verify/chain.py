"""The audit chain of a bundle: is it unbroken, are its heads signed, what does it say about the other files."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from nacl.exceptions import CryptoError
from nacl.signing import VerifyKey

from voting.verify import format as form
from voting.verify.reading import Bundle, Found, Wrong, parse, written

_WORDS: Final = ("seq", "at", "actor", "kind", "body")
_HEAD: Final = ("seq", "hash", "signature")
KEPT: Final = "the head that was kept"
_PAPERS: Final = ("n_received", "n_rejected", "n_set_aside")


@dataclass(slots=True)
class Said:
    """What the chain says about the other files, gathered entry by entry."""

    entries: int = 0
    votes: int = 0  # locked online
    boxed: int = 0  # moved to the box
    poll: dict[str, Any] = field(default_factory=dict)
    once: dict[str, Found] = field(default_factory=dict)  # the bodies of `form.ONCE`
    papers: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_PAPERS, 0))
    postal_count: Found | None = None

    @property
    def facts(self) -> Found:
        """The poll as the chain's entries made it."""
        return Found(self.poll, form.CHAIN)


def check_chain(bundle: Bundle, said: Said) -> str:
    """Walk the chain and gather what it says; Wrong names the first line that does not fit."""
    previous = form.GENESIS
    for line, raw in bundle.lines(form.CHAIN):
        entry = parse(raw, form.CHAIN, line)
        _insist_on_shape(entry, raw, line)
        digest = form.entry_hash({name: entry.values[name] for name in _WORDS}, previous)
        if entry.hex("hash", len(digest)) != digest:
            raise entry.wrong("does not follow from the entries before it")
        _take(said, entry)
        _insist_on_signature(said, entry, form.entry_message(said.facts.text("uuid"), line, previous, digest))
        previous = digest
    if form.COUNTED not in said.once:
        raise Wrong(form.CHAIN, said.entries + 1, "is missing: the chain does not end with the count")
    return f"{said.entries:,} entries"


def check_heads(bundle: Bundle, said: Said) -> str:
    """Check every signed head against the chain, whose last entry must be among them."""
    heads = _read_heads(bundle, VerifyKey(said.facts.hex("signing_key", form.KEY_BYTES)))
    for line, raw in bundle.lines(form.CHAIN):
        if line in heads and parse(raw, form.CHAIN, line).values["hash"] != heads[line].values["hash"]:
            raise heads[line].wrong(f"is not the hash of entry {line} of the chain")
    last = max(heads, default=0)
    if last > said.entries:
        raise heads[last].wrong("is of an entry that the chain does not have")
    if last < said.entries:
        raise Wrong(form.HEADS, len(heads) + 1, "is missing: the end of the chain is not signed")
    return f"{len(heads):,} heads"


def check_kept(bundle: Bundle, said: Said, kept: bytes) -> str:
    """Check that the chain continues a head that somebody kept: one line as `form.HEADS` has them."""
    head = parse(kept.strip(), KEPT)
    _insist_on_head(head, VerifyKey(said.facts.hex("signing_key", form.KEY_BYTES)))
    seq = head.whole("seq")
    for line, raw in bundle.lines(form.CHAIN):
        if line == seq and parse(raw, form.CHAIN, line).values["hash"] == head.values["hash"]:
            return f"entry {seq:,}"
    raise Wrong(form.CHAIN, seq, "is not the entry of the head that was kept")


def _insist_on_head(head: Found, key: VerifyKey) -> None:
    try:
        key.verify(
            form.head_message(head.whole("seq"), head.hex("hash", 32)), head.hex("signature", form.SIGNATURE_BYTES)
        )
    except CryptoError:
        raise head.wrong("is not signed by this poll's signing key") from None


def _read_heads(bundle: Bundle, key: VerifyKey) -> dict[int, Found]:
    """Give the heads by the entry they are of, in the chain's order and each signed."""
    heads: dict[int, Found] = {}
    last = 0
    for line, raw in bundle.lines(form.HEADS):
        head = parse(raw, form.HEADS, line)
        seq = head.whole("seq")
        head.hex("hash", 32)
        if raw != written(form.canonical, {name: head.values.get(name) for name in _HEAD}):
            raise head.wrong("is not written as a signed head is")
        if seq <= last:
            raise head.wrong("is not in the order of the chain")
        _insist_on_head(head, key)
        heads[seq] = head
        last = seq
    return heads


def _insist_on_shape(entry: Found, raw: bytes, line: int) -> None:
    if raw != written(form.canonical, entry.values) or set(entry.values) != {*_WORDS, "hash", "signature"}:
        raise entry.wrong("is not written as an entry of the chain is")
    if entry.whole("seq") != line:
        raise entry.wrong(f"should be entry {line}")
    entry.text("actor")


def _insist_on_signature(said: Said, entry: Found, message: bytes) -> None:
    key = VerifyKey(said.facts.hex("signing_key", form.KEY_BYTES))
    try:
        key.verify(message, entry.hex("signature", form.SIGNATURE_BYTES))
    except CryptoError:
        raise entry.wrong("is not signed by this poll's signing key") from None


def _take(said: Said, entry: Found) -> None:
    """Gather what an entry says, in the only order that a poll can have."""
    kind, body = entry.text("kind"), entry.found("body")
    if form.COUNTED in said.once:
        raise entry.wrong("comes after the count, which is the end")
    if kind in form.ONCE:
        due = form.ONCE[len(said.once)]
        if kind != due:
            raise entry.wrong(f'"{kind}" comes before "{due}"')
        said.once[kind] = body
    elif kind in form.POLL_SET:
        _take_poll(said, body)
    elif kind in {form.VOTES_LOCKED, form.BALLOTS_BOXED}:
        _take_votes(said, kind, entry, body)
    elif kind == form.PAPERS_IMPORTED:
        said.papers = {name: said.papers[name] + body.number(name) for name in _PAPERS}
    elif kind == form.POSTAL_COUNTED:
        said.postal_count = body
    said.entries = entry.whole("seq")


def _take_poll(said: Said, body: Found) -> None:
    before, after = said.poll.get("signing_key"), body.values.get("signing_key")
    if before is not None and after is not None and before != after:
        raise body.wrong("changes the signing key")
    said.poll.update(body.values)


def _take_votes(said: Said, kind: str, entry: Found, body: Found) -> None:
    if form.POLL_OPENED not in said.once or form.BOX_CLOSED in said.once:
        raise entry.wrong(f'"{kind}" comes when the box was not open')
    if kind == form.BALLOTS_BOXED:
        said.boxed += body.whole("n")
    elif _moment(said, "opens_at") <= entry.whole("at") < _moment(said, "closes_at"):
        said.votes += body.whole("n")
    else:
        raise entry.wrong("is of votes outside the time for voting")


def _moment(said: Said, name: str) -> int:
    """Give a time that the opening entry names, in microseconds."""
    opened = said.once[form.POLL_OPENED]
    try:
        return (datetime.fromisoformat(opened.text(name)) - form.EPOCH) // form.MICROSECOND
    except (ValueError, TypeError):
        raise opened.wrong(f'"{name}" is not a time with its zone') from None
