"""Checks a published bundle alone: no database, no secret, nothing of ours but the file format.

Written to be read by whoever does not trust us. It hashes every file and names the line where a byte was changed;
walks the chain from its first entry; tries every signature; opens every sealed ballot with the published key; adds the
papers; and compares the result. What it cannot know is whether the whole bundle was made up: for that, compare the
signing key's fingerprint with the one published before the vote, or give it as `expected_key`.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, Final

from nacl.bindings import crypto_box_seal_open, crypto_scalarmult_base
from nacl.exceptions import BadSignatureError, CryptoError
from nacl.signing import VerifyKey

from voting import bundle_format as form

LINES_NAMED_MAX: Final = 5  # of one file
PROBLEMS_MAX: Final = 50  # named; the bundle is wrong already


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it must be; `line` counts from 1, or is None when the whole file is meant."""

    file: str
    line: int | None
    what: str


@dataclass(slots=True)
class Verdict:
    """What was found. `fingerprint` names the signing key; `checks` what was tried and held."""

    checks: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    fingerprint: str = ""
    result: dict[str, Any] = field(default_factory=dict)
    receipt_found: bool | None = None

    @property
    def ok(self) -> bool:
        """Whether all is as it must be."""
        return not self.problems

    def wrong(self, file: str, what: str, line: int | None = None) -> None:
        """Name a problem."""
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(Problem(file, line, what))


class _UnreadableError(Exception):
    """A file that cannot be understood was named already."""


def verify(folder: Path, *, expected_key: str | None = None, receipt: str | None = None) -> Verdict:
    """Check the bundle in a folder. Never raises for what is in it: every fault is a Problem in the verdict."""
    verdict = Verdict()
    contents = _read(folder, verdict)
    if contents is None:
        return verdict
    steps: tuple[Callable[[dict[str, bytes], Verdict], None], ...] = (_hashes, _signature, _chain, _box, _sums)
    for step in steps:
        try:
            step(contents, verdict)
        except _UnreadableError:
            continue
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as problem:
            verdict.wrong(step.__name__.strip("_"), f"a value is missing or of the wrong kind ({problem})")
    if expected_key is not None and verdict.fingerprint.replace(" ", "") != expected_key.replace(" ", "").lower():
        verdict.wrong(form.POLL, f"the signing key is not the one expected but {verdict.fingerprint}")
    if receipt is not None:
        verdict.receipt_found = receipt.strip().upper().encode() in contents[form.RECEIPTS].split(b"\n")
    return verdict


def _read(folder: Path, verdict: Verdict) -> dict[str, bytes] | None:
    if not folder.is_dir():
        verdict.wrong(str(folder), "there is no such folder")
        return None
    names = {path.name for path in folder.iterdir()}
    for name in form.EVERYTHING:
        if name not in names:
            verdict.wrong(name, "the file is missing")
    for name in sorted(names - set(form.EVERYTHING)):
        verdict.wrong(name, "the file does not belong to a bundle")
    if verdict.problems:
        return None
    try:
        return {name: (folder / name).read_bytes() for name in form.EVERYTHING}
    except OSError as problem:
        verdict.wrong(str(problem.filename), f"the file cannot be read ({problem.strerror})")
        return None


def _object(contents: dict[str, bytes], name: str, verdict: Verdict) -> dict[str, Any]:
    try:
        value = json.loads(contents[name])
    except (ValueError, UnicodeDecodeError):
        value = None
    if not isinstance(value, dict):
        verdict.wrong(name, "the file is not a JSON object")
        raise _UnreadableError
    return value


def _rows(contents: dict[str, bytes], name: str) -> list[bytes]:
    return contents[name].split(b"\n")[:-1]


def _hashes(contents: dict[str, bytes], verdict: Verdict) -> None:
    """Compare every file with the manifest; name the changed lines by their short hashes."""
    manifest = _object(contents, form.MANIFEST, verdict)
    files = manifest.get("files")
    if manifest.get("format") != form.FORMAT or not isinstance(files, dict):
        verdict.wrong(form.MANIFEST, "this is not the manifest of a bundle that this program knows")
        raise _UnreadableError
    whole = True
    for name in (*form.CONTENT, form.LINES):
        if files.get(name) != form.sha256(contents[name]):
            whole = False
            lines: list[int | None] = list(_changed_lines(contents, name))[:LINES_NAMED_MAX]
            for line in lines or [None]:
                verdict.wrong(name, "the file was changed", line)
    if whole:
        verdict.checks.append(f"{len(files)} files are as the manifest says")


def _changed_lines(contents: dict[str, bytes], name: str) -> Iterator[int | None]:
    listed = [row.rpartition(b":") for row in _rows(contents, form.LINES)]
    if name == form.LINES:
        expected = [
            f"{other}:{form.line_hash(line)}".encode()
            for other in form.CONTENT
            for line in contents[other].split(b"\n")
        ]
        given = contents[name].split(b"\n")
        expected.append(b"")
    else:
        expected = [digits for other, _, digits in listed if other == name.encode()]
        given = [form.line_hash(line).encode() for line in contents[name].split(b"\n")]
    for number in range(max(len(expected), len(given))):
        if number >= len(expected) or number >= len(given) or expected[number] != given[number]:
            yield number + 1


def _signature(contents: dict[str, bytes], verdict: Verdict) -> None:
    poll = _object(contents, form.POLL, verdict)
    try:
        key = VerifyKey(bytes.fromhex(poll["signing_key"]))
        verdict.fingerprint = form.signing_fingerprint(poll["signing_key"])
    except (KeyError, TypeError, ValueError):
        verdict.wrong(form.POLL, "the signing key cannot be read")
        raise _UnreadableError from None
    try:
        signature = bytes.fromhex(contents[form.SIGNATURE].decode().strip())
        if contents[form.SIGNATURE] != signature.hex().encode() + b"\n":
            raise ValueError("not written as it must be")  # noqa: TRY301 - one answer for every way to be wrong
        key.verify(contents[form.MANIFEST], signature)
    except (ValueError, UnicodeDecodeError):
        verdict.wrong(form.SIGNATURE, "this is not a signature")
    except BadSignatureError:
        verdict.wrong(form.SIGNATURE, "it does not sign this manifest")
        verdict.wrong(form.MANIFEST, "it is not what was signed")
    else:
        verdict.checks.append("the manifest is signed by the poll's key")


def _chain(contents: dict[str, bytes], verdict: Verdict) -> None:
    """Walk the chain from its first entry, and try every signed head against it."""
    poll = _object(contents, form.POLL, verdict)
    hashes: dict[int, str] = {}
    previous = form.GENESIS
    for number, row in enumerate(_rows(contents, form.CHAIN), 1):
        entry = _entry(row, number, verdict)
        previous = form.entry_hash(entry, previous)
        if entry["seq"] != number or entry["hash"] != previous.hex():
            verdict.wrong(form.CHAIN, "the entry does not follow from the one before it", number)
            raise _UnreadableError
        if number == 1 and entry["body"].get("signing_key") != poll["signing_key"]:
            verdict.wrong(form.CHAIN, "the chain began with another signing key", 1)
        hashes[number] = entry["hash"]
    signed = _heads(contents, hashes, VerifyKey(bytes.fromhex(poll["signing_key"])), verdict)
    if not hashes or len(hashes) not in signed:
        verdict.wrong(form.HEADS, "the chain's last entry is not signed")
    verdict.checks.append(f"{len(hashes)} entries of the chain are linked; {len(signed)} heads are signed")


def _entry(row: bytes, number: int, verdict: Verdict) -> dict[str, Any]:
    try:
        entry = json.loads(row)
        if form.canonical(entry) != row or not {"seq", "at", "actor", "kind", "body", "hash"} <= set(entry):
            raise ValueError("not an entry")  # noqa: TRY301 - one answer for every way to be wrong
    except (ValueError, TypeError, UnicodeDecodeError):
        verdict.wrong(form.CHAIN, "this is not a chain entry", number)
        raise _UnreadableError from None
    return dict(entry)


def _heads(contents: dict[str, bytes], hashes: dict[int, str], key: VerifyKey, verdict: Verdict) -> set[int]:
    signed = set()
    for number, row in enumerate(_rows(contents, form.HEADS), 1):
        try:
            head = json.loads(row)
            if form.canonical(head) != row or hashes.get(head["seq"]) != head["hash"]:
                raise ValueError("another chain")  # noqa: TRY301 - as above
            key.verify(form.head_message(head["seq"], head["hash"]), bytes.fromhex(head["signature"]))
            signed.add(head["seq"])
        except (ValueError, KeyError, TypeError, UnicodeDecodeError, BadSignatureError):
            verdict.wrong(form.HEADS, "this is not a signed head of this chain", number)
    return signed


def _box(contents: dict[str, bytes], verdict: Verdict) -> None:
    """Open the box with the published key; compare with the openings, the receipts and the chain."""
    poll = _object(contents, form.POLL, verdict)
    entries = [json.loads(row) for row in _rows(contents, form.CHAIN)]
    public, private = _keys(contents, poll, verdict)
    votes: list[int] = []
    sealed_ballots = []
    for number, row in enumerate(_rows(contents, form.BOX), 1):
        try:
            sealed = bytes.fromhex(row.decode())
            ballot = crypto_box_seal_open(sealed, public, private)
            option = int.from_bytes(ballot[1:3])
            if option >= len(poll["options"]):
                raise ValueError("no such option")  # noqa: TRY301 - as above
        except (ValueError, TypeError, UnicodeDecodeError, CryptoError):
            verdict.wrong(form.BOX, "this ballot cannot be opened", number)
            continue
        votes.append(option)
        sealed_ballots.append(sealed)
    if len(set(sealed_ballots)) != len(sealed_ballots):
        verdict.wrong(form.BOX, "a ballot is there twice")
    openings = [row.decode("ascii", "replace") for row in _rows(contents, form.OPENINGS)]
    for number, (shown, opened) in enumerate(zip(openings, map(str, sorted(votes)), strict=False), 1):
        if shown != opened:
            verdict.wrong(form.OPENINGS, "the openings are not what is in the box", number)
            break
    if len(openings) != len(votes):
        verdict.wrong(form.OPENINGS, f"{len(openings)} openings for {len(votes)} ballots")
    receipts = [row.decode("ascii", "replace") for row in _rows(contents, form.RECEIPTS)]
    locked = sum(entry["body"]["n"] for entry in entries if entry["kind"] == "votes_locked")
    if not len(receipts) == len(set(receipts)) == len(votes) == locked:
        verdict.wrong(
            form.RECEIPTS,
            f"{len(receipts)} receipts, {len(votes)} ballots and {locked} votes on the chain should agree",
        )
    _committed(entries, "box_closed", {"n": len(sealed_ballots), "sealed": form.box_digest(sealed_ballots)}, verdict)
    _committed(entries, "receipts_closed", {"n": len(receipts), "receipts": form.receipts_digest(receipts)}, verdict)
    verdict.checks.append(f"{len(votes)} ballots were opened; as many receipts and votes on the chain")


def _keys(contents: dict[str, bytes], poll: dict[str, Any], verdict: Verdict) -> tuple[bytes, bytes]:
    try:
        private = bytes.fromhex(_object(contents, form.KEY, verdict)["election_private_key"])
        public = bytes.fromhex(poll["election_key"])
        if crypto_scalarmult_base(private) == public:
            return public, private
    except (KeyError, TypeError, ValueError, CryptoError):
        pass
    verdict.wrong(form.KEY, "it is not the private half of the poll's election key")
    raise _UnreadableError


def _committed(entries: list[dict[str, Any]], kind: str, body: dict[str, Any], verdict: Verdict) -> None:
    found = [entry for entry in entries if entry["kind"] == kind]
    if len(found) != 1 or found[0]["body"] != body:
        line = found[0]["seq"] if found else None
        verdict.wrong(form.CHAIN, f"the entry {kind} does not fit what is published", line)


def _sums(contents: dict[str, bytes], verdict: Verdict) -> None:
    """Add it all up again and compare with the result."""
    poll, postal = _object(contents, form.POLL, verdict), _object(contents, form.POSTAL, verdict)
    result = _object(contents, form.RESULT, verdict)
    openings = [row.decode("ascii", "replace") for row in _rows(contents, form.OPENINGS)]
    try:
        online = [openings.count(str(option)) for option in range(len(poll["options"]))]
        again = _added(poll, postal, online)
    except (KeyError, TypeError, ValueError, IndexError):
        verdict.wrong(form.POSTAL, "the papers' numbers cannot be read")
        raise _UnreadableError from None
    if result != again:
        verdict.wrong(form.RESULT, "the result is not what the ballots and papers add up to")
    if postal["papers"] - postal["rejected"] != sum(postal["votes"]) and not postal["justification"]:
        verdict.wrong(form.POSTAL, "papers scanned and papers counted differ without a justification")
    entries = [json.loads(row) for row in _rows(contents, form.CHAIN)]
    _committed(entries, "counted", {"result": form.sha256(form.canonical(result))}, verdict)
    verdict.result = result
    verdict.checks.append("ballots and papers add up to the result")


def _added(poll: dict[str, Any], postal: dict[str, Any], online: list[int]) -> dict[str, Any]:
    papers = [int(votes) for votes in postal["votes"]]
    votes = sum(online) + sum(papers)
    rejected, eligible = int(postal["rejected"]), int(poll["eligible"])
    return {
        "poll": poll["id"],
        "options": [
            {"option": name, "online": online[i], "post": papers[i], "votes": online[i] + papers[i]}
            for i, name in enumerate(poll["options"])
        ],
        "online": sum(online),
        "post": sum(papers),
        "votes": votes,
        "rejected_papers": rejected,
        "eligible": eligible,
        "turnout_with_rejected": _percent(votes + rejected, eligible),
        "turnout_without_rejected": _percent(votes, eligible),
    }


def _percent(part: int, whole: int) -> str:
    if whole == 0:
        return "0.00"
    return str((Decimal(100 * part) / Decimal(whole)).quantize(Decimal("0.01"), ROUND_HALF_UP))
