"""A Bot API that answers at once, a process of its own: `python telegram_stub.py [LIMIT]` prints its port.

It parses no more of a request than it must, so that it is never what is measured. It notes when each message came,
and with a limit answers 429 to what exceeds it within a second. GET gives what it saw as JSON and forgets it.
"""

import asyncio
import json
import math
import sys
import time
from collections import deque
from typing import Final

TOLERANCE: Final = 1.05  # of the limit in any second: the network's jitter is nobody's fault
_SENT: Final = (
    b'{"ok": true, "result": {"message_id": 1, "date": 1, "text": "x",'
    b' "chat": {"id": %b, "type": "private", "first_name": "A"}}}'
)
_CHAT: Final = b'"chat_id": "'  # as our transport writes it; whoever writes otherwise does not mind which chat it is
_ME: Final = json.dumps({"ok": True, "result": {"id": 1, "is_bot": True, "first_name": "B", "username": "b"}}).encode()
_TOO_MANY: Final = json.dumps(
    {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 1",
        "parameters": {"retry_after": 1},
    }
).encode()


class Seen:
    """What came, of all connections."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.accepted: list[float] = []
        self.refused = 0
        self.recent: deque[float] = deque()

    def answer(self, body: bytes) -> bytes:
        """Take one message or refuse it."""
        now = time.monotonic()
        while self.recent and self.recent[0] <= now - 1:
            self.recent.popleft()
        if len(self.recent) >= self.limit * TOLERANCE:
            self.refused += 1
            return _http(b"429 Too Many Requests", _TOO_MANY)
        self.recent.append(now)
        self.accepted.append(now)
        begin = body.find(_CHAT) + len(_CHAT)
        chat = body[begin : body.index(b'"', begin)] if begin >= len(_CHAT) else b"1"
        return _http(b"200 OK", _SENT % chat)

    def report(self) -> bytes:
        """Give what came since the last report."""
        report = json.dumps({"accepted": self.accepted, "refused": self.refused}).encode()
        self.accepted, self.refused = [], 0
        self.recent.clear()
        return _http(b"200 OK", report)


class Connection(asyncio.Protocol):
    """One kept-alive connection of HTTP/1.1."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            begin = head.find(b"content-length:")
            length = int(head[begin + 15 :].split(b"\r\n", 1)[0]) if begin >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            body, self._buffer = self._buffer[end + 4 : end + 4 + length], self._buffer[end + 4 + length :]
            self._transport.write(self._answer(head.split(b"\r\n", 1)[0], body))

    def _answer(self, asked: bytes, body: bytes) -> bytes:
        if asked.startswith(b"get "):
            return self._seen.report()
        return _http(b"200 OK", _ME) if b"/getme" in asked else self._seen.answer(body)


def _http(status: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % (status, len(body)) + body


async def main(limit: float) -> None:
    """Answer until the process is ended."""
    seen = Seen(limit)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(seen), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else math.inf))
