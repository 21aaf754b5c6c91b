"""Hands updates to the bot's webhook as Telegram does.

Each queue in order, queues side by side; anything but a 2xx is offered again at once, then
after 2, 4, 8 ... seconds, and blocks its queue meanwhile.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.sandbox.chores import Chores
from bot.sandbox.telegram.updates import Update, Updates

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name
ANSWER_TIMEOUT = ClientTimeout(total=60)
FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = (60.0, 120.0)
CONNECTIONS_DEFAULT = 40
SUCCESS = 2  # hundreds


@dataclass(slots=True)
class Webhook:
    """What setWebhook said. `address` is where `url` really is; None when unreachable."""

    url: str
    address: str | None
    secret: str | None = None
    connections_max: int = CONNECTIONS_DEFAULT
    last_error: str | None = None
    last_error_at: int | None = None


class WebhookFeed:
    """Feeds one webhook until closed."""

    def __init__(
        self,
        webhook: Webhook,
        updates: Updates,
        *,
        session: ClientSession,
        chores: Chores,
        retry_scale: Callable[[], float],
    ) -> None:
        self.webhook = webhook
        self._retry_scale = retry_scale
        self._updates = updates
        self._session = session
        self._chores = chores
        self._queues: dict[Hashable, deque[Update]] = {}
        self._places = asyncio.Semaphore(webhook.connections_max)
        self._tasks: set[asyncio.Task[None]] = set()
        self._seen = 0

    def start(self) -> None:
        """Begin with what already waits."""
        self._spawn(self._sort())

    def close(self) -> None:
        """Stop; what was not accepted stays pending."""
        for task in list(self._tasks):
            task.cancel()

    async def _sort(self) -> None:
        """Put new updates into their queues, for ever."""
        while True:
            fresh = await self._updates.arrived.until(lambda: self._fresh() or None, 3600) or []
            for update in fresh:
                if update.queue in self._queues:
                    self._queues[update.queue].append(update)
                else:
                    self._queues[update.queue] = deque([update])
                    self._spawn(self._empty(update.queue))

    def _fresh(self) -> list[Update]:
        waiting = reversed(self._updates.pending.values())
        new = list(takewhile(lambda update: update.id > self._seen, waiting))[::-1]
        if new:
            self._seen = new[-1].id
        return new + self._updates.take_again()

    async def _empty(self, key: Hashable) -> None:
        queue = self._queues[key]
        while queue:
            await self._hand_over(queue[0])
            self._updates.settle(queue.popleft().id)
        del self._queues[key]

    async def _hand_over(self, update: Update) -> None:
        pause = 0.0
        while not self._updates.expired(update):
            async with self._places:
                accepted = await self._post(update)
            if accepted:
                return
            await asyncio.sleep(pause * self._retry_scale())
            longest = random.uniform(*LONGEST_PAUSE_SECONDS)  # noqa: S311 - spreads retries, guards nothing
            pause = min(max(FIRST_PAUSE_SECONDS, pause * 2), longest)

    async def _post(self, update: Update) -> bool:
        if self.webhook.address is None:
            self._note("Connection refused: only addresses of this machine can be reached from the sandbox")
            return False
        headers = {SECRET_HEADER: self.webhook.secret} if self.webhook.secret else {}
        try:
            async with self._session.post(
                self.webhook.address,
                json=update.body,
                headers=headers,
                timeout=ANSWER_TIMEOUT,
                allow_redirects=False,
            ) as response:
                await response.read()
        except (ClientError, TimeoutError, OSError) as error:
            self._note(f"Connection failed: {type(error).__name__}")
            return False
        if response.status // 100 == SUCCESS:
            return True
        self._note(f"Wrong response from the webhook: {response.status} {response.reason}")
        return False

    def _note(self, error: str) -> None:
        self.webhook.last_error = error
        self.webhook.last_error_at = int(time.time())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._chores.start(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
