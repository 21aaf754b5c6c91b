"""The parameters of one call, however they came: form, JSON, query or multipart."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, web

from bot.sandbox.telegram.errors import bad_request
from bot.sandbox.telegram.model import Json
from bot.sandbox.telegram.world import TelegramWorld

Upload = tuple[str, bytes]


@dataclass(slots=True)
class Params:
    """The parameters of one call, however they came: form, JSON, query or multipart."""

    given: dict[str, Any]
    files: dict[str, Upload]

    def text(self, name: str, default: str = "") -> str:
        """Return a string."""
        value = self.given.get(name, default)
        return value if isinstance(value, str) else json.dumps(value)

    def integer(self, name: str, default: int | None = None) -> int:
        """Return a whole number; ApiError 400 if it is missing or something else."""
        value: Any = self.given.get(name, default)
        try:
            return int(value)
        except (TypeError, ValueError):
            raise bad_request(f"invalid {name} specified" if value else f"{name} is empty") from None

    def flag(self, name: str) -> bool:
        """Return a boolean."""
        return str(self.given.get(name, "")).lower() in ("true", "1")

    def tree(self, name: str) -> Any:  # noqa: ANN401 - whatever JSON was given
        """Return a nested value: an object, or a string that holds JSON; None if absent."""
        value = self.given.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {name} JSON object") from None

    def upload(self, world: TelegramWorld, name: str) -> tuple[str, Upload]:
        """Return (file id, (name, content)) of a file sent along or named by its id."""
        value = self.text(name)
        if value.startswith("attach://"):
            name = value.removeprefix("attach://")
        if name in self.files:
            upload = self.files[name]
            if not upload[1]:
                raise bad_request("file must be non-empty")
            return world.add_file(*upload), upload
        if value in world.files:
            return value, world.files[value]
        raise bad_request(f"there is no {name} in the request" if not value else "wrong file identifier specified")


async def read_params(request: web.Request) -> Params:
    """Read a call's parameters; ValueError when they cannot be read."""
    given: Json = dict(request.query)
    kind = request.content_type
    if kind.startswith("multipart/"):
        return await _read_multipart(request, given)
    body = await request.read()
    if kind == "application/json":
        given |= json.loads(body) if body else {}
    elif body:
        given |= parse_qsl(body.decode(), keep_blank_values=True)
    return Params(given, {})


async def _read_multipart(request: web.Request, given: Json) -> Params:
    files: dict[str, tuple[str, bytes]] = {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name is None:
            continue
        content = bytes(await part.read(decode=True))
        if part.filename is None:
            given[part.name] = content.decode()
        else:
            files[part.name] = (part.filename, content)
    return Params(given, files)
