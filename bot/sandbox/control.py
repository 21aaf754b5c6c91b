"""The page of phones on the wire: its files, its JSON, its news."""

import asyncio
import io
import json
import mimetypes
import re
from datetime import UTC
from pathlib import Path
from typing import Any, Final

import segno
from aiohttp import web

from bot.sandbox.phones import Cast, Phones
from bot.sandbox.telegram.model import Chat, Message
from bot.sandbox.telegram.people import Group, Person
from bot.sandbox.telegram.telegram import Telegram
from bot.sandbox.twilio.model import Sms
from bot.sandbox.twilio.twilio import Twilio

Json = dict[str, Any]
STATIC: Final = Path(__file__).parent / "static"
ALERT_SECONDS: Final = 2.0
HEARTBEAT_SECONDS: Final = 15.0
NAME_MAX: Final = 64
# The page runs its own files only; nothing typed into a chat can become script, style or a request elsewhere.
POLICY: Final = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
QR_TEXT_MAX: Final = 500


class Control:
    """Everything under / and /api."""

    def __init__(self, phones: Phones, telegram: Telegram, twilio: Twilio) -> None:
        self._phones = phones
        self._telegram = telegram
        self._twilio = twilio

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return where this is served."""
        return [
            web.get("/", self._page),
            web.get("/static/{name:[A-Za-z0-9._-]+}", self._static),
            web.get("/api/state", self._state),
            web.get("/api/events", self._events),
            web.get("/api/photo/{file_id}", self._file),
            web.get("/api/document/{file_id}", self._file),
            web.get("/api/qr", self._qr),
            web.post("/api/person", self._new_person),
            web.get("/api/person/{id}", self._person),
            web.post("/api/person/{id}/type", self._type),
            web.post("/api/person/{id}/press", self._press),
            web.post("/api/person/{id}/contact", self._contact),
            web.post("/api/person/{id}/block", self._block),
            web.post("/api/person/{id}/sms", self._sms),
        ]

    # -- files ---------------------------------------------------------------------------

    async def _page(self, _: web.Request) -> web.StreamResponse:
        page = _file_or_404(STATIC / "phones.html")
        page.headers["Content-Security-Policy"] = POLICY
        return page

    async def _static(self, request: web.Request) -> web.StreamResponse:
        return _file_or_404(STATIC / request.match_info["name"])

    async def _file(self, request: web.Request) -> web.StreamResponse:
        name, content = self._telegram.world.files.get(request.match_info["file_id"], ("", None))
        if content is None:
            raise web.HTTPNotFound
        is_photo = request.path.startswith("/api/photo/")
        kind = _picture_type(content) if is_photo else "application/octet-stream"
        # Never shown as a page of ours, whatever is inside.
        headers = {"X-Content-Type-Options": "nosniff"}
        if not is_photo:
            safe = re.sub(r"[^\w. -]", "_", name)
            headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{_quoted(safe)}"
        return web.Response(body=content, content_type=kind, headers=headers)

    async def _qr(self, request: web.Request) -> web.Response:
        """Draw a letter's link as the code printed on paper."""
        text = request.query.get("text", "")[:QR_TEXT_MAX]
        if not text:
            raise web.HTTPBadRequest
        drawing = io.BytesIO()
        segno.make(text, micro=False).save(drawing, kind="svg", border=2, omitsize=True)
        return web.Response(body=drawing.getvalue(), content_type="image/svg+xml")

    # -- reading -------------------------------------------------------------------------

    async def _state(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "title": self._phones.title,
                "bot_username": self._telegram.bot_username,
                "console_url": self._phones.console_url,
                "people": [_cast_json(cast) for cast in self._phones.cast],
            }
        )

    async def _person(self, request: web.Request) -> web.Response:
        person = self._known(request)
        cast = self._phones.role(person.id) or Cast(person.id, person.name, "stranger")
        texts = self._twilio.phone(cast.phone).messages if cast.phone else []
        return web.json_response(
            _cast_json(cast)
            | {
                "letter": self._phones.letter(person.id),
                "chats": [self._chat(person, chat) for chat in self._chats(person)],
                "sms": [_sms_json(sms) for sms in texts],
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
        return web.json_response(_cast_json(cast))

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

    def _chats(self, person: Person) -> list[Chat]:
        groups = [group.chat for group in self._telegram.groups if person.id in group.chat.members]
        return [person.chat, *groups]

    def _chat(self, person: Person, chat: Chat) -> Json:
        rows = chat.keyboard.rows if chat.keyboard else None
        return {
            "chat_id": chat.id,
            "title": self._telegram.world.bot.first_name if chat.private else chat.title,
            "kind": "private" if chat.private else "group",
            "blocked": chat.blocked,
            "messages": [self._message(person, message) for message in chat.visible if not message.service],
            "reply_keyboard": [[key.text for key in row] for row in rows] if rows else None,
            "reply_keyboard_contact": [[key.request_contact for key in row] for row in rows] if rows else None,
            "commands": [{"command": line.command, "description": line.description} for line in person.commands],
        }

    def _message(self, person: Person, message: Message) -> Json:
        photo, document = message.photo is not None, message.document
        return {
            "id": message.message_id,
            "out": message.sender == person.id,
            "from_name": self._from_name(message),
            "html": f"📱 {message.contact['phone_number']}" if message.contact else message.html,
            "date": message.date.isoformat(),
            "edited": message.edited,
            "photo": f"/api/photo/{message.file_id}" if photo else None,
            "document": {"name": document[0], "url": f"/api/document/{message.file_id}"} if document else None,
            "buttons": [
                [
                    {"text": button.text}
                    | ({"url": button.url} if button.url else {"data": button.callback_data or ""})
                    for button in row
                ]
                for row in message.buttons
            ],
            "deleted": False,
        }

    def _from_name(self, message: Message) -> str:
        world = self._telegram.world
        return (world.bot if message.sender == "bot" else world.users[message.sender]).first_name


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


def _file_or_404(path: Path) -> web.StreamResponse:
    if not path.is_file():
        raise web.HTTPNotFound
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return web.FileResponse(path, headers={"Cache-Control": "no-cache", "Content-Type": kind})


def _picture_type(content: bytes) -> str:
    return "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"


def _quoted(name: str) -> str:
    return "".join(f"%{byte:02X}" for byte in name.encode())


def _cast_json(cast: Cast) -> Json:
    return {
        "id": cast.user_id,
        "name": cast.name,
        "role": cast.role,
        "member_no": cast.member_no,
        "phone": cast.phone,
    }


def _sms_json(sms: Sms) -> Json:
    return {
        "id": sms.sid,
        "from": sms.from_,
        "to": sms.to,
        "body": sms.body,
        "status": sms.status,
        "date": sms.date.astimezone(UTC).isoformat(),
        "outgoing": not sms.outgoing,
    }
