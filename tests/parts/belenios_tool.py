"""Belenios's own tool as a second judge: an archive cut after its Setup event, and one ballot against it."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from voting.ballots.election import Election
from voting.ballots.group import Point, base_times, random_scalar, write_point
from voting.ballots.proofs import knowledge_prefix, prove_knowledge

TOOL = os.environ.get("BALLOTLINE_BELENIOS_TOOL") or shutil.which("belenios-tool")
needs_tool = pytest.mark.skipif(
    TOOL is None and os.environ.get("CI") != "true",
    reason="belenios-tool is neither on the PATH nor named by BALLOTLINE_BELENIOS_TOOL, so only we judge our ballots",
)


def v7_member(name: str, content: bytes) -> bytes:
    """One member of an archive whose time is 0."""
    return v7_member_at(name, content, 0)


def v7_member_at(name: str, content: bytes, seconds: int) -> bytes:
    """One member of the archive: a V7 header of 512 bytes and the content in full blocks."""
    fields = f"{name:\0<100}0000644\x000000000\x000000000\0{len(content):011o}\0{seconds:011o}\0".encode()
    header = (fields + b" " * 8 + b"0").ljust(512, b"\0")
    header = header[:148] + f"{sum(header):06o}\0 ".encode() + header[156:]
    return header + content + bytes(-len(content) % 512)


def set_up(folder: Path, election: Election, secret: int, credentials: Sequence[Point]) -> None:
    """Write the archive of an election whose one trustee has `secret`, as far as its Setup event."""
    public = write_point(base_times(secret))
    pok = prove_knowledge(secret, knowledge_prefix("pok", "Ed25519", public), random_scalar())
    trustees = _json([["Single", {"pok": {name: str(n) for name, n in pok._asdict().items()}, "public_key": public}]])
    parts = [election.written, trustees, _json(sorted(map(write_point, credentials)))]
    names = ("election", "trustees", "credentials")
    setup = _json({name: _sha256(part) for name, part in zip(names, parts, strict=True)})
    event = _json({"height": 0, "type": "Setup", "payload": _sha256(setup)})
    members = [("BELENIOS", b'{"version":1,"timestamp":"0"}')]
    members += [(f"{_sha256(part)}.data.json", part) for part in (*parts, setup)]
    members += [(f"{_sha256(event)}.event.json", event)]
    (folder / f"{election.uuid}.bel").write_bytes(b"".join(v7_member(*member) for member in members))


def accepts(folder: Path, ballot: bytes) -> bool:
    """Whether belenios-tool finds the ballot good."""
    file = folder / "ballot.json"
    file.write_bytes(ballot)
    command = [str(TOOL), "election", "verify-ballot", "--dir", str(folder), "--ballot", str(file)]
    return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
