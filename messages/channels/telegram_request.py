"""How we speak HTTP to Telegram: python-telegram-bot's transport, on aiohttp, that keeps the pace.

It tells apart what the default transport leaves together: `NotSent` (no connection was made, nothing can have
arrived) and `NotTelegram` (see telegram_answer) from every other `NetworkError` (it may have arrived). A 429 is obeyed
here once for the whole process: by its chat alone, or by all when other chats are refused too.
"""

import json
import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import aiohttp
from telegram import Bot
from telegram._utils.types import ODVInput
from telegram.error import NetworkError, RetryAfter, TimedOut
from telegram.request import BaseRequest, RequestData

from messages.channels import bad_answers, slow_downs
from messages.channels.telegram_answer import NotTelegram, read, retry_after, understood
from messages.pace.pacer import Lane, Pacer

CONNECTIONS_MAX: Final = 64
CONNECT_TIMEOUT_SECONDS: Final = 5.0  # waiting for a free connection included
READ_TIMEOUT_SECONDS: Final = 15.0
MEDIA_TIMEOUT_SECONDS: Final = 60.0
# Shorter than a server keeps an idle connection: a message written into one just closed is lost without a word.
KEEPALIVE_SECONDS: Final = 10.0
RETRY_AFTER_DEFAULT_SECONDS: Final = 1  # when a 429 does not say

# Methods that count against the limit; answerCallbackQuery is free.
PACED_PREFIXES: Final = ("send", "edit", "copy", "forward")
UNPACED: Final = frozenset({"sendChatAction"})

# The lane of what is being sent here; None: whoever sends has a slot already.
LANE: ContextVar[Lane | None] = ContextVar("LANE", default=Lane.CHAT)

TELEGRAM: Final = "telegram"
_TOO_MANY_REQUESTS: Final = 429
_JSON: Final = {"Content-Type": "application/json"}


class NotSent(NetworkError):  # noqa: N818 - beside python-telegram-bot's TimedOut
    """No connection was made: nothing was sent, sending again is safe."""


class AiohttpRequest(BaseRequest):
    """A transport for `telegram.Bot`; with a `pacer`, calls that count against the limit wait for their slot."""

    def __init__(
        self,
        pacer: Pacer | None = None,
        *,
        connections_max: int = CONNECTIONS_MAX,
        connect_timeout_seconds: float = CONNECT_TIMEOUT_SECONDS,
        read_timeout_seconds: float = READ_TIMEOUT_SECONDS,
    ) -> None:
        self._pacer = pacer
        self._connections_max = connections_max
        self._connect_timeout_seconds = connect_timeout_seconds
        self._read_timeout_seconds = read_timeout_seconds
        self._wait = self._waiting(read_timeout_seconds)
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float | None:
        """Seconds to wait for an answer; python-telegram-bot adds its own for long polling."""
        return self._read_timeout_seconds

    async def initialize(self) -> None:
        """Nothing to do: the session is made in the loop that first uses it."""

    async def shutdown(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def do_request(  # noqa: PLR0917 - BaseRequest's signature
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        write_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,  # noqa: ARG002 - BaseRequest's signature
        connect_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        pool_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,  # noqa: ARG002 - as above
    ) -> tuple[int, bytes]:
        """Make one request; NotSent, TimedOut, NotTelegram, NetworkError or RetryAfter: there is no answer to read."""
        api_method, chat = url.rpartition("/")[2], _chat(request_data)
        await self._wait_for_slot(api_method, chat)
        files = request_data.multipart_data if request_data else None
        wait = aiohttp.ClientTimeout(
            connect=_seconds(connect_timeout, self._connect_timeout_seconds),
            sock_read=_seconds(read_timeout, MEDIA_TIMEOUT_SECONDS if files else self._read_timeout_seconds),
        )
        status, payload = await self._exchange(url, method, _body(request_data, files), wait)
        if status == _TOO_MANY_REQUESTS:
            raise self._obeyed(api_method, chat, payload)
        with _bad_ones_noted(api_method):
            return status, read(api_method, chat, status, payload)

    async def call(self, url: str, values: Mapping[str, str], *, read_seconds: float | None = None) -> Any:  # noqa: ANN401 - as Telegram gives it
        """Call a method whose parameters are text already, as they go on the wire, and give its `result`.

        As `post`, which raises the same, but everything is written and read once, and no objects are made of it.
        """
        api_method, chat = url.rpartition("/")[2], values.get("chat_id")
        await self._wait_for_slot(api_method, chat)
        wait = self._wait if read_seconds is None else self._waiting(read_seconds)
        status, payload = await self._exchange(url, "POST", (json.dumps(values).encode(), _JSON), wait)
        if status == _TOO_MANY_REQUESTS:
            raise self._obeyed(api_method, chat, payload)
        with _bad_ones_noted(api_method):
            answer = understood(api_method, chat, status, payload)
        if not answer["ok"]:
            await _Given(status, payload).post(url)  # raises what python-telegram-bot makes of a refusal
        return answer["result"]

    def _waiting(self, read_seconds: float) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(connect=self._connect_timeout_seconds, sock_read=read_seconds)

    async def _exchange(
        self, url: str, method: str, parts: tuple[Any, Any], wait: aiohttp.ClientTimeout
    ) -> tuple[int, bytes]:
        body, headers = parts
        try:
            session = self._opened()
            async with session.request(method, url, data=body, headers=headers, timeout=wait) as response:
                return response.status, await response.read()
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError) as problem:
            raise NotSent(f"no connection: {type(problem).__name__}") from problem
        except TimeoutError as problem:  # aiohttp's SocketTimeoutError is one
            raise TimedOut("no answer in time") from problem
        except (aiohttp.ClientError, OSError) as problem:
            raise NetworkError(f"connection lost: {type(problem).__name__}") from problem

    async def _wait_for_slot(self, api_method: str, chat: str | None) -> None:
        """Wait for the pace; a chat that Telegram holds is told so at once: RetryAfter, and nothing is sent."""
        lane = LANE.get()
        if self._pacer is None or api_method in UNPACED or not api_method.startswith(PACED_PREFIXES):
            return
        if chat is not None and (held_seconds := self._pacer.chat_held_for(chat)) > 0:
            raise _retry_after(math.ceil(held_seconds))
        if lane is not None:
            await self._pacer.acquire(lane)

    def _obeyed(self, api_method: str, chat: str | None, payload: bytes) -> RetryAfter:
        """Hold the chat, or everybody. To BaseRequest a 429 without retry_after is a broken connection: not here."""
        slow_downs.note(TELEGRAM)
        seconds = retry_after(payload)
        if seconds is None:
            bad_answers.note(TELEGRAM, api_method)
            seconds = RETRY_AFTER_DEFAULT_SECONDS
        if self._pacer is not None:
            self._pacer.refused(chat, seconds)
        return _retry_after(seconds)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(limit=self._connections_max, keepalive_timeout=KEEPALIVE_SECONDS)
            self._session = aiohttp.ClientSession(
                connector=connector,
                headers={"User-Agent": self.USER_AGENT},
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return self._session


class _Given(BaseRequest):
    """A transport that has one answer already, for python-telegram-bot to read."""

    def __init__(self, status: int, payload: bytes) -> None:
        self._answer = status, payload

    @property
    def read_timeout(self) -> float | None:
        return None

    async def initialize(self) -> None:
        """Nothing to do."""

    async def shutdown(self) -> None:
        """Nothing to do."""

    async def do_request(self, *_given: object, **_named: object) -> tuple[int, bytes]:
        return self._answer


async def call(bot: Bot, method: str, values: Mapping[str, str]) -> Any:  # noqa: ANN401 - as Telegram gives it
    """Call a method of the bot's over its own transport, which is AiohttpRequest; see its `call`."""
    request = bot.request
    assert isinstance(request, AiohttpRequest)
    return await request.call(f"{bot.base_url}/{method}", values)


@contextmanager
def _bad_ones_noted(api_method: str) -> Iterator[None]:
    try:
        yield
    except NotTelegram:
        bad_answers.note(TELEGRAM, api_method)
        raise


def held_seconds(error: RetryAfter) -> float:
    """Read `retry_after` whichever type python-telegram-bot gives it: the attribute itself warns of a change."""
    return float(error.__reduce__()[1][0])


def _retry_after(seconds: int) -> RetryAfter:
    """Make python-telegram-bot's exception without its warning about the type of an attribute we do not read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return RetryAfter(seconds)


def _chat(request_data: RequestData | None) -> str | None:
    chat = request_data.parameters.get("chat_id") if request_data else None
    return None if chat is None else str(chat)


def _seconds(wanted: ODVInput[float], default: float) -> float | None:
    return wanted if isinstance(wanted, float | int) or wanted is None else default


def _body(request_data: RequestData | None, files: Any) -> tuple[Any, Any]:  # noqa: ANN401 - of several libraries
    """Encode the parameters, as JSON or, with files, in parts; and the headers that say which.

    Bot API: "We support four ways of passing parameters"; a form's escapes cost ten times as much as JSON's.
    """
    if request_data is None:
        return None, None
    if not files:
        return request_data.json_payload, _JSON
    form = aiohttp.FormData(quote_fields=False)
    for name, value in request_data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, content_type) in files.items():
        form.add_field(name, content, filename=filename, content_type=content_type)
    return form, None
