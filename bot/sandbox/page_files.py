"""Files of the page of phones: its own, what was sent in chats, and a letter's QR code."""

import io
import mimetypes
import re
from pathlib import Path
from typing import Final

import segno
from aiohttp import web

from bot.sandbox.telegram.telegram import Telegram

STATIC: Final = Path(__file__).parent / "static"
# The page runs its own files only; nothing typed into a chat can become script, style or a request elsewhere.
# A Mini App is a page of the bot's service, on this machine too, in a frame of its own.
POLICY: Final = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "frame-src http://127.0.0.1:* http://localhost:*"
)
QR_TEXT_MAX: Final = 500


class PageFiles:
    """Gives the page whatever is a file to it."""

    def __init__(self, telegram: Telegram) -> None:
        self._telegram = telegram

    async def page(self, _: web.Request) -> web.StreamResponse:
        """Give the page."""
        page = _file_or_404(STATIC / "phones.html")
        page.headers["Content-Security-Policy"] = POLICY
        return page

    async def static(self, request: web.Request) -> web.StreamResponse:
        """Give what the page is made of."""
        return _file_or_404(STATIC / request.match_info["name"])

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Give a picture or a document that was sent in a chat."""
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

    async def qr(self, request: web.Request) -> web.Response:
        """Draw a letter's link as the code printed on paper."""
        text = request.query.get("text", "")[:QR_TEXT_MAX]
        if not text:
            raise web.HTTPBadRequest
        drawing = io.BytesIO()
        segno.make(text, micro=False).save(drawing, kind="svg", border=2, omitsize=True)
        return web.Response(body=drawing.getvalue(), content_type="image/svg+xml")


def _file_or_404(path: Path) -> web.StreamResponse:
    if not path.is_file():
        raise web.HTTPNotFound
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return web.FileResponse(path, headers={"Cache-Control": "no-cache", "Content-Type": kind})


def _picture_type(content: bytes) -> str:
    return "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"


def _quoted(name: str) -> str:
    return "".join(f"%{byte:02X}" for byte in name.encode())
