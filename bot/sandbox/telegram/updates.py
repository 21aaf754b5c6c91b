"""What happened and the bot has not taken yet: by getUpdates, or handed to its webhook.

One sequence of update ids. Order holds only within a queue: a chat's messages are one,
a person's presses another, so that a text and a press can arrive together.
"""

import time
from collections import deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from bot.sandbox.bell import Bell
from bot.sandbox.telegram.errors import ApiError
from bot.sandbox.telegram.model import Json

FIRST_UPDATE_ID = 815_000_001
UPDATE_LIFETIME_SECONDS = 24 * 60 * 60  # Bot API, "Getting updates"
PRESS_LIFETIME_SECONDS = 150.0  # the server forgets a callback query then
LOG_KEPT_MAX = 1000
# Bot API, getUpdates: everything but these comes when allowed_updates is empty.
NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


@dataclass(slots=True, kw_only=True)
class Update:
    """One update; `kind` is the name of its payload's field, `queue` what it keeps its order in."""

    id: int
    kind: str
    queue: Hashable
    body: Json
    made_at: float = field(default_factory=time.monotonic)


class Updates:
    """The queue a bot is fed from. Both ways of feeding read `pending`."""

    def __init__(self, *, keep_log: bool) -> None:
        self.log: deque[Json] = deque(maxlen=None if keep_log else LOG_KEPT_MAX)
        self.allowed: list[str] = []
        self.pending: dict[int, Update] = {}
        self.arrived = Bell()
        self.press_lifetime_seconds = PRESS_LIFETIME_SECONDS
        self._next_id = FIRST_UPDATE_ID
        self._past: dict[int, Update] = {}
        self._again: list[Update] = []
        self._polls = 0

    def make(self, kind: str, payload: Json, queue: Hashable) -> Json:
        """Give the next update id to something that happened and queue it; return the update."""
        update = Update(id=self._next_id, kind=kind, queue=queue, body={"update_id": self._next_id, kind: payload})
        self._next_id += 1
        self.log.append(update.body)
        self._past[update.id] = update
        if len(self._past) > LOG_KEPT_MAX and self.log.maxlen is not None:
            del self._past[next(iter(self._past))]
        if self._wanted(kind):
            self.pending[update.id] = update
            self.arrived.ring()
        return update.body

    def redeliver(self, update_id: int) -> None:
        """Hand the same update, with the same id, to the bot once more."""
        update = self._past[update_id]
        self._again.append(update)
        self.arrived.ring()

    def take_again(self) -> list[Update]:
        """Return what is to be handed over once more, once."""
        again, self._again = self._again, []
        return again

    def settle(self, update_id: int) -> None:
        """Strike off what the bot has."""
        self.pending.pop(update_id, None)

    def forget(self) -> None:
        """Drop what waits (drop_pending_updates)."""
        self.pending.clear()
        self._again.clear()

    def expired(self, update: Update) -> bool:
        """Tell whether the server has given up on an update."""
        is_press = update.kind == "callback_query"
        lifetime = self.press_lifetime_seconds if is_press else UPDATE_LIFETIME_SECONDS
        return time.monotonic() - update.made_at > lifetime

    async def poll(self, *, offset: int, limit: int, timeout_seconds: float) -> list[Json]:
        """Answer getUpdates: confirm below `offset`, then wait for something to hand over.

        Raises ApiError 409 when another getUpdates began meanwhile.
        """
        self._polls += 1
        mine = self._polls
        self.arrived.ring()
        self._confirm(offset)

        def found() -> list[Json] | None:
            if self._polls != mine:
                raise ApiError(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
                )
            return self._ready(limit) or None

        return await self.arrived.until(found, timeout_seconds) or []

    def interrupt(self) -> None:
        """End a waiting poll: a webhook was set, or the server closes."""
        self._polls += 1
        self.arrived.ring()

    def _ready(self, limit: int) -> list[Json]:
        for stale in [update.id for update in self.pending.values() if self.expired(update)]:
            self.settle(stale)
        again = [update.body for update in self.take_again()]
        waiting = [update.body for _, update in zip(range(limit), self.pending.values(), strict=False)]
        return again + waiting

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            self._settle_all(list(self.pending)[:offset])
        else:
            self._settle_all([update_id for update_id in self.pending if update_id < offset])

    def _settle_all(self, update_ids: Iterable[int]) -> None:
        for update_id in update_ids:
            self.settle(update_id)

    def _wanted(self, kind: str) -> bool:
        return kind in self.allowed if self.allowed else kind not in NOT_BY_DEFAULT
