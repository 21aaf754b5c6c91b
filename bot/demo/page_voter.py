"""A member at the voting page, without a browser: it speaks the page's JSON, and proves, seals and signs as it does."""

import json
import secrets
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import ClientSession

from voting.ballots.ballot import ballot_mark, sign, write_ballot
from voting.ballots.credential import CodesAsked, derive_secret, prove_codes, public_credential
from voting.ballots.election import read_election
from voting.ballots.group import random_scalar, write_point
from voting.ballots.seal import draw_randomness, seal

VOTE: Final = "vote"


class PageRefused(Exception):  # noqa: N818 - what the page said
    """The page said no."""


@dataclass
class PageVoter:
    """One tab of the page at `url`, for one letter; `sent` is all that the service was sent."""

    url: str
    pack_code: str
    vote_code: str
    sent: list[bytes] = field(default_factory=list)
    _session: str = field(default_factory=lambda: secrets.token_hex(16))

    async def votes(self, option: int, word: str) -> str:
        """Go the whole way and give the receipt; PageRefused, also where the page shows another word or mark."""
        async with ClientSession() as http:
            poll = json.loads(await self._get(http, "poll.json"))
            election = read_election(await self._get(http, "election.json"))
            found = await self._post(http, "pack", pack_code=bare(self.pack_code), rule_version=poll["rule_version"])
            if found["word"] != word:
                raise PageRefused(found["word"])
            intent = found["intent"]
            secret = derive_secret(bare(self.pack_code), bare(self.vote_code), poll["uuid"])
            credential = public_credential(secret)
            proof = prove_codes(secret, CodesAsked(poll["uuid"], self._session, intent, VOTE), random_scalar())
            await self._post(
                http,
                "codes",
                intent=intent,
                purpose=VOTE,
                credential=write_point(credential),
                proof={"challenge": str(proof.challenge), "response": str(proof.response)},
            )
            options = range(len(election.questions[0].options))
            choices = [tuple(int(place == option) for place in options)]
            ballot = sign(seal(election, credential, choices, draw_randomness(election)), secret, random_scalar())
            written = json.loads(write_ballot(ballot))
            answer = await self._post(http, "ballot", intent=intent, rule_version=poll["rule_version"], ballot=written)
        if answer["receipt"] != ballot_mark(ballot):
            raise PageRefused(answer["receipt"])
        return ballot_mark(ballot)

    async def _get(self, http: ClientSession, name: str) -> bytes:
        async with http.get(f"{self.url}/{name}") as answer:
            return await answer.read()

    async def _post(self, http: ClientSession, act: str, **content: object) -> dict[str, Any]:
        body = json.dumps({"session": self._session, "language": "en-GB", **content}).encode()
        self.sent.append(body)
        headers = {"Content-Type": "application/json"}
        async with http.post(f"{self.url}/{act}", data=body, headers=headers) as answer:
            given: dict[str, Any] = await answer.json()
            if not answer.ok:
                raise PageRefused(given["words"])
        return given


def bare(code: str) -> str:
    """Take a printed code without its hyphens."""
    return code.replace("-", "")
