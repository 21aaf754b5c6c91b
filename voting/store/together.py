"""Things that wait at the same moment are decided together, in one transaction, and each is answered after it.

One task works while others queue up behind it, so a quiet hour pays no waiting and a rush pays one transaction for
hundreds. In any database the commit is what costs, not the row.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

import structlog

from voting.refusals import Fault

TOGETHER_MAX: Final = 512  # in one transaction
WAITING_MAX: Final = 20_000  # more get TooMany

Ask = TypeVar("Ask")
Answer = TypeVar("Answer")

_Waiting = tuple[Ask, asyncio.Future[Answer]]

log = structlog.get_logger()


class TooMany(Fault):
    """More is waiting than this process holds; the same can be asked again."""


class Together(Generic[Ask, Answer]):
    """Gathers requests and has `decide` answer a list of them: an answer or an exception for each, in their order.

    `decide` returns after commit. When it raises, those who asked get a Fault and the next are taken. Without a
    `start`, work is begun by the first ask and ends when nobody waits: there is nothing to stop. With `prepare`,
    requests are made ready together too, while `decide` works on those before them. With `turn`, which waits for
    what `decide` would have to wait for, those who come meanwhile are taken along.
    """

    def __init__(
        self,
        name: str,
        decide: Callable[[Sequence[Ask]], Awaitable[Sequence[Answer | Exception]]],
        *,
        prepare: Callable[[Sequence[Ask]], Awaitable[None]] | None = None,
        turn: Callable[[], Awaitable[None]] | None = None,
        together_max: int = TOGETHER_MAX,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self._name, self._decide, self._prepare, self._turn = name, decide, prepare, turn
        self._together_max, self._waiting_max = together_max, waiting_max
        self._arrived: list[_Waiting[Ask, Answer]] = []  # to be prepared
        self._waiting: list[_Waiting[Ask, Answer]] = []  # to be decided
        self._preparing: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None

    async def ask(self, ask: Ask) -> Answer:
        """Give the answer, or raise what `decide` answered with; TooMany, Fault."""
        if len(self._arrived) + len(self._waiting) >= self._waiting_max:
            raise TooMany(f"too many wait for {self._name}")
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if self._prepare is None:
            self._queue([(ask, answer)])
        else:
            self._arrived.append((ask, answer))
            if self._preparing is None:
                self._preparing = asyncio.create_task(self._make_ready(self._prepare), name=f"{self._name}, before")
        return await answer

    async def finish(self) -> None:
        """Wait until nobody waits any more."""
        while (task := self._preparing or self._task) is not None:
            await asyncio.shield(task)

    def _queue(self, ready: Sequence["_Waiting[Ask, Answer]"]) -> None:
        self._waiting += ready
        if self._task is None:
            self._task = asyncio.create_task(self._work(), name=self._name)

    async def _make_ready(self, prepare: Callable[[Sequence[Ask]], Awaitable[None]]) -> None:
        try:
            while self._arrived:
                await asyncio.sleep(0)  # those who are ready to ask join in
                batch = self._arrived[: self._together_max]
                del self._arrived[: self._together_max]
                try:
                    await prepare([ask for ask, _ in batch])
                except Exception as problem:  # noqa: BLE001 - an outermost loop: these are told, the next are taken
                    self._give(batch, self._all_failed(batch, problem))
                else:
                    self._queue(batch)
        finally:
            self._preparing = None

    async def _work(self) -> None:
        try:
            while self._waiting:
                if self._turn is not None:
                    await self._turn()
                await asyncio.sleep(0)  # those who are ready to ask join in
                batch = self._waiting[: self._together_max]
                del self._waiting[: self._together_max]
                await self._answer(batch)
        finally:
            self._task = None

    async def _answer(self, batch: Sequence["_Waiting[Ask, Answer]"]) -> None:
        try:
            answers = await self._decide([ask for ask, _ in batch])
        except Exception as problem:  # noqa: BLE001 - as above
            answers = self._all_failed(batch, problem)
        self._give(batch, answers)

    def _all_failed(self, batch: Sequence["_Waiting[Ask, Answer]"], problem: Exception) -> list[Answer | Exception]:
        log.error("what waited together could not be decided", what=self._name, waiting=len(batch), exc_info=problem)
        return [Fault(f"{self._name}: {type(problem).__name__}") for _ in batch]

    @staticmethod
    def _give(batch: Sequence["_Waiting[Ask, Answer]"], answers: Sequence[Answer | Exception]) -> None:
        for (_, future), answer in zip(batch, answers, strict=True):
            if future.done():  # the caller was cancelled; what was decided stands
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
