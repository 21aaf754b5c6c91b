"""A small real server of the voting page, until the service's own: the page's files, the JSON of INTERFACE, one box.

It judges ballots and proofs with voting.ballots, so what it takes is what the service takes. What goes wrong on the
way (lost answers, a service that is away, a refusal) is scripted by the test.
"""

import hashlib
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiohttp import web
from nacl.signing import SigningKey
from prepared import POLL
from prepared import asked as both
from sealed import TRUSTEE, UUID

from bot.page.files import static_files
from bot.page.headers import KEPT_FOR_GOOD, page_headers
from bot.page.page import Facts, page_digest, page_html, poll_json, static_path, words_json
from voting.audit.canonical import canonical_json
from voting.ballots.ballot import ballot_digest, ballot_mark, read_ballot
from voting.ballots.check import check
from voting.ballots.credential import CodesAsked, check_codes, derive_secret, public_credential
from voting.ballots.election import Election, Question, describe_paper, make_election
from voting.ballots.group import base_times, write_point
from voting.ballots.mark import key_fingerprint
from voting.ballots.proofs import Proof
from voting.ballots.refusals import BallotRefusal
from voting.codes.codes import Kind, generate
from voting.model import Phase, Poll
from voting.poll.election import questions_of
from voting.poll.questions import written_questions

KEY: Final = SigningKey(bytes(range(32)))
NOW: Final = datetime(2022, 8, 20, 12, 0, tzinfo=UTC)
TRUSTEES: Final = b"[]"
WORD: Final = "heron"
SAID: Final = {
    "unknown_pack_code": "That pack code is not one of ours.",
    "wrong_vote_code": "That vote code does not belong to this pack code.",
    "ballot_wrong": "That sealed vote is not right.",
    "unknown_intent": "This voting paper is too old.",
}


@dataclass
class Letter:
    """What came by post, and what became of it."""

    pack_code: str
    vote_code: str
    credential: bytes
    lock: dict[str, Any] | None = None
    owner: str = ""
    state: str = "ready"
    warns: bool = False


@dataclass
class PageServer:
    """The page behind one address. `lost`: how many answers break off, by path; `away`: how many get 503."""

    poll: Poll
    election: Election
    paper: bytes
    url: str = ""
    now: datetime = NOW
    letters: dict[str, Letter] = field(default_factory=dict)
    intents: dict[str, Letter] = field(default_factory=dict)
    ballots: list[bytes] = field(default_factory=list)
    disowned: list[Letter] = field(default_factory=list)
    heard: list[tuple[str, bytes]] = field(default_factory=list)
    lost: dict[str, int] = field(default_factory=dict)
    away: dict[str, int] = field(default_factory=dict)
    refusals: dict[str, deque[tuple[int, str, str]]] = field(default_factory=dict)
    wrong_signature: bool = False
    shifts: Any = None
    api_url: str = "http://127.0.0.1:1"

    def letter(self, **facts: Any) -> Letter:
        """Post a letter with fresh codes."""
        codes = generate(Kind.PACK, self.poll.id), generate(Kind.VOTE, self.poll.id)
        letter = Letter(*codes, public_credential(derive_secret(*codes, self.election.uuid)), **facts)
        self.letters[letter.pack_code] = letter
        return letter

    def refuse(self, path: str, status: int, refusal: str, words: str) -> None:
        """Answer the next request to `path` so."""
        self.refusals.setdefault(path, deque()).append((status, refusal, words))

    def cast_elsewhere(self, letter: Letter, *, way: str = "online", warns: bool = False) -> None:
        """Lock a letter's vote from another place."""
        letter.lock = {"receipt": None, "at": NOW.isoformat(), "way": way}
        letter.state, letter.warns = "locked_elsewhere", warns

    # -- what it serves ------------------------------------------------------------------------

    def app(self) -> web.Application:
        """Put the routes together."""
        app = web.Application(middlewares=[self._headers])
        languages = tuple(self.poll.languages)
        app.router.add_get("/vote", self._html)
        app.router.add_get("/vote/poll.json", self._poll)
        app.router.add_get("/vote/election.json", self._bytes(lambda: self.election.written))
        app.router.add_get("/vote/paper.json", self._bytes(lambda: self.paper))
        for tag in languages:
            app.router.add_get(f"/vote/words/{tag}.json", self._bytes(lambda tag=tag: words_json(tag).encode()))
        app.router.add_get(f"{static_path()}/{{name}}", self._static)
        app.router.add_post("/vote/{act:pack|codes|ballot|not_mine}", self._post)
        return app

    @web.middleware
    async def _headers(self, request: web.Request, handler: Any) -> web.StreamResponse:
        answer: web.StreamResponse = await handler(request)
        if not answer.prepared:
            cache = KEPT_FOR_GOOD if "/static/" in request.path else "no-store"
            answer.headers.update(page_headers(self.api_url, https=False, cache=cache))
        return answer

    async def _html(self, _: web.Request) -> web.Response:
        return web.Response(text=page_html(self.poll.languages), content_type="text/html")

    async def _poll(self, _: web.Request) -> web.Response:
        fingerprint = key_fingerprint(self.election.hash, TRUSTEES, self.poll.signing_key)
        facts = Facts(self.election.hash, hashlib.sha256(TRUSTEES).hexdigest(), fingerprint)
        return web.json_response(poll_json(self.poll, facts, self.now))

    def _bytes(self, content: Any) -> Any:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(body=content(), content_type="application/json")

        return answer

    async def _static(self, request: web.Request) -> web.Response:
        file = static_files()[request.match_info["name"]]
        return web.Response(body=file.content, headers={"Content-Type": file.media_type})

    async def _post(self, request: web.Request) -> web.StreamResponse:
        act, body = request.match_info["act"], await request.read()
        self.heard.append((act, body))
        if self.away.get(act, 0) > 0:
            self.away[act] -= 1
            return web.Response(status=503)
        if self.refusals.get(act):
            status, refusal, words = self.refusals[act].popleft()
            return web.json_response({"refusal": refusal, "words": words}, status=status)
        status, content = getattr(self, f"_{act}")(json.loads(body))
        if self.lost.get(act, 0) > 0:
            self.lost[act] -= 1
            assert request.transport
            request.transport.abort()
        return web.json_response(content, status=status)

    # -- what it answers -----------------------------------------------------------------------

    def _pack(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        letter = self.letters.get(asked["pack_code"])
        if letter is None:
            return _refusal("unknown_pack_code")
        state = self._state(letter, asked["session"])
        intent = f"intent-{len(self.intents)}"
        self.intents[intent] = letter
        own = state == "locked_here"
        said = {} if self.shifts is None else {"shifts": self.shifts}
        lock = letter.lock and {**letter.lock, "receipt": letter.lock["receipt"] if own else None}
        return 200, {"word": WORD, "state": state, "intent": intent, "warns": letter.warns, "lock": lock, **said}

    def _codes(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        letter = self.intents[asked["intent"]]
        if asked["credential"] != write_point(letter.credential):
            return _refusal("wrong_vote_code")
        bound = CodesAsked(self.election.uuid, asked["session"], asked["intent"], asked["purpose"])
        proof = Proof(int(asked["proof"]["challenge"]), int(asked["proof"]["response"]))
        try:
            check_codes(proof, letter.credential, bound)
        except BallotRefusal:
            return _refusal("wrong_vote_code")
        noted = letter.lock is not None and letter.warns and asked["purpose"] == "vote"
        return 200, {"state": self._state(letter, asked["session"]), "lock": letter.lock, "noted": noted}

    def _ballot(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        letter = self.intents.get(asked["intent"])
        if letter is None:
            return _refusal("unknown_intent")
        raw = json.dumps(asked["ballot"], separators=(",", ":"), ensure_ascii=False).encode()
        try:
            ballot = check(read_ballot(raw), self.election, letter.credential)
        except BallotRefusal:
            return _refusal("ballot_wrong")
        fresh = letter.lock is None
        if fresh:
            self.ballots.append(raw)
            entry = len(self.ballots)
            text = f"ballotline receipt 1|{self.election.uuid}|{ballot_digest(ballot).hex()}|{entry}"
            signature = KEY.sign(text.encode() + b"?" * self.wrong_signature).signature.hex()
            letter.owner, letter.state = asked["session"], "locked"
            letter.lock = {"receipt": ballot_mark(ballot), "at": self.now.isoformat(), "way": "online"}
            letter.lock |= {"entry": entry, "signature": signature}
        assert letter.lock
        named = {name: letter.lock.get(name) for name in ("receipt", "at", "entry", "signature")}
        return 200, {**named, "fresh": fresh}

    def _not_mine(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.disowned.append(self.intents[asked["intent"]])
        return 200, {"told": True}

    def _state(self, letter: Letter, session: str) -> str:
        if letter.state == "locked":
            return "locked_here" if letter.owner == session else "locked_elsewhere"
        return letter.state


def _refusal(refusal: str) -> tuple[int, dict[str, Any]]:
    return 409, {"refusal": refusal, "words": SAID[refusal]}


def poll_of(**facts: Any) -> Poll:
    """A poll that is open, in two languages."""
    return replace(
        POLL,
        uuid=UUID,
        phase=Phase.OPEN,
        opens_at=NOW - timedelta(days=5),
        closes_at=datetime(2022, 9, 2, 16, 0, tzinfo=UTC),
        signing_key=bytes(KEY.verify_key),
        key_kind="dealer",
        **facts,
    )


def page_server(asked: tuple[Question, ...] = (), **facts: Any) -> PageServer:
    """A server with a poll of these questions, the same in both languages; else of the prepared ones, or as told."""
    if asked:
        facts["questions"] = tuple(
            both(each.text, *each.options, least=each.least, most=each.most, blank=each.blank) for each in asked
        )
    poll = poll_of(**facts)
    paper = canonical_json(
        {
            "format": "ballotline paper 1",
            "uuid": poll.uuid,
            "languages": list(poll.languages),
            "title": dict.fromkeys(poll.languages, poll.title),
            "questions": written_questions(poll.questions),
            "rule": poll.rule,
        }
    )
    key, description = base_times(TRUSTEE), describe_paper(paper)
    election = make_election(uuid=UUID, name=poll.title, description=description, key=key, questions=questions_of(poll))
    return PageServer(poll, election, paper)


@asynccontextmanager
async def serving(server: PageServer) -> AsyncIterator[PageServer]:
    """Serve it on this machine."""
    runner = web.AppRunner(server.app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


__all__ = ["Letter", "PageServer", "page_digest", "page_server", "poll_of", "serving"]
