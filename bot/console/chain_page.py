"""The chain, newest first, a page at a time; each page's links are walked as it is shown. And a lost head given up."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from bot.console.chain_words import told
from bot.console.door import Action, Screen
from bot.console.visit import Visit
from bot.staff.roles import Act
from voting import schema
from voting.audit.chain import GENESIS, ChainBroken, Entry, HeadNotContinued, check_continues, check_links
from voting.audit.resuming import resume_and_sign
from voting.audit.signer import KeptHeadDamaged

PAGE: Final = 50


async def show(visit: Visit) -> Response:
    """Show a page of the chain and whether its entries hold together."""
    before = visit.asked_number("before")
    chain = schema.chain
    async with visit.console.house.database.reading() as connection:
        newest = select(chain).order_by(chain.c.seq.desc()).limit(PAGE + 1)
        rows = (await connection.execute(newest if before is None else newest.where(chain.c.seq < before))).all()
        entries = [
            Entry(row.seq, row.at, row.actor, row.kind, row.body, row.previous, row.hash, row.signature) for row in rows
        ]
        older = entries[PAGE].hash if len(entries) > PAGE else GENESIS
        shown = entries[:PAGE]
        head = (await connection.execute(select(schema.head).order_by(schema.head.c.seq.desc()).limit(1))).first()
        lost, problem = await _lost(connection)
        return await visit.page(
            connection,
            "chain.html",
            entries=shown,
            told=told,
            broken=_broken(shown, older),
            head=head,
            lost=lost,
            problem=problem,
            more=shown[-1].seq if len(entries) > PAGE else None,
            first_page=before is None,
        )


async def give_up(visit: Visit) -> Response:
    """Ask to go on without the lost head, or approve what another officer asked for."""
    async with visit.console.house.database.writing() as connection:
        await resume_and_sign(connection, by=visit.by)
    return visit.back("/console/chain")


async def _lost(connection: AsyncConnection) -> tuple[bool, str | None]:
    """Tell whether the chain does not continue the kept head, and what is wrong with either."""
    try:
        await check_continues(connection)
    except HeadNotContinued as problem:
        return True, str(problem)
    except KeptHeadDamaged as problem:
        return False, str(problem)
    return False, None


def _broken(newest_first: list[Entry], older: bytes) -> str | None:
    if not newest_first:
        return None
    oldest_first = newest_first[::-1]
    try:
        check_links(oldest_first, seq=oldest_first[0].seq - 1, previous=older)
    except ChainBroken as problem:
        return str(problem)
    return None


SCREENS: Final = (Screen("/chain", Act.SEE_CHAIN, show),)
ACTIONS: Final = (Action("/chain/resume", Act.RESUME_HEAD, give_up, show),)
