"""Changing a bundle as somebody would who has the signing key: everything that is derived is derived anew."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey
from prepared import SECRETS

from voting.count.bundle import Head, _write_lines, _write_manifest
from voting.verify import format as form

KEY = SigningKey(SECRETS.signing_key)


def seal_again(folder: Path) -> None:
    """Make lines.txt, the manifest and its signature fit the files as they are now."""
    head = json.loads((folder / form.HEADS).read_bytes().splitlines()[-1])
    _write_lines(folder)
    _write_manifest(
        folder, json.loads((folder / form.POLL).read_bytes())["id"], Head(head["seq"], head["hash"]), SECRETS
    )


def change(folder: Path, name: str, act: Callable[[bytes], bytes]) -> None:
    """Rewrite one file and sign everything again."""
    (folder / name).write_bytes(act((folder / name).read_bytes()))
    seal_again(folder)


def change_json(folder: Path, name: str, act: Callable[[dict[str, Any]], None]) -> None:
    """Rewrite one JSON file and sign everything again."""

    def rewrite(content: bytes) -> bytes:
        value = json.loads(content)
        act(value)
        return form.readable(value)

    change(folder, name, rewrite)


def change_lines(folder: Path, name: str, act: Callable[[list[bytes]], None]) -> None:
    """Rewrite a file's lines and sign everything again."""

    def rewrite(content: bytes) -> bytes:
        lines = content.splitlines(keepends=True)
        act(lines)
        return b"".join(lines)

    change(folder, name, rewrite)


def change_chain(folder: Path, act: Callable[[list[dict[str, Any]]], None]) -> None:
    """Rewrite the chain, link it anew, sign its new end as the only head, and sign everything again."""
    entries = [json.loads(line) for line in (folder / form.CHAIN).read_bytes().splitlines()]
    act(entries)
    previous, uuid = form.GENESIS, ""
    for seq, entry in enumerate(entries, start=1):
        entry["seq"] = seq
        digest = form.entry_hash({name: entry[name] for name in ("seq", "at", "actor", "kind", "body")}, previous)
        if entry["kind"] in form.POLL_SET:
            uuid = entry["body"].get("uuid", uuid)
        signature = KEY.sign(form.entry_message(uuid, seq, previous, digest)).signature
        entry |= {"hash": digest.hex(), "signature": signature.hex()}
        previous = digest
    (folder / form.CHAIN).write_bytes(b"".join(form.canonical(entry) + b"\n" for entry in entries))
    write_heads(folder, {len(entries): previous.hex()})


def write_heads(folder: Path, heads: dict[int, str]) -> None:
    """Sign these heads and no others, and everything again."""
    lines = []
    for seq, digest in heads.items():
        signature = KEY.sign(form.head_message(seq, bytes.fromhex(digest))).signature.hex()
        lines.append(form.canonical({"seq": seq, "hash": digest, "signature": signature}) + b"\n")
    (folder / form.HEADS).write_bytes(b"".join(lines))
    seal_again(folder)


def entry_of(entries: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Give the last entry of a kind."""
    return next(entry for entry in reversed(entries) if entry["kind"] == kind)
