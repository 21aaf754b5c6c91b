"""Where presses on a voting paper are decided: chosen, put aside, cast. No Telegram here and no words.

Any press may come twice, or late; on a paper that is locked every button gives the receipt. A rule that changed while
the paper was open is accepted first: until then no press chooses or casts.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import select

from bot.chat.buttons import Act, PaperPress
from bot.member.answers import Chosen, Locked, PutAside, ReadRule, VotingPaper
from bot.member.callers import Caller, Callers
from voting import schema
from voting.refusals import AlreadyVoted, UnknownIntent
from voting.store.database import Database
from voting.store.together import Together
from voting.votes.cast import Cast
from voting.votes.clerk import Clerk
from voting.votes.sealing import put_aside

Pressed = Chosen | VotingPaper | PutAside | Locked | ReadRule


class PaperDesk:
    """Decides about presses on voting papers."""

    def __init__(self, database: Database, callers: Callers, clerk: Clerk) -> None:
        self._database, self._callers, self._clerk = database, callers, clerk
        self._papers: Together[str, Any] = Together("papers", self._find_papers)

    async def press(self, caller: Caller, press: PaperPress) -> Pressed:
        """Take a press on a voting paper. UnknownIntent, AlreadyVoted, PollNotOpen, and what `Clerk.cast` raises."""
        accepted = caller.chat.rule_version == caller.poll.rule_version
        if press.act is Act.CAST and accepted:
            return await self._cast(caller, press)
        row = await self._paper(caller, press.intent_id)
        if press.act is Act.CAST and (row.how is not None or not caller.poll.takes_votes(caller.now)):
            return await self._cast(caller, press)  # the clerk gives the receipt again, or refuses and notes it
        if (locked := _locked(caller, row)) is not None:
            return locked
        if press.act is Act.NOT_NOW:
            await self._put_aside(press.intent_id)
            await self._callers.save(caller.chat.rest(caller.now), caller.now)
            return PutAside()
        return _chosen(caller, press) if accepted else ReadRule(caller.poll.rule_version, intent_id=press.intent_id)

    async def accept_rule(self, caller: Caller, intent_id: str, version: int) -> VotingPaper | ReadRule | Locked:
        """Take 'I understand' on an open paper, and show the paper again. UnknownIntent, AlreadyVoted."""
        row = await self._paper(caller, intent_id)
        if (locked := _locked(caller, row)) is not None:
            return locked
        if version != caller.poll.rule_version:
            return ReadRule(caller.poll.rule_version, intent_id=intent_id)
        await self._callers.save(replace(caller.chat, rule_version=version), caller.now)
        return VotingPaper(intent_id)

    async def _cast(self, caller: Caller, press: PaperPress) -> Locked:
        assert press.option is not None  # a CAST button carries one
        bits = tuple(int(place == press.option) for place in range(len(caller.poll.options)))
        cast = Cast(press.intent_id, caller.chat.identity, caller.chat.rule_version, (bits,))
        outcome = await self._clerk.cast(cast, caller.now)
        return Locked(press.intent_id, outcome.receipt, outcome.at, fresh=outcome.fresh)

    async def _put_aside(self, intent_id: str) -> None:
        async with self._database.writing() as connection:
            await put_aside(connection, intent_id)

    async def _paper(self, caller: Caller, intent_id: str) -> Any:  # noqa: ANN401 - a row of _PAPER
        row = await self._papers.ask(intent_id)
        if row is None or row.chat != caller.chat.identity:
            raise UnknownIntent
        return row

    async def _find_papers(self, intent_ids: Sequence[str]) -> list[Any]:
        async with self._database.reading() as connection:
            rows = await connection.execute(_PAPER.where(schema.intent.c.id.in_(set(intent_ids))))
            found = {row.id: row for row in rows}
        return [found.get(intent_id) for intent_id in intent_ids]


def _chosen(caller: Caller, press: PaperPress) -> Chosen | VotingPaper:
    if press.option is not None and press.option < len(caller.poll.options):
        return Chosen(press.intent_id, press.option)
    return VotingPaper(press.intent_id)


def _locked(caller: Caller, row: Any) -> Locked | None:  # noqa: ANN401 - a row of _PAPER
    """Give the receipt of a vote made in this chat; AlreadyVoted when it was made elsewhere."""
    if row.receipt is not None and row.locked_chat == caller.chat.identity:
        return Locked(row.id, row.receipt, row.locked_at, fresh=False)
    if row.how is not None:
        raise AlreadyVoted(how=row.how, at=row.locked_at)
    return None


_PAPER: Final = select(
    schema.intent.c.id,
    schema.intent.c.chat,
    schema.lock.c.how,
    schema.lock.c.receipt,
    schema.lock.c.chat.label("locked_chat"),
    schema.lock.c.at.label("locked_at"),
).select_from(schema.intent.outerjoin(schema.lock, schema.lock.c.member_id == schema.intent.c.member_id))
