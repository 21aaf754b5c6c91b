"""Where the voting page's questions are decided: a pack code, a proof of both codes, a ballot, "this was not me".

No HTTP, no words. A session is a chat to the rules: it is warned, locked out and told its own receipt as one. In
Telegram the account's chat is it. What is asked twice has the same effect as once: a visit's note names its paper.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bot.member.chats import PAGE
from bot.member.desk import VOTE_LOCKED
from bot.member.requests import Requests
from bot.page.asked import Asker, BallotAsked, CodesAsked, PackAsked
from bot.page.init_data import read_init_data
from bot.page.page import state_of
from bot.page.refusals import AddressHeld, InitDataWrong, RuleUnread
from bot.page.visits import Visit, paper_of, read_visit, write_visit
from messages.ledger.planning import plan_message
from messages.pace.pacer import Lane
from messages.reach import TELEGRAM
from voting.audit.signer import Signer
from voting.ballots import credential as credentials
from voting.ballots.refusals import BallotRefusal
from voting.codes.codes import hash_pack, hash_wrong
from voting.codes.hashing import keyed_hash
from voting.model import How, Lock, Poll
from voting.poll.bound import load_bound
from voting.poll.paper_order import shifts_of
from voting.refusals import UnknownIntent, UnknownPackCode, WrongVoteCode
from voting.secrets_file import Secrets
from voting.store.database import Database
from voting.votes.cast import Cast, CastOutcome
from voting.votes.checks import Checks
from voting.votes.clerk import Clerk
from voting.votes.locks import find_lock
from voting.votes.packs_found import find_packs
from voting.votes.wrong_codes import is_address_held, note_from_address

_SESSION: Final = b"ballotline page session 1"
_SESSION_CHARACTERS: Final = 32


@dataclass(frozen=True, slots=True)
class PageCaller:
    """Who asks, from where (a hashed network), when it was received, and the poll as it stands."""

    identity: str
    session: str
    address: str
    language: str
    user_id: int | None
    poll: Poll
    now: datetime


@dataclass(slots=True)
class PageDesk:
    """Decides what the page asks. `token` is the bot's, None without one; `wake` says that a message was planned."""

    database: Database
    secrets: Secrets
    clerk: Clerk
    checks: Checks
    requests: Requests
    token: str | None
    wake: Callable[[], None]

    async def poll(self) -> Poll:
        """Read the poll as it stands. NoPoll."""
        async with self.database.reading() as connection:
            return await load_bound(connection)

    def receive(self, asker: Asker, poll: Poll, *, address: str, language: str, now: datetime) -> PageCaller:
        """Say who asks; InitDataWrong when what Telegram is said to have signed is not for our bot, or too old."""
        user_id = None
        if asker.init_data is not None:
            if self.token is None:
                raise InitDataWrong
            user_id = read_init_data(asker.init_data, self.token, now)
        hashed = keyed_hash(self.secrets.session_key, _SESSION, asker.session.encode()).hex()[:_SESSION_CHARACTERS]
        identity = f"{PAGE}{hashed}" if user_id is None else f"telegram:{user_id}"
        return PageCaller(identity, asker.session, address, language, user_id, poll, now)

    async def pack(self, caller: PageCaller, asked: PackAsked) -> dict[str, Any]:
        """Find a pack by its code, and say how things stand with it.

        RuleUnread, UnknownPackCode (counted), PackVoid, PackLockedOut, ChatLockedOut, AddressHeld.
        """
        if asked.rule_version is not None and asked.rule_version != caller.poll.rule_version:
            raise RuleUnread
        await self._insist_on_address(caller)
        digest = hash_pack(self.secrets.code_key, caller.poll.id, asked.code)
        try:
            found = await self.checks.pack_code(asked.code, chat=caller.identity, now=caller.now)
        except UnknownPackCode:
            await self._note(caller, digest)
            raise
        async with self.database.reading() as connection:
            lock = await find_lock(connection, found.member_id)
        state = state_of(caller.poll, caller.now)
        warns = lock is not None and asked.rule_version is not None and state == "open"
        visit = Visit(digest, caller.now, warned=warns)
        return {
            "word": found.word,
            "state": _state(lock, caller, state, eligible=found.eligible),
            "intent": write_visit(self.secrets.session_key, visit, caller.identity),
            "warns": warns,
            "lock": None if lock is None else _lock_json(lock, caller),
            "shifts": list(shifts_of(self.secrets.code_key, caller.poll, found.member_id)),
        }

    async def codes(self, caller: PageCaller, asked: CodesAsked) -> dict[str, Any]:
        """Take a proof that both codes are at hand: to check them, to open the paper, or, after the lock, an attempt.

        UnknownIntent, WrongVoteCode (counted), PackVoid, PackLockedOut, ChatLockedOut, AddressHeld, NotEligible,
        PollNotOpen.
        """
        await self._insist_on_address(caller)
        visit = read_visit(self.secrets.session_key, asked.intent, caller.identity, caller.now)
        credential = asked.credential if _is_proved(caller, asked) else _nobodys(asked.credential)
        try:
            good = await self.checks.proved_codes(
                visit.pack,
                credential,
                chat=caller.identity,
                purpose=asked.purpose,
                paper=paper_of(asked.intent),
                warned=visit.warned,
                now=caller.now,
            )
        except WrongVoteCode:
            await self._note(caller, hash_wrong(self.secrets.code_key, caller.poll.id, credential))
            raise
        lock = None if good.lock is None else _lock_json(good.lock, caller)
        state = _state(good.lock, caller, state_of(caller.poll, caller.now), eligible=True)
        return {"state": state, "lock": lock, "noted": good.attempt is not None}

    async def ballot(self, caller: PageCaller, asked: BallotAsked) -> dict[str, Any]:
        """Lock a ballot, or give the receipt again. UnknownIntent, and what `Clerk.cast` raises."""
        paper = paper_of(asked.intent)
        cast = Cast(paper, caller.identity, asked.rule_version, ballot=asked.ballot)
        outcome = await self.clerk.cast(cast, caller.now)
        if caller.user_id is not None:
            await self._send_receipt(caller, paper, outcome)
        signature = Signer(self.secrets).sign_receipt(caller.poll.uuid, outcome.digest, outcome.entry)
        return {
            "receipt": outcome.receipt,
            "at": outcome.at.isoformat(),
            "fresh": outcome.fresh,
            "entry": outcome.entry,
            "signature": signature.hex(),
        }

    async def not_mine(self, caller: PageCaller, intent: str) -> dict[str, Any]:
        """Tell staff that the locked vote was not the member's own, as the chat does; again, it is the same report.

        UnknownIntent, also where nothing is locked.
        """
        visit = read_visit(self.secrets.session_key, intent, caller.identity, caller.now)
        async with self.database.reading() as connection:
            pack = (await find_packs(connection, {visit.pack})).get(visit.pack)
            lock = None if pack is None else await find_lock(connection, pack.member_id)
        if lock is None:
            raise UnknownIntent
        await self.requests.theft(caller.identity, lock.member_id, caller.now)
        return {"told": True}

    async def _insist_on_address(self, caller: PageCaller) -> None:
        async with self.database.reading() as connection:
            if await is_address_held(connection, caller.address, caller.now):
                raise AddressHeld

    async def _note(self, caller: PageCaller, digest: bytes) -> None:
        async with self.database.writing() as connection:
            await note_from_address(connection, caller.address, digest, caller.now)

    async def _send_receipt(self, caller: PageCaller, paper: str, outcome: CastOutcome) -> None:
        """Plan the receipt as a message in the account's chat, once a paper."""
        async with self.database.writing() as connection:
            await plan_message(
                connection,
                purpose=VOTE_LOCKED,
                facts={
                    "receipt": outcome.receipt,
                    "at": outcome.at.isoformat(),
                    "timezone": caller.poll.timezone,
                },
                channel=TELEGRAM,
                address=str(caller.user_id),
                language=caller.language,
                occasion=f"receipt:{paper}",
                lane=Lane.CHAT,
                now=caller.now,
            )
        self.wake()


def _is_proved(caller: PageCaller, asked: CodesAsked) -> bool:
    bound = credentials.CodesAsked(caller.poll.uuid, caller.session, asked.intent, asked.said)
    try:
        credentials.check_codes(asked.proof, asked.credential, bound)
    except BallotRefusal:
        return False
    return True


def _nobodys(credential: bytes) -> bytes:
    """Give what stands for a credential that was named and not proved: no pack has it, and it is one wrong code."""
    return hashlib.sha256(b"not proved|" + credential).digest()


def _state(lock: Lock | None, caller: PageCaller, state: str, *, eligible: bool) -> str:
    if lock is not None:
        return "locked_here" if lock.chat == caller.identity else "locked_elsewhere"
    if state != "open":
        return state
    return "ready" if eligible else "not_eligible"


def _lock_json(lock: Lock, caller: PageCaller) -> dict[str, Any]:
    own = lock.chat == caller.identity
    way = "post" if lock.how is How.POST else "online"
    return {"receipt": lock.receipt if own else None, "at": lock.at.isoformat(), "way": way}
