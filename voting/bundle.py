"""Writes the published bundle: everything a stranger needs to check the result, and nothing about anybody."""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

from nacl.signing import SigningKey

from voting import bundle_format as form
from voting.chain import Entry
from voting.columns import EPOCH, MICROSECOND
from voting.model import Poll
from voting.report_page import page
from voting.secrets_file import Secrets

README: Final = """This folder is the published result of a ballot and everything needed to check it.

To check it, with Python 3.11 or newer and the `ballotline` package installed:

    ballotline verify FOLDER

No network, database or secret is needed. The check walks the audit chain, tries its signatures, opens every sealed
ballot with the election key in key.json (published only now, after the close), adds the papers and compares the
result. A bundle made up as a whole would agree with itself: compare the signing key's fingerprint that the check
prints with the one that was published before the vote.

If you voted online, look for your receipt in receipts.txt, or: ballotline verify FOLDER --receipt XXXXX-XXXXX
"""


class PapersLike(Protocol):
    """What came by post; see count.Papers."""

    @property
    def locked(self) -> int:
        """Locks by post."""

    @property
    def rejected(self) -> int:
        """Of these, rejected papers."""

    @property
    def set_aside(self) -> int:
        """Papers left unopened."""

    @property
    def counted(self) -> tuple[int, ...]:
        """Votes on paper, in the paper's order."""

    @property
    def justification(self) -> str | None:
        """Why scans and count differ, when they do."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What is published."""

    poll: Poll
    members: int
    private_key: bytes
    chain: Sequence[Entry]
    heads: Sequence[tuple[int, bytes, bytes, datetime]]
    box: Sequence[bytes]
    receipts: Sequence[str]
    online: tuple[int, ...]
    papers: PapersLike
    result: dict[str, Any]


def write_bundle(out: Path, bundle: Bundle, secrets: Secrets) -> None:
    """Write every file beside `out` and give the folder its name at the end: there is a whole bundle or none."""
    part = out.with_name(out.name + ".part")
    if part.exists():
        shutil.rmtree(part)
    part.mkdir(parents=True)
    contents = _contents(bundle)
    hashed = [f"{name}:{form.line_hash(line)}" for name in form.CONTENT for line in contents[name].split(b"\n")]
    contents[form.LINES] = ("\n".join(hashed) + "\n").encode()
    files = {name: form.sha256(contents[name]) for name in (*form.CONTENT, form.LINES)}
    manifest = {"format": form.FORMAT, "poll": bundle.poll.id, "files": files}
    contents[form.MANIFEST] = _json(manifest)
    signature = SigningKey(secrets.signing_key).sign(contents[form.MANIFEST]).signature
    contents[form.SIGNATURE] = signature.hex().encode() + b"\n"
    for name, content in contents.items():
        with (part / name).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    if out.exists():
        out.rmdir()
    part.rename(out)


def _contents(bundle: Bundle) -> dict[str, bytes]:
    openings = sorted(option for option, votes in enumerate(bundle.online) for _ in range(votes))
    return {
        form.POLL: _json(_poll(bundle)),
        form.KEY: _json({"election_private_key": bundle.private_key.hex()}),
        form.CHAIN: _lines(form.canonical(_entry(entry)).decode() for entry in bundle.chain),
        form.HEADS: _lines(
            form.canonical({"seq": seq, "hash": digest.hex(), "signature": signature.hex(), "at": _micros(at)}).decode()
            for seq, digest, signature, at in bundle.heads
        ),
        form.BOX: _lines(sorted(sealed.hex() for sealed in bundle.box)),
        form.RECEIPTS: _lines(sorted(bundle.receipts)),
        form.OPENINGS: _lines(str(option) for option in openings),
        form.POSTAL: _json(
            {
                "papers": bundle.papers.locked,
                "rejected": bundle.papers.rejected,
                "set_aside": bundle.papers.set_aside,
                "votes": list(bundle.papers.counted),
                "justification": bundle.papers.justification,
            }
        ),
        form.RESULT: _json(bundle.result),
        form.PAGE: page(bundle.poll, bundle.result, bundle.papers.justification).encode(),
        form.README: README.encode(),
    }


def _poll(bundle: Bundle) -> dict[str, Any]:
    poll = bundle.poll
    return {
        "id": poll.id,
        "title": poll.title,
        "question": poll.question,
        "options": list(poll.options),
        "opens_at": poll.opens_at.isoformat(),
        "closes_at": poll.closes_at.isoformat(),
        "roll": bundle.members,
        "eligible": bundle.result["eligible"],
        "election_key": (poll.election_key or b"").hex(),
        "trustees": poll.trustees,
        "threshold": poll.threshold,
        "share_digests": list(poll.share_digests),
        "signing_key": poll.signing_key.hex(),
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "seq": entry.seq,
        "at": _micros(entry.at),
        "actor": entry.actor,
        "kind": entry.kind,
        "body": entry.body,
        "hash": entry.hash.hex(),
    }


def _micros(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def _lines(lines: Any) -> bytes:  # noqa: ANN401 - any iterable of str
    return "".join(f"{line}\n" for line in lines).encode()
