"""A worker of `verify` that is ended from outside, as by a kernel that is out of memory."""

import os
import signal

import pytest

from voting.verify.ballots import Checker


def kill_a_worker(checker: Checker) -> None:
    """End one that has begun, by its process id."""
    assert checker._pool is not None
    checker._pool.submit(int).result()
    worker = next(iter(checker._pool._processes.values()))
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()


def let_one_be_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the next check of even a few ballots begin workers, and lose one."""
    monkeypatch.setattr("voting.verify.checking.ALONE_BALLOTS", 0)
    monkeypatch.setattr("voting.verify.checking.cores", lambda: 2)
    enter = Checker.__enter__

    def enter_and_kill(checker: Checker) -> Checker:
        kill_a_worker(checker)
        return enter(checker)

    monkeypatch.setattr(Checker, "__enter__", enter_and_kill)
