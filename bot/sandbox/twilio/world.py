"""The local Twilio's state and rules: numbers, texts, opt-outs, and how a text travels."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from bot.sandbox.bell import Bell
from bot.sandbox.chores import Chores
from bot.sandbox.faults import CALLBACK_KINDS, Fault, Faults
from bot.sandbox.limit import Limit
from bot.sandbox.meter import Meter
from bot.sandbox.twilio.calls import TwilioCalls
from bot.sandbox.twilio.errors import TwilioError
from bot.sandbox.twilio.model import FINAL, Json, Sms, new_sid
from bot.sandbox.twilio.sms_segments import segments

BODY_MAX: Final = 1600
VALIDITY_SECONDS_MAX: Final = 36_000
KEPT_MAX: Final = 10_000  # with keep_messages=False
E164: Final = re.compile(r"\+[1-9]\d{6,14}")
# Twilio's defaults for long codes ("Opt-out keywords"); one word, any case.
STOP_WORDS: Final = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START_WORDS: Final = frozenset({"START", "YES", "UNSTOP"})
HELP_WORDS: Final = frozenset({"HELP", "INFO"})
REPLIES: Final = {
    "STOP": "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe.",
    "START": "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
    "HELP": "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}
Outcome = str | tuple[str, int]
Changed = Callable[[str, str], None]  # a number, and "sms" when a text came to it, else "sms_status"


def opt_out_type(body: str) -> str | None:
    """Return STOP, START or HELP when Twilio itself answers such a text; None for any other."""
    word = body.strip().upper()
    for kind, words in (("STOP", STOP_WORDS), ("START", START_WORDS), ("HELP", HELP_WORDS)):
        if word in words:
            return kind
    return None


class Line:
    """One mobile number: what it was sent, and how texts to it end."""

    __slots__ = ("bell", "dead", "messages", "number", "outcome", "stopped")

    def __init__(self, number: str) -> None:
        self.number = number
        self.outcome: Outcome = "delivered"
        self.dead: int | None = None
        self.messages: list[Sms] = []
        self.stopped: set[str] = set()
        self.bell = Bell()


class TwilioWorld:
    """Everything the local Twilio knows."""

    def __init__(
        self, *, faults: Faults, changed: Changed, chores: Chores, calls: TwilioCalls, keep_messages: bool
    ) -> None:
        self.sender = "+447700900000"
        self.service_sid = new_sid("MG")
        self.inbound_url: str | None = None
        self.step_seconds = 0.0
        self.faults = faults
        self.calls = calls
        self.meter = Meter()
        self.limit = Limit()
        self.lines: dict[str, Line] = {}
        self.messages: OrderedDict[str, Sms] = OrderedDict()
        self._changed = changed
        self._chores = chores
        self._keep = keep_messages

    @property
    def two_way(self) -> bool:
        """Whether people can answer: not to an alphanumeric sender."""
        return self.sender.startswith("+")

    def line(self, number: str) -> Line:
        """Return the line of a number, new if it was never seen."""
        if number not in self.lines:
            self.lines[number] = Line(number)
        return self.lines[number]

    async def create(self, fields: dict[str, str]) -> Sms:
        """Accept a text to send; TwilioError if it is not acceptable."""
        sms = self._checked(fields)
        self.meter.record("create", weight=sms.segments)
        self._keep_message(sms)
        fault = self.faults.take(CALLBACK_KINDS, method="callback", to=sms.to)
        if fault is not None and fault.kind == "callback_early":
            await self._travel(sms, None)
        else:
            self._chores.start(self._travel(sms, fault))
        return sms

    def find(self, sid: str) -> Sms:
        """Return a text; TwilioError 20404 if there is none."""
        if sid not in self.messages:
            raise TwilioError(20404)
        return self.messages[sid]

    def remove(self, sid: str) -> None:
        """Forget a text."""
        sms = self.messages.pop(self.find(sid).sid)
        self.line(sms.to if sms.outgoing else sms.from_).messages.remove(sms)

    async def receive(self, number: str, body: str) -> Sms:
        """Take a person's text to our number: answer STOP, START and HELP, and tell the webhook."""
        assert self.two_way, f"nobody can answer to {self.sender}"
        line = self.line(number)
        sms = Sms(to=self.sender, from_=number, body=body, status="received", direction="inbound")
        self._keep_message(sms)
        kind = opt_out_type(body)
        if kind == "STOP":
            line.stopped.add(self.sender)
        elif kind == "START":
            line.stopped.discard(self.sender)
        if self.inbound_url is not None:
            answer = await self.calls.post(self.inbound_url, self._inbound_fields(sms, kind))
            for text in answer.replies:
                self._reply(line, text)
        if kind is not None:
            self._reply(line, REPLIES[kind])
        return sms

    def _checked(self, fields: dict[str, str]) -> Sms:
        to, body = fields.get("To", ""), fields.get("Body", "")
        service = fields.get("MessagingServiceSid")
        sender = fields.get("From", "") or (self.sender if service == self.service_sid else "")
        self._check_numbers(to, sender, service)
        if not body:
            raise TwilioError(21602)
        if len(body) > BODY_MAX:
            raise TwilioError(21617)
        if not self.limit.allows(segments(body)):
            self.meter.refuse()
            raise TwilioError(20429)
        return Sms(
            to=to,
            from_=sender,
            body=body,
            status="accepted" if service else "queued",
            status_callback=_callback_url(fields),
            service_sid=service,
            validity_seconds=_validity(fields),
        )

    def _check_numbers(self, to: str, sender: str, service: str | None) -> None:
        if not to:
            raise TwilioError(21604)
        if not sender:
            raise TwilioError(21704 if service else 21603)
        if not E164.fullmatch(to):
            raise TwilioError(21211, to=to)
        if sender != self.sender:
            raise TwilioError(21606, sender=sender)
        line = self.lines.get(to)
        if line is None:
            return
        if line.dead is not None:
            raise TwilioError(line.dead, to=to)
        if sender in line.stopped:
            raise TwilioError(21610)

    def _keep_message(self, sms: Sms) -> None:
        line = self.line(sms.to if sms.outgoing else sms.from_)
        self.messages[sms.sid] = sms
        line.messages.append(sms)
        if not self._keep and len(self.messages) > KEPT_MAX:
            _, old = self.messages.popitem(last=False)
            number = old.to if old.outgoing else old.from_
            self.lines[number].messages.remove(old)
            if not self.lines[number].messages and self.lines[number].outcome == "delivered":
                self._forget_line(number)
        line.bell.ring()
        self._changed(line.number, "sms" if sms.outgoing else "sms_status")

    def _forget_line(self, number: str) -> None:
        line = self.lines[number]
        if line.dead is None and not line.stopped:
            del self.lines[number]

    def _reply(self, line: Line, text: str) -> None:
        """Send to the person without the API: it counts nowhere and reports nothing."""
        sms = Sms(to=line.number, from_=self.sender, body=text, status="delivered", direction="outbound-reply")
        self._keep_message(sms)

    async def _travel(self, sms: Sms, fault: Fault | None) -> None:
        """Take a text through its statuses, with a callback for each but the first."""
        line = self.line(sms.to)
        outcome, code = (line.outcome, None) if isinstance(line.outcome, str) else line.outcome
        steps = ["sending", "failed"] if outcome == "failed" else ["sending", "sent", outcome]
        callbacks: list[Json] = []
        for status in steps:
            await asyncio.sleep(self.step_seconds)
            if sms.status in FINAL:  # canceled meanwhile
                return
            sms.move(status, code if status == outcome else None)
            fields = self._status_fields(sms)
            if fault is None:
                await self._report(sms, fields)
            callbacks.append(fields)
        line.bell.ring()
        self._changed(line.number, "sms_status")
        if fault is not None:
            for fields in _disordered(callbacks, fault.kind):
                await self._report(sms, fields)

    async def _report(self, sms: Sms, fields: Json) -> None:
        if sms.status_callback is not None:
            await self.calls.post(sms.status_callback, fields)

    def _status_fields(self, sms: Sms) -> dict[str, str]:
        fields = {
            "MessageSid": sms.sid,
            "SmsSid": sms.sid,
            "MessageStatus": sms.status,
            "SmsStatus": sms.status,
            "AccountSid": self.calls.account_sid,
            "From": sms.from_,
            "To": sms.to,
            "ApiVersion": "2010-04-01",
        }
        if sms.service_sid is not None:
            fields["MessagingServiceSid"] = sms.service_sid
        if sms.error_code is not None:
            fields["ErrorCode"] = str(sms.error_code)
        return fields

    def _inbound_fields(self, sms: Sms, kind: str | None) -> dict[str, str]:
        # Places are blank for numbers outside North America; blank fields are signed too.
        places = {f"{end}{part}": "" for end in ("From", "To") for part in ("City", "State", "Zip")}
        fields = {
            "MessageSid": sms.sid,
            "SmsSid": sms.sid,
            "SmsMessageSid": sms.sid,
            "SmsStatus": "received",
            "AccountSid": self.calls.account_sid,
            "From": sms.from_,
            "To": sms.to,
            "Body": sms.body,
            "NumMedia": "0",
            "NumSegments": str(sms.segments),
            "FromCountry": "GB",
            "ToCountry": "GB",
            "ApiVersion": "2010-04-01",
        }
        return fields | places | ({"OptOutType": kind} if kind else {})


def _disordered(callbacks: list[Json], kind: str) -> list[Json]:
    if kind == "callback_lost":
        return []
    if kind == "callback_doubled":
        return [callback for callback in callbacks for _ in range(2)]
    return callbacks[::-1]


def _callback_url(fields: dict[str, str]) -> str | None:
    url = fields.get("StatusCallback")
    if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
        raise TwilioError(21609)
    return url or None


def _validity(fields: dict[str, str]) -> int | None:
    given = fields.get("ValidityPeriod")
    if given is None:
        return None
    if not given.isdecimal() or not 1 <= int(given) <= VALIDITY_SECONDS_MAX:
        raise TwilioError(21624)
    return int(given)
