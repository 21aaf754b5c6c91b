"""What somebody knows from elsewhere: a fingerprint, a head, the poll, the mark of a ballot and its codes."""

from pathlib import Path
from typing import Final

from voting.ballots.credential import derive_secret, public_credential
from voting.ballots.group import write_point
from voting.ballots.mark import read_mark
from voting.ballots.refusals import BallotRefusal
from voting.verify import format as form
from voting.verify.cast import Wanted
from voting.verify.chain import KEPT, check_kept
from voting.verify.credentials import Credentials
from voting.verify.reading import Bundle, Wrong
from voting.verify.report import Asked
from voting.verify.said import Said

KEY: Final = "the fingerprint"
RECEIPT: Final = "the receipt"
CODES: Final = "the codes"


def check_key(said: Said, expected: str) -> str:
    """Compare this election's fingerprint with the one published before the vote."""
    found = said.opened.text("fingerprint")
    if found != _mark(expected, KEY):
        raise Wrong(KEY, None, f"is not this election's, which is {found}")
    return found


def check_poll_id(said: Said, expected: str) -> str:
    """Compare the poll's identifier."""
    found = said.facts.text("id")
    if found != expected:
        raise Wrong(form.POLL, None, f"is the poll {found!r}, not {expected!r}")
    return found


def check_head(bundle: Bundle, said: Said, path: Path) -> str:
    """Look for a head that somebody kept."""
    try:
        with path.open("rb") as file:
            kept = file.read(form.LINE_BYTES_MAX)
    except OSError as problem:
        raise Wrong(KEPT, None, f"cannot be read ({problem.strerror})") from None
    return check_kept(bundle, said, kept)


def wanted_of(asked: Asked, uuid: str) -> Wanted:
    """Say which ballot is looked for."""
    mark = _mark(asked.receipt or "", RECEIPT)
    if asked.codes is None:
        return Wanted(mark)
    pack_code, vote_code = ("".join(code.upper().replace("-", " ").split()) for code in asked.codes)
    try:
        credential = public_credential(derive_secret(pack_code, vote_code, uuid))
    except BallotRefusal as refusal:
        raise Wrong(CODES, None, f"cannot be read: {refusal}") from None
    return Wanted(mark, bytes.fromhex(write_point(credential)))


def check_receipt(wanted: Wanted, credentials: Credentials) -> str:
    """Say whether the ballot is there; with its codes, whether it is theirs."""
    if wanted.credential is not None:
        if wanted.credential not in credentials.issued:
            raise Wrong(CODES, None, "are no pack's in this poll")
        if not wanted.mark_of_credential:
            raise Wrong(CODES, None, "have no ballot in the archive")
        if wanted.mark_of_credential != wanted.mark:
            raise Wrong(RECEIPT, None, f"is not the mark of the ballot by these codes, {wanted.mark_of_credential}")
    if not wanted.marked:
        raise Wrong(RECEIPT, None, f"{wanted.mark} is the mark of no ballot in the archive")
    return wanted.mark if wanted.credential is None else f"{wanted.mark}, by these codes"


def _mark(typed: str, name: str) -> str:
    try:
        return read_mark(typed)
    except BallotRefusal as refusal:
        raise Wrong(name, None, f"cannot be read: {refusal}") from None
