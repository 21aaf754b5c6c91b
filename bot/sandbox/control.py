"""The HTTP API of the page of phones: what each phone shows, what its person does, its news."""

import asyncio
import json
from typing import Any, Final

from aiohttp import web

from bot.sandbox.page_files import PageFiles
from bot.sandbox.phones import Cast, Phones
from bot.sandbox.screens import Screens, cast_json, shown_apps, sms_json
from bot.sandbox.telegram import mini_app
from bot.sandbox.telegram.groups import Group
from bot.sandbox.telegram.people import Person
from bot.sandbox.telegram.telegram import Telegram
from bot.sandbox.twilio.twilio import Twilio

Json = dict[str, Any]
ALERT_SECONDS: Final = 2.0
HEARTBEAT_SECONDS: Final = 15.0
NAME_MAX: Final = 64


class Control:
    """Everything under / and /api."""

    def __init__(self, phones: Phones, telegram: Telegram, twilio: Twilio) -> None:
        self._phones = phones
        self._telegram = telegram
        self._twilio = twilio

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return where this is served."""
        files = PageFiles(self._telegram)
        return [
            web.get("/", files.page),
            web.get("/static/{name:[A-Za-z0-9._-]+}", files.static),
            web.get("/api/state", self._state),
            web.get("/api/events", self._events),
            web.get("/api/photo/{file_id}", files.file),
            web.get("/api/document/{file_id}", files.file),
            web.get("/api/qr", files.qr),
            web.post("/api/person", self._new_person),
            web.get("/api/person/{id}", self._person),
            web.post("/api/person/{id}/type", self._type),
            web.post("/api/person/{id}/press", self._press),
            web.post("/api/person/{id}/app", self._app),
            web.post("/api/person/{id}/contact", self._contact),
            web.post("/api/person/{id}/block", self._block),
            web.post("/api/person/{id}/sms", self._sms),
        ]

    # -- reading -------------------------------------------------------------------------

    async def _state(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "title": self._phones.title,
                "bot_username": self._telegram.bot_username,
                "console_url": self._phones.console_url,
                "people": [cast_json(cast) for cast in self._phones.cast],
            }
        )

    async def _person(self, request: web.Request) -> web.Response:
        person = self._known(request)
        cast = self._phones.role(person.id) or Cast(person.id, person.name, "stranger")
        texts = self._twilio.phone(cast.phone).messages if cast.phone else []
        return web.json_response(
            cast_json(cast)
            | {
                "letter": self._phones.letter(person.id),
                "chats": Screens(self._telegram).of(person),
                "sms": [sms_json(sms) for sms in texts],
            }
        )

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        await response.write(b": hello\n\n")
        with self._phones.listening() as news:
            while True:
                try:
                    item = await asyncio.wait_for(news.get(), HEARTBEAT_SECONDS)
                    line = f"data: {json.dumps(item)}\n\n"
                except TimeoutError:
                    item, line = {}, ": still here\n\n"
                if item is None:
                    return response
                try:
                    await response.write(line.encode())
                except ConnectionError:
                    return response

    # -- acting --------------------------------------------------------------------------

    async def _new_person(self, request: web.Request) -> web.Response:
        name = str((await _given(request)).get("name", "")).strip()[:NAME_MAX] or "Stranger"
        person = self._telegram.person(name)
        cast = Cast(person.id, person.name, "stranger", None, person.user.phone)
        self._phones.show(cast)
        return web.json_response(cast_json(cast))

    async def _type(self, request: web.Request) -> web.Response:
        person, given = self._known(request), await _given(request)
        await _played(person.types(str(given.get("text", "")), chat=self._group(given)))
        return web.json_response({})

    async def _press(self, request: web.Request) -> web.Response:
        person, given = self._known(request), await _given(request)
        chat = self._telegram.world.chats.get(_whole(given.get("chat_id", person.id)))
        message = chat.messages.get(_whole(given.get("message_id"))) if chat else None
        if message is None or chat is None or person.id not in chat.members:
            raise web.HTTPNotFound
        press = await person.press_data(str(given.get("data", "")), message=message)
        return web.json_response({"alert": await press.wait_for_answer(ALERT_SECONDS)})

    async def _app(self, request: web.Request) -> web.Response:
        """Give the address that the phone opens for a Mini App whose button it shows."""
        person, given = self._known(request), await _given(request)
        url = str(given.get("url", ""))
        if url not in shown_apps(person, self._telegram):
            raise web.HTTPNotFound
        world, dark = self._telegram.world, bool(given.get("dark"))
        return web.json_response({"url": mini_app.opened(url, world.token, person.user, world.now(), dark=dark)})

    async def _contact(self, request: web.Request) -> web.Response:
        person = self._known(request)
        await _played(person.shares_contact())
        return web.json_response({})

    async def _block(self, request: web.Request) -> web.Response:
        person, given = self._known(request), await _given(request)
        await (person.blocks() if given.get("blocked") else person.unblocks())
        return web.json_response({})

    async def _sms(self, request: web.Request) -> web.Response:
        person, given = self._known(request), await _given(request)
        cast = self._phones.role(person.id)
        if cast is None or cast.phone is None:
            raise web.HTTPNotFound
        await _played(self._twilio.phone(cast.phone).texts(str(given.get("body", ""))))
        return web.json_response({})

    # -- inside --------------------------------------------------------------------------

    def _known(self, request: web.Request) -> Person:
        person = self._telegram.people.get(_whole(request.match_info["id"]))
        if person is None:
            raise web.HTTPNotFound
        return person

    def _group(self, given: Json) -> Group | None:
        chat_id = _whole(given.get("chat_id", 0))
        return next((group for group in self._telegram.groups if group.chat_id == chat_id), None)


async def _played(act: Any) -> None:  # noqa: ANN401 - any act of a person
    """Do what a person asked; what their phone would not let them do is a 409 with the reason."""
    try:
        await act
    except AssertionError as refused:
        raise web.HTTPConflict(text=str(refused)) from None


async def _given(request: web.Request) -> Json:
    try:
        given = json.loads(await request.read() or b"{}")
    except ValueError:
        raise web.HTTPBadRequest from None
    if not isinstance(given, dict):
        raise web.HTTPBadRequest
    return given


def _whole(given: object) -> int:
    try:
        return int(str(given))
    except ValueError:
        raise web.HTTPBadRequest from None
