"""HTTP edges: Telegram's and Twilio's webhooks, and what a monitor asks.

An unsigned request is refused with 403 and nothing is stored. A signed one is stored, then acknowledged; what it means
is decided after the inbox. Twilio signs the public URL (https://www.twilio.com/docs/usage/security), so the URL is
built from our setting, never from a Host or X-Forwarded header that the sender chooses.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.datastructures import ImmutableMultiDict
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from twilio.request_validator import RequestValidator

from bot.edge import letters
from bot.edge.gauges import exposition, gauge
from bot.edge.hearing import Hearing
from bot.inbox.arrivals import Arrivals
from bot.inbox.inbox import Letter, backlog
from messages.postman.line_rest import LONG_WAIT_SECONDS
from voting.store.database import Database
from voting.store.together import TooMany

BODY_MAX_BYTES: Final = 1024 * 1024
BODY_SECONDS: Final = 10.0
LAG_MAX: Final = timedelta(seconds=60)  # older than this and /readyz says no
TELEGRAM_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"
INBOX_WAITING: Final = gauge("ballotline_inbox_waiting", "What providers handed over and nobody has handled yet.")
INBOX_LAG_SECONDS: Final = gauge("ballotline_inbox_lag_seconds", "How long the oldest of it has waited.")
SILENCE_SECONDS: Final = gauge("ballotline_telegram_silence_seconds", "Since Telegram last answered as it should.")
NOT_HEARD: Final = gauge("ballotline_telegram_not_heard", "1 while updates do not come: /readyz has the reason.")
WAIT_SECONDS: Final = gauge("ballotline_provider_wait_seconds", "For how long a provider wants quiet.", ["provider"])
TWIML: Final = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'


class BodyTooLarge(Exception):  # noqa: N818 - a fact about a request
    """The request's body is over BODY_MAX_BYTES."""


REFUSED: Final[dict[type[Exception], tuple[int, str]]] = {
    BodyTooLarge: (413, "too large"),
    TimeoutError: (408, "too slow"),
    ClientDisconnect: (400, "gone"),
    TooMany: (503, "come again"),
    KeyError: (400, "not understood"),
    ValueError: (400, "not understood"),
    RecursionError: (400, "not understood"),
}


@dataclass(frozen=True, slots=True)
class Edges:
    """What the webhooks need. A None secret or validator means that provider is off: 403."""

    arrivals: Arrivals
    database: Database
    telegram_secret: str | None
    twilio_token: str | None
    public_url: str
    clock: Callable[[], datetime]
    hearing: Hearing | None = None  # None: Telegram is off
    waits: Callable[[], dict[str, float]] = dict  # by provider: for how many seconds it asks us to wait
    figures: Callable[[], Awaitable[None]] | None = None  # what sets the gauges of others before they are read

    def routes(self) -> list[Route]:
        """Give the routes of INTERFACE.md but the console's."""
        return [
            Route("/telegram/webhook", self.telegram, methods=["POST"]),
            Route("/twilio/inbound", self.twilio_inbound, methods=["POST"]),
            Route("/twilio/status", self.twilio_status, methods=["POST"]),
            Route("/healthz", self.healthz, methods=["GET"]),
            Route("/readyz", self.readyz, methods=["GET"]),
            Route("/metrics", self.metrics, methods=["GET"]),
        ]

    async def telegram(self, request: Request) -> Response:
        """Take an update from Telegram."""
        given = request.headers.get(TELEGRAM_HEADER, "")
        if self.telegram_secret is None or not hmac.compare_digest(given.encode(), self.telegram_secret.encode()):
            return PlainTextResponse("not signed", status_code=403)
        return await self._take(request, letters.from_telegram, PlainTextResponse(""))

    async def twilio_inbound(self, request: Request) -> Response:
        """Take an SMS that somebody sent us."""
        return await self._twilio(request, letters.of_text, Response(TWIML, media_type="application/xml"))

    async def twilio_status(self, request: Request) -> Response:
        """Take the status of an SMS that we sent."""
        return await self._twilio(request, letters.of_status, Response(status_code=204))

    async def healthz(self, _request: Request) -> Response:
        """Say that the process lives."""
        return JSONResponse({"ok": True})

    async def readyz(self, _request: Request) -> Response:
        """Say whether the database answers, the inbox is not behind, Telegram is heard; and which provider waits."""
        waiting, lag = await self._backlog()
        trouble = None if self.hearing is None else self.hearing.trouble
        ok = lag <= LAG_MAX and trouble is None
        facts: dict[str, Any] = {
            "ok": ok,
            "inbox_waiting": waiting,
            "inbox_lag_seconds": round(lag.total_seconds(), 3),
            "telegram": trouble or ("off" if self.hearing is None else "heard"),
            "waits_seconds": {
                name: round(seconds) for name, seconds in self.waits().items() if seconds > LONG_WAIT_SECONDS
            },
        }
        return JSONResponse(facts, status_code=200 if ok else 503)

    async def metrics(self, _request: Request) -> Response:
        """Give the numbers of this process, or of all workers, and of the inbox in Prometheus' text format."""
        if self.figures is not None:
            await self.figures()
        waiting, lag = await self._backlog()
        INBOX_WAITING.set(waiting)
        INBOX_LAG_SECONDS.set(lag.total_seconds())
        if self.hearing is not None:
            SILENCE_SECONDS.set(self.hearing.silence_seconds)
            NOT_HEARD.set(self.hearing.trouble is not None)
        for name, seconds in self.waits().items():
            WAIT_SECONDS.labels(name).set(seconds)
        return Response(exposition(), media_type=CONTENT_TYPE_LATEST)

    async def _backlog(self) -> tuple[int, timedelta]:
        now = self.clock()
        async with self.database.reading() as connection:
            waiting, oldest = await backlog(connection, now)
        return waiting, max(timedelta(0), now - oldest) if oldest else timedelta(0)

    async def _twilio(
        self, request: Request, letter_from: Callable[[dict[str, str], dict[str, str]], Letter], answer: Response
    ) -> Response:
        def read(body: bytes) -> Letter | None:
            given = ImmutableMultiDict(parse_qsl(body.decode(), keep_blank_values=True))
            url = self.public_url + request.url.path + (f"?{request.url.query}" if request.url.query else "")
            signature = request.headers.get("X-Twilio-Signature", "")
            if not self.twilio_token or not RequestValidator(self.twilio_token).validate(url, given, signature):
                return None
            return letter_from(dict(given), dict(request.query_params))

        return await self._take(request, read, answer)

    async def _take(
        self, request: Request, letter_from: Callable[[bytes], Letter | None], answer: Response
    ) -> Response:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body(request)
            letter = letter_from(body)
            if letter is None:
                return PlainTextResponse("not signed", status_code=403)
            await self.arrivals.put(letter)
        except tuple(REFUSED) as problem:
            status, words = next(answer for kind, answer in REFUSED.items() if isinstance(problem, kind))
            return PlainTextResponse(words, status_code=status)
        return answer


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_MAX_BYTES:
            raise BodyTooLarge
        parts.append(part)
    return b"".join(parts)
