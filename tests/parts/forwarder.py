"""The way to a server, which a test can cut, freeze or lay anew while the server runs on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

CHUNK_BYTES = 65_536


class Forwarder:
    """Listens on `port` and passes everything on to `to`, a port of this machine, and back."""

    def __init__(self, to: int) -> None:
        self.to = to
        self.port = 0
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.opens()
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.cuts()

    async def opens(self) -> None:
        """Take connections, at the same port as before."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cuts(self) -> None:
        """End every connection and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        lines = set(self._lines)
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)

    def freezes(self) -> None:
        """Pass nothing on, and end nothing."""
        self._flows.clear()

    def thaws(self) -> None:
        """Pass on what waits, and what comes."""
        self._flows.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.current_task()
        assert line is not None
        self._lines.add(line)
        try:
            async with _opened(self.to) as (back, forth), asyncio.TaskGroup() as group:
                group.create_task(self._pass(reader, forth))
                group.create_task(self._pass(back, writer))
        except* (OSError, asyncio.CancelledError):
            pass  # either side is gone, or the test cuts
        finally:
            self._lines.discard(line)
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK_BYTES):
            await self._flows.wait()
            writer.write(data)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def _opened(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
