"""Things that wait at the same moment are decided together, in one transaction, and each is answered after it.

One task works while others queue up behind it, so a quiet hour pays no waiting and a rush pays one transaction for
hundreds. See FACTS of any database: what costs is the commit, not the row.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

import structlog

from voting.refusals import Fault

TOGETHER_MAX: Final = 512  # in one transaction
WAITING_MAX: Final = 20_000  # more are told to come again

Ask = TypeVar("Ask")
Answer = TypeVar("Answer")

log = structlog.get_logger()


class TooMany(Fault):
    """More is waiting than this process holds; the same can be asked again."""


class Together(Generic[Ask, Answer]):
    """Gathers asks and has `decide` answer a list of them: an answer or an exception for each, in their order.

    `decide` returns after commit. When it raises, those who asked get a Fault and the next are taken. Without a
    `start`, work is begun by the first ask and ends when nobody waits: there is nothing to stop.
    """

    def __init__(
        self,
        name: str,
        decide: Callable[[Sequence[Ask]], Awaitable[Sequence[Answer | Exception]]],
        *,
        together_max: int = TOGETHER_MAX,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self._name, self._decide = name, decide
        self._together_max, self._waiting_max = together_max, waiting_max
        self._waiting: list[tuple[Ask, asyncio.Future[Answer]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, ask: Ask) -> Answer:
        """Give the answer, or raise what `decide` answered with; TooMany, Fault."""
        if len(self._waiting) >= self._waiting_max:
            raise TooMany(f"too many wait for {self._name}")
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((ask, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._work(), name=self._name)
        return await answer

    async def finish(self) -> None:
        """Wait until nobody waits any more."""
        while self._task is not None:
            await asyncio.shield(self._task)

    async def _work(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(0)  # those who are ready to ask join in
                batch = self._waiting[: self._together_max]
                del self._waiting[: self._together_max]
                await self._answer(batch)
        finally:
            self._task = None

    async def _answer(self, batch: Sequence[tuple[Ask, asyncio.Future[Answer]]]) -> None:
        answers: Sequence[Answer | Exception]
        try:
            answers = await self._decide([ask for ask, _ in batch])
        except Exception as problem:  # the outermost loop: these are told, the next are taken
            log.exception("could not be decided", what=self._name, waiting=len(batch))
            answers = [Fault(f"{self._name}: {type(problem).__name__}") for _ in batch]
        for (_, future), answer in zip(batch, answers, strict=True):
            if future.done():  # the asker went away; what was decided stands
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
