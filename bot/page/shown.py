"""What the voting page shows and is told: its HTML, its files, the poll, the election, the paper, the words."""

from collections.abc import Callable
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.house import House
from bot.page.addresses import came_by_http
from bot.page.files import StaticFile, static_files
from bot.page.headers import KEPT_FOR_GOOD, page_headers
from bot.page.page import Facts, page_html, poll_json, static_path, words_json
from voting.model import Poll
from voting.poll import window
from voting.poll.bound import load_bound
from voting.poll.election import election_of, fingerprint_of, paper_of, trustees_of
from voting.refusals import NoElectionKey
from voting.store.database import Database


def peer_of(request: Request) -> str:
    """Give the address at the other end of the connection: somebody's own, or a proxy's."""
    return request.client.host if request.client is not None else ""


def headers_of(house: House, request: Request, cache: str = "no-store") -> dict[str, str]:
    """Give the headers of every answer of the page; one that goes out over plain http promises no https."""
    settings = house.settings
    said = request.headers.get("X-Forwarded-Proto", "")
    https = settings.public_url.startswith("https://") and not came_by_http(
        peer_of(request), said, settings.trusted_addresses
    )
    telegram = settings.telegram_api_url if settings.telegram_on else ""
    return page_headers(telegram, https=https, cache=cache)


class Shown:
    """The page's GET routes. Nothing that they answer is about a person."""

    def __init__(self, house: House) -> None:
        self._house = house

    def routes(self) -> list[BaseRoute]:
        """Give the routes."""
        return [
            Route("/vote", self._page, methods=["GET"]),
            Route("/vote/poll.json", self._poll, methods=["GET"]),
            Route("/vote/election.json", self._election, methods=["GET"]),
            Route("/vote/paper.json", self._paper, methods=["GET"]),
            Route("/vote/words/{tag}.json", self._words, methods=["GET"]),
            Route(f"{static_path()}/{{name}}", self._static, methods=["GET"]),
        ]

    async def _page(self, request: Request) -> Response:
        poll = await self._read()
        if poll.ways.page is False:
            return self._missing(request)
        return self._answer(request, page_html(tuple(poll.languages)).encode(), "text/html; charset=utf-8")

    async def _poll(self, request: Request) -> Response:
        poll = await self._read()
        facts = await _facts_of(poll, self._house.database)
        return JSONResponse(poll_json(poll, facts, self._house.clock()), headers=self._headers(request))

    async def _election(self, request: Request) -> Response:
        return self._of_election(request, lambda poll: election_of(poll).written, await self._read())

    async def _paper(self, request: Request) -> Response:
        return self._of_election(request, paper_of, await self._read())

    def _of_election(self, request: Request, content: Callable[[Poll], bytes], poll: Poll) -> Response:
        try:
            return self._answer(request, content(poll), "application/json")
        except NoElectionKey:
            return self._missing(request)

    async def _words(self, request: Request) -> Response:
        poll, tag = await self._read(), request.path_params["tag"]
        return (
            self._answer(request, words_json(tag).encode(), "application/json")
            if tag in poll.languages
            else self._missing(request)
        )

    async def _static(self, request: Request) -> Response:
        file = static_files().get(request.path_params["name"])
        if file is None:
            return self._missing(request)
        return _squeezed(request, file, self._headers(request, KEPT_FOR_GOOD))

    def _missing(self, request: Request) -> Response:
        return Response("not there", status_code=404, media_type="text/plain", headers=self._headers(request))

    def _answer(self, request: Request, content: bytes, media_type: str) -> Response:
        return Response(content, headers={**self._headers(request), "Content-Type": media_type})

    def _headers(self, request: Request, cache: str = "no-store") -> dict[str, str]:
        return headers_of(self._house, request, cache)

    async def _read(self) -> Poll:
        async with self._house.database.reading() as connection:
            return await load_bound(connection)


async def _facts_of(poll: Poll, database: Database) -> Facts:
    """Gather what the page holds against the files; without an election key there is nothing yet."""
    async with database.reading() as connection:
        days = await window.current(connection)
    try:
        trustees = sha256(trustees_of(poll).data).hexdigest()
        return Facts(election_of(poll).hash, trustees, fingerprint_of(poll), days)
    except NoElectionKey:
        return Facts(window=days)


def _squeezed(request: Request, file: StaticFile, headers: dict[str, str]) -> Response:
    headers |= {"Content-Type": file.media_type, "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("Accept-Encoding", ""):
        return Response(file.content, headers=headers)
    return Response(file.compressed, headers={**headers, "Content-Encoding": "gzip"})
