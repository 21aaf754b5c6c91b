"""The way into the inbox for webhooks: what arrives at the same moment is stored together, and answered after it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from bot.inbox.inbox import Envelope, Letter, store
from voting.store.database import Database
from voting.store.together import Together

TOGETHER_MAX: Final = 256  # letters in one transaction
WAITING_MAX: Final = 10_000  # letters to be stored; beyond this the provider is told to come again


class Arrivals:
    """Stores what webhooks hand over; letters that arrive together share one transaction, and then `wake` is called."""

    def __init__(
        self, database: Database, envelope: Envelope, *, wake: Callable[[], None], clock: Callable[[], datetime]
    ) -> None:
        self._database, self._envelope, self._wake, self._clock = database, envelope, wake, clock
        self._together: Together[Letter, None] = Together(
            "letters", self._store, together_max=TOGETHER_MAX, waiting_max=WAITING_MAX
        )

    async def put(self, letter: Letter) -> None:
        """Return once the letter is durable; a repetition counts as stored.

        TooMany, Fault: then the provider must not be told that it is.
        """
        await self._together.ask(letter)

    async def finish(self) -> None:
        """Wait until nothing waits to be stored."""
        await self._together.finish()

    async def _store(self, letters: Sequence[Letter]) -> list[None]:
        async with self._database.writing() as connection:
            await store(connection, self._envelope, letters, self._clock())
        self._wake()
        return [None for _ in letters]
