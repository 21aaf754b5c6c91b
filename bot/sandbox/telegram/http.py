"""The local Bot API over HTTP: parameters in, faults and limits applied, JSON out."""

import inspect
import json
from typing import Final

from aiohttp import ClientSession, web

from bot.sandbox.addresses import local_address
from bot.sandbox.chores import Chores
from bot.sandbox.faults import REQUEST_KINDS, Fault, Stage
from bot.sandbox.telegram.api import METHODS, Method, get_updates
from bot.sandbox.telegram.errors import ApiError, bad_request
from bot.sandbox.telegram.messages import Result
from bot.sandbox.telegram.model import Json
from bot.sandbox.telegram.params import Params, read_params
from bot.sandbox.telegram.webhook import CONNECTIONS_DEFAULT, Webhook, WebhookFeed
from bot.sandbox.telegram.world import TelegramWorld

COUNTED: Final = frozenset(
    {
        "sendmessage",
        "sendphoto",
        "senddocument",
        "editmessagetext",
        "editmessagecaption",
        "editmessagereplymarkup",
    }
)
"""Methods that count against the limit: edits share it, answers to presses and deletions are free."""
CONFLICT: Final = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
SERVER_ERROR: Final = 500


class _Call:
    """One call of a method, read."""

    __slots__ = ("chat_id", "method", "name", "params")

    def __init__(self, name: str, method: Method, params: Params) -> None:
        self.name = name
        self.method = method
        self.params = params
        self.chat_id = _chat_id(params)


class TelegramHttp:
    """Serves /telegram/bot<token>/<method> and keeps the webhook fed."""

    def __init__(self, world: TelegramWorld, *, stage: Stage, chores: Chores, public_url: dict[str, str]) -> None:
        self.retry_scale = 1.0
        self._world = world
        self._stage = stage
        self._chores = chores
        self._public_url = public_url
        self._feed: WebhookFeed | None = None
        self._session: ClientSession | None = None
        self._webhook_methods: dict[str, Method] = {
            "setwebhook": self._set_webhook,
            "deletewebhook": self._delete_webhook,
            "getwebhookinfo": self._webhook_info,
        }

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return where this is served."""
        return [
            web.post("/telegram/bot{token}/{method}", self.call),
            web.get("/telegram/bot{token}/{method}", self.call),
            web.get("/telegram/file/bot{token}/{path:.+}", self.download),
        ]

    def open(self, session: ClientSession) -> None:
        """Get what webhooks are called with."""
        self._session = session

    def close(self) -> None:
        """Let go of whoever waits."""
        self._world.queue.interrupt()
        self._stop_feed()

    async def call(self, request: web.Request) -> web.StreamResponse:
        """Answer one call of a method."""
        try:
            call = await self._read(request)
        except ApiError as error:
            return _refusal(error)
        fault = self._world.faults.take(REQUEST_KINDS, method=call.name, chat_id=call.chat_id)
        if fault is None:
            return await self._answer(call)
        return await self._play(fault, request, call)

    async def download(self, request: web.Request) -> web.StreamResponse:
        """Give out a file that getFile named."""
        file_id = request.match_info["path"].rpartition("/")[2]
        known = request.match_info["token"] == self._world.token and file_id in self._world.files
        if not known:
            return _refusal(ApiError(404, "Not Found"))
        return web.Response(body=self._world.files[file_id][1], content_type="application/octet-stream")

    async def _read(self, request: web.Request) -> _Call:
        name, token = request.match_info["method"], request.match_info["token"]
        if token != self._world.token:
            raise _unknown(token)
        method = self._webhook_methods.get(name.lower()) or METHODS.get(name.lower())
        if method is None:
            raise ApiError(404, "Not Found: method not found")
        if method is get_updates and self._feed is not None:
            raise ApiError(409, CONFLICT)
        try:
            return _Call(name, method, await read_params(request))
        except ValueError:
            raise bad_request("can't parse the request") from None

    async def _play(self, fault: Fault, request: web.Request, call: _Call) -> web.StreamResponse:
        if fault.kind == "429":
            return self._too_many(fault.retry_after)
        if fault.kind == "error":
            return _refusal(ApiError(fault.code, "Bad Request: a fault of the sandbox"))
        broken = _refusal(ApiError(SERVER_ERROR, "Internal Server Error"))
        return await self._stage.play(fault, request, lambda: self._answer(call), lambda: broken)

    async def _answer(self, call: _Call) -> web.StreamResponse:
        counted = call.name.lower() in COUNTED
        if counted and not self._within_limits(call.chat_id):
            return self._too_many(1)
        try:
            result = call.method(self._world, call.params)
            if inspect.isawaitable(result):
                result = await result
        except ApiError as error:
            return _refusal(error)
        self._world.meter.record(call.name, weight=int(counted))
        return _json({"ok": True, "result": result})

    def _within_limits(self, chat_id: int | None) -> bool:
        world = self._world
        return world.limit.allows(1) and (chat_id is None or world.chat_limits.allows(chat_id))

    def _too_many(self, retry_after: int) -> web.Response:
        self._world.meter.refuse()
        return _refusal(ApiError(429, f"Too Many Requests: retry after {retry_after}", retry_after=retry_after))

    # -- the webhook, which needs a session and tasks -----------------------------------

    async def _set_webhook(self, world: TelegramWorld, params: Params) -> Result:
        url = params.text("url")
        if not url:
            return await self._delete_webhook(world, params)
        address = local_address(url, self._public_url)
        if not url.startswith("https://") and address is None:
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        self._stop_feed()
        if params.flag("drop_pending_updates"):
            world.queue.forget()
        if (allowed := params.tree("allowed_updates")) is not None:
            world.queue.allowed = list(allowed)
        webhook = Webhook(
            url=url,
            address=address,
            secret=params.text("secret_token") or None,
            connections_max=params.integer("max_connections", CONNECTIONS_DEFAULT),
        )
        world.queue.interrupt()
        assert self._session is not None, "the sandbox is not started"
        self._feed = WebhookFeed(
            webhook,
            world.queue,
            session=self._session,
            chores=self._chores,
            retry_scale=lambda: self.retry_scale,
        )
        self._feed.start()
        return True

    async def _delete_webhook(self, world: TelegramWorld, params: Params) -> Result:
        self._stop_feed()
        if params.flag("drop_pending_updates"):
            world.queue.forget()
        return True

    def _webhook_info(self, world: TelegramWorld, _: Params) -> Result:
        webhook = self._feed.webhook if self._feed else None
        shown: Json = {
            "url": webhook.url if webhook else "",
            "has_custom_certificate": False,
            "pending_update_count": len(world.queue.pending),
            "max_connections": webhook.connections_max if webhook else CONNECTIONS_DEFAULT,
        }
        if webhook and webhook.last_error:
            shown |= {"last_error_message": webhook.last_error, "last_error_date": webhook.last_error_at}
        if world.queue.allowed:
            shown["allowed_updates"] = world.queue.allowed
        return shown

    def _stop_feed(self) -> None:
        if self._feed is not None:
            self._feed.close()
            self._feed = None


def _unknown(token: str) -> ApiError:
    """Refuse a token that is well formed but nobody's, and one that is no token."""
    bot_id, _, secret = token.partition(":")
    if bot_id.isdigit() and secret:
        return ApiError(401, "Unauthorized")
    return ApiError(404, "Not Found")


def _chat_id(params: Params) -> int | None:
    value = str(params.given.get("chat_id", ""))
    return int(value) if value.lstrip("-").isdecimal() else None


def _json(answer: Json, status: int = 200) -> web.Response:
    return web.Response(body=json.dumps(answer).encode(), status=status, headers={"Content-Type": "application/json"})


def _refusal(error: ApiError) -> web.Response:
    answer: Json = {"ok": False, "error_code": error.code, "description": error.description}
    if error.parameters:
        answer["parameters"] = error.parameters
    return _json(answer, error.code)
