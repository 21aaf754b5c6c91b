"""Where a worker stands among others: what its supervisor tells it, and what it inherits."""

import asyncio
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """What a worker is told: its number from 1, how often that number was started, and what it inherits."""

    number: int
    starts: int
    listening: int  # the socket's descriptor
    lifeline: int  # at its end when the supervisor is gone
    ready: int  # where to say that it serves

    @property
    def words(self) -> list[str]:
        """Give it as arguments of a command."""
        return [str(one) for one in (self.number, self.starts, self.listening, self.lifeline, self.ready)]

    @classmethod
    def read(cls, words: Sequence[str]) -> "Place":
        """Read such arguments; ValueError, TypeError."""
        return cls(*(int(word) for word in words))

    @property
    def is_first(self) -> bool:
        """Whether it is the one that tells the provider where we are."""
        return self.number == 1

    def say_ready(self) -> None:
        """Tell the supervisor that this worker serves."""
        os.write(self.ready, b"1")
        os.close(self.ready)

    def listening_socket(self) -> socket.socket:
        """Take the socket that is inherited."""
        return socket.socket(fileno=self.listening)

    def watch(self, stop: asyncio.Event) -> None:
        """Set `stop` when the supervisor is gone; inside the event loop."""
        loop = asyncio.get_running_loop()

        def gone() -> None:
            loop.remove_reader(self.lifeline)
            stop.set()

        loop.add_reader(self.lifeline, gone)
