"""A poll with members whose codes a test knows, through the real modules: what tests of voting stand on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from kept_database import once
from prepared import NOW, POLL, SECRETS, WINDOW, options_of
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from trustee_town import dealt

from voting import schema
from voting.audit import chain
from voting.audit.probes import run_probes
from voting.ballots.credential import credentials_digest, derive_secret, public_credential
from voting.ballots.group import Point, write_point
from voting.codes import codes
from voting.model import By, Poll
from voting.poll import polls
from voting.secrets_file import Secrets
from voting.store.database import Database
from voting.trustees.dealer import Dealt
from voting.votes.attempts import AttemptSeen
from voting.votes.cast import Cast, CastOutcome
from voting.votes.checks import Checks
from voting.votes.clerk import Clerk
from voting.votes.right_codes import CodesGood, Purpose
from voting.votes.wrong_codes import Alarm


@dataclass(frozen=True)
class Letter:
    """What one member's pack says."""

    member_id: int
    pack_id: int
    pack_code: str
    vote_code: str

    @property
    def chat(self) -> str:
        """The member's own chat."""
        return f"telegram:{self.member_id}"


@dataclass
class Electorate:
    """An open poll; `letters[i]` is the pack of member i + 1. What staff would be told is kept."""

    database: Database
    letters: list[Letter]
    dealt: Dealt = field(default_factory=dealt)  # whose shares decrypt
    poll: Poll = POLL
    secrets: Secrets = SECRETS
    told: list[AttemptSeen] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    apart: bool = False  # codes are given one after the other, not in one message

    def __post_init__(self) -> None:
        self.clerk = Clerk(self.database, self.secrets)
        self.checks = Checks(self.database, self.secrets, on_attempt=self._tell, on_alarm=self._alarm)

    async def _tell(self, _connection: AsyncConnection, seen: AttemptSeen) -> None:
        self.told.append(seen)

    async def _alarm(self, _connection: AsyncConnection, alarm: Alarm) -> None:
        self.alarms.append(alarm)

    async def gives_codes(
        self,
        letter: Letter,
        *,
        chat: str | None = None,
        flow: str = "flow",
        message: str | None = None,
        warned: bool = False,
        purpose: Purpose = Purpose.VOTE,
        now: datetime = NOW,
    ) -> CodesGood:
        """Give both codes in a chat: the member's own, if no other is named."""
        chat = chat or letter.chat
        if self.apart:
            await self.checks.pack_code(letter.pack_code, chat=chat, now=now)
        return await self.checks.both_codes(
            letter.pack_code,
            letter.vote_code,
            chat=chat,
            purpose=purpose,
            flow=flow,
            message=message,
            warned=warned,
            now=now,
        )

    async def opens_paper(
        self, letter: Letter, *, chat: str | None = None, message: str | None = None, now: datetime = NOW
    ) -> str:
        """Come to the voting paper; give its intent."""
        good = await self.gives_codes(letter, chat=chat, message=message, now=now)
        assert good.intent is not None
        return good.intent.id

    async def votes(self, letter: Letter, option: int = 0, *, now: datetime = NOW) -> CastOutcome:
        """Vote from the member's own chat."""
        intent = await self.opens_paper(letter, now=now)
        return await self.clerk.cast(press(intent, letter.chat, option), now)

    async def count(self, table: str) -> int:
        """Count a table's rows."""
        async with self.database.reading() as connection:
            rows = await connection.scalar(select(func.count()).select_from(schema.METADATA.tables[table]))
        return int(rows or 0)

    async def broken_probes(self) -> list[str]:
        """Name the identities that do not hold."""
        async with self.database.reading() as connection:
            return [f"{probe.name}: {probe.detail}" for probe in await run_probes(connection) if not probe.holds]


def press(intent: str, chat: str, option: int, *, rule_version: int = 1) -> Cast:
    """Press 'Cast my vote' for an option of POLL's two; any other number is an option that there is not."""
    return Cast(intent, chat, rule_version, (tuple(int(place == option) for place in range(len(options_of(POLL)))),))


def the_other(cast: Cast) -> Cast:
    """Press the other option on the same paper."""
    return replace(cast, choices=tuple(tuple(reversed(bits)) for bits in cast.choices))


def make_letters(poll: Poll, members: int) -> list[Letter]:
    """Make codes for members 1..n."""
    return [
        Letter(n, n, codes.generate(codes.Kind.PACK, poll.id), codes.generate(codes.Kind.VOTE, poll.id))
        for n in range(1, members + 1)
    ]


@lru_cache(maxsize=4_096)  # a letter's is asked for again and again
def credential_of(letter: Letter, uuid: str) -> Point:
    """Give the public credential of a letter's codes."""
    return public_credential(derive_secret(letter.pack_code, letter.vote_code, uuid))


def pack_row(poll: Poll, letter: Letter, **values: Any) -> dict[str, Any]:
    """Give the pack's row for a letter."""
    pack_hash = codes.hash_pack(SECRETS.code_key, poll.id, letter.pack_code)
    return {
        "id": letter.pack_id,
        "member_id": letter.member_id,
        "serial": 1,
        "pack_hash": pack_hash,
        "credential": credential_of(letter, poll.uuid),
        "issued_entry": 1,
        "state": "live",
        "issued_at": NOW - timedelta(days=1),
    } | values


async def open_electorate(
    database: Database,
    members: int = 3,
    *,
    letters: list[Letter] | None = None,
    before_open: Callable[[AsyncConnection], Awaitable[None]] | None = None,
    secrets: Secrets = SECRETS,
) -> Electorate:
    """Set up and open the poll with this many members; with `letters` made before, if given."""

    async def make() -> list[Letter]:
        made = letters or make_letters(POLL, members)
        await _open(database, made, before_open, secrets)
        return made

    same = letters is None and before_open is None and secrets is SECRETS
    made = await once(database, ("electorate", members), make) if same else await make()
    return Electorate(database, made, secrets=secrets)


async def _open(
    database: Database,
    letters: list[Letter],
    before_open: Callable[[AsyncConnection], Awaitable[None]] | None,
    secrets: Secrets,
) -> None:
    async with database.writing() as connection:
        await polls.init(connection, POLL, WINDOW, secrets, by=By("Gwen", "command line", NOW))
        await polls.set_trustees(connection, dealt().trustees.data, "dealer", by=By("Gwen", "command line", NOW))
        people = [
            {"id": n, "member_no": f"{n:07}", "language": "en-GB", "area": "Wales", "country": "GB", "eligible": True}
            for n in range(1, len(letters) + 1)
        ]
        await connection.execute(insert(schema.member), people)
        written = [write_point(credential_of(letter, POLL.uuid)) for letter in letters]
        body = {"packs": len(written), "print_sha256": "0" * 64, "credentials": credentials_digest(written)}
        entry = await chain.append(connection, "packs_issued", body, by=By("Gwen", "command line", NOW))
        rows = [pack_row(POLL, letter, issued_entry=entry.seq) for letter in letters]
        await connection.execute(insert(schema.pack), rows)
        if before_open is not None:
            await before_open(connection)
        await polls.open_poll(connection, by=By("Gwen", "command line", NOW))
