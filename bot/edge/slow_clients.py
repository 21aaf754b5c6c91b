"""How long the HTTP server waits for a client to say what it wants: uvicorn itself waits for ever.

uvicorn ends a connection that is silent after an answer. One that sends a byte now and then, before its request is
whole or after it was answered, would hold its place for good; a thousand of them would keep everybody else out.
"""

import asyncio
from enum import Enum
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


class Waiting(Enum):
    """What a client still owes us."""

    HEADERS = "headers"
    BODY = "body"  # the webhooks are stricter, see webhooks.BODY_SECONDS
    REST = "rest"  # of a body that was answered unread


SECONDS_MAX: Final = {Waiting.HEADERS: 10.0, Waiting.BODY: 300.0, Waiting.REST: 5.0}


class Impatient(H11Protocol):
    """A connection that ends when its client takes too long over a part of the request."""

    _waiting: Waiting | None = None
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait_for(Waiting.HEADERS)

    def data_received(self, data: bytes) -> None:
        """Take what came, and wait for what is missing."""
        super().data_received(data)
        self._wait_for(self._owed())

    def on_response_complete(self) -> None:
        """Wait for the rest of what was answered; between two requests uvicorn's own limit holds."""
        super().on_response_complete()
        owed = self._owed()
        self._wait_for(None if owed is Waiting.HEADERS else owed)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._wait_for(None)
        super().connection_lost(exc)

    def _owed(self) -> Waiting | None:
        if self.conn.their_state is h11.IDLE:
            return Waiting.HEADERS
        if self.conn.their_state is h11.SEND_BODY:
            return Waiting.REST if self.conn.our_state is h11.DONE else Waiting.BODY
        return None

    def _wait_for(self, waiting: Waiting | None) -> None:
        """Begin to count when something else is waited for than before: another byte of the same changes nothing."""
        if waiting is self._waiting:
            return
        if self._deadline is not None:
            self._deadline.cancel()
        self._waiting = waiting
        self._deadline = None if waiting is None else self.loop.call_later(SECONDS_MAX[waiting], self._cut_off)

    def _cut_off(self) -> None:
        self.transport.abort()
