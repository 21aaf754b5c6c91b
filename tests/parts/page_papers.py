"""A voting paper of the page as voting/ sees it: a proof of both codes, and a ballot that was sealed elsewhere."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from electorate import Electorate, Letter, credential_of
from prepared import NOW, POLL, SECRETS

from voting.ballots.ballot import sign, write_ballot
from voting.ballots.credential import derive_secret
from voting.ballots.election import Election
from voting.ballots.group import random_scalar
from voting.ballots.seal import draw_randomness, seal
from voting.codes.codes import hash_pack
from voting.poll.election import election_of
from voting.poll.polls import load
from voting.votes.cast import Cast, CastOutcome
from voting.votes.right_codes import CodesGood, Purpose


@lru_cache(maxsize=4_096)  # what was sealed is sent again as it is
def sealed(letter: Letter, option: int, election: Election) -> bytes:
    """Seal and sign a ballot for one of POLL's two options."""
    secret = derive_secret(letter.pack_code, letter.vote_code, POLL.uuid)
    choices = [tuple(int(place == option) for place in range(2))]
    ballot = seal(election, credential_of(letter, POLL.uuid), choices, draw_randomness(election))
    return write_ballot(sign(ballot, secret, random_scalar()))


@dataclass
class PagePaper:
    """One tab's paper; the same `page` is the same session."""

    town: Electorate
    letter: Letter
    paper: str = "paper"
    page: str = ""

    def __post_init__(self) -> None:
        self.page = self.page or f"page:{self.letter.member_id}"

    async def proves(self, *, warned: bool = False, purpose: Purpose = Purpose.VOTE, now: datetime = NOW) -> CodesGood:
        """Prove to have both codes."""
        return await self.town.checks.proved_codes(
            hash_pack(SECRETS.code_key, POLL.id, self.letter.pack_code),
            credential_of(self.letter, POLL.uuid),
            chat=self.page,
            purpose=purpose,
            paper=self.paper,
            warned=warned,
            now=now,
        )

    async def cast(self, option: int = 0) -> Cast:
        """Make what the page sends to cast this paper."""
        async with self.town.database.reading() as connection:
            election = election_of(await load(connection))
        return Cast(self.paper, self.page, 1, ballot=sealed(self.letter, option, election))

    async def casts(self, option: int = 0, *, now: datetime = NOW) -> CastOutcome:
        """Cast it; what Clerk.cast raises."""
        return await self.town.clerk.cast(await self.cast(option), now)
