"""The voting page over HTTP: what it shows, and its questions, each within its bounds."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.house import House
from bot.page import asked as questions
from bot.page.addresses import client_of, hashed, network_of
from bot.page.desk import PageCaller, PageDesk
from bot.page.rates import Rates
from bot.page.refusals import Busy, RequestWrong, TooLarge
from bot.page.refused import EXPECTED, TOO_MANY, come_again_seconds, refused
from bot.page.shown import Shown, headers_of, peer_of
from messages.words.texts import fit_language
from voting.ballots.size import ballot_bytes_max
from voting.model import Poll
from voting.poll.election import questions_of

HEAD_BYTES_MAX: Final = 16 * 1024  # of what comes with a ballot; Telegram's signed facts are the most of it
BODY_SECONDS: Final = 10.0

Question = Callable[[PageCaller, dict[str, Any]], Awaitable[dict[str, Any]]]


def page_routes(house: House, desk: PageDesk) -> list[BaseRoute]:
    """Give the routes of `/vote`. Every answer carries the page's headers; nothing sets a cookie."""
    return [*Shown(house).routes(), *Asked(house, desk).routes()]


class Asked:
    """The page's questions over HTTP."""

    def __init__(self, house: House, desk: PageDesk) -> None:
        self._house, self._desk, self._rates = house, desk, Rates()
        self._trusted = house.settings.trusted_addresses

    def routes(self) -> list[BaseRoute]:
        """Give the POST routes."""
        return [
            Route("/vote/pack", self._question(self._pack), methods=["POST"]),
            Route("/vote/codes", self._question(self._codes), methods=["POST"]),
            Route("/vote/ballot", self._question(self._ballot), methods=["POST"]),
            Route("/vote/not_mine", self._question(self._not_mine), methods=["POST"]),
        ]

    async def _pack(self, caller: PageCaller, content: dict[str, Any]) -> dict[str, Any]:
        return await self._desk.pack(caller, questions.read_pack(content))

    async def _codes(self, caller: PageCaller, content: dict[str, Any]) -> dict[str, Any]:
        return await self._desk.codes(caller, questions.read_codes(content))

    async def _ballot(self, caller: PageCaller, content: dict[str, Any]) -> dict[str, Any]:
        return await self._desk.ballot(caller, questions.read_ballot(content))

    async def _not_mine(self, caller: PageCaller, content: dict[str, Any]) -> dict[str, Any]:
        return await self._desk.not_mine(caller, questions.read_intent(content))

    def _question(self, decide: Question) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            now, poll = self._house.clock(), await self._desk.poll()
            if poll.ways.page is False:
                return Response(
                    "not there", status_code=404, media_type="text/plain", headers=headers_of(self._house, request)
                )
            language = fit_language(None, poll.languages, default=poll.languages[0])
            try:
                network = self._network(request)
                if (seconds := self._rates.wait_seconds(network, now)) > 0:
                    raise Busy(seconds=seconds)
                content = questions.read_json(await _body(request, body_bytes_max(poll)))
                asker = questions.read_asker(content)
                language = fit_language(asker.language, poll.languages, default=poll.languages[0])
                caller = self._caller(asker, poll, network, language, now)
                return JSONResponse(await decide(caller, content), headers=headers_of(self._house, request))
            except EXPECTED as problem:
                return self._refused(request, problem, poll, language)

        return answer

    def _caller(self, asker: questions.Asker, poll: Poll, network: str, language: str, now: datetime) -> PageCaller:
        address = hashed(self._house.secrets.session_key, network)
        return self._desk.receive(asker, poll, address=address, language=language, now=now)

    def _refused(self, request: Request, problem: Exception, poll: Poll, language: str) -> Response:
        status, key, words = refused(problem, poll, language)
        headers = headers_of(self._house, request)
        if status == TOO_MANY:
            headers["Retry-After"] = str(come_again_seconds(problem))
        return JSONResponse({"refusal": key, "words": words}, status_code=status, headers=headers)

    def _network(self, request: Request) -> str:
        forwarded = request.headers.get("X-Forwarded-For", "")
        return network_of(client_of(peer_of(request), forwarded, self._trusted))


def body_bytes_max(poll: Poll) -> int:
    """Say how large a question may be: the longest ballot of this poll, and what comes with it."""
    return HEAD_BYTES_MAX + ballot_bytes_max(poll.uuid, questions_of(poll))


async def _body(request: Request, bytes_max: int) -> bytes:
    """Read a body within its bounds; TooLarge, RequestWrong."""
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > bytes_max:
                    raise TooLarge
                parts.append(part)
    except (TimeoutError, ClientDisconnect):
        raise RequestWrong(field="the request broke off") from None
    return b"".join(parts)
