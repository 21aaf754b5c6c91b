"""A voting page without a browser: it speaks the page's JSON, and proves, seals and signs with voting.ballots."""

import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from urllib.parse import urlencode

import httpx
from one_tls import trusted
from town import Letter

from voting.ballots.ballot import Ballot, ballot_mark, sign, write_ballot
from voting.ballots.credential import CodesAsked, derive_secret, prove_codes, public_credential
from voting.ballots.election import Election, read_election
from voting.ballots.group import random_scalar, write_point
from voting.ballots.seal import draw_randomness, seal


class Refused(Exception):
    """The service said no."""

    def __init__(self, status: int, refusal: str, words: str, retry_after: str | None) -> None:
        super().__init__(f"{status} {refusal}: {words}")
        self.status, self.refusal, self.words, self.retry_after = status, refusal, words, retry_after


def init_data(token: str, user_id: int, at: datetime) -> str:
    """Sign what Telegram gives a Mini App."""
    facts = {"user": json.dumps({"id": user_id}), "auth_date": str(int(at.timestamp()))}
    text = "\n".join(f"{name}={value}" for name, value in sorted(facts.items()))
    key = hmac.new(b"WebAppData", token.encode(), hashlib.sha256).digest()
    return urlencode(facts | {"hash": hmac.new(key, text.encode(), hashlib.sha256).hexdigest()})


@dataclass
class PageClient:
    """One session of the page. `more` goes with every question."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    session: str = field(default_factory=lambda: secrets.token_hex(16))
    rule_version: int = 1
    comes_from: str = "127.0.0.1"
    hear: Callable[[httpx.Request], Awaitable[None]] | None = None  # whatever is sent

    async def __aenter__(self) -> Self:
        self.http = httpx.AsyncClient(
            base_url=self.url,
            headers=self.headers,
            timeout=30,
            trust_env=False,
            transport=httpx.AsyncHTTPTransport(verify=trusted(), local_address=self.comes_from),
            event_hooks={"request": [self.hear]} if self.hear else {},
        )
        self.poll = (await self.http.get("/vote/poll.json")).json()
        self.election: Election = read_election((await self.http.get("/vote/election.json")).content)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    async def post(self, act: str, **content: Any) -> dict[str, Any]:
        """Ask a question; Refused."""
        body = {"session": self.session, "language": "en-GB"} | content | self.more
        return await self.sends(act, json.dumps(body, ensure_ascii=False).encode())

    async def sends(self, act: str, body: bytes) -> dict[str, Any]:
        """Send these bytes; Refused."""
        answer = await self.http.post(
            f"/vote/{act}", content=body, headers={"Content-Type": "application/json", **self.headers}
        )
        content: dict[str, Any] = answer.json()
        if answer.is_error:
            raise Refused(answer.status_code, content["refusal"], content["words"], answer.headers.get("Retry-After"))
        return content

    async def gives_pack(self, letter: Letter, *, check: bool = False) -> dict[str, Any]:
        """Give the pack code of a letter, or one that is typed."""
        version = None if check else self.rule_version
        return await self.post("pack", pack_code=letter.pack_code.replace("-", ""), rule_version=version)

    async def proves(
        self, letter: Letter, intent: str, *, purpose: str = "vote", secret: int | None = None
    ) -> dict[str, Any]:
        """Prove to have both codes; with another `secret` the proof is of something else."""
        own = self.secret(letter)
        asked = CodesAsked(self.poll["uuid"], self.session, intent, purpose)
        proof = prove_codes(own if secret is None else secret, asked, random_scalar())
        numbers = {"challenge": str(proof.challenge), "response": str(proof.response)}
        credential = write_point(public_credential(own))
        return await self.post("codes", intent=intent, purpose=purpose, credential=credential, proof=numbers)

    async def disowns(self, intent: str) -> dict[str, Any]:
        """Say that the vote which is locked was not ours."""
        return await self.post("not_mine", intent=intent)

    def secret(self, letter: Letter) -> int:
        """Derive the credential's secret of a letter's codes."""
        return derive_secret(letter.pack_code.replace("-", ""), letter.vote_code.replace("-", ""), self.poll["uuid"])

    def seals(self, letter: Letter, option: int) -> Ballot:
        """Seal and sign a ballot for one of two options."""
        secret = self.secret(letter)
        choices = [tuple(int(place == option) for place in range(2))]
        sealed = seal(self.election, public_credential(secret), choices, draw_randomness(self.election))
        return sign(sealed, secret, random_scalar())

    async def casts(self, intent: str, ballot: Ballot) -> dict[str, Any]:
        """Cast a ballot."""
        written = json.loads(write_ballot(ballot))
        return await self.post("ballot", intent=intent, rule_version=self.rule_version, ballot=written)

    async def comes_to_paper(self, letter: Letter) -> str:
        """Give both codes; the intent."""
        intent: str = (await self.gives_pack(letter))["intent"]
        assert (await self.proves(letter, intent))["state"] == "ready"
        return intent

    async def votes(self, letter: Letter, option: int = 0) -> dict[str, Any]:
        """Go the whole way, and see that the service made the same mark."""
        intent = await self.comes_to_paper(letter)
        ballot = self.seals(letter, option)
        answer = await self.casts(intent, ballot)
        assert answer["receipt"] == ballot_mark(ballot) or not answer["fresh"]
        return answer


@asynccontextmanager
async def front_of(url: str, *, timeout: float) -> AsyncIterator[PageClient]:  # noqa: ASYNC109 - of each question
    """Give a client whose connections all sessions share, as many as they like."""
    async with PageClient(url) as client:
        await client.http.aclose()
        client.http = httpx.AsyncClient(
            base_url=url,
            timeout=timeout,
            trust_env=False,
            verify=trusted(),
            limits=httpx.Limits(max_connections=None, keepalive_expiry=3),
        )
        yield client
