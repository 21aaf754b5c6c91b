"""Counts that die by kill -9 in the middle of a step: counted again, everything is as if they had not."""

import asyncio
import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from counted_town import CountedTown, bytes_of, count_into, folders
from counting import share_files
from forked import Forked
from prepared import GWEN, NOW, SECRETS, chain_kinds

from voting import secrets_file
from voting.count.count import begin, finish
from voting.trustees.shares import read_share
from voting.verify.verify import verify

ROOT = Path(__file__).parents[3]
COUNT, BUNDLE, SETTLING = "voting.count.count", "voting.count.bundle", "voting.count.settling"


async def run(folder: Path, url: str, step: str, files: Sequence[Path], dies_in: Sequence[Any] = ()) -> int:
    """Run a step in a process of its own; give how it ended."""
    secrets = folder / "secrets"
    if not secrets.exists():
        secrets_file.save(secrets, SECRETS)
    told = {
        "database_url": url,
        "secrets": str(secrets),
        "step": step,
        "files": [str(file) for file in files],
        "out": str(folder / "out"),
        "now": NOW.isoformat(),
        "dies_in": list(dies_in),
    }
    (folder / "told.json").write_text(json.dumps(told), encoding="utf-8")
    words = (str(ROOT / "tests" / "parts" / "counting_process.py"), str(folder / "told.json"))
    child = Forked(*words, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)})
    return await asyncio.to_thread(child.wait)


@pytest.mark.crash
@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(
    "dies_in",
    [
        (COUNT, "write_tally", 1),  # the archive is there, nothing else
        (BUNDLE, "_write_lines", 1),  # half of the bundle
        (COUNT, "close_ballots", 2),  # in the transaction
        (SETTLING, "_commit_if_same", 1),  # committed; nothing decrypted
        (COUNT, "decrypt_all", 1),  # every share has remembered the tally
        (COUNT, "keep_result", 2),  # in the transaction
        (SETTLING, "_commit_if_same", 2),  # counted; the folder has no name
    ],
    ids=lambda words: f"{words[1]} {words[2]}",
)
async def test_a_count_that_was_killed_ends_the_same(
    closed: CountedTown, database_url: str, tmp_path: Path, dies_in: Sequence[Any]
) -> None:
    shares = share_files(closed, tmp_path / "shares")[:2]

    assert await run(tmp_path, database_url, "count", shares, dies_in) == -signal.SIGKILL
    assert not (tmp_path / "out").exists()
    assert await run(tmp_path, database_url, "count", shares) == 0

    assert verify(tmp_path / "out").problems == ()
    kinds = await chain_kinds(closed.database)
    assert [kinds.count(kind) for kind in ("ballots_closed", "counted")] == [1, 1]
    assert (await count_into(closed, tmp_path / "again", shares))["online"] == 12
    assert bytes_of(tmp_path / "again") == bytes_of(tmp_path / "out")
    assert folders(tmp_path) == ["again", "out", "shares"]


@pytest.mark.crash
@pytest.mark.parametrize(
    "dies_in",
    [(COUNT, "write_result", 1), (COUNT, "keep_result", 2), (SETTLING, "_commit_if_same", 1)],
    ids=lambda words: f"{words[1]} {words[2]}",
)
async def test_a_finish_that_was_killed_ends_the_same(
    closed: CountedTown, database_url: str, tmp_path: Path, dies_in: Sequence[Any]
) -> None:
    """Until then the folder is the one that the trustees were given."""
    await begin(closed.database, tmp_path / "out", secrets=SECRETS, by=GWEN)
    begun = bytes_of(tmp_path / "out")
    files = []
    for path in share_files(closed, tmp_path / "shares")[1:]:
        files.append(tmp_path / f"decryption-{path.name}")
        files[-1].write_bytes(closed.decryption(read_share(path), tmp_path / "out"))

    assert await run(tmp_path, database_url, "finish", files, dies_in) == -signal.SIGKILL
    assert bytes_of(tmp_path / "out") == begun
    assert await run(tmp_path, database_url, "finish", files) == 0

    assert verify(tmp_path / "out").problems == ()
    await finish(closed.database, files, tmp_path / "again", secrets=SECRETS, by=GWEN)
    assert bytes_of(tmp_path / "again") == bytes_of(tmp_path / "out")
