"""Twilio: a message becomes one POST to Messages, an error becomes a verdict; and whom to ask what became of one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlencode

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.rest import Client

from messages.channels import slow_downs
from messages.channels.channels import Outgoing, Sent
from messages.channels.twilio_request import REQUEST_TIMEOUT_SECONDS, NotTwilio, TwilioRequest
from messages.channels.verdicts import UNCLEAR, SendFailed, Verdict, twilio_verdict
from messages.reach import SMS

VALIDITY_SECONDS_MAX: Final = 36_000  # Twilio, ValidityPeriod
RETRY_AFTER_SECONDS: Final = 1.0  # after 20429; the pacer goes slower too
LISTED_MAX: Final = 50  # messages of one number that are looked through
RECEIVED_MAX: Final = 1_000  # texts to us that are looked through after an absence
STATUS_PATH: Final = "/twilio/status"

_LOST: Final = (TwilioException, aiohttp.ClientError, OSError, ValueError)  # a ValueError: the answer is not JSON


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """Who we are at Twilio. One of `sender` (E.164 or a name) and `messaging_service_sid` is set."""

    account_sid: str
    auth_token: str
    sender: str | None = None
    messaging_service_sid: str | None = None
    api_url: str = "https://api.twilio.com"
    public_url: str = ""  # set: Twilio reports each status there

    @property
    def two_way(self) -> bool:
        """Whether people can answer: not to a name."""
        return self.sender is None or self.sender.startswith("+")


@dataclass(frozen=True, slots=True)
class Found:
    """A message Twilio knows."""

    provider_id: str
    status: str
    error_code: int | None
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Received:
    """A message that somebody sent us."""

    provider_id: str
    sender: str
    body: str


class TwilioChannel:
    """Sends through Twilio's own client. `async with` closes its connections."""

    kind = SMS

    def __init__(
        self,
        account: TwilioAccount,
        *,
        timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._account = account
        self._now = now
        self._http = TwilioRequest(timeout_seconds)
        self._client = Client(account.account_sid, account.auth_token, http_client=self._http)
        self._client.api.base_url = account.api_url

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def send(self, outgoing: Outgoing) -> Sent:
        """Send once; SendFailed. No retries: a POST that broke may have been taken."""
        try:
            message = await self._client.messages.create_async(**self._fields(outgoing))
        except _LOST as error:
            raise verdict_of(error) from error
        return Sent(str(message.sid))

    async def find(self, address: str, body: str, since: datetime) -> list[Found]:
        """List what Twilio has taken for a number with exactly this body since then, newest first; SendFailed.

        Asked by number alone: a message still in Twilio's queue has no DateSent to ask for.
        """
        try:
            listed = await self._client.messages.list_async(to=address, limit=LISTED_MAX)
        except _LOST as error:
            raise verdict_of(error) from error
        found = [_found(message) for message in listed if message.body == body]
        return sorted((one for one in found if one.made_at >= since), key=lambda one: one.made_at, reverse=True)

    async def fetch(self, provider_id: str) -> Found:
        """Ask for one message that has kept silent; SendFailed."""
        try:
            message = await self._client.messages(provider_id).fetch_async()
        except _LOST as error:
            raise verdict_of(error) from error
        return _found(message)

    async def received(self, since: datetime) -> list[Received]:
        """List what people have sent to our number since then; SendFailed. Nobody can write to a name."""
        if not self._account.sender or not self._account.two_way:
            return []
        asked = {"to": self._account.sender, "date_sent_after": since, "limit": RECEIVED_MAX}
        try:
            listed = await self._client.messages.list_async(**asked)
        except _LOST as error:
            raise verdict_of(error) from error
        return [Received(one.sid, one.from_, one.body) for one in listed if one.direction == "inbound"]

    def _fields(self, outgoing: Outgoing) -> dict[str, Any]:
        fields: dict[str, Any] = {"to": outgoing.address, "body": outgoing.text}
        if self._account.messaging_service_sid:
            fields["messaging_service_sid"] = self._account.messaging_service_sid
        else:
            fields["from_"] = self._account.sender
        if outgoing.send_before is not None:
            left_seconds = int((outgoing.send_before - self._now()).total_seconds())
            fields["validity_period"] = min(max(left_seconds, 1), VALIDITY_SECONDS_MAX)
        if self._account.public_url and outgoing.delivery_id is not None:
            query = urlencode({"delivery": f"{outgoing.delivery_id}-{outgoing.fence}"})
            fields["status_callback"] = f"{self._account.public_url}{STATUS_PATH}?{query}"
        return fields


def verdict_of(error: Exception) -> SendFailed:
    """Say what an error means; only a connection that was never made is known to have sent nothing."""
    match error:
        case NotTwilio():
            return SendFailed(Verdict.UNKNOWN if error.passed_on else Verdict.ON_THE_WAY, UNCLEAR)
        case TwilioRestException() | TwilioServiceException():
            code = None if error.code == error.status else error.code
            verdict, surprising = twilio_verdict(code, error.status)
            wait = None
            if verdict is Verdict.SLOW_DOWN:
                slow_downs.note("twilio")
                wait = RETRY_AFTER_SECONDS
            reason = str(code or f"http_{error.status}")
            return SendFailed(verdict, reason, retry_after_seconds=wait, surprising=surprising)
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            return SendFailed(Verdict.UNREACHABLE, "no_connection")
        case TimeoutError():
            return SendFailed(Verdict.UNKNOWN, "timeout")
        case aiohttp.ClientError() | OSError():
            return SendFailed(Verdict.UNKNOWN, "connection_lost")
    return SendFailed(Verdict.UNKNOWN, UNCLEAR)


def _found(message: Any) -> Found:  # noqa: ANN401 - twilio's MessageInstance
    made_at = message.date_created
    code = message.error_code
    return Found(
        provider_id=str(message.sid),
        status=str(message.status),
        error_code=int(code) if code else None,
        made_at=made_at if made_at.tzinfo else made_at.replace(tzinfo=UTC),
    )
