"""Open the box of a bundle again, and compare the openings and the receipts with it and with the chain."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from nacl.bindings import crypto_box_seal_open, crypto_scalarmult_base
from nacl.exceptions import CryptoError

from voting.verify import format as form
from voting.verify.chain import Said
from voting.verify.reading import Bundle, Found, Wrong, shown

Progress = Callable[[int], None]  # called with the number of ballots opened so far

PROGRESS_BALLOTS: Final = 1_000
_SEALED: Final = re.compile(rb"[0-9a-f]{%d}" % (2 * form.SEALED_BYTES))
_RECEIPT: Final = re.compile(rb"[2-9A-HJKMNP-Z]{5}-[2-9A-HJKMNP-Z]{5}")
_OPTION_AT, _OPTIONS_AT, _BINDING_AT, _NONCE_AT = 1, 3, 5, 5 + form.BINDING_BYTES


@dataclass(slots=True)
class Tally:
    """What was found in the box."""

    ballots: int = 0
    votes: list[int] = field(default_factory=list)  # in the order of the options


def check_key(bundle: Bundle, said: Said) -> str:
    """Check that the published private key belongs to the election key on the chain."""
    _keys(bundle, said)
    return "the published key is the one that ballots were sealed for"


def check_box(bundle: Bundle, said: Said, tally: Tally, progress: Progress | None) -> str:
    """Open every ballot and check that together they are what the chain closed before the opening."""
    opener = _Opener(*_keys(bundle, said), len(said.facts.texts("options")))
    digest, last = hashlib.sha256(), b""
    tally.votes = [0] * opener.options
    for line, written in bundle.lines(form.BOX):
        if _SEALED.fullmatch(written) is None:
            raise Wrong(form.BOX, line, f"is not {2 * form.SEALED_BYTES} hexadecimal digits")
        if written <= last:
            raise Wrong(form.BOX, line, "is not in order, or stands there twice")
        sealed = bytes.fromhex(written.decode())
        tally.votes[opener.open(sealed, line)] += 1
        digest.update(sealed)
        last, tally.ballots = written, line
        if progress is not None and line % PROGRESS_BALLOTS == 0:
            progress(line)
    _insist_on_close(form.BOX, said.once[form.BOX_CLOSED], tally.ballots, "sealed", digest.hexdigest())
    if not said.votes == said.boxed == tally.ballots:
        chain = f"{said.votes:,} votes locked and {said.boxed:,} ballots boxed"
        raise Wrong(form.BOX, None, f"has {tally.ballots:,} ballots, but the chain {chain}")
    return f"{tally.ballots:,} ballots"


def check_receipts(bundle: Bundle, said: Said, tally: Tally) -> str:
    """Check that there is one receipt for each ballot and that they are those the chain closed."""
    digest, last, count = hashlib.sha256(), b"", 0
    for line, receipt in bundle.lines(form.RECEIPTS):
        if _RECEIPT.fullmatch(receipt) is None:
            raise Wrong(form.RECEIPTS, line, "is not a receipt")
        if receipt <= last:
            raise Wrong(form.RECEIPTS, line, "is not in order, or stands there twice")
        digest.update(b"\n" + receipt if last else receipt)
        last, count = receipt, line
    _insist_on_close(form.RECEIPTS, said.once[form.RECEIPTS_CLOSED], count, "receipts", digest.hexdigest())
    if count != tally.ballots:
        raise Wrong(form.RECEIPTS, None, f"has {count:,} receipts for {tally.ballots:,} ballots")
    return f"{count:,} receipts"


def check_openings(bundle: Bundle, tally: Tally) -> str:
    """Check that the openings are what the box holds, sorted: their order says nothing about the box's."""
    due = _sorted_openings(tally.votes)
    line = 0
    for line, written in bundle.lines(form.OPENINGS):
        wanted = next(due, None)
        if wanted is None:
            raise Wrong(form.OPENINGS, line, "should not be there")
        if written != wanted:
            raise Wrong(form.OPENINGS, line, f"should be {shown(wanted)}")
    if line != tally.ballots:
        raise Wrong(form.OPENINGS, line + 1, "is missing")
    return f"{line:,} openings"


def find_receipt(bundle: Bundle, receipt: str) -> bool:
    """Say whether a receipt is in the list; case and spaces around it do not matter."""
    wanted = receipt.strip().upper().encode()
    return any(line == wanted for _, line in bundle.lines(form.RECEIPTS))


def _keys(bundle: Bundle, said: Said) -> tuple[bytes, bytes]:
    found = bundle.json(form.KEY)
    public = said.facts.hex("election_key", form.KEY_BYTES)
    private = found.hex("election_private_key", form.KEY_BYTES)
    if crypto_scalarmult_base(private) != public:
        raise found.wrong("is not the private half of the election key on the chain")
    return public, private


def _sorted_openings(votes: Sequence[int]) -> Iterator[bytes]:
    for number, count in enumerate(votes, start=1):
        for _ in range(count):
            yield b"%d" % number


def _insist_on_close(file: str, closed: Found, count: int, name: str, digest: str) -> None:
    if (closed.whole("n"), closed.text(name)) != (count, digest):
        raise Wrong(file, None, f"is not what the chain closed before the count ({closed.whole('n'):,} lines then)")


class _Opener:
    """Opens sealed ballots of one poll."""

    def __init__(self, public: bytes, private: bytes, options: int) -> None:
        self.options: Final = options
        self._public, self._private = public, private
        self._binding = form.election_key_binding(public)

    def open(self, sealed: bytes, line: int) -> int:
        """Give the option in a ballot, counted from 0."""
        try:
            ballot = crypto_box_seal_open(sealed, self._public, self._private)
        except CryptoError:
            raise Wrong(form.BOX, line, "is not a ballot sealed to this poll's key") from None
        option = int.from_bytes(ballot[_OPTION_AT:_OPTIONS_AT])
        head = (ballot[0], int.from_bytes(ballot[_OPTIONS_AT:_BINDING_AT]), ballot[_BINDING_AT:_NONCE_AT])
        if head != (form.BALLOT_VERSION, self.options, self._binding) or option >= self.options:
            raise Wrong(form.BOX, line, "does not hold a choice in this poll")
        return option
