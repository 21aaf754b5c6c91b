"""How we speak HTTP to Twilio: its client's transport, on aiohttp, with a timeout that holds and nothing in the logs.

Twilio's own async transport ignores its timeout, hangs for ever on a silent server, and logs addresses at INFO.
"""

import logging
from typing import Any, Final

import aiohttp
from twilio.http import AsyncHttpClient
from twilio.http.response import Response

REQUEST_TIMEOUT_SECONDS: Final = 15.0
CONNECT_TIMEOUT_SECONDS: Final = 5.0  # waiting for a free connection included
CONNECTIONS_MAX: Final = 32
KEEPALIVE_SECONDS: Final = 10.0

# Not in the tree of loggers: nobody can turn it on by accident.
_SILENT: Final = logging.Logger("silent", level=logging.CRITICAL + 1)  # noqa: LOG001 - as said above


class TwilioRequest(AsyncHttpClient):  # type: ignore[misc]  # twilio has no annotations
    """A transport for `twilio.rest.Client`. aiohttp's exceptions pass through: they tell what may have been sent."""

    def __init__(self, timeout_seconds: float = REQUEST_TIMEOUT_SECONDS) -> None:
        super().__init__(_SILENT, is_async=True, timeout=timeout_seconds)
        self._limits = aiohttp.ClientTimeout(
            total=timeout_seconds, connect=min(timeout_seconds, CONNECT_TIMEOUT_SECONDS)
        )
        self._session: aiohttp.ClientSession | None = None

    async def request(  # noqa: PLR0917 - AsyncHttpClient's signature
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - the client's signature; the session's limits hold
        allow_redirects: bool = False,  # noqa: FBT001, FBT002 - as above
    ) -> Response:
        """Make one request, never again by itself."""
        sent = dict(headers or {})
        if auth is not None:
            sent["Authorization"] = aiohttp.encode_basic_auth(*auth)
        async with self._opened().request(
            method.upper(), uri, params=_plain(params), data=_plain(data), headers=sent, allow_redirects=allow_redirects
        ) as response:
            return Response(response.status, await response.text(), response.headers)

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(limit=CONNECTIONS_MAX, keepalive_timeout=KEEPALIVE_SECONDS)
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=self._limits
            )
        return self._session


def _plain(fields: dict[str, object] | None) -> dict[str, Any] | None:
    """Leave out what was not set; numbers as text."""
    if fields is None:
        return None
    return {name: str(value) for name, value in fields.items() if value is not None}
