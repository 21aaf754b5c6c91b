"""A pack code as a scanner gives it: with a symbology's prefix, between stars, with another keyboard's dashes."""

import re
from typing import Final

from voting.codes.codes import Kind, parse
from voting.codes.format import right

# ISO/IEC 15424: `]C1` names Code 128; some scanners leave the bracket out. Code 39 is read between its stars.
# A pack code has no 1, so nothing of it is taken away.
_PREFIX: Final = re.compile(r"^(?:\]?C1)(?=.)", re.IGNORECASE)
_BETWEEN: Final = re.compile(r"[\s*\-\u2010-\u2015\u2212\xdf/']+")  # \xdf stands where a German keyboard has the dash
_GERMAN: Final = str.maketrans("YZ", "ZY")


def read_scan(written: str, poll_id: str) -> str | None:
    """Give the pack code, canonical; None when it is none, or has a wrong character."""
    plain = plain_scan(written)
    if right(Kind.PACK, plain, poll_id):
        return plain
    read = parse(written, poll_id)
    return read.pack if read.problem is None and len(read.codes) == 1 else None


def plain_scan(written: str) -> str:
    """Give the characters of the code alone, upper case."""
    return _BETWEEN.sub("", _PREFIX.sub("", written.strip().strip("*"))).upper()


def scan_problem(written: str, poll_id: str) -> str:
    """Say what is wrong with a scan that cannot be read."""
    if right(Kind.PACK, plain_scan(written).translate(_GERMAN), poll_id):
        return "not a pack code; with Y and Z exchanged it is one: set the scanner to this computer's keyboard"
    return "not a pack code, or a slip in it"
