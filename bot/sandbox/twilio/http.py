"""The local Messages API over HTTP: authentication, forms in, faults applied, JSON out."""

import base64
import binascii
import hmac
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from bot.sandbox.faults import REQUEST_KINDS, Fault, Stage
from bot.sandbox.twilio.errors import TwilioError
from bot.sandbox.twilio.model import API_VERSION, FINAL, Json, Sms
from bot.sandbox.twilio.world import TwilioWorld

PAGE_SIZE_DEFAULT: Final = 50
PAGE_SIZE_MAX: Final = 1000
SERVER_ERROR: Final = {"code": 20500, "message": "Internal Server Error", "status": 500}
ACCOUNT: Final = "/twilio/" + API_VERSION + "/Accounts/{account}"

Call = Callable[[web.Request, dict[str, str]], Awaitable[web.Response]]


class TwilioHttp:
    """Serves /twilio/2010-04-01/Accounts/<sid>/..."""

    def __init__(self, world: TwilioWorld, *, stage: Stage) -> None:
        self._world = world
        self._stage = stage

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return where this is served."""
        return [
            web.post(ACCOUNT + "/Messages.json", self._entry("create", self._create)),
            web.get(ACCOUNT + "/Messages.json", self._entry("list", self._list)),
            web.get(ACCOUNT + "/Messages/{sid}.json", self._entry("fetch", self._fetch)),
            web.post(ACCOUNT + "/Messages/{sid}.json", self._entry("update", self._update)),
            web.delete(ACCOUNT + "/Messages/{sid}.json", self._entry("delete", self._delete)),
            web.get(ACCOUNT + ".json", self._entry("account", self._account)),
        ]

    def _entry(self, method: str, call: Call) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def entry(request: web.Request) -> web.StreamResponse:
            fields = dict(request.query)
            if request.method == "POST":
                fields |= parse_qsl((await request.read()).decode(), keep_blank_values=True)

            async def answer() -> web.StreamResponse:
                return await self._answer(call, request, fields)

            fault = self._world.faults.take(REQUEST_KINDS, method=method, to=fields.get("To"))
            if fault is None:
                return await answer()
            if refusal := self._refused_on_purpose(fault):
                return refusal
            return await self._stage.play(fault, request, answer, lambda: _json(dict(SERVER_ERROR), 500))

        return entry

    def _refused_on_purpose(self, fault: Fault) -> web.Response | None:
        if fault.kind == "429":
            self._world.meter.refuse()
            return _refusal(TwilioError(20429))
        return _refusal(TwilioError(fault.code)) if fault.kind == "error" else None

    async def _answer(self, call: Call, request: web.Request, fields: dict[str, str]) -> web.Response:
        try:
            self._authenticate(request)
            return await call(request, fields)
        except TwilioError as error:
            return _refusal(error)

    def _authenticate(self, request: web.Request) -> None:
        calls = self._world.calls
        try:
            given = base64.b64decode(request.headers.get("Authorization", "").removeprefix("Basic "))
        except binascii.Error:
            given = b""
        right = hmac.compare_digest(given, f"{calls.account_sid}:{calls.auth_token}".encode())
        if not right:
            raise TwilioError(20003)
        if request.match_info["account"] != calls.account_sid:
            raise TwilioError(20404)

    async def _create(self, _: web.Request, fields: dict[str, str]) -> web.Response:
        # What the answer shows is how things stood when the text was accepted.
        sms = await self._world.create(fields)
        shown = self._shown(sms) | {"status": "accepted" if sms.service_sid else "queued"}
        return _json(shown, 201)

    async def _fetch(self, request: web.Request, _: dict[str, str]) -> web.Response:
        sms = self._world.find(request.match_info["sid"])
        self._world.meter.record("fetch")
        return _json(self._shown(sms))

    async def _update(self, request: web.Request, fields: dict[str, str]) -> web.Response:
        """Cancel what has not gone, or redact a body."""
        sms = self._world.find(request.match_info["sid"])
        if fields.get("Status") == "canceled" and sms.status not in FINAL:
            sms.move("canceled")
        if fields.get("Body") == "":
            sms.body = ""
        self._world.meter.record("update")
        return _json(self._shown(sms))

    async def _delete(self, request: web.Request, _: dict[str, str]) -> web.Response:
        self._world.remove(request.match_info["sid"])
        self._world.meter.record("delete")
        return web.Response(status=204)

    async def _account(self, _: web.Request, __: dict[str, str]) -> web.Response:
        sid = self._world.calls.account_sid
        self._world.meter.record("account")
        return _json(
            {
                "sid": sid,
                "owner_account_sid": sid,
                "friendly_name": "Sandbox",
                "status": "active",
                "type": "Full",
                "uri": f"/{API_VERSION}/Accounts/{sid}.json",
                "subresource_uris": {},
            }
        )

    async def _list(self, request: web.Request, fields: dict[str, str]) -> web.Response:
        size = min(max(_whole(fields.get("PageSize"), PAGE_SIZE_DEFAULT), 1), PAGE_SIZE_MAX)
        page = max(_whole(fields.get("Page"), 0), 0)
        found = self._matching(fields)
        shown = found[page * size : (page + 1) * size]
        self._world.meter.record("list")
        path = request.path.removeprefix("/twilio")
        filters = {name: value for name, value in fields.items() if name not in ("Page", "PageSize", "PageToken")}

        def uri(number: int) -> str:
            return f"{path}?{urlencode(filters | {'PageSize': size, 'Page': number, 'PageToken': f'PA{number}'})}"

        more = (page + 1) * size < len(found)
        return _json(
            {
                "messages": [self._shown(sms) for sms in shown],
                "page": page,
                "page_size": size,
                "start": page * size,
                "end": page * size + max(len(shown) - 1, 0),
                "uri": uri(page),
                "first_page_uri": uri(0),
                "previous_page_uri": uri(page - 1) if page else None,
                "next_page_uri": uri(page + 1) if more else None,
            }
        )

    def _matching(self, fields: dict[str, str]) -> list[Sms]:
        """Newest first, as Twilio lists. A text not sent yet goes by the time it was created."""
        world, to = self._world, fields.get("To")
        everybodys = not to or to == world.sender
        pool = world.messages.values() if everybodys else world.line(to).messages if to in world.lines else []
        return [
            sms
            for sms in reversed(list(pool))
            if to in (None, "", sms.to)
            and fields.get("From") in (None, "", sms.from_)
            and _sent_within(sms.sent_at or sms.date, fields)
        ]

    def _shown(self, sms: Sms) -> Json:
        return sms.as_json(self._world.calls.account_sid)


def _sent_within(sent: datetime, fields: dict[str, str]) -> bool:
    """DateSent is a day (GMT) or a moment; with > or < both ends are included."""
    sent = sent.replace(microsecond=0)
    if day := fields.get("DateSent"):
        return _moment(day) <= sent < _moment(day) + timedelta(days=1)
    if (first := fields.get("DateSent>")) and sent < _moment(first):
        return False
    last = fields.get("DateSent<")
    return not last or sent <= _moment(last)


def _moment(given: str) -> datetime:
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise TwilioError(20001) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _whole(given: str | None, default: int) -> int:
    return int(given) if given and given.isdecimal() else default


def _json(answer: Json, status: int = 200) -> web.Response:
    return web.Response(body=json.dumps(answer).encode(), status=status, headers={"Content-Type": "application/json"})


def _refusal(error: TwilioError) -> web.Response:
    return _json(error.as_json(), error.status)
