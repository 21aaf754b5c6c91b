"""The service's HTTP server: webhooks, health and the console on one address."""

import asyncio
import errno
import socket
from collections.abc import Sequence
from typing import Final

import structlog
import uvicorn
from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from bot.edge.slow_clients import Impatient
from voting.refusals import StaffRefusal

BACKLOG: Final = 512
KEEP_ALIVE_SECONDS: Final = 10
HEADERS_MAX_BYTES: Final = 16 * 1024
SHUTDOWN_SECONDS: Final = 5
CONCURRENT_MAX: Final = 1_000  # beyond this uvicorn answers 503 and the provider comes again

log = structlog.get_logger()


class PortTaken(StaffRefusal):
    """The address {listen} is in use already; set BALLOTLINE_LISTEN to another one."""


class AddressWrong(StaffRefusal):
    """The service cannot listen on {listen}: {problem}."""


def bind(host: str, port: int) -> socket.socket:
    """Take the address before anything else starts; PortTaken, AddressWrong."""
    listen = f"{host}:{port}"
    try:
        taken = socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=BACKLOG
        )
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            raise PortTaken(listen=listen) from None
        raise AddressWrong(listen=listen, problem=problem.strerror or str(problem)) from None
    # Connections inherit it. asyncio sets it only on sockets that name their protocol, which these do not; without it
    # an answer's body waits 40 ms for the client to acknowledge its headers.
    taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return taken


async def _database_is_away(_request: Request, problem: Exception) -> Response:
    """Tell whoever asked to come again: monitoring, a provider, the voting page, which does so by itself."""
    log.warning("the database did not answer a request", kind=type(problem).__name__)
    return PlainTextResponse("come again", status_code=503, headers={"Retry-After": "5"})


class Server(uvicorn.Server):
    """uvicorn inside our own event loop: signals are the service's business."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        app = Starlette(
            routes=list(routes), exception_handlers={DBAPIError: _database_is_away, OSError: _database_is_away}
        )
        app.state.ending = self.ending = asyncio.Event()  # a stream that has no end of its own ends when this is set
        config = uvicorn.Config(
            app,
            http=Impatient,
            log_config=None,
            access_log=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            h11_max_incomplete_event_size=HEADERS_MAX_BYTES,
            limit_concurrency=CONCURRENT_MAX,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            server_header=False,
            proxy_headers=False,  # whom we believe about a client's address is our setting
            lifespan="off",
            ws="none",
        )
        super().__init__(config)

    async def run_on(self, taken: socket.socket) -> None:
        """Serve until cancelled, then let answers under way finish."""
        config = self.config
        config.load()
        self.lifespan = config.lifespan_class(config)
        serving = asyncio.create_task(self._serve([taken]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            self.ending.set()
            self.should_exit = True
            await serving
            raise
