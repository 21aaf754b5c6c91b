"""How we speak HTTP to Twilio: its client's transport, on aiohttp, with a timeout that holds and nothing in the logs.

Twilio's own async transport ignores its timeout, hangs for ever on a silent server, and logs addresses at INFO. Only
a body of Twilio's shape is believed: a message, a list of them, or `code` and `message`
(https://www.twilio.com/docs/usage/twilios-response).
"""

import json
import logging
from typing import Any, Final

import aiohttp
from twilio.base.exceptions import TwilioException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response

from messages.channels import bad_answers

REQUEST_TIMEOUT_SECONDS: Final = 15.0
CONNECT_TIMEOUT_SECONDS: Final = 5.0  # waiting for a free connection included
CONNECTIONS_MAX: Final = 32
KEEPALIVE_SECONDS: Final = 10.0

_OK: Final = range(200, 300)
_REFUSED: Final = range(400, 500)
_TEXTS: Final = ("sid", "status", "to", "body")  # of a message: what is read of it

# Not in the tree of loggers: nobody can turn it on by accident.
_SILENT: Final = logging.Logger("silent", level=logging.CRITICAL + 1)  # noqa: LOG001 - as said above


class NotTwilio(TwilioException):  # type: ignore[misc]  # twilio has no annotations
    """An answer that Twilio did not give. `passed_on`: the request may have reached Twilio all the same."""

    def __init__(self, status: int) -> None:
        super().__init__(f"not Twilio's answer ({status})")
        self.passed_on = status not in _REFUSED


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
        """Make one request, never again by itself; NotTwilio."""
        sent = dict(headers or {})
        if auth is not None:
            sent["Authorization"] = aiohttp.encode_basic_auth(*auth)
        async with self._opened().request(
            method.upper(), uri, params=_plain(params), data=_plain(data), headers=sent, allow_redirects=allow_redirects
        ) as response:
            text = await response.text(errors="replace")
        if not _is_twilios(response.status, text, data):
            bad_answers.note("twilio", "create" if data else "look_up")
            raise NotTwilio(response.status)
        return Response(response.status, text, response.headers)

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


def _is_twilios(status: int, text: str, sent: dict[str, object] | None) -> bool:
    """Tell whether an answer has Twilio's shape; a message made for somebody else answers another request."""
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return False
    if not isinstance(answer, dict):
        return False
    if status not in _OK:
        return isinstance(answer.get("code"), int) and isinstance(answer.get("message", answer.get("title")), str)
    if "messages" in answer:
        listed = answer["messages"]
        return isinstance(listed, list) and all(_is_message(one) for one in listed)
    return _is_message(answer) and (sent is None or answer["to"] == sent.get("To"))


def _is_message(answer: Any) -> bool:  # noqa: ANN401 - whatever JSON can hold
    return (
        isinstance(answer, dict)
        and all(isinstance(answer.get(name), str) for name in _TEXTS)
        and isinstance(answer.get("date_created"), str)
        and isinstance(answer.get("error_code"), int | None)
    )
