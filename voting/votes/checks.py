"""Codes for voting and for checking: reads, decides, counts what was wrong, opens the voting paper.

Codes that wait together are judged in their order, each after the wrong ones before it were counted, and all is
committed before anybody is told: guessing in parallel gains nothing. A typo never comes here: its check character
is wrong. Wrong vote codes count for a pack only once its pack code was right, so a stranger without the letter
cannot lock its member out.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from voting.ballots.credential import derive_secret
from voting.ballots.group import Point, base_times
from voting.codes.codes import hash_pack, hash_wrong, same
from voting.codes.pack_word import word_for
from voting.poll.polls import load
from voting.refusals import (
    ChatLockedOut,
    PollNotOpen,
    UnknownPackCode,
)
from voting.secrets_file import Secrets
from voting.store.database import Database
from voting.store.together import Together
from voting.votes.attempts import OnAttempt, tell_nobody
from voting.votes.locks import find_locks
from voting.votes.packs_found import Pack, dead, find_packs
from voting.votes.right_codes import CodesGood, Purpose, VoteAsk, open_papers, what_follows
from voting.votes.sealing import in_threads
from voting.votes.wrong_codes import (
    WRONG_PACK_CODES_MAX,
    OnAlarm,
    WrongCodes,
    alarm_nobody,
    take_turn,
    wrong_in_chats,
)

NOTHING: Final = bytes(32)  # compared with when there is no pack, so that the work is the same


@dataclass(frozen=True, slots=True)
class PackFound:
    """A live pack's code was given; `word` is printed in the pack, for its holder to compare."""

    pack_id: int
    member_id: int
    member_no: str
    word: str
    language: str
    eligible: bool


@dataclass(frozen=True, slots=True, repr=False)
class _PackAsk:
    digest: bytes
    chat: str
    now: datetime


class Checks:
    """Checks codes against one database; `on_attempt` and `on_alarm` tell staff in the same transaction."""

    def __init__(
        self,
        database: Database,
        secrets: Secrets,
        *,
        on_attempt: OnAttempt = tell_nobody,
        on_alarm: OnAlarm = alarm_nobody,
    ) -> None:
        self.database, self.secrets = database, secrets
        self.on_attempt = on_attempt
        self.wrong = WrongCodes(on_alarm)
        self._known: tuple[str, str] | None = None
        self._asking = asyncio.Lock()
        self._packs: Together[_PackAsk, Pack] = Together("pack codes", self._find_packs)
        self._votes: Together[VoteAsk, CodesGood] = Together(
            "vote codes", self._check_votes, prepare=_derive_all, turn=database.writers_turn
        )

    async def pack_code(self, canonical: str, *, chat: str, now: datetime) -> PackFound:
        """Find the pack of a well-formed pack code.

        UnknownPackCode (counted for the chat), PackVoid, PackLockedOut, ChatLockedOut.
        """
        poll_id, _ = await self._poll()
        digest = hash_pack(self.secrets.code_key, poll_id, canonical)
        pack = await self._packs.ask(_PackAsk(digest, chat, now))
        word = word_for(self.secrets.code_key, digest)
        return PackFound(pack.id, pack.member_id, pack.member_no, word, pack.language, eligible=pack.eligible)

    async def both_codes(
        self,
        pack: str,
        vote: str,
        *,
        chat: str,
        purpose: Purpose,
        flow: str,
        message: str | None = None,
        warned: bool,
        now: datetime,
    ) -> CodesGood:
        """Check both well-formed codes of a pack; for VOTE open the paper or record an attempt.

        `flow` names this run of the conversation: repeated, it is the same attempt. `message` names what
        the codes came in: delivered again after the lock, when it opened a paper before, it is none. `warned`: this
        chat was told after the lock that codes again are reported. UnknownPackCode (counted for the chat),
        WrongVoteCode (counted for the pack), PackVoid, PackLockedOut, ChatLockedOut, NotEligible, PollNotOpen.
        """
        poll_id, uuid = await self._poll()
        digest = hash_pack(self.secrets.code_key, poll_id, pack)
        ask = VoteAsk(digest, chat, purpose, flow, message, warned, now, codes=(pack, vote, uuid))
        return await self._votes.ask(ask)

    async def proved_codes(
        self, pack: bytes, credential: Point, *, chat: str, purpose: Purpose, paper: str, warned: bool, now: datetime
    ) -> CodesGood:
        """As `both_codes`, for somebody who proved to have both codes of a credential and named neither.

        `pack` is the hash of the pack code, found before. `paper` is this visit's, and the intent gets it for its id:
        the same proof again is the same paper, the same attempt. A credential that is not the pack's is a wrong code.
        """
        flow = f"page:{paper}"
        ask = VoteAsk(pack, chat, purpose, flow, paper, warned, now, codes=None, credential=credential, paper=paper)
        return await self._votes.ask(ask)

    async def word(self, pack: str) -> str:
        """Give the word of a pack code; whether there is such a pack is not looked up."""
        poll_id, _ = await self._poll()
        return word_for(self.secrets.code_key, hash_pack(self.secrets.code_key, poll_id, pack))

    async def _poll(self) -> tuple[str, str]:
        """Give the poll's id and its election's uuid."""
        if self._known is None:
            async with self._asking:  # one reads the database, the others wait
                if self._known is None:
                    async with self.database.reading() as connection:
                        poll = await load(connection)
                    self._known = (poll.id, poll.uuid)
        return self._known

    async def _find_packs(self, asks: Sequence[_PackAsk]) -> list[Pack | Exception]:
        """Look packs up by the hashes of their codes: in one read, or in a transaction when one is wrong."""
        async with self.database.reading() as connection:
            answers = await self._judge_packs(connection, asks, counting=False)
        if not any(isinstance(answer, UnknownPackCode) for answer in answers):
            return answers
        async with self.database.writing() as connection:
            await take_turn(connection)
            return await self._judge_packs(connection, asks, counting=True)

    async def _judge_packs(
        self, connection: AsyncConnection, asks: Sequence[_PackAsk], *, counting: bool
    ) -> list[Pack | Exception]:
        packs = await find_packs(connection, {ask.digest for ask in asks})
        wrong = await wrong_in_chats(connection, {ask.chat for ask in asks}, min(ask.now for ask in asks))
        answers: list[Pack | Exception] = []
        for ask in asks:
            pack = packs.get(ask.digest)
            known = same(pack.pack_hash if pack is not None else NOTHING, ask.digest)
            if wrong.get(ask.chat, 0) >= WRONG_PACK_CODES_MAX:
                answers.append(ChatLockedOut())
            elif pack is not None and known:
                answers.append(dead(pack) or pack)
            else:
                if counting:
                    wrong[ask.chat] = await self.wrong.from_chat(connection, ask.chat, ask.digest, ask.now)
                answers.append(UnknownPackCode())
        return answers

    async def _check_votes(self, asks: Sequence[VoteAsk]) -> list[CodesGood | Exception]:
        """Check vote codes and open papers, in one transaction."""
        answers: list[CodesGood | Exception] = []
        async with self.database.writing() as connection:
            poll = await load(connection)
            packs = await find_packs(connection, {ask.pack for ask in asks})
            locks = await find_locks(connection, {pack.member_id for pack in packs.values()})
            wrong = await wrong_in_chats(connection, {ask.chat for ask in asks}, min(ask.now for ask in asks))
            for ask in asks:
                pack = packs.get(ask.pack)
                pack_hash = pack.pack_hash if pack is not None else NOTHING
                known = same(pack_hash, ask.pack)
                credential = pack.credential if pack is not None else NOTHING
                right = same(credential or NOTHING, ask.credential)
                if wrong.get(ask.chat, 0) >= WRONG_PACK_CODES_MAX:
                    answers.append(ChatLockedOut())
                elif pack is None or not known:
                    answers.append(await self._unknown(connection, ask, wrong))
                elif (why := dead(pack)) is not None:
                    answers.append(why)
                elif credential is None:  # forgotten after the count
                    answers.append(PollNotOpen(opens_at=poll.opens_at, closes_at=poll.closes_at))
                elif right:
                    answers.append(
                        await what_follows(
                            connection, poll, pack, locks.get(pack.member_id), ask, on_attempt=self.on_attempt
                        )
                    )
                else:
                    answer, locked_out_at = await self.wrong.for_pack(
                        connection,
                        pack_id=pack.id,
                        member_id=pack.member_id,
                        chat=ask.chat,
                        digest=hash_wrong(self.secrets.code_key, poll.id, ask.credential),
                        now=ask.now,
                    )
                    packs[ask.pack] = pack._replace(locked_out_at=locked_out_at)
                    answers.append(answer)
            opened = [
                (answer.intent, ask)
                for ask, answer in zip(asks, answers, strict=True)
                if isinstance(answer, CodesGood) and answer.intent
            ]
            await open_papers(connection, self.secrets, opened)
        return answers

    async def _unknown(self, connection: AsyncConnection, ask: VoteAsk, wrong: dict[str, int]) -> Exception:
        """Count a pack code that is nobody's, in its turn after those of other processes."""
        await take_turn(connection)
        wrong |= await wrong_in_chats(connection, {ask.chat}, ask.now)
        if wrong.get(ask.chat, 0) >= WRONG_PACK_CODES_MAX:
            return ChatLockedOut()
        wrong[ask.chat] = await self.wrong.from_chat(connection, ask.chat, ask.pack, ask.now)
        return UnknownPackCode()


async def _derive_all(asks: Sequence[VoteAsk]) -> None:
    """Derive each pair's credential, in threads: once each, whatever the codes turn out to be."""
    await in_threads(_derive, asks)


def _derive(asks: Sequence[VoteAsk]) -> None:
    for ask in asks:
        if ask.codes is not None:
            ask.secret = derive_secret(*ask.codes)
            ask.credential = base_times(ask.secret)
