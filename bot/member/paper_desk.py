"""Where presses on a voting paper are decided: chosen, put aside, cast. No Telegram here and no words.

Any press may come twice, or late; on a paper that is locked every button gives the receipt.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select

from bot.chat.buttons import Act, PaperPress
from bot.member.answers import Chosen, Locked, PutAside, VotingPaper
from bot.member.callers import Caller, Callers
from voting import schema
from voting.refusals import AlreadyVoted, UnknownIntent
from voting.store.database import Database
from voting.store.together import Together
from voting.votes.cast import Cast
from voting.votes.clerk import Clerk

Pressed = Chosen | VotingPaper | PutAside | Locked


class PaperDesk:
    """Decides about presses on voting papers."""

    def __init__(self, database: Database, callers: Callers, clerk: Clerk) -> None:
        self._database, self._callers, self._clerk = database, callers, clerk
        self._papers: Together[str, Any] = Together("papers", self._find_papers)

    async def press(self, caller: Caller, press: PaperPress) -> Pressed:
        """Take a press on a voting paper. UnknownIntent, AlreadyVoted, PollNotOpen, and what `Clerk.cast` raises."""
        if press.act is Act.CAST:
            return await self._cast(caller, press)
        row = await self._paper(caller, press.intent_id)
        if row.receipt is not None and row.locked_chat == caller.chat.identity:
            return Locked(press.intent_id, row.receipt, row.locked_at, fresh=False)
        if row.how is not None:
            raise AlreadyVoted(how=row.how, at=row.locked_at)
        if press.act is Act.NOT_NOW:
            await self._callers.save(caller.chat.rest(caller.now), caller.now)
            return PutAside()
        if press.option is not None and press.option < len(caller.poll.options):
            return Chosen(press.intent_id, press.option)
        return VotingPaper(press.intent_id)

    async def _cast(self, caller: Caller, press: PaperPress) -> Locked:
        assert press.option is not None  # a CAST button carries one
        cast = Cast(press.intent_id, caller.chat.identity, press.option)
        outcome = await self._clerk.cast(cast, caller.now)
        return Locked(press.intent_id, outcome.receipt, outcome.at, fresh=outcome.fresh)

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


_PAPER: Final = select(
    schema.intent.c.id,
    schema.intent.c.chat,
    schema.lock.c.how,
    schema.lock.c.receipt,
    schema.lock.c.chat.label("locked_chat"),
    schema.lock.c.at.label("locked_at"),
).select_from(schema.intent.outerjoin(schema.lock, schema.lock.c.member_id == schema.intent.c.member_id))
