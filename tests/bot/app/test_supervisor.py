"""What the supervisor does when workers cannot begin, or all stop before the first one serves."""

import asyncio
import os
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from bot.app.supervisor import PAUSE_FIRST_SECONDS, PAUSE_MOST_SECONDS, Supervisor, pause_after

PATIENCE_SECONDS = 60.0
SERVES = "import os, signal, sys; os.write(int(sys.argv[5]), b'1'); signal.pause()"
NEVER_SERVES = "import signal; signal.pause()"


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken


async def test_all_stop_though_the_first_worker_never_served(listening: socket.socket) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(Supervisor(2, listening, [sys.executable, "-c", NEVER_SERVES]).run(stop))
    await asyncio.sleep(0)

    stop.set()

    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await running == 0


async def test_a_worker_that_cannot_be_started_is_tried_again(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, begun, failed = asyncio.create_subprocess_exec, asyncio.Event(), []

    async def begins(*words: str, **named: Any) -> asyncio.subprocess.Process:
        if words[3] == "2" and not failed:
            failed.append(words)
            raise BlockingIOError("no more processes")
        if words[3] == "2":
            begun.set()
        return await begin(*words, **named)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", begins)
    stop = asyncio.Event()
    running = asyncio.create_task(Supervisor(2, listening, [sys.executable, "-c", SERVES]).run(stop))

    async with asyncio.timeout(PATIENCE_SECONDS):
        await begun.wait()
        stop.set()
        assert await running == 0

    assert len(failed) == 1


async def test_a_first_worker_that_ends_before_it_serves_gives_its_code(listening: socket.socket) -> None:
    words = [sys.executable, "-c", f"import sys; sys.exit({os.EX_CONFIG})"]

    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await Supervisor(2, listening, words).run(asyncio.Event()) == os.EX_CONFIG


def test_one_of_four_that_is_killed_every_twenty_seconds_does_not_wait_longer_and_longer() -> None:
    """What ends again and again before it has done anything does."""
    assert pause_after(PAUSE_MOST_SECONDS, lasted_seconds=20) == PAUSE_FIRST_SECONDS
    assert pause_after(PAUSE_MOST_SECONDS, lasted_seconds=5) == PAUSE_MOST_SECONDS
