"""Every ballot of the archive, on all cores: proofs and signature, and the sums that together they make.

The archive is read by one process, in order; batches go to workers, a few at a time, so that memory stays small
whatever the archive holds. What they find is taken in order again: the first ballot that is wrong is named.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import SpawnContext, SpawnProcess
from multiprocessing.process import BaseProcess
from typing import Any, Final, NamedTuple, Self

from voting.ballots.ballot import Ciphertext, read_ballot
from voting.ballots.check import check
from voting.ballots.election import Election, read_election
from voting.ballots.group import IDENTITY, plus, write_point
from voting.ballots.refusals import BallotRefusal

BATCH_BALLOTS: Final = 64
BATCH_BYTES: Final = 512 * 1024
BATCHES_WAITING: Final = 4  # for each worker
ALONE_BALLOTS: Final = 256  # up to as many, workers would take longer to start than to check

_ELECTION: list[Election] = []  # a worker's own


class WorkerEnded(Exception):  # noqa: N818 - a fact, as the refusals are named
    """A process that checked ballots was ended from outside; nothing is known of the bundle, check it again."""

    def __init__(self) -> None:
        super().__init__(type(self).__doc__)


Sums = list[Ciphertext]  # of all questions, one after another


class Cast(NamedTuple):
    """A ballot as it stands in the archive: its JSON, its SHA-256, where it is, and the entry that names it."""

    raw: bytes
    digest: str
    place: str
    at: int
    seq: int


class Batch(NamedTuple):
    """What a worker finds: for each ballot its credential's 32 bytes as written, or what is wrong; sums of the good."""

    credentials: list[bytes | str]
    sums: Sums


def no_sums(election: Election) -> Sums:
    """Give the sums of no ballots."""
    return [Ciphertext(IDENTITY, IDENTITY) for question in election.questions for _ in range(question.ciphertexts)]


def add(one: Sums, other: Iterable[Ciphertext]) -> Sums:
    """Add sums, place by place."""
    return [Ciphertext(plus(a.alpha, b.alpha), plus(a.beta, b.beta)) for a, b in zip(one, other, strict=True)]


def check_batch(ballots: Sequence[bytes], election: Election) -> Batch:
    """Check the JSON of some ballots."""
    credentials: list[bytes | str] = []
    sums = no_sums(election)
    for raw in ballots:
        try:
            ballot = check(read_ballot(raw), election)
        except BallotRefusal as refusal:
            credentials.append(str(refusal))
        else:
            credentials.append(bytes.fromhex(write_point(ballot.credential)))
            sums = add(sums, (choice for answer in ballot.answers for choice in answer.choices))
    return Batch(credentials, sums)


def begin_worker(written: bytes) -> None:
    """Read the election once in each worker."""
    _ELECTION[:] = [read_election(written)]


def check_in_worker(ballots: Sequence[bytes]) -> Batch:
    """Check some ballots in a worker."""
    return check_batch(ballots, _ELECTION[0])


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Spawning(SpawnContext):
    """Starts processes anew, and remembers them."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[BaseProcess] = []

    def Process(self, *given: Any, **named: Any) -> SpawnProcess:  # type: ignore[override]  # noqa: ANN401, N802
        """Make a process."""
        process = SpawnProcess(*given, **named)
        self.made.append(process)
        return process


class Checker:
    """Checks batches, in workers or, for few ballots or one worker, in this process; gives them back in order."""

    def __init__(self, election: Election, workers: int) -> None:
        self._election = election
        self._most = max(1, workers) * BATCHES_WAITING
        self._spawning = _Spawning()
        self._pool = (
            ProcessPoolExecutor(workers, self._spawning, initializer=begin_worker, initargs=(election.written,))
            if workers > 1
            else None
        )

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the workers."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def check(self, batches: Iterable[list[Cast]]) -> Iterator[tuple[list[Cast], Batch]]:
        """Check batches as they are read; WorkerEnded."""
        try:
            yield from self._checked(batches)
        except BrokenProcessPool as broken:
            for process in self._spawning.made:  # the pool ends them, but may miss one that began at that moment
                process.kill()
            raise WorkerEnded from broken

    def _checked(self, batches: Iterable[list[Cast]]) -> Iterator[tuple[list[Cast], Batch]]:
        waiting: deque[tuple[list[Cast], Future[Batch]]] = deque()
        for batch in batches:
            ballots = [cast.raw for cast in batch]
            if self._pool is None:
                yield batch, check_batch(ballots, self._election)
                continue
            waiting.append((batch, _submitted(self._pool, ballots)))
            if len(waiting) >= self._most:
                yield _first(waiting)
        while waiting:
            yield _first(waiting)


def _submitted(pool: ProcessPoolExecutor, ballots: list[bytes]) -> Future[Batch]:
    """Give a batch to a worker; BrokenProcessPool.

    A worker that the pool begins while it breaks finds its pipes closed. The pool knows by then, and says so when it is
    asked again; any other trouble comes again too.
    """
    try:
        return pool.submit(check_in_worker, ballots)
    except OSError:
        return pool.submit(check_in_worker, ballots)


def _first(waiting: deque[tuple[list[Cast], Future[Batch]]]) -> tuple[list[Cast], Batch]:
    batch, future = waiting.popleft()
    return batch, future.result()
