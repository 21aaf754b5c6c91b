"""The life of a notice: each act in each state, what a newer window ends, and what is left in the queue."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from ballot_town import NOW, WAYS, chats, make_members, make_poll, send_notice, set_window, states
from sqlalchemy import func, select, update

from messages.ledger.outbox import Order, claim
from messages.notices import life, supersede
from messages.notices.life import anything_to_end, cancel, finish, pause, resume, sweep
from messages.notices.model import EDITABLE, ENDED, ON_ITS_WAY, Content, Notice
from messages.notices.notices import approve, draft, edit, show, submit
from messages.notices.sending import resend_to_unreached, send
from messages.reach import TELEGRAM
from messages.refusals import NoticeEnded, NoticeNotThere
from messages.schema import delivery, notice
from voting.model import By
from voting.refusals import Refusal
from voting.schema import chain
from voting.store.database import Database

BY_GWEN, BY_HUW = By("Gwen", "command line", NOW), By("Huw", "chat", NOW)
LATER = NOW + timedelta(hours=1)
STATES = ("draft", "submitted", "approved", "scheduled", "sending", "paused", "done", "canceled", "superseded")


async def town(database: Database, members: int = 2) -> None:
    await make_poll(database)
    await make_members(database, members, telegram=chats(members))


async def drafted(database: Database, **content: Any) -> Notice:
    async with database.writing() as connection:
        return await draft(connection, Content(**{"kind": "pack_delayed", **content}), ways=WAYS, by=BY_GWEN)


async def set_states(database: Database, notice_id: int, state: str) -> None:
    async with database.writing() as connection:
        await connection.execute(update(delivery).where(delivery.c.notice_id == notice_id).values(state=state))


async def a_notice(database: Database, state: str) -> Notice:
    """Bring a new notice into a state by the acts that lead there."""
    if state in {"draft", "submitted", "approved"}:
        made = await drafted(database)
        async with database.writing() as connection:
            if state == "submitted":
                await submit(connection, made.id, by=BY_GWEN)
            if state == "approved":
                await approve(connection, made.id, by=BY_HUW)
    else:
        made = await send_notice(database, send_at=LATER if state == "scheduled" else None)
        await set_states(database, made.id, "failed" if state == "done" else "ready")
        async with database.writing() as connection:
            if state == "paused":
                await pause(connection, made.id, by=BY_GWEN)
            if state == "canceled":
                await cancel(connection, made.id, by=BY_GWEN)
            if state == "done":
                await finish(connection, NOW)
            if state == "superseded":
                await supersede.older_than(connection, 99, now=NOW)
        if state in {"canceled", "superseded"}:
            await set_states(database, made.id, "canceled")
    async with database.reading() as connection:
        found = await show(connection, made.id)
    assert found.state == state
    return found


Act = Callable[[Any, Notice], Awaitable[Notice]]
ACTS: dict[str, Act] = {
    "edit": lambda connection, found: edit(connection, found.id, found.content, version=found.version, by=BY_GWEN),
    "submit": lambda connection, found: submit(connection, found.id, by=BY_GWEN),
    "approve": lambda connection, found: approve(connection, found.id, by=BY_HUW),
    "send": lambda connection, found: send(connection, found.id, by=BY_GWEN),
    "pause": lambda connection, found: pause(connection, found.id, by=BY_GWEN),
    "resume": lambda connection, found: resume(connection, found.id, by=BY_GWEN),
    "cancel": lambda connection, found: cancel(connection, found.id, by=BY_GWEN),
    "resend": lambda connection, found: resend_to_unreached(connection, found.id, ways=WAYS, by=BY_GWEN),
}

# What each act makes of a notice; what is not named refuses with NoticeNotThere, or NoticeEnded where it has ended.
ALLOWED = {
    "draft": {"edit": "draft", "submit": "submitted", "approve": "approved", "send": "sending", "cancel": "canceled"},
    "submitted": {
        "edit": "draft",
        "submit": "submitted",
        "approve": "approved",
        "send": "sending",
        "cancel": "canceled",
    },
    "approved": {"edit": "draft", "send": "sending", "cancel": "canceled"},
    "scheduled": {"send": "scheduled", "cancel": "canceled"},
    "sending": {"send": "sending", "pause": "paused", "resume": "sending", "cancel": "canceled"},
    "paused": {"pause": "paused", "resume": "sending", "cancel": "canceled"},
    "done": {"resend": "draft"},
    "canceled": {"cancel": "canceled", "resend": "draft"},
    "superseded": {"resend": "draft"},
}


async def attempt(database: Database, act: Act, found: Notice) -> str:
    """Give the state an act leads to, or the name of the refusal."""
    try:
        async with database.writing() as connection:
            return (await act(connection, found)).state
    except Refusal as why:
        return type(why).__name__


@pytest.mark.parametrize("state", STATES)
async def test_each_act_does_in_each_state_what_the_table_says(database: Database, state: str) -> None:
    """And whoever is refused changed nothing."""
    await town(database)
    refusal = NoticeEnded if state in ENDED else NoticeNotThere
    expected = {name: ALLOWED[state].get(name, refusal.__name__) for name in ACTS}
    outcomes = {}
    for name, act in ACTS.items():
        found = await a_notice(database, state)
        outcomes[name] = await attempt(database, act, found)
        if name not in ALLOWED[state]:
            async with database.reading() as connection:
                assert await show(connection, found.id) == found

    assert outcomes == expected


def test_every_state_is_editable_or_on_its_way_or_ended() -> None:
    assert sorted([*EDITABLE, *ON_ITS_WAY, *ENDED]) == sorted(STATES) == sorted(ALLOWED)


@pytest.mark.parametrize(
    ("act", "state", "kind"),
    [
        ("pause", "sending", "notice_paused"),
        ("pause", "paused", None),
        ("resume", "paused", "notice_resumed"),
        ("resume", "sending", None),
        ("cancel", "sending", "notice_canceled"),
        ("cancel", "canceled", None),
        ("send", "sending", None),
        ("send", "scheduled", None),
    ],
)
async def test_what_changes_nothing_is_not_on_the_chain(
    database: Database, act: str, state: str, kind: str | None
) -> None:
    await town(database)
    found = await a_notice(database, state)
    async with database.reading() as connection:
        before = (await connection.execute(select(func.count()).select_from(chain))).scalar_one()

    await attempt(database, ACTS[act], found)

    async with database.reading() as connection:
        kinds = list((await connection.execute(select(chain.c.kind).order_by(chain.c.seq))).scalars())
    assert kinds[before:] == ([kind] if kind else [])


async def test_an_end_has_its_time_and_a_resumed_notice_no_reason(database: Database) -> None:
    await town(database)
    paused = await a_notice(database, "paused")
    assert (paused.pause_reason, paused.ended_at) == ("by_staff", None)

    async with database.writing() as connection:
        assert (await resume(connection, paused.id, by=BY_GWEN)).pause_reason is None
        assert (await cancel(connection, paused.id, by=BY_GWEN)).ended_at == NOW
    for state in ("done", "superseded"):
        assert (await a_notice(database, state)).ended_at == NOW


# -- what is left in the queue -----------------------------------------------------------


@pytest.mark.parametrize("left", ["ready", "sending"])
async def test_a_paused_notice_is_never_done(database: Database, left: str) -> None:
    await town(database)
    paused = await a_notice(database, "paused")
    await set_states(database, paused.id, left)

    async with database.writing() as connection:
        assert await finish(connection, NOW) == []
        assert not await anything_to_end(connection)


async def test_only_what_is_queued_of_an_ended_notice_is_swept_and_the_reason_is_how_it_ended(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In steps of a bounded number; another notice's rows stay."""
    monkeypatch.setattr(life, "SWEPT_MAX", 2)
    await town(database, members=4)
    other = await send_notice(database)
    ended = await send_notice(database, kind="rule_changed")
    async with database.writing() as connection:
        await claim(connection, Order(TELEGRAM, ended.id), 1, NOW)
        await cancel(connection, ended.id, by=BY_GWEN)
        assert await anything_to_end(connection)
        assert [await sweep(connection, NOW) for _ in range(3)] == [2, 1, 0]
        assert not await anything_to_end(connection)

    assert await states(database, ended.id) == {"sending": 1, "canceled:canceled": 3}
    assert await states(database, other.id) == {"ready": 4}


@pytest.mark.parametrize(
    ("kind", "state", "ends"),
    [
        *(("pack_delayed", state, True) for state in STATES if state not in ENDED),
        *(("pack_delayed", state, False) for state in ("done", "canceled")),
    ],
)
async def test_a_newer_window_ends_what_is_not_done(database: Database, kind: str, state: str, ends: bool) -> None:
    await town(database)
    found = await a_notice(database, state)
    assert found.content.kind == kind
    await set_window(database, 2, date(2022, 8, 1), date(2022, 8, 10))
    async with database.writing() as connection:
        assert await supersede.overtaken(connection) is ends
        assert await anything_to_end(connection) is ends
        await supersede.older_than(connection, 2, now=LATER)
        after = await show(connection, found.id)

    assert (after.state, after.ended_at) == (("superseded", LATER) if ends else (state, found.ended_at))


@pytest.mark.parametrize("kind", ["rule_changed", "reminder", "closing_soon"])
async def test_a_newer_window_leaves_what_names_no_days(database: Database, kind: str) -> None:
    await town(database)
    found = await drafted(database, kind=kind)
    await set_window(database, 2, date(2022, 8, 1), date(2022, 8, 10))

    async with database.writing() as connection:
        assert found.window_version is None
        assert not await supersede.overtaken(connection)
        assert await supersede.older_than(connection, 2, now=LATER) == 0


async def test_a_notice_about_the_newest_window_is_not_ended_by_it(database: Database) -> None:
    """The same version once more is the same news: only an older one is overtaken."""
    await town(database)
    found = await drafted(database)

    async with database.writing() as connection:
        assert await supersede.older_than(connection, found.window_version or 0, now=LATER) == 0
        assert (await show(connection, found.id)).state == "draft"


async def test_a_window_counts_the_messages_it_stopped_and_is_on_the_chain_once_per_notice(database: Database) -> None:
    await town(database, members=3)
    first, second = await a_notice(database, "sending"), await a_notice(database, "paused")
    async with database.writing() as connection:
        await claim(connection, Order(TELEGRAM, first.id), 2, NOW)
        assert await supersede.older_than(connection, 2, now=LATER) == 1 + 3
        told = (
            await connection.execute(
                select(chain.c.body).where(chain.c.kind == "notice_superseded").order_by(chain.c.seq)
            )
        ).scalars()
        bodies = [str(body) for body in told]

    assert len(bodies) == 2
    assert all(str(found.id) in body for found, body in zip((first, second), bodies, strict=True))


async def test_the_time_of_an_end_is_kept_when_it_is_ended_once_more(database: Database) -> None:
    await town(database)
    found = await a_notice(database, "superseded")
    async with database.writing() as connection:
        await supersede.older_than(connection, 99, now=LATER)
        ends: datetime | None = (
            await connection.execute(select(notice.c.ended_at).where(notice.c.id == found.id))
        ).scalar_one()

    assert ends == NOW
