"""Packs: issued into a print file, replaced by two people. Plain codes exist in that file and nowhere else."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.ballots.group import Point
from voting.imports.taking import Progress
from voting.model import By
from voting.packs import print_file
from voting.packs.drawing import Random, pooled_random
from voting.packs.mailing_house import journeys, overdue, overdue_members, update_events
from voting.packs.packing import Issued, Maker, Printing, finish_earlier, roll_paths_of
from voting.packs.print_file import PrintFile
from voting.poll.polls import refuse_when_over
from voting.poll.without_pack import count_eligible, count_without_pack
from voting.refusals import (
    MemberHasVoted,
    NeedsSecondPerson,
    NoLivePack,
    NotEligible,
    ReplacementUnknown,
    RollFileGone,
)
from voting.roll import roll
from voting.secrets_file import Secrets
from voting.store.database import Database
from voting.typed_text import looks_like, one_line

__all__ = [
    "Asked",
    "Issued",
    "Printing",
    "approve_replacement",
    "ask_replacement",
    "issue",
    "issue_replacement",
    "journeys",
    "overdue",
    "overdue_members",
    "replace",
    "update_events",
]

_REPLACING: Final = "Replacing a pack"


@dataclass(frozen=True, slots=True)
class Asked:
    """A replacement waits for another person."""

    member_no: str
    asked_by: str
    asked_at: datetime


async def issue(
    database: Database,
    secrets: Secrets,
    printing: Printing,
    *,
    by: By,
    progress: Progress | None = None,
    random: Random | None = None,
) -> Issued:
    """Make a pack for everybody who may vote and has neither a working pack nor a lock; write the print file.

    Names and addresses are read again from the roll's file: the one imported last, if it is unchanged, or those
    named. Who has no name or no address there gets no pack unless told. The print file gets its name after the commit.
    Had an earlier run ended between the two, its part is known by the digest on the chain and named now; a part that
    the chain does not know holds codes of no pack and is deleted. Without anybody to make a pack for there is no file.

    PollOver, RollFileGone, FileUnreadable, PrintFileExists, PrintFileUnwritable, RecipientUnusable.
    """
    async with database.writing() as connection:
        poll = await refuse_when_over(connection)
        if (earlier := await finish_earlier(connection, printing.target)) is not None:
            return earlier
        sources = await roll_paths_of(connection, printing)
        with PrintFile(printing.target, printing.recipient, mark=printing.mark) as file:
            maker = Maker(
                connection,
                poll,
                secrets.code_key,
                file,
                printing,
                by.at,
                random or pooled_random(),
                printing.nowhere_too,
            )
            made = await maker.make(sources, lambda _: True, progress)
            digest = file.finish()
        left, eligible = await count_without_pack(connection), await count_eligible(connection)
        issued = Issued(made, printing.target, left, len(maker.nowhere), eligible, sources)
        if made == 0:
            file.discard()
            return issued
        await maker.record("packs_issued", digest, by=by)
    print_file.publish(printing.target)
    return issued


async def ask_replacement(connection: AsyncConnection, member_no: str, reason: str, *, by: By) -> Asked:
    """Ask that a member's pack be replaced; asked again, the first asking stands.

    UnknownMember, NotEligible, MemberHasVoted (a lock, or this pack's paper was received), NoLivePack, PollOver.
    """
    await refuse_when_over(connection)
    member = await _replaceable(connection, member_no)
    if (waiting := await _request(connection, member.id)) is not None:
        return Asked(member_no, waiting["asked_by"], waiting["asked_at"])
    values = {"member_id": member.id, "reason": one_line(reason), "asked_by": by.actor, "asked_at": by.at}
    await connection.execute(insert(schema.replacement).values(values))
    await chain.append(connection, "pack_replacement_asked", {}, by=by)
    return Asked(member_no, by.actor, by.at)


async def approve_replacement(connection: AsyncConnection, member_no: str, *, by: By) -> None:
    """Agree, as somebody else than who asked; agreeing again changes nothing.

    ReplacementUnknown, NeedsSecondPerson, and as `ask_replacement`.
    """
    await refuse_when_over(connection)
    member = await _replaceable(connection, member_no)
    waiting = await _request(connection, member.id)
    if waiting is None:
        raise ReplacementUnknown(member_no=member_no)
    if waiting["approved_at"] is not None:
        return
    if looks_like(waiting["asked_by"], by.actor):
        raise NeedsSecondPerson(act=_REPLACING, name=waiting["asked_by"])
    approved = update(schema.replacement).where(schema.replacement.c.id == waiting["id"])
    await connection.execute(approved.values(approved_by=by.actor, approved_at=by.at))
    await chain.append(connection, "pack_replacement_approved", {}, by=by)


async def issue_replacement(
    database: Database, secrets: Secrets, member_no: str, printing: Printing, *, by: By
) -> Issued:
    """Make the new pack of an approved replacement; the old codes stop working in the same transaction.

    ReplacementUnknown, NeedsSecondPerson (nobody has approved), and as `issue` and `ask_replacement`.
    """
    async with database.writing() as connection:
        poll = await refuse_when_over(connection)
        if (earlier := await finish_earlier(connection, printing.target)) is not None:
            return earlier
        member = await _replaceable(connection, member_no)
        waiting = await _request(connection, member.id)
        if waiting is None:
            raise ReplacementUnknown(member_no=member_no)
        if waiting["approved_at"] is None:
            raise NeedsSecondPerson(act=_REPLACING, name=waiting["asked_by"])
        old, voided = await _end_live(connection, member.id, by.at)
        sources = await roll_paths_of(connection, printing)
        with PrintFile(printing.target, printing.recipient, mark=printing.mark) as file:
            maker = Maker(connection, poll, secrets.code_key, file, printing, by.at, pooled_random())
            if not await maker.make(sources, lambda row: row.cells[0] == member_no, None):
                raise RollFileGone(file=", ".join(map(str, sources)), problem=f"does not name {member_no}")
            digest = file.finish()
        done = update(schema.replacement).where(schema.replacement.c.id == waiting["id"])
        await connection.execute(done.values(issued_at=by.at))
        entry = await maker.record("pack_replaced", digest, by=by, voided=[voided])
        await connection.execute(update(schema.pack).where(schema.pack.c.id == old).values(ended_entry=entry))
    print_file.publish(printing.target)
    return Issued(1, printing.target)


async def _end_live(connection: AsyncConnection, member_id: int, now: datetime) -> tuple[int, Point]:
    """Let a member's working pack work no more; give its row and the credential to be voided."""
    live = (schema.pack.c.member_id == member_id, schema.pack.c.state == "live")
    pack = (await connection.execute(select(schema.pack.c.id, schema.pack.c.credential).where(*live))).one()
    await connection.execute(update(schema.pack).where(*live).values(state="replaced", ended_at=now))
    return pack.id, pack.credential


async def replace(
    database: Database, secrets: Secrets, member_no: str, printing: Printing, *, reason: str = "", by: By
) -> Asked | Issued:
    """Do what comes next in replacing a pack: ask, or, called by another person, approve and issue.

    NeedsSecondPerson when who asked comes again; otherwise as the steps themselves.
    """
    async with database.writing() as connection:
        member = await _replaceable(connection, member_no)
        if await _request(connection, member.id) is None:
            return await ask_replacement(connection, member_no, reason, by=by)
        await approve_replacement(connection, member_no, by=by)
    return await issue_replacement(database, secrets, member_no, printing, by=by)


async def _replaceable(connection: AsyncConnection, member_no: str) -> roll.Member:
    member = await roll.find(connection, member_no)
    lock, pack, paper = schema.lock, schema.pack, schema.paper
    live = select(pack.c.id).where(pack.c.member_id == member.id, pack.c.state == "live")
    pack_id = await connection.scalar(live.with_for_update())  # a vote that is being locked with it comes first
    if await connection.scalar(select(exists().where(lock.c.member_id == member.id))):
        raise MemberHasVoted(member_no=member_no)
    if await connection.scalar(select(exists().where(paper.c.pack_id == pack_id))):
        raise MemberHasVoted(member_no=member_no)
    if not member.eligible:
        raise NotEligible(reason=member.ineligible_reason)
    if pack_id is None:
        raise NoLivePack(member_no=member_no)
    return member


async def _request(connection: AsyncConnection, member_id: int) -> RowMapping | None:
    request = schema.replacement
    waiting = select(request).where(request.c.member_id == member_id, request.c.issued_at.is_(None))
    return (await connection.execute(waiting.with_for_update())).mappings().first()
