"""The opening: what must be there before it, and what the chain then says for good."""

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.ballots.refusals import BallotRefusal
from voting.model import By, Phase, Poll
from voting.poll.election import election_of, fingerprint_of, paper_of, trustees_of
from voting.poll.keys import trustees_without_yes
from voting.poll.stored import load_preparing, move
from voting.poll.without_pack import count_without_pack
from voting.refusals import NoElectionKey, PacksMissing, PollNotReady


async def open_poll(
    connection: AsyncConnection,
    *,
    by: By,
    despite_missing_packs: bool = False,
    page: str | None = None,
    public_url: str | None = None,
) -> Poll:
    """Open the poll; votes are taken from `opens_at` on. PollAlreadyOpen, PollNotReady naming what is missing.

    The paper stays as it is from here on, and the chain names the SHA-256 of all that a ballot rests on; `page` is
    that of every file of the voting page. `public_url` is the address of the service, empty where there is none, None
    where it does not matter.
    PacksMissing when somebody who may vote has no pack, unless that was accepted: the chain then says how many.
    """
    poll = await load_preparing(connection)
    missing = await missing_before_opening(connection, poll, by.at)
    if poll.ways.page and public_url == "":
        missing.append("a public address for the voting page (BALLOTLINE_PUBLIC_URL, or `page = false` in [ways])")
    if missing:
        raise PollNotReady(missing=", ".join(missing))
    without = await count_without_pack(connection)
    if without and not despite_missing_packs:
        raise PacksMissing(members=without)
    opened = replace(poll, phase=Phase.OPEN, opened_at=by.at, paper=paper_of(poll))
    await move(connection, Phase.PREPARING, Phase.OPEN, opened_at=by.at, paper=paper_of(poll))
    body = _opened(opened)
    if page is not None:
        body["page"] = page
    if without:
        body["without_pack"] = without
    await chain.append(connection, "poll_opened", body, by=by)
    return opened


async def missing_before_opening(connection: AsyncConnection, poll: Poll, now: datetime) -> list[str]:
    """Name what is missing, each with the command that brings it; nothing when the poll can open."""
    somebody = select(exists().where(schema.member.c.eligible))
    a_pack = select(exists().where(schema.pack.c.state == "live"))
    checks = {
        "a roll with somebody who may vote (`ballotline roll import`)": bool(await connection.scalar(somebody)),
        "packs (`ballotline packs issue`)": bool(await connection.scalar(a_pack)),
        "a closing time that has not passed": now < poll.closes_at,
    }
    return [*await missing_of_key(connection, poll), *(name for name, there in checks.items() if not there)]


async def missing_of_key(connection: AsyncConnection, poll: Poll) -> list[str]:
    """Name what is missing before anybody can encrypt to the trustees and the trustees have agreed to it."""
    try:
        election_of(poll)
    except NoElectionKey:
        return ["the election key (`ballotline keys create`, or `keys assemble` after a ceremony)"]
    except BallotRefusal as wrong:
        return [f"a poll file whose texts can stand in the election ({wrong})"]
    waiting = await trustees_without_yes(connection, poll)
    who = ", ".join(map(str, waiting))
    return [f"the yes of trustee {who} to exactly this election (`ballotline keys agree`)"] if waiting else []


def _opened(poll: Poll) -> dict[str, Any]:
    return {
        "opens_at": poll.opens_at.isoformat(),
        "closes_at": poll.closes_at.isoformat(),
        "election": election_of(poll).hash,
        "paper": hashlib.sha256(paper_of(poll)).hexdigest(),
        "trustees": trustees_of(poll).digest,
        "fingerprint": fingerprint_of(poll),
    }
