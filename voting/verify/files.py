"""The files of a bundle: is each, to the byte, what the signed manifest says, and if not, where was it changed."""

import hashlib
import heapq
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice, zip_longest
from pathlib import Path
from typing import Final, NamedTuple

from nacl.exceptions import CryptoError
from nacl.signing import VerifyKey

from voting.ballots.election import check_uuid
from voting.ballots.refusals import FieldWrong
from voting.verify import format as form
from voting.verify.archive import Archive
from voting.verify.reading import Bundle, Findings, Found, Wrong, insist, parse, written
from voting.verify.said import moment

Measured = dict[str, tuple[int, str]]  # length and SHA-256 of each file

STRANGERS_TOLD_MAX: Final = 10
FILES_MAX: Final = 1_000  # looked at in a folder
_CHECK: Final = "Every file is what the signed manifest says"
_ROW: Final = re.compile(rb"(\S+) [0-9]+ ((?:[0-9a-f]{8})+)\n")
_DIGITS: Final = 2 * form.LINE_DIGEST_BYTES


class Layout(NamedTuple):
    """Which files there must be: it follows from the stage and the uuid."""

    stage: str
    archive: str
    listed: tuple[str, ...]


def layout_of(bundle: Bundle) -> Layout:
    """Say which files there must be. One of the files that tell may be damaged; whether they agree is for others."""
    if not bundle.folder.is_dir():
        raise Wrong(str(bundle.folder), None, "there is no such folder")
    uuid = ""
    for found in _facts(bundle):
        with suppress(Wrong, FieldWrong):
            uuid = check_uuid(found.text("uuid"), "uuid")
            break
    stage = ""
    with suppress(Wrong):
        stage = parse(bundle.whole_file(form.MANIFEST), form.MANIFEST).text("stage")
    if stage not in form.TEXTS:
        stage = form.RESULTED if (bundle.folder / form.RESULT).exists() else form.TALLIED
    if not uuid:
        raise Wrong(form.POLL, None, "does not tell this election's uuid, and no other file does")
    return Layout(stage, form.archive_name(uuid), form.listed(stage, uuid))


def check_files(bundle: Bundle, findings: Findings, layout: Layout) -> None:
    """Compare all files with the manifest and the manifest with its signature; note each file that differs."""
    before = len(findings.problems)
    there = _measure(bundle, findings, layout)
    try:
        for name in _strangers(bundle, layout):
            findings.wrong(Wrong(name, None, "is not part of the bundle"))
        manifest = bundle.whole_file(form.MANIFEST)
        if _is_signed(bundle, manifest):
            _compare(bundle, findings, layout, parse(manifest, form.MANIFEST).found("files"), there)
        if before == len(findings.problems):
            insist(form.MANIFEST, manifest, _expected(bundle, layout, there))
            _insist_on_signature(bundle, manifest)
            _insist_on_rows(bundle, layout)
    except Wrong as wrong:
        findings.wrong(wrong)
    differing = len(findings.problems) - before
    detail = f"{differing} of them differ" if differing else f"{len(layout.listed) + 2} files"
    findings.note(_CHECK, ok=not differing, detail=detail)


def _measure(bundle: Bundle, findings: Findings, layout: Layout) -> Measured:
    there = {}
    for name in layout.listed:
        digest, length = hashlib.sha256(), 0
        try:
            for piece in bundle.pieces(name):
                digest.update(piece)
                length += len(piece)
        except Wrong as wrong:
            findings.wrong(wrong)
        else:
            there[name] = (length, digest.hexdigest())
    return there


def _is_signed(bundle: Bundle, manifest: bytes) -> bool:
    try:
        _insist_on_signature(bundle, manifest)
    except Wrong:
        return False
    return True


def _insist_on_signature(bundle: Bundle, manifest: bytes) -> None:
    """Raise Wrong unless one of the signing keys that the bundle names signed the manifest.

    That both names are the same key, and which it should be, is for others to check.
    """
    content = bundle.whole_file(form.SIGNATURE)
    try:
        signature = bytes.fromhex(content.decode("ascii"))
    except ValueError:
        signature = b""
    keys = [found.hex("signing_key", form.KEY_BYTES) for found in _keys(bundle)]
    if content != signature.hex().encode() + b"\n" or not any(_fits(key, manifest, signature) for key in keys):
        raise Wrong(form.SIGNATURE, 1, f"is not the signature of {form.MANIFEST} by this poll's signing key")


def _fits(key: bytes, manifest: bytes, signature: bytes) -> bool:
    try:
        VerifyKey(key).verify(form.manifest_message(manifest), signature)
    except (CryptoError, ValueError):
        return False
    return True


def _facts(bundle: Bundle) -> Iterator[Found]:
    """Yield the poll as poll.json has it, and as the chain's first entry has it: one may be damaged."""
    with suppress(Wrong):
        yield bundle.json(form.POLL)
    with suppress(Wrong):
        first = next(bundle.raw_lines(form.CHAIN), b"")
        yield parse(first, form.CHAIN, 1).found("body")


def _keys(bundle: Bundle) -> Iterator[Found]:
    for found in _facts(bundle):
        with suppress(Wrong):
            found.hex("signing_key", form.KEY_BYTES)
            yield found


def _compare(bundle: Bundle, findings: Findings, layout: Layout, files: Found, there: Measured) -> None:
    """Note each file that is not what a signed manifest says."""
    differing = [name for name in there if there[name] != _listed(files, name)]
    for name in differing:
        if name == layout.archive:
            findings.wrong(_changed_member(bundle, name))
        elif name == form.LINES:
            findings.wrong(_changed_row(bundle, layout) or Wrong(name, None, "was changed"))
        elif form.LINES in differing:
            findings.wrong(Wrong(name, None, "was changed"))
        else:
            findings.wrong(_changed_line(bundle, name))


def _listed(files: Found, name: str) -> tuple[int, str]:
    listed = files.found(name)
    return listed.whole("bytes"), listed.text("sha256")


def _expected(bundle: Bundle, layout: Layout, there: Measured) -> bytes:
    """Give the manifest that these files should have."""
    head = Found({}, form.HEADS)
    for number, line in bundle.lines(form.HEADS):
        head = parse(line, form.HEADS, number)
    poll = bundle.json(form.POLL)
    named = {"id": poll.text("id"), "uuid": poll.text("uuid")}
    last = (head.values.get("seq", 0), head.values.get("hash", ""))  # whether they are a head's is for another check
    return written(form.readable, form.manifest_of(layout.stage, named, last, there))


def _changed_member(bundle: Bundle, name: str) -> Wrong:
    """Find the first member of a changed archive that is not what its own name says."""
    try:
        poll = next(_facts(bundle), Found({}, form.POLL))
        with bundle.opened(name) as file:
            for _ in Archive(name, file, moment(poll, "opens_at") // form.SECOND).members():
                pass
    except Wrong as wrong:
        return wrong
    return Wrong(name, None, "was changed")


def _changed_line(bundle: Bundle, name: str) -> Wrong:
    """Find the first line of a changed file whose digest is not the recorded one."""
    lines = (form.line_digest(line) for line in bundle.raw_lines(name))
    for number, (here, due) in enumerate(zip_longest(lines, _recorded(bundle, name)), start=1):
        if here != due:
            return Wrong(name, number, _what(here, due))
    return Wrong(name, None, "was changed")


def _changed_row(bundle: Bundle, layout: Layout) -> Wrong | None:
    """Find the first row of `LINES` that is not what the other files make it."""
    due = (row for name in form.TEXTS[layout.stage] for row in form.line_rows(name, bundle.raw_lines(name)))
    for number, (row, wanted) in enumerate(zip_longest(bundle.raw_lines(form.LINES), due), start=1):
        if row != wanted:
            return Wrong(form.LINES, number, _what(row, wanted))
    return None


def _insist_on_rows(bundle: Bundle, layout: Layout) -> None:
    wrong = _changed_row(bundle, layout)
    if wrong is not None:
        raise wrong


def _what(here: object, due: object) -> str:
    return "is missing" if here is None else "was added" if due is None else "was changed"


def _recorded(bundle: Bundle, name: str) -> Iterator[str]:
    for number, row in enumerate(bundle.raw_lines(form.LINES), start=1):
        match = _ROW.fullmatch(row)
        if match is None:
            raise Wrong(form.LINES, number, "is not a row of digests")
        if match[1] == name.encode():
            digests = match[2].decode()
            yield from (digests[at : at + _DIGITS] for at in range(0, len(digests), _DIGITS))


def _strangers(bundle: Bundle, layout: Layout) -> list[str]:
    """Name what else is in the folder, a few of them; what begins with a dot belongs to somebody's file manager."""
    known = {form.MANIFEST, form.SIGNATURE, form.ARCHIVES, *layout.listed}
    folders = (path for path in (bundle.folder, bundle.folder / form.ARCHIVES) if path.is_dir())
    try:
        names = [
            str(path.relative_to(bundle.folder)) for folder in folders for path in islice(folder.iterdir(), FILES_MAX)
        ]
    except OSError as problem:
        raise Wrong(str(bundle.folder), None, f"cannot be listed ({problem.strerror})") from None
    strange = (name for name in names if name not in known and not Path(name).name.startswith("."))
    return heapq.nsmallest(STRANGERS_TOLD_MAX, strange)
