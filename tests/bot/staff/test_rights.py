"""Whoever writes to the database makes nobody an officer: what counts is signed."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from enrolled import BY, enrolled
from forged_chain import anew, made, put, read
from prepared import NOW, SECRETS, make_poll
from sqlalchemy import Table, delete, insert, select, update

from bot.console import sessions
from bot.house import House
from bot.schema import invite, login_link, session, staff
from bot.settings import Settings
from bot.staff import enrolment, rights
from bot.staff.desk import StaffDesk
from bot.staff.enrolment import InvitationUnusable, Staff
from bot.staff.login_links import LoginLinkUnusable, make_login_link, redeem_login
from bot.staff.rights import Rights
from bot.staff.roles import Act, NotStaff, NotYourRole, Role
from voting.audit import chain
from voting.audit.chain import Entry
from voting.audit.signer import Signer
from voting.store.database import Database

GWEN, HUW, MAL, EVE = 7, 8, 9, 66


@dataclass
class Town:
    """Gwen is an officer, Huw is support, Mal was an officer and is removed; Eve has the database."""

    database: Database
    gwen: Staff
    huw: Staff
    mal: Staff
    link: str  # Mal's invitation, used
    open_link: str  # nobody's yet, for comms

    @property
    def desk(self) -> StaffDesk:
        house = House(Settings(_env_file=None), self.database, SECRETS, clock=lambda: NOW)
        return StaffDesk(house, wake=lambda: None)

    async def writes(self, *statements: object) -> None:
        async with self.database.writing() as connection:
            for statement in statements:
                await connection.execute(statement)  # type: ignore[call-overload]

    async def may(self, user_id: int) -> bool:
        """Tell whether this account may act as an officer."""
        try:
            async with self.desk.acting(user_id, Act.IMPORT_FILES):
                return True
        except (NotStaff, NotYourRole):
            return False

    async def probe(self) -> tuple[bool, str]:
        async with self.database.reading() as connection:
            found = await rights.probe(connection)
        return found.holds, found.detail


@pytest.fixture
async def town(database: Database) -> Town:
    await make_poll(database)
    gwen = await enrolled(database, "Gwen", Role.OFFICER, GWEN)
    huw = await enrolled(database, "Huw", Role.SUPPORT, HUW)
    async with database.writing() as connection:
        link = await enrolment.invite_staff(connection, Role.OFFICER, by=BY)
        mal = await enrolment.enrol(connection, link, user_id=MAL, called="Mal", language="en", now=NOW)
        await enrolment.remove(connection, mal.id, by=BY)
        open_link = await enrolment.invite_staff(connection, Role.COMMS, name="Sian", by=BY)
    return Town(database, gwen, huw, mal, link, open_link)


def row_of(person: Staff, **values: object) -> object:
    return update(staff).where(staff.c.id == person.id).values(**values)


def put_in(**values: object) -> object:
    usual = {"role": "officer", "user_id": EVE, "nonce": bytes(32), "language": "en-GB", "enrolled_at": NOW}
    return insert(staff).values(**{"name": "Eve", **usual, **values})


ATTACKS: dict[str, tuple[Callable[[Town], list[object]], int]] = {
    "puts herself in": (lambda _: [put_in()], EVE),
    "puts herself in under the number of who was removed": (
        lambda town: [
            delete(invite),
            delete(staff).where(staff.c.id == town.mal.id),
            put_in(id=town.mal.id, name="Mal"),
        ],
        EVE,
    ),
    "takes an officer's row": (lambda town: [row_of(town.gwen, user_id=EVE)], EVE),
    "takes an officer's row under a nonce of her own": (
        lambda town: [row_of(town.gwen, user_id=EVE, nonce=b"n" * 32)],
        EVE,
    ),
    "gives a colleague another role": (lambda town: [row_of(town.huw, role="officer")], HUW),
    "puts back who was removed": (lambda town: [row_of(town.mal, removed_at=None)], MAL),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_row_gives_nobody_a_role(town: Town, attack: str) -> None:
    statements, account = ATTACKS[attack]
    assert (await town.probe())[0]

    await town.writes(*statements(town))

    assert not await town.may(account)
    assert await town.desk.who(account) is None
    async with town.database.reading() as connection:
        assert account not in {person.user_id for person in await enrolment.everybody(connection)}
        assert (await enrolment.menu_roles(connection))[account] is None
    holds, detail = await town.probe()
    assert not holds
    assert "who has no role" in detail


async def test_who_takes_a_colleagues_name_is_nobody(town: Town) -> None:
    """Two people must agree on much, and people are told apart by their names."""
    await town.writes(row_of(town.gwen, name="Gwen before"), row_of(town.huw, name="Gwen"))

    assert await town.desk.who(HUW) is None
    assert await town.desk.who(GWEN) is None


async def test_rows_that_changed_places_are_nobodys(town: Town) -> None:
    """Number, account and nonce belong together."""
    async with town.database.reading() as connection:
        nonces = {row.id: row.nonce for row in await connection.execute(select(staff.c.id, staff.c.nonce))}
    await town.writes(
        row_of(town.gwen, user_id=1),
        row_of(town.huw, user_id=GWEN, nonce=nonces[town.gwen.id]),
        row_of(town.gwen, user_id=HUW, nonce=nonces[town.huw.id]),
    )

    assert not await town.may(HUW)
    assert not await town.may(GWEN)


async def test_a_role_whose_row_is_gone_is_told(town: Town) -> None:
    await town.writes(delete(login_link), delete(invite), delete(staff).where(staff.c.id == town.gwen.id))

    holds, detail = await town.probe()

    assert not holds
    assert f"number {town.gwen.id}," in detail


async def test_a_row_that_nobody_signed_keeps_nobody_out_and_can_be_removed(town: Town) -> None:
    await town.writes(put_in(name="Sian"), row_of(town.huw, role="officer"))
    async with town.database.writing() as connection:
        sian = await enrolment.enrol(
            connection, town.open_link, user_id=EVE, called="Sian", language="en", now=NOW
        )  # the row was put in for an account that is invited, honestly
        assert sian.name == "Sian"
        assert sian.role is Role.COMMS
        assert await enrolment.remove(connection, town.huw.id, by=BY) == "Huw"

    assert (await town.probe()) == (True, "2 people")


async def test_a_name_that_a_row_nobody_signed_took_is_given_with_a_number(town: Town) -> None:
    await town.writes(put_in(name="Sian", user_id=1))

    async with town.database.writing() as connection:
        sian = await enrolment.enrol(connection, town.open_link, user_id=4, called="x", language="en", now=NOW)

    assert sian.name == "Sian 2"


# -- invitations ---------------------------------------------------------------------------


def invitation(token: str, **values: object) -> object:
    return update(invite).where(invite.c.token_hash == enrolment.token_hash(token)).values(**values)


INVITATIONS: dict[str, Callable[[Town], tuple[str, list[object], timedelta]]] = {
    "makes one": lambda _: (
        "eve",
        [
            insert(invite).values(
                token_hash=enrolment.token_hash("eve"),
                role="officer",
                made_by="Gwen",
                expires_at=NOW + timedelta(days=9),
            )
        ],
        timedelta(),
    ),
    "raises the role": lambda town: (town.open_link, [invitation(town.open_link, role="officer")], timedelta()),
    "changes the name": lambda town: (town.open_link, [invitation(town.open_link, name="Gwen")], timedelta()),
    "makes it last": lambda town: (
        town.open_link,
        [invitation(town.open_link, expires_at=NOW + timedelta(days=9))],
        timedelta(days=2),
    ),
    "makes it unused": lambda town: (town.link, [invitation(town.link, used_at=None, used_by=None)], timedelta()),
}


@pytest.mark.parametrize("attack", INVITATIONS)
async def test_an_invitation_that_nobody_signed_enrols_nobody(town: Town, attack: str) -> None:
    token, statements, later = INVITATIONS[attack](town)
    await town.writes(*statements)

    async with town.database.writing() as connection:
        with pytest.raises(InvitationUnusable):
            await enrolment.enrol(connection, token, user_id=EVE, called="Eve", language="en", now=NOW + later)


async def test_the_chain_gives_away_neither_account_nor_invitation(town: Town) -> None:
    bodies = [entry.body for entry in await read(town.database) if entry.kind.startswith("staff_")]

    assert [sorted(body) for body in bodies[-4:]] == [
        ["invitation", "role"],
        ["invitation", "name", "role", "staff", "who"],
        ["staff"],
        ["invitation", "role"],
    ]
    said = str(bodies)
    assert "Sian" not in said  # who is not enrolled yet
    assert hashlib.sha256(str(GWEN).encode()).hexdigest() not in said
    assert hashlib.sha256(town.link.encode()).hexdigest() not in said


# -- into the console ----------------------------------------------------------------------


async def test_a_login_link_says_itself_whose_it_is(town: Town) -> None:
    async with town.database.writing() as connection:
        token = await make_login_link(connection, SECRETS, town.huw.id, NOW)
        late = await make_login_link(connection, SECRETS, town.huw.id, NOW)
    await town.writes(update(login_link).values(staff_id=town.gwen.id, expires_at=NOW + timedelta(days=9)))

    async with town.database.writing() as connection:
        assert (await redeem_login(connection, SECRETS, token, NOW)).name == "Huw"
        with pytest.raises(LoginLinkUnusable):
            await redeem_login(connection, SECRETS, late, NOW + timedelta(minutes=10))


def hashes(token: str) -> list[bytes]:
    """Give what somebody without the secrets can make of a token."""
    return [hashlib.sha256(token.encode()).digest(), token.encode(), b""]


async def test_a_login_link_or_session_put_in_opens_nothing(town: Town) -> None:
    token = f"{town.gwen.id}.{int(NOW.timestamp()) + 600}.{'e' * 32}"
    for digest in hashes(token):
        values = {"token_hash": digest, "staff_id": town.gwen.id, "expires_at": NOW + timedelta(hours=1)}
        await town.writes(insert(login_link).values(**values), insert(session).values(made_at=NOW, **values))

    async with town.database.writing() as connection:
        with pytest.raises(LoginLinkUnusable):
            await redeem_login(connection, SECRETS, token, NOW)
        assert await sessions.find(connection, SECRETS, token, NOW) is None


async def test_a_session_says_itself_whose_it_is_and_until_when(town: Town) -> None:
    async with town.database.writing() as connection:
        token = await sessions.begin(connection, SECRETS, town.huw, NOW)
    await town.writes(update(session).values(staff_id=town.gwen.id, expires_at=NOW + timedelta(days=9)))

    async with town.database.reading() as connection:
        guest = await sessions.find(connection, SECRETS, token, NOW)
        assert guest is not None
        assert guest.staff.name == "Huw"
        assert await sessions.find(connection, SECRETS, token, NOW + sessions.SESSION_LIFE) is None


@pytest.mark.parametrize("purposes", [("login", "session"), ("session", "login")], ids=" for ".join)
async def test_a_ticket_serves_one_purpose(town: Town, purposes: tuple[str, str]) -> None:
    """Rows copied from one table to the other open nothing there."""
    tables: dict[str, Table] = {"login": login_link, "session": session}
    async with town.database.writing() as connection:
        if purposes[0] == "login":
            token = await make_login_link(connection, SECRETS, town.huw.id, NOW)
        else:
            token = await sessions.begin(connection, SECRETS, town.huw, NOW)
        row = (await connection.execute(select(tables[purposes[0]]))).mappings().one()
        values = {name: row[name] for name in ("token_hash", "staff_id", "expires_at")}
        extra = {"made_at": NOW} if purposes[1] == "session" else {}
        await connection.execute(insert(tables[purposes[1]]).values(**values, **extra))

        if purposes[1] == "session":
            assert await sessions.find(connection, SECRETS, token, NOW) is None
        else:
            with pytest.raises(LoginLinkUnusable):
                await redeem_login(connection, SECRETS, token, NOW)


@pytest.mark.parametrize(
    "token",
    ["", "a.b", "a.b.c", f"1.{'9' * 30}.x", f"1.{'9' * 15}.x", "1.1.1.1", "²".join("123"), "1.1." + "x" * 80],
)
async def test_what_is_no_ticket_opens_nothing(town: Town, token: str) -> None:
    async with town.database.writing() as connection:
        assert await sessions.find(connection, SECRETS, token, NOW) is None
        with pytest.raises(LoginLinkUnusable):
            await redeem_login(connection, SECRETS, token, NOW)


# -- the chain -----------------------------------------------------------------------------


def eve_signs(entries: list[Entry]) -> list[Entry]:
    """Append an enrolment of Eve's making, and the row that agrees with it."""
    who = rights.account_digest(bytes(32), EVE)
    body = {"staff": 99, "name": "Eve", "role": "officer", "who": who, "invitation": ""}
    return [*entries, made(len(entries) + 1, entries[-1].hash, kind="staff_enrolled", body=body)]


def no_removal(entries: list[Entry]) -> list[Entry]:
    return anew([entry for entry in entries if entry.kind != "staff_removed"])


def raised(entries: list[Entry]) -> list[Entry]:
    """Rewrite what was signed about Huw."""
    return anew(
        [
            replace(entry, body=entry.body | {"role": "officer"}) if entry.body.get("name") == "Huw" else entry
            for entry in entries
        ]
    )


@pytest.mark.parametrize(
    ("act", "statements"),
    [
        pytest.param(eve_signs, lambda _: [put_in(id=99)], id="appends"),
        pytest.param(no_removal, lambda town: [row_of(town.mal, removed_at=None)], id="drops a removal"),
        pytest.param(raised, lambda town: [row_of(town.huw, role="officer")], id="rewrites"),
    ],
)
@pytest.mark.parametrize("started_anew", [False, True], ids=["while it runs", "before it starts"])
async def test_an_entry_that_nobody_signed_gives_nobody_a_role(
    town: Town,
    act: Callable[[list[Entry]], list[Entry]],
    statements: Callable[[Town], list[object]],
    *,
    started_anew: bool,
) -> None:
    """While the chain does not hold nobody acts; who was on the staff before is still told."""
    await town.may(GWEN)  # the process has read the chain
    await put(town.database, act(await read(town.database)))
    await town.writes(*statements(town))
    other = Database(town.database.url.render_as_string(hide_password=False), Signer(SECRETS))
    try:
        if started_anew:
            town.database = other

        assert [await town.may(account) for account in (EVE, HUW, MAL, GWEN)] == [False] * 4
        holds, detail = await town.probe()
        assert not holds
        assert "nobody has a role, because entry" in detail
        async with town.database.reading() as connection:
            assert EVE not in {person.user_id for person in await enrolment.everybody(connection)}
        async with town.database.writing() as connection:
            with pytest.raises(InvitationUnusable):
                await enrolment.enrol(connection, town.open_link, user_id=4, called="x", language="en", now=NOW)
    finally:
        await other.close()


async def test_only_later_entries_are_read_again(town: Town) -> None:
    """A signature spoilt behind what was read is seen by whoever starts, not by each request."""
    assert await town.may(GWEN)
    entries = await read(town.database)
    await put(town.database, [replace(entries[0], signature=bytes(64)), *entries[1:]])
    await enrolled(town.database, "Carys", Role.OFFICER, 10)

    assert await town.may(10)
    other = Database(town.database.url.render_as_string(hide_password=False), Signer(SECRETS))
    try:
        async with other.reading() as connection:
            assert (await rights.rights(connection)).broken is not None
    finally:
        await other.close()


async def test_a_chain_put_in_place_of_the_one_read_is_read_from_its_beginning(town: Town) -> None:
    """After an honest restore the process goes by the chain that is there."""
    entries = await read(town.database)
    await enrolled(town.database, "Carys", Role.OFFICER, 10)
    assert await town.may(10)

    await put(town.database, entries)

    assert not await town.may(10)
    assert await town.may(GWEN)


async def test_what_was_rolled_back_gives_no_role(town: Town) -> None:
    async def enrols_and_fails() -> None:
        async with town.database.writing() as connection:
            token = await enrolment.invite_staff(connection, Role.OFFICER, by=BY)
            carys = await enrolment.enrol(connection, token, user_id=10, called="Carys", language="en", now=NOW)
            assert (await enrolment.by_id(connection, carys.id)).role is Role.OFFICER  # its own transaction sees it
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await enrols_and_fails()

    async with town.database.reading() as connection:
        said = await rights.rights(connection)
        assert "Carys" not in {person.name for person in said.people.values()}
        assert await chain.has_entry(connection, said.seq, said.hash)


async def test_what_is_remembered_reaches_back_a_moment() -> None:
    """A connection that began before the others still finds what it can go on from."""
    known: tuple[Rights, ...] = ()
    for seq in range(0, 10_000, 7):
        known = rights._remember(known, Rights(seq=seq))

    assert len(known) == rights.REMEMBERED_MAX
    assert known[0].seq == seq
    assert rights.APART <= seq - known[2].seq <= 3 * rights.APART
