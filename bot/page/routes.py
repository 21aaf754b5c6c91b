"""The voting page over HTTP: the page, what it is told, and its three questions, each within its bounds."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.house import House
from bot.page import asked as questions
from bot.page.addresses import client_of, hashed, network_of
from bot.page.asked import RequestWrong
from bot.page.desk import PageCaller, PageDesk
from bot.page.files import StaticFile, static_files
from bot.page.headers import KEPT_FOR_GOOD, page_headers
from bot.page.page import Facts, page_html, poll_json, static_path, words_json
from bot.page.rates import Rates
from bot.page.refused import EXPECTED, TOO_MANY, Busy, TooLarge, come_again_seconds, refused
from messages.words.texts import fit_language
from voting.model import Poll
from voting.poll import window
from voting.poll.election import election_of, fingerprint_of, paper_of, trustees_of
from voting.refusals import NoElectionKey
from voting.store.database import Database

BODY_MAX_BYTES: Final = 64 * 1024
BODY_SECONDS: Final = 10.0

Question = Callable[[PageCaller, dict[str, Any]], Awaitable[dict[str, Any]]]


class PageRoutes:
    """The page's routes. Every answer carries its headers; nothing sets a cookie."""

    def __init__(self, house: House, desk: PageDesk) -> None:
        self._house, self._desk, self._rates = house, desk, Rates()
        settings = house.settings
        self._trusted = settings.trusted_addresses
        self._https = settings.public_url.startswith("https://")
        self._telegram = settings.telegram_api_url if settings.telegram_on else ""

    def routes(self) -> list[BaseRoute]:
        """Give the routes of `/vote`."""
        return [
            Route("/vote", self._page, methods=["GET"]),
            Route("/vote/poll.json", self._poll, methods=["GET"]),
            Route("/vote/election.json", self._election, methods=["GET"]),
            Route("/vote/paper.json", self._paper, methods=["GET"]),
            Route("/vote/words/{tag}.json", self._words, methods=["GET"]),
            Route(f"{static_path()}/{{name}}", self._static, methods=["GET"]),
            Route("/vote/pack", self._question(self._pack), methods=["POST"]),
            Route("/vote/codes", self._question(self._codes), methods=["POST"]),
            Route("/vote/ballot", self._question(self._ballot), methods=["POST"]),
        ]

    # -- what it shows --------------------------------------------------------------------------

    async def _page(self, _request: Request) -> Response:
        poll = await self._desk.poll()
        return self._answer(page_html(tuple(poll.languages)).encode(), "text/html; charset=utf-8")

    async def _poll(self, _request: Request) -> Response:
        poll = await self._desk.poll()
        facts = await _facts_of(poll, self._house.database)
        return JSONResponse(poll_json(poll, facts, self._house.clock()), headers=self._headers())

    async def _election(self, _request: Request) -> Response:
        return self._of_election(lambda poll: election_of(poll).written, await self._desk.poll())

    async def _paper(self, _request: Request) -> Response:
        return self._of_election(paper_of, await self._desk.poll())

    def _of_election(self, content: Callable[[Poll], bytes], poll: Poll) -> Response:
        try:
            return self._answer(content(poll), "application/json")
        except NoElectionKey:
            return self._missing()

    async def _words(self, request: Request) -> Response:
        poll, tag = await self._desk.poll(), request.path_params["tag"]
        return self._answer(words_json(tag).encode(), "application/json") if tag in poll.languages else self._missing()

    async def _static(self, request: Request) -> Response:
        file = static_files().get(request.path_params["name"])
        if file is None:
            return self._missing()
        return _squeezed(request, file, self._headers(KEPT_FOR_GOOD))

    def _missing(self) -> Response:
        return Response("not there", status_code=404, media_type="text/plain", headers=self._headers())

    def _answer(self, content: bytes, media_type: str) -> Response:
        return Response(content, headers={**self._headers(), "Content-Type": media_type})

    def _headers(self, cache: str = "no-store") -> dict[str, str]:
        return page_headers(self._telegram, https=self._https, cache=cache)

    # -- what it asks ---------------------------------------------------------------------------

    async def _pack(self, caller: PageCaller, content: dict[str, Any]) -> dict[str, Any]:
        return await self._desk.pack(caller, questions.read_pack(content))

    async def _codes(self, caller: PageCaller, content: dict[str, Any]) -> dict[str, Any]:
        return await self._desk.codes(caller, questions.read_codes(content))

    async def _ballot(self, caller: PageCaller, content: dict[str, Any]) -> dict[str, Any]:
        return await self._desk.ballot(caller, questions.read_ballot(content))

    def _question(self, decide: Question) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            now, poll = self._house.clock(), await self._desk.poll()
            language = fit_language(None, poll.languages, default=poll.languages[0])
            try:
                network = self._network(request)
                if (seconds := self._rates.wait_seconds(network, now)) > 0:
                    raise Busy(seconds=seconds)
                content = questions.read_json(await _body(request))
                asker = questions.read_asker(content)
                language = fit_language(asker.language, poll.languages, default=poll.languages[0])
                caller = self._caller(asker, poll, network, language, now)
                return JSONResponse(await decide(caller, content), headers=self._headers())
            except EXPECTED as problem:
                return self._refused(problem, poll, language)

        return answer

    def _caller(self, asker: questions.Asker, poll: Poll, network: str, language: str, now: datetime) -> PageCaller:
        address = hashed(self._house.secrets.session_key, network)
        return self._desk.receive(asker, poll, address=address, language=language, now=now)

    def _refused(self, problem: Exception, poll: Poll, language: str) -> Response:
        status, key, words = refused(problem, poll, language)
        headers = self._headers()
        if status == TOO_MANY:
            headers["Retry-After"] = str(come_again_seconds(problem))
        return JSONResponse({"refusal": key, "words": words}, status_code=status, headers=headers)

    def _network(self, request: Request) -> str:
        peer = request.client.host if request.client is not None else ""
        return network_of(client_of(peer, request.headers.get("X-Forwarded-For", ""), self._trusted))


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


async def _body(request: Request) -> bytes:
    """Read a body within its bounds; TooLarge, RequestWrong."""
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > BODY_MAX_BYTES:
                    raise TooLarge
                parts.append(part)
    except (TimeoutError, ClientDisconnect):
        raise RequestWrong(field="the request broke off") from None
    return b"".join(parts)
