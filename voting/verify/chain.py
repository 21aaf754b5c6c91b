"""The audit chain of a bundle: is it unbroken and signed, does every entry stand where it may, are its heads signed."""

from collections.abc import Iterator
from typing import Final

from nacl.exceptions import CryptoError
from nacl.signing import VerifyKey

from voting.verify import format as form
from voting.verify.reading import Bundle, Found, Wrong, parse, written
from voting.verify.said import Said, take
from voting.verify.spans import next_span

ENTRIES_MAX: Final = 4_000_000
KEPT: Final = "the head that was kept"
_WORDS: Final = ("seq", "at", "actor", "kind", "body")
_HEAD: Final = ("seq", "hash", "signature")


def check_chain(bundle: Bundle, said: Said, stage: str) -> str:
    """Walk the chain and gather what it says; Wrong names the first line that does not fit."""
    previous = form.GENESIS
    for line, raw in bundle.lines(form.CHAIN):
        entry = parse(raw, form.CHAIN, line)
        _insist_on_shape(entry, raw, line)
        digest = form.entry_hash({name: entry.values[name] for name in _WORDS}, previous)
        if entry.hex("hash", len(digest)) != digest:
            raise entry.wrong("does not follow from the entries before it")
        _insist_on_place(said, entry)
        take(said, entry)
        _insist_on_signature(said, entry, form.entry_message(said.uuid, line, previous, digest))
        previous = digest
        said.entries, said.last_hash = line, digest.hex()
    last = form.COUNTED if stage == form.RESULTED else form.BALLOTS_CLOSED
    if said.last_kind != last:
        raise Wrong(form.CHAIN, said.entries + 1, f'is missing: the chain does not end with "{last}"')
    if form.ROLL_CLOSED not in said.once:
        raise Wrong(form.CHAIN, said.entries, f'comes without "{form.ROLL_CLOSED}" before it')
    return f"{said.entries:,} entries"


def entries(bundle: Bundle, *kinds: str) -> Iterator[tuple[int, Found]]:
    """Yield the entries of these kinds, with their lines, of a chain that was walked already."""
    marks = [f'"kind":"{kind}"'.encode() for kind in kinds]
    for line, raw in bundle.lines(form.CHAIN):
        if any(mark in raw for mark in marks):
            entry = parse(raw, form.CHAIN, line)
            if entry.values["kind"] in kinds:
                yield line, entry


def check_heads(bundle: Bundle, said: Said) -> str:
    """Check every signed head against the chain, whose last entry must be among them."""
    key = said.verify_key
    heads = bundle.lines(form.HEADS)
    last = 0
    number, head, seq = _next_head(heads, key, 0, 0)
    for line, raw in bundle.lines(form.CHAIN):
        if head is not None and line == seq:
            if parse(raw, form.CHAIN, line).values["hash"] != head.values["hash"]:
                raise head.wrong(f"is not the hash of entry {line} of the chain")
            last = line
            number, head, seq = _next_head(heads, key, number, seq)
    if head is not None:
        raise head.wrong("is of an entry that the chain does not have")
    if not number or last != said.entries:
        raise Wrong(form.HEADS, number + 1, "is missing: the end of the chain is not signed")
    return f"{number:,} heads"


def check_kept(bundle: Bundle, said: Said, kept: bytes) -> str:
    """Check that the chain continues a head that somebody kept: one line as `form.HEADS` has them."""
    head = parse(kept.strip(), KEPT)
    _insist_on_head(head, said.verify_key)
    seq = head.whole("seq")
    for line, raw in bundle.lines(form.CHAIN):
        if line == seq and parse(raw, form.CHAIN, line).values["hash"] == head.values["hash"]:
            return f"entry {seq:,}"
    if (seq, head.values["hash"]) in said.lost_heads:
        raise Wrong(form.CHAIN, None, f"does not continue the head that was kept, entry {seq}: two officers gave it up")
    raise Wrong(form.CHAIN, None, f"does not have the head that was kept, entry {seq}")


def _insist_on_head(head: Found, key: VerifyKey) -> None:
    message = form.head_message(head.whole("seq"), head.hex("hash", 32))
    try:
        key.verify(message, head.hex("signature", form.SIGNATURE_BYTES))
    except CryptoError:
        raise head.wrong("is not signed by this poll's signing key") from None


def _next_head(
    lines: Iterator[tuple[int, bytes]], key: VerifyKey, number: int, seq: int
) -> tuple[int, Found | None, int]:
    """Read the head after the one of entry `seq`; give its line and its entry, or None at the end."""
    for line, raw in lines:
        head = parse(raw, form.HEADS, line)
        if raw != written(form.canonical, {name: head.values.get(name) for name in _HEAD}):
            raise head.wrong("is not written as a signed head is")
        if head.whole("seq") <= seq:
            raise head.wrong("is not in the order of the chain")
        _insist_on_head(head, key)
        return line, head, head.whole("seq")
    return number, None, seq


def _insist_on_shape(entry: Found, raw: bytes, line: int) -> None:
    if line > ENTRIES_MAX:
        raise entry.wrong(f"is one more than the {ENTRIES_MAX:,} entries that a chain may have")
    if raw != written(form.canonical, entry.values) or set(entry.values) != {*_WORDS, "hash", "signature"}:
        raise entry.wrong("is not written as an entry of the chain is")
    if entry.whole("seq") != line:
        raise entry.wrong(f"should be entry {line}")
    entry.whole("at"), entry.text("actor"), entry.text("kind"), entry.found("body")


def _insist_on_place(said: Said, entry: Found) -> None:
    kind = entry.text("kind")
    after = next_span(said.span, kind)
    if after is None:
        raise entry.wrong(f'"{kind}" comes {said.span}, where it may not stand')
    said.span, said.last_kind = after, kind


def _insist_on_signature(said: Said, entry: Found, message: bytes) -> None:
    try:
        said.verify_key.verify(message, entry.hex("signature", form.SIGNATURE_BYTES))
    except CryptoError:
        raise entry.wrong("is not signed by this poll's signing key") from None
