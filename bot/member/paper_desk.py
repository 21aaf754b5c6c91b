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
from bot.member.marks import Marks
from voting import schema
from voting.poll.election import questions_of
from voting.poll.paper_order import shifts_of
from voting.refusals import AlreadyVoted, UnknownIntent
from voting.store.database import Database
from voting.store.many_values import among, listed
from voting.store.together import Together
from voting.votes.cast import Cast
from voting.votes.clerk import Clerk
from voting.votes.sealing import put_aside

Pressed = Chosen | VotingPaper | PutAside | Locked | ReadRule


class PaperDesk:
    """Decides about presses on voting papers."""

    def __init__(self, database: Database, callers: Callers, clerk: Clerk, order_key: bytes) -> None:
        self._database, self._callers, self._clerk, self._order_key = database, callers, clerk, order_key
        self._papers: Together[str, Any] = Together("papers", self._find_papers)

    async def press(self, caller: Caller, press: PaperPress) -> Pressed:
        """Take a press on a voting paper. UnknownIntent, AlreadyVoted, PollNotOpen, and what `Clerk.cast` raises."""
        accepted = caller.chat.rule_version == caller.poll.rule_version
        marks = Marks(questions_of(caller.poll), press.marks)
        whole = marks.fit and marks.first_wrong() is None
        if press.act is Act.CAST and accepted and whole:
            return await self._cast(caller, press, marks)
        row = await self._paper(caller, press.intent_id)
        if press.act is Act.CAST and (row.how is not None or not caller.poll.takes_votes(caller.now)):
            return await self._cast(caller, press, marks)  # the clerk gives the receipt again, or refuses and notes it
        if (locked := _locked(caller, row)) is not None:
            return locked
        if press.act is Act.NOT_NOW:
            await self._put_aside(press.intent_id)
            await self._callers.save(caller.chat.rest(caller.now), caller.now)
            return PutAside()
        if accepted:
            return self._marked(caller, row, press, marks)
        return ReadRule(caller.poll.rule_version, intent_id=press.intent_id)

    async def accept_rule(self, caller: Caller, intent_id: str, version: int) -> VotingPaper | ReadRule | Locked:
        """Take 'I understand' on an open paper, and show the paper again. UnknownIntent, AlreadyVoted."""
        row = await self._paper(caller, intent_id)
        if (locked := _locked(caller, row)) is not None:
            return locked
        if version != caller.poll.rule_version:
            return ReadRule(caller.poll.rule_version, intent_id=intent_id)
        await self._callers.save(replace(caller.chat, rule_version=version), caller.now)
        shifts = shifts_of(self._order_key, caller.poll, row.member_id)
        return VotingPaper(intent_id, Marks(questions_of(caller.poll)), shifts)

    def _marked(self, caller: Caller, row: Any, press: PaperPress, marks: Marks) -> Chosen | VotingPaper:  # noqa: ANN401
        """Show the whole paper, or a question: the one asked for, or the first whose answer its rules do not allow."""
        if not marks.fit:
            marks = Marks(marks.questions)
        wrong = marks.first_wrong()
        if press.act is not Act.SHOW and wrong is None:
            return Chosen(press.intent_id, marks)
        wanted = press.question if press.act is Act.SHOW else wrong or 0
        shifts = shifts_of(self._order_key, caller.poll, row.member_id)
        question = min(wanted, len(marks.questions) - 1)
        return VotingPaper(press.intent_id, marks, shifts, question=question, reviewing=press.reviewing)

    async def _cast(self, caller: Caller, press: PaperPress, marks: Marks) -> Locked:
        cast = Cast(press.intent_id, caller.chat.identity, caller.chat.rule_version, marks.choices)
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
            wanted = _PAPER.where(among(connection.dialect.name, schema.intent.c.id))
            rows = await connection.execute(wanted, listed(set(intent_ids)))
            found = {row.id: row for row in rows}
        return [found.get(intent_id) for intent_id in intent_ids]


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
    schema.intent.c.member_id,
    schema.lock.c.how,
    schema.lock.c.receipt,
    schema.lock.c.chat.label("locked_chat"),
    schema.lock.c.at.label("locked_at"),
).select_from(schema.intent.outerjoin(schema.lock, schema.lock.c.member_id == schema.intent.c.member_id))
