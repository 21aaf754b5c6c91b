"""Twilio's calls to the bot: signed forms to its webhooks, and what the debugger would list of failures."""

import asyncio
import re
from collections import deque
from dataclasses import dataclass
from html import unescape
from typing import Final

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.sandbox.addresses import local_address
from bot.sandbox.twilio.signature import sign

ANSWER_TIMEOUT: Final = ClientTimeout(total=15)  # Twilio's own limit for a webhook
CALLS_AT_ONCE: Final = 50
DEBUGGER_KEPT_MAX: Final = 1000
SUCCESS: Final = 2  # hundreds
NOT_REACHED: Final = 11205  # "HTTP connection failure"
NOT_WELL_ANSWERED: Final = 11200  # "HTTP retrieval failure"
# TwiML's one verb of interest here: <Message>text</Message>, or with <Body> inside.
_MESSAGE: Final = re.compile(r"<Message\b[^>]*>\s*(?:<Body>)?(.*?)(?:</Body>)?\s*</Message>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bot's webhook said: an HTTP status (0: nothing) and texts to send back (TwiML)."""

    status: int
    replies: tuple[str, ...] = ()


class TwilioCalls:
    """Posts to webhooks as Twilio does: once, signed with the account's token, 15 s to answer."""

    def __init__(self, *, account_sid: str, auth_token: str) -> None:
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.public_url: dict[str, str] = {}
        self.debugger: deque[tuple[int, str, int]] = deque(maxlen=DEBUGGER_KEPT_MAX)
        self._session: ClientSession | None = None
        self._places = asyncio.Semaphore(CALLS_AT_ONCE)

    def open(self, session: ClientSession) -> None:
        """Get what webhooks are called with."""
        self._session = session

    async def post(self, url: str, fields: dict[str, str]) -> Answer:
        """Call a webhook with a signed form; failures go to the debugger, as they do at Twilio."""
        address = local_address(url, self.public_url)
        if address is None:
            self.debugger.append((NOT_REACHED, url, 0))
            return Answer(0)
        answer = await self._send(address, fields, sign(self.auth_token, url, fields))
        if answer.status // 100 != SUCCESS:
            self.debugger.append((NOT_WELL_ANSWERED if answer.status else NOT_REACHED, url, answer.status))
        return answer

    async def _send(self, address: str, fields: dict[str, str], signature: str) -> Answer:
        assert self._session is not None, "the sandbox is not started"
        headers = {"X-Twilio-Signature": signature}
        try:
            async with (
                self._places,
                self._session.post(
                    address, data=fields, headers=headers, timeout=ANSWER_TIMEOUT, allow_redirects=False
                ) as response,
            ):
                body = await response.text(errors="replace")
        except (ClientError, TimeoutError, OSError):
            return Answer(0)
        replies = _MESSAGE.findall(body) if "xml" in response.content_type else []
        return Answer(response.status, tuple(unescape(text).strip() for text in replies))
