"""The election key in the poll: who the trustees are, made by a dealer or a ceremony, and each trustee's yes."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, Literal

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.ballots.agreement import check_yes
from voting.ballots.group import write_point
from voting.ballots.trustee_refusals import TrusteeRefusal
from voting.ballots.trustees import read_trustees
from voting.ballots.written import File
from voting.model import By, Poll
from voting.poll.election import election_of, trustees_of
from voting.poll.stored import load_preparing
from voting.refusals import NobodyHasToAgree

KeyKind = Literal["dealer", "ceremony"]
DEALER: Final = "dealer"
CEREMONY: Final = "ceremony"
MADE: Final = {
    DEALER: "a dealer made the key: for that moment one machine could decrypt alone",
    CEREMONY: "the trustees made the key together: no machine ever held it",
}
AGREED: Final = "trustee_agreed"


async def set_trustees(connection: AsyncConnection, trustees_file: bytes, kind: KeyKind, *, by: By) -> Poll:
    """Keep who the trustees are: all bytes of trustees.json, and who made the key.

    The same again changes nothing; another key replaces an older one, and every yes to it, until the poll opens.
    FileDamaged, PollAlreadyOpen, NoPoll.
    """
    poll = await load_preparing(connection)
    trustees = read_trustees(File("trustees.json", trustees_file))
    if (poll.trustees_file, poll.key_kind) == (trustees_file, kind):
        return poll
    await connection.execute(update(schema.poll).values(trustees_file=trustees_file, key_kind=kind))
    body = {
        "trustees": len(trustees.keys),
        "threshold": trustees.threshold,
        "trustees_sha256": trustees.digest,
        "key": write_point(trustees.election_key),
        "kind": kind,
    }
    await chain.append(connection, "trustees_set", body, by=by)
    return replace(poll, trustees_file=trustees_file, key_kind=kind)


async def keep_yes(connection: AsyncConnection, files: Iterable[File], *, by: By) -> list[int]:
    """Write each trustee's yes to the chain, and give the trustees whose is there now, ascending.

    All are taken or none; one whose yes is there already is not written again. NobodyHasToAgree (a dealer's key),
    FileDamaged, FileForeign (a yes to something else, or to the poll as it was), NoElectionKey, PollAlreadyOpen.
    """
    poll = await load_preparing(connection)
    if poll.key_kind == DEALER:
        raise NobodyHasToAgree
    there = await _agreed(connection, poll)
    for file in files:
        trustee = _check(file, poll)
        if trustee not in there:
            await chain.append(connection, AGREED, {"trustee": trustee, "yes": file.data.decode("ascii")}, by=by)
            there.add(trustee)
    return sorted(there)


async def trustees_without_yes(connection: AsyncConnection, poll: Poll) -> list[int]:
    """Give the trustees, ascending, whose yes to exactly this election is not on the chain; nobody's with a dealer."""
    if poll.key_kind != CEREMONY:
        return []
    there = await _agreed(connection, poll)
    return [trustee for trustee in range(1, len(trustees_of(poll).keys) + 1) if trustee not in there]


async def _agreed(connection: AsyncConnection, poll: Poll) -> set[int]:
    """Check every yes on the chain again: each is a proof, and those to an older election prove nothing now."""
    bodies = await connection.scalars(select(schema.chain.c.body).where(schema.chain.c.kind == AGREED))
    found = set()
    for body in bodies:
        try:
            found.add(_check(File("a yes on the chain", body["yes"].encode("ascii")), poll))
        except TrusteeRefusal:
            continue
    return found


def _check(file: File, poll: Poll) -> int:
    return check_yes(file, election=election_of(poll), trustees=trustees_of(poll), signing_key=poll.signing_key)
