"""A poll for tests of the count: a dealer's key, packs, an opened poll; ballots are stored as the lock stores them."""

import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from counting import share_files
from electorate import Letter, credential_of, make_letters, pack_row
from kept_database import once
from prepared import GWEN, NOW, SECRETS, make_poll, options_of
from sqlalchemy import insert, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from trustee_town import dealt

from voting import schema
from voting.audit import chain
from voting.ballots.ballot import Ballot, ballot_digest, sign
from voting.ballots.credential import credentials_digest, derive_secret
from voting.ballots.group import Point, random_scalar, write_point
from voting.ballots.mark import mark_of
from voting.ballots.packed import pack
from voting.ballots.seal import Choices, draw_randomness, seal
from voting.ballots.tally import Tally, read_tally
from voting.ballots.written import File
from voting.count.count import count
from voting.model import By, Poll
from voting.poll import polls
from voting.poll.election import election_of
from voting.store.database import Database
from voting.trustees.dealer import Dealt
from voting.trustees.decrypt import make_decryption
from voting.trustees.shares import Share
from voting.verify import format as form
from voting.verify.verify import verify


@dataclass
class CountedTown:
    """A poll of `letters`; what was cast, by member."""

    database: Database
    poll: Poll
    letters: list[Letter]
    dealt: Dealt
    ballots: dict[int, Ballot] = field(default_factory=dict)

    async def votes(self, letters: Sequence[Letter], option: int) -> None:
        """Cast one ballot for this option with each of these letters, all under one entry of the chain."""
        await self.casts({letter.member_id: self.ballot(letter, option) for letter in letters}, letters)

    async def casts(self, made: dict[int, Ballot], letters: Sequence[Letter]) -> None:
        """Cast these letters' ballots, by member, all under one entry of the chain."""
        self.ballots |= made
        async with self.database.writing() as connection:
            digests = {member: ballot_digest(ballot) for member, ballot in made.items()}
            body = {"n": len(made), "ballots": sorted(digest.hex() for digest in digests.values())}
            entry = await chain.append(connection, "votes_locked", body, by=By.system(NOW))
            await connection.execute(
                insert(schema.ballot),
                [
                    {
                        "credential": ballot.credential,
                        "packed": pack(ballot),
                        "digest": digests[member],
                        "entry": entry.seq,
                    }
                    for member, ballot in made.items()
                ],
            )
            await connection.execute(insert(schema.intent), [_intent(letter) for letter in letters])
            await connection.execute(
                insert(schema.lock), [_lock(letter, mark_of(digests[letter.member_id])) for letter in letters]
            )

    def credential(self, letter: Letter) -> Point:
        """Give a letter's public credential."""
        return credential_of(letter, self.poll.uuid)

    def decryption(self, share: Share, tally: Path) -> bytes:
        """Decrypt as a trustee at home does, without any check."""
        return make_decryption(share, election_of(self.poll), self.tally(tally))

    def tally(self, folder: Path) -> Tally:
        """Read the encrypted tally of a bundle."""
        members = archive_members(folder / form.archive_name(self.poll.uuid))
        event = next(event for event in events_of(members) if event["type"] == "EncryptedTally")
        named = json.loads(members[f"{event['payload']}.data.json"])["encrypted_tally"]
        return read_tally(File("tally", members[f"{named}.data.json"]), election_of(self.poll))

    def ballot(self, letter: Letter, option: int) -> Ballot:
        """Make a signed ballot for an option of one question."""
        return self.paper(letter, [[int(place == option) for place in range(len(options_of(self.poll)))]])

    def paper(self, letter: Letter, choices: Choices) -> Ballot:
        """Make a signed ballot."""
        election = election_of(self.poll)
        secret = derive_secret(letter.pack_code, letter.vote_code, self.poll.uuid)
        sealed = seal(election, credential_of(letter, self.poll.uuid), choices, draw_randomness(election))
        return sign(sealed, secret, random_scalar())


async def open_town(database: Database, members: int = 12, **changes: Any) -> CountedTown:
    """Make and open the poll; every member has a pack, all issued by one entry."""

    async def make() -> CountedTown:
        return await _open(database, members, changes)

    return await kept_town(database, ("counted town", members, repr(sorted(changes.items()))), make)


async def kept_town(database: Database, key: Hashable, make: Callable[[], Awaitable[CountedTown]]) -> CountedTown:
    """Make a town once and copy its database the next time; see `once`."""

    async def parts() -> tuple[Poll, list[Letter], dict[int, Ballot]]:
        made = await make()
        return made.poll, made.letters, made.ballots

    poll, letters, ballots = await once(database, key, parts)
    return CountedTown(database, poll, letters, dealt(), ballots)


async def _open(database: Database, members: int, changes: dict[str, Any]) -> CountedTown:
    poll = await make_poll(database, **changes)
    letters = make_letters(poll, members)
    async with database.writing() as connection:
        await polls.set_trustees(connection, dealt().trustees.data, "dealer", by=GWEN)
        people = [
            {"id": n, "member_no": f"{n:07}", "language": "en-GB", "area": "Wales", "country": "GB", "eligible": True}
            for n in range(1, members + 1)
        ]
        await connection.execute(insert(schema.member), people)
        await issue(connection, poll, letters)
        poll = await polls.open_poll(connection, by=GWEN)
    return CountedTown(database, poll, letters, dealt())


async def issue(connection: Any, poll: Poll, letters: Sequence[Letter], kind: str = "packs_issued", **body: Any) -> int:
    """Write packs of these letters and the entry that issues them; give its number."""
    written = [write_point(credential_of(letter, poll.uuid)) for letter in letters]
    body = {"packs": len(written), "credentials": credentials_digest(written), "print_sha256": _nothing(), **body}
    entry = await chain.append(connection, kind, body, by=GWEN)
    rows = [pack_row(poll, letter, issued_entry=entry.seq) for letter in letters]
    await connection.execute(insert(schema.pack), rows)
    return entry.seq


async def replace_pack(town: CountedTown, letter: Letter) -> Letter:
    """Replace a pack after the opening, as two officers do; give the new letter."""
    new = make_letters(town.poll, 1)[0]
    new = Letter(letter.member_id, len(town.letters) + letter.pack_id, new.pack_code, new.vote_code)
    async with town.database.writing() as connection:
        ended = update(schema.pack).where(schema.pack.c.id == letter.pack_id)
        await connection.execute(ended.values(state="replaced", ended_at=NOW))
        await chain.append(connection, "pack_replacement_asked", {}, by=GWEN)
        await chain.append(connection, "pack_replacement_approved", {}, by=By("Huw", "command line", NOW))
        old = write_point(credential_of(letter, town.poll.uuid))
        row = pack_row(town.poll, new, serial=2)
        written = [write_point(row["credential"])]
        body = {"packs": 1, "print_sha256": _nothing(), "credentials": credentials_digest(written), "voided": [old]}
        entry = await chain.append(connection, "pack_replaced", body, by=By("Huw", "command line", NOW))
        await connection.execute(insert(schema.pack).values(**row | {"issued_entry": entry.seq}))
        await connection.execute(ended.values(ended_entry=entry.seq))
    return new


def archive_members(path: Path) -> dict[str, bytes]:
    """Read an archive's members, in order."""
    whole, found, place = path.read_bytes(), {}, 0
    while place < len(whole):
        name, size = whole[place : place + 100].rstrip(b"\0").decode(), int(whole[place + 124 : place + 135], 8)
        found[name] = whole[place + 512 : place + 512 + size]
        place += 512 + (size + 511) // 512 * 512
    return found


def events_of(members: dict[str, bytes]) -> list[dict[str, Any]]:
    """Give the events of an archive, in order."""
    return [json.loads(content) for name, content in members.items() if name.endswith(".event.json")]


async def count_into(town: CountedTown, out: Path, files: Sequence[Path] | None = None, **named: Any) -> dict[str, Any]:
    """Count with the first two shares unless others are named; whatever was written verifies."""
    files = share_files(town, out.parent / "shares")[:2] if files is None else files
    result = await count(town.database, files, out, **{"secrets": SECRETS, "by": GWEN} | named)
    assert verify(out).problems == ()
    return result


@asynccontextmanager
async def as_owner(town: CountedTown, table: str) -> AsyncIterator[AsyncConnection]:
    """Write as the database's owner does, past the triggers."""
    async with town.database.writing() as connection:
        if town.database.is_sqlite:
            triggers = await connection.execute(
                text(f"SELECT name FROM sqlite_master WHERE tbl_name = '{table}' AND type = 'trigger'")
            )
            for (name,) in triggers.all():
                await connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            await connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        yield connection


def folders(folder: Path) -> list[str]:
    """Name the folders in a folder: nothing unfinished is left there."""
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Give a folder's files."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _nothing() -> str:
    return hashlib.sha256(b"").hexdigest()


def _intent(letter: Letter) -> dict[str, Any]:
    return {
        "id": f"intent-{letter.pack_id}",
        "member_id": letter.member_id,
        "pack_id": letter.pack_id,
        "chat": letter.chat,
        "opened_at": NOW,
    }


def _lock(letter: Letter, mark: str) -> dict[str, Any]:
    return {
        "member_id": letter.member_id,
        "how": "online",
        "at": NOW,
        "pack_id": letter.pack_id,
        "intent_id": f"intent-{letter.pack_id}",
        "receipt": mark,
        "chat": letter.chat,
    }
