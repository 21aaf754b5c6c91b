"""The ledger: claimed once, settled under its fence, never going back, whatever comes late, twice or in no order."""

import asyncio
import itertools
import random
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from ballot_town import NOW, chats, make_members, make_poll, numbers, rows_of, send_notice, states
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from prepared import SECRETS
from sqlalchemy import insert, select, update

from messages.channels.channels import Sent
from messages.channels.verdicts import SendFailed, Verdict
from messages.ledger.aftermath import Aftermath, Trouble
from messages.ledger.callbacks import RANKS, StatusReport, read_report, record_status
from messages.ledger.outbox import Order, claim, expire, settle
from messages.ledger.planning import NoticePlan, plan_message, plan_notice
from messages.ledger.settlement import RESENDS_MAX, Claimed, after_failure, after_no_slot, after_not_found, after_sent
from messages.pace.pacer import Lane
from messages.postman.resolving import give_up_leases
from messages.reach import SMS, TELEGRAM, State, set_channel_state, sync_sms_channels
from messages.schema import channel, notice
from voting.audit.signer import Signer
from voting.schema import lock, member, pack
from voting.store.database import Database
from voting.store.upgrade import upgrade

AFTERMATH = Aftermath()


async def claimed(database: Database, kind: str = TELEGRAM, most: int = 100, now: datetime = NOW) -> list[Claimed]:
    """Claim in a transaction of its own, and draw the consequences, as a line does."""
    async with database.writing() as connection:
        found = await connection.execute(select(notice.c.id, notice.c.on_unknown).where(notice.c.state == "sending"))
        row = found.first()
        order = Order(kind, row.id, row.on_unknown, not_to_voters=True) if row else Order(kind)
        rows, skipped = await claim(connection, order, most, now)
        await AFTERMATH.after_skipped(connection, skipped, now)
    return rows


async def settled(database: Database, *settlements: Any, aftermath: Aftermath = AFTERMATH, now: datetime = NOW) -> int:
    async with database.writing() as connection:
        written = await settle(connection, settlements, now)
        await aftermath.after_settled(connection, [one for one in settlements if one.claimed.id in written], now)
    return len(written)


async def reported(database: Database, report: StatusReport, aftermath: Aftermath = AFTERMATH) -> bool:
    async with database.writing() as connection:
        return await record_status(connection, report, aftermath=aftermath, now=NOW)


async def message(database: Database, occasion: str = "one", **changes: Any) -> int | None:
    values: dict[str, Any] = {
        "purpose": "link_code",
        "facts": {"code": "123456", "minutes": 10},
        "channel": SMS,
        "address": "+447700900001",
        "language": "en-GB",
        "lane": Lane.CHAT,
        "now": NOW,
    }
    async with database.writing() as connection:
        return await plan_message(connection, occasion=occasion, **(values | changes))


async def lock_vote(database: Database, member_id: int) -> None:
    async with database.writing() as connection:
        await connection.execute(
            insert(pack).values(
                id=member_id,
                member_id=member_id,
                serial=1,
                pack_hash=b"p%d" % member_id,
                state="live",
                issued_at=NOW,
            )
        )
        await connection.execute(insert(lock).values(member_id=member_id, how="post", at=NOW, pack_id=member_id))


# -- planning ----------------------------------------------------------------------------


async def test_a_member_is_planned_once_on_the_best_channel_or_with_the_reason_why_not(database: Database) -> None:
    """Telegram, else SMS, else a row that says why nobody can be reached."""
    await make_poll(database)
    both, texts, blocked, stopped = numbers(4)
    await make_members(database, 1, telegram=["71"], sms=[both])
    await make_members(database, 1, sms=[texts], first=2)
    await make_members(database, 1, telegram=["73"], sms=[blocked], first=3)
    await make_members(database, 1, sms=[stopped], first=4)
    await make_members(database, 1, first=5)
    async with database.writing() as connection:
        await set_channel_state(connection, TELEGRAM, "73", State.BLOCKED, reason="blocked", now=NOW)
        await set_channel_state(connection, SMS, stopped, State.OPTED_OUT, reason="STOP", now=NOW)

    await send_notice(database)

    found = [(row.member_id, row.channel, row.address, row.state, row.reason) for row in await rows_of(database)]
    assert sorted(found) == [
        (1, "telegram", "71", "ready", None),
        (2, "sms", texts, "ready", None),
        (3, "sms", blocked, "ready", None),
        (4, "sms", stopped, "skipped", "opted_out"),
        (5, "sms", "", "skipped", "no_channel"),
    ]


async def test_planning_a_notice_twice_is_refused_by_the_ledger_itself(database: Database) -> None:
    await make_poll(database)
    await make_members(database, 3, telegram=chats(3))
    sent = await send_notice(database)
    plan = NoticePlan(sent.id, "pack_delayed", "all", urgent=False, segments={}, today=date(2022, 8, 3), now=NOW)

    with pytest.raises(Exception, match=r"(?i)unique"):
        async with database.writing() as connection:
            await plan_notice(connection, plan)

    assert await states(database) == {"ready": 3}


async def test_a_household_is_told_once_through_its_number(database: Database) -> None:
    await make_poll(database)
    (number,) = numbers(1)
    await make_members(database, 3, sms=[number] * 3)

    await send_notice(database)

    assert await states(database) == {"ready": 1, "skipped:household": 2}


async def test_a_provider_that_is_switched_off_is_a_reason(database: Database) -> None:
    await make_poll(database)
    await make_members(database, 2, telegram=chats(2))
    sent = await send_notice(database, send_at=NOW + timedelta(hours=1))
    plan = NoticePlan(
        sent.id,
        "pack_delayed",
        "all",
        urgent=False,
        segments={},
        today=date(2022, 8, 3),
        now=NOW,
        providers=frozenset({SMS}),
    )

    async with database.writing() as connection:
        planned = await plan_notice(connection, plan)

    assert planned == {"skipped": 2}
    assert await states(database) == {"skipped:telegram_off": 2}


async def test_the_same_occasion_is_told_once(database: Database) -> None:
    first, again, other = await message(database), await message(database), await message(database, "two")

    assert first is not None
    assert again is None
    assert other not in (None, first)


# -- claiming ----------------------------------------------------------------------------


async def test_people_are_served_by_lane_before_any_notice(database: Database) -> None:
    await make_poll(database)
    await make_members(database, 3, telegram=chats(3))
    await send_notice(database)
    alert = await message(database, "a", channel=TELEGRAM, lane=Lane.ALERT)
    chat = await message(database, "c", channel=TELEGRAM, lane=Lane.CHAT)

    rows = await claimed(database, most=3)

    assert [row.id for row in rows[:2]] == [chat, alert]
    assert [row.lane for row in rows] == [Lane.CHAT, Lane.ALERT, Lane.REST]


async def test_two_claims_at_once_never_take_the_same_row(database: Database) -> None:
    await make_poll(database)
    await make_members(database, 40, telegram=chats(40))
    await send_notice(database)

    taken = await asyncio.gather(*(claimed(database, most=7) for _ in range(6)))

    ids = Counter(row.id for rows in taken for row in rows)
    assert len(ids) == 40
    assert set(ids.values()) == {1}


async def test_a_message_is_not_sent_before_nor_after_its_time(database: Database) -> None:
    await message(database, "early", not_before=NOW + timedelta(minutes=5))
    await message(database, "late", send_before=NOW)

    assert await claimed(database, SMS) == []
    assert await states(database) == {"ready": 1, "skipped:expired": 1}
    assert len(await claimed(database, SMS, now=NOW + timedelta(minutes=5))) == 1


async def test_who_has_voted_by_now_is_not_reminded_and_the_household_still_is(database: Database) -> None:
    """The reminder was planned for both; the first to hear of it has voted in between."""
    await make_poll(database)
    (number,) = numbers(1)
    await make_members(database, 2, sms=[number] * 2)
    await send_notice(database, kind="reminder", audience="not_voted")
    await lock_vote(database, 1)

    assert await claimed(database, SMS) == []
    (row,) = await claimed(database, SMS)

    assert row.member_id == 2
    assert await states(database) == {"skipped:voted": 1, "sending": 1}


@pytest.mark.parametrize(("kind", "reason"), [(SMS, "opted_out"), (TELEGRAM, "blocked")])
async def test_consent_is_looked_at_again_when_a_message_goes(database: Database, kind: str, reason: str) -> None:
    """STOP, or a blocked bot, between planning and sending."""
    await make_poll(database)
    (number,) = numbers(1)
    if kind == SMS:
        await make_members(database, 1, sms=[number])
    else:
        await make_members(database, 1, telegram=["71"], sms=[number])
    await send_notice(database)
    async with database.writing() as connection:
        address = number if kind == SMS else "71"
        await set_channel_state(connection, kind, address, State(reason), reason="said so", now=NOW)

    assert await claimed(database, kind) == []

    expected = {f"skipped:{reason}": 1} | ({"ready": 1} if kind == TELEGRAM else {})
    assert await states(database) == expected


async def test_a_number_that_the_roll_has_taken_from_the_member_can_still_say_stop(database: Database) -> None:
    """The text was planned for the old number; whoever has that now is nobody's channel, and is left alone."""
    await make_poll(database)
    old, new = numbers(2)
    await make_members(database, 1, sms=[old])
    await send_notice(database)
    async with database.writing() as connection:
        await connection.execute(update(member).values(phone=new))
        await sync_sms_channels(connection, NOW)
        await set_channel_state(connection, SMS, old, State.OPTED_OUT, reason="STOP", now=NOW)

    assert await claimed(database, SMS) == []

    assert await states(database) == {"skipped:opted_out": 1}


@pytest.mark.parametrize("state", ["paused", "canceled", "superseded"])
async def test_a_notice_that_was_stopped_gives_no_row_to_a_claim(database: Database, state: str) -> None:
    await make_poll(database)
    await make_members(database, 1, telegram=chats(1))
    sent = await send_notice(database)
    async with database.writing() as connection:
        await connection.execute(update(notice).values(state=state))
        assert await claim(connection, Order(TELEGRAM, sent.id), 10, NOW) == ([], [])


# -- settling ----------------------------------------------------------------------------


OUTCOMES = {
    "sent": (None, "sent", None),
    "blocked": (SendFailed(Verdict.BLOCKED, "blocked"), "failed", "blocked"),
    "refused": (SendFailed(Verdict.REFUSED, "400"), "failed", "400"),
    "slow down": (SendFailed(Verdict.SLOW_DOWN, "429"), "ready", "429"),
    "unreachable": (SendFailed(Verdict.UNREACHABLE, "no_connection"), "ready", "no_connection"),
    "later": (SendFailed(Verdict.LATER, "30003"), "ready", "30003"),
    "our set-up": (SendFailed(Verdict.OUR_SETUP, "20003"), "ready", "20003"),
    "unknown": (SendFailed(Verdict.UNKNOWN, "timeout"), "unknown", "timeout"),
}


@pytest.mark.parametrize(("failure", "state", "reason"), OUTCOMES.values(), ids=OUTCOMES.keys())
async def test_what_happened_is_written_down(
    database: Database, failure: SendFailed | None, state: str, reason: str | None
) -> None:
    await make_poll(database)
    await make_members(database, 1, sms=numbers(1))
    await send_notice(database)
    (row,) = await claimed(database, SMS)

    await settled(database, after_failure(row, failure, NOW) if failure else after_sent(row, Sent("SM1"), NOW))

    (written,) = await rows_of(database)
    assert (written.state, written.reason) == (state, reason)
    assert (written.provider_id == "SM1") is (failure is None)


async def test_a_handset_that_was_off_is_tried_once_more_and_then_given_up(database: Database) -> None:
    await message(database)
    later = SendFailed(Verdict.LATER, "30003")
    (row,) = await claimed(database, SMS)
    await settled(database, after_failure(row, later, NOW))

    assert await claimed(database, SMS) == []
    (row,) = await claimed(database, SMS, now=NOW + timedelta(hours=1))
    await settled(database, after_failure(row, later, NOW))

    assert await states(database) == {"failed:30003": 1}


async def test_a_late_writer_is_fenced_off(database: Database) -> None:
    """Who was overtaken can write nothing over who overtook."""
    await message(database)
    (old,) = await claimed(database, SMS)
    await settled(database, after_no_slot(old))
    (new,) = await claimed(database, SMS)

    assert await settled(database, after_failure(old, SendFailed(Verdict.REFUSED, "late"), NOW)) == 0
    assert await settled(database, after_sent(new, Sent("SM2"), NOW)) == 1
    assert await states(database) == {"sent": 1}


async def test_a_success_that_comes_after_the_lease_still_counts(database: Database) -> None:
    await message(database)
    (row,) = await claimed(database, SMS)
    async with database.writing() as connection:
        assert len(await expire(connection, SMS, NOW + timedelta(hours=1))) == 1
    assert await states(database) == {"unknown:lease_expired": 1}

    await settled(database, after_sent(row, Sent("SM1"), NOW))

    assert await states(database) == {"sent": 1}


@pytest.mark.parametrize(("policy", "state"), [("leave", "unknown:lease_expired"), ("resend", "ready:lease_expired")])
async def test_at_telegram_the_policy_of_the_notice_decides_on_an_expired_lease(
    database: Database, policy: str, state: str
) -> None:
    await make_poll(database)
    await make_members(database, 1, telegram=chats(1))
    await send_notice(database, on_unknown=policy)
    await claimed(database)

    async with database.writing() as connection:
        await give_up_leases(connection, TELEGRAM, NOW + timedelta(hours=1))

    assert await states(database) == {state: 1}


async def test_a_lease_that_still_runs_is_left_alone(database: Database) -> None:
    await message(database)
    await claimed(database, SMS)

    async with database.writing() as connection:
        assert await expire(connection, SMS, NOW + timedelta(seconds=30)) == []


async def test_a_message_that_twilio_never_got_is_sent_again_but_not_for_ever(database: Database) -> None:
    await message(database)
    for _ in range(RESENDS_MAX):
        (row,) = await claimed(database, SMS)
        await settled(database, after_failure(row, SendFailed(Verdict.UNKNOWN, "timeout"), NOW))
        await settled(database, after_not_found(row, NOW))

    assert await states(database) == {"failed:not_found": 1}


async def test_a_blocked_chat_turns_off_the_channel_and_falls_back_to_a_text_once(database: Database) -> None:
    await make_poll(database)
    await make_members(database, 1, telegram=["71"], sms=numbers(1))
    await send_notice(database)
    (row,) = await claimed(database)
    blocked = after_failure(row, SendFailed(Verdict.BLOCKED, "blocked"), NOW)

    await settled(database, blocked)
    async with database.writing() as connection:
        await AFTERMATH.after_settled(connection, [blocked], NOW)

    first, second = await rows_of(database)
    assert (first.state, second.state, second.channel, second.fallback_of) == ("failed", "ready", "sms", first.id)
    assert second.segments > 0
    async with database.reading() as connection:
        kinds = {row.kind: row.state for row in await connection.execute(select(channel))}
    assert kinds == {"telegram": "blocked", "sms": "on"}


async def test_wrong_credentials_pause_the_notice_once_and_burn_nothing(database: Database) -> None:
    await make_poll(database)
    await make_members(database, 5, sms=numbers(5))
    await send_notice(database)
    heard: list[Trouble] = []

    async def hear(_connection: object, trouble: Trouble) -> None:
        heard.append(trouble)

    wrong = SendFailed(Verdict.OUR_SETUP, "20003")
    rows = await claimed(database, SMS)
    await settled(database, *(after_failure(row, wrong, NOW) for row in rows), aftermath=Aftermath(on_trouble=hear))

    assert await states(database) == {"ready:20003": 5}
    assert [(trouble.provider, trouble.kind, trouble.detail) for trouble in heard] == [("twilio", "our_setup", "20003")]
    assert await claimed(database, SMS) == []


async def test_a_group_that_moved_gets_its_message_at_its_new_address(database: Database) -> None:
    """And whoever keeps the address elsewhere is told of the new one."""
    moved: list[tuple[str, str]] = []

    async def move(_connection: object, old: str, new: str) -> None:
        moved.append((old, new))

    await message(database, channel=TELEGRAM, address="-7")
    (row,) = await claimed(database)
    failure = SendFailed(Verdict.MIGRATED, "migrated", migrate_to="-1007")
    await settled(database, after_failure(row, failure, NOW), aftermath=Aftermath(on_migrated=move))

    (again,) = await claimed(database)
    assert again.address == "-1007"
    assert moved == [("-7", "-1007")]


async def test_a_code_nobody_knows_fails_one_message_and_reaches_staff(database: Database) -> None:
    heard: list[Trouble] = []

    async def hear(_connection: object, trouble: Trouble) -> None:
        heard.append(trouble)

    await message(database)
    (row,) = await claimed(database, SMS)
    failure = SendFailed(Verdict.REFUSED, "29999", surprising=True)
    await settled(database, after_failure(row, failure, NOW), aftermath=Aftermath(on_trouble=hear))

    assert await states(database) == {"failed:29999": 1}
    assert [(trouble.kind, trouble.detail) for trouble in heard] == [("unknown_code", "29999")]


async def test_without_a_way_to_text_a_blocked_chat_is_just_not_reached(database: Database) -> None:
    await make_poll(database)
    await make_members(database, 1, telegram=["71"], sms=numbers(1))
    await send_notice(database)
    (row,) = await claimed(database)
    blocked = after_failure(row, SendFailed(Verdict.BLOCKED, "blocked"), NOW)

    await settled(database, blocked, aftermath=Aftermath(sms=False))

    assert await states(database) == {"failed:blocked": 1}


async def test_the_facts_of_a_message_are_forgotten_when_it_is_settled(database: Database) -> None:
    """A one-time code is not kept longer than it takes to send it."""
    await message(database)
    (row,) = await claimed(database, SMS)
    assert row.facts == {"code": "123456", "minutes": 10}

    await settled(database, after_sent(row, Sent("SM1"), NOW))

    assert (await rows_of(database))[0].facts is None


# -- callbacks ---------------------------------------------------------------------------


JOURNEY = ["queued", "sending", "sent", "undelivered", "delivered"]


async def test_in_whatever_order_callbacks_come_delivered_wins(database: Database) -> None:
    """Every order of every status, each twice: the highest rank seen so far is what the ledger says."""
    orders = random.Random(7).sample(list(itertools.permutations(JOURNEY)), 24)
    for place, order in enumerate(orders):
        sid = f"SM{place}"
        delivery_id = await message(database, f"m{place}")
        (row,) = await claimed(database, SMS)
        best = 0
        for status in order:
            for _ in range(2):
                await reported(database, StatusReport(sid, status, None, delivery_id, row.fence))
            best = max(best, RANKS[status])
            (written,) = [one for one in await rows_of(database) if one.id == delivery_id]
            assert written.rank == best
            assert written.state == ("delivered" if best == 6 else "failed" if best == 5 else "sent")


async def test_a_callback_may_come_before_our_own_commit(database: Database) -> None:
    delivery_id = await message(database)
    (row,) = await claimed(database, SMS)

    assert await reported(database, StatusReport("SM1", "delivered", None, delivery_id, row.fence))
    assert await settled(database, after_sent(row, Sent("SM1"), NOW)) == 0

    assert await states(database) == {"delivered": 1}


async def test_a_failure_reported_before_our_own_commit_is_not_undone_by_it(database: Database) -> None:
    """30003 put the row back into the queue; the answer to the first try must not call it sent."""
    await make_poll(database)
    await make_members(database, 1, sms=numbers(1))
    await send_notice(database)
    (row,) = await claimed(database, SMS)

    await reported(database, StatusReport("SM1", "undelivered", 30003, row.id, row.fence))
    await settled(database, after_sent(row, Sent("SM1"), NOW))

    assert await states(database) == {"ready:30003": 1}


async def test_a_callback_resolves_a_message_whose_answer_was_lost(database: Database) -> None:
    delivery_id = await message(database)
    (row,) = await claimed(database, SMS)
    await settled(database, after_failure(row, SendFailed(Verdict.UNKNOWN, "timeout"), NOW))

    await reported(database, StatusReport("SM1", "sent", None, delivery_id, row.fence))

    (written,) = await rows_of(database)
    assert (written.state, written.provider_id) == ("sent", "SM1")


async def test_a_handset_that_was_off_gets_a_notice_once_more_and_old_news_does_not_stop_it(
    database: Database,
) -> None:
    await make_poll(database)
    await make_members(database, 1, sms=numbers(1))
    sent = await send_notice(database)
    (first,) = await claimed(database, SMS)
    await settled(database, after_sent(first, Sent("SM1"), NOW))
    async with database.writing() as connection:
        await connection.execute(update(notice).values(state="done"))

    await reported(database, StatusReport("SM1", "undelivered", 30003, first.id, first.fence))
    await reported(database, StatusReport("SM1", "sent", None, first.id, first.fence))
    assert await states(database) == {"ready:30003": 1}
    (second,) = await claimed(database, SMS, now=NOW + timedelta(hours=1))
    assert (second.notice_id, second.fence) == (sent.id, 2)

    await reported(database, StatusReport("SM1", "failed", 30008, first.id, first.fence))
    assert await states(database) == {"sending": 1}
    await reported(database, StatusReport("SM1", "delivered", None, first.id, first.fence))
    assert await states(database) == {"delivered": 1}


@pytest.mark.parametrize(
    ("code", "channel_state"), [(30005, "dead"), (21610, "opted_out"), (30008, "on"), (None, "on")]
)
async def test_a_reported_failure_is_judged_like_a_refusal(
    database: Database, code: int | None, channel_state: str
) -> None:
    await make_poll(database)
    await make_members(database, 1, sms=numbers(1))
    await send_notice(database)
    (row,) = await claimed(database, SMS)
    await settled(database, after_sent(row, Sent("SM1"), NOW))

    await reported(database, StatusReport("SM1", "undelivered", code))

    async with database.reading() as connection:
        assert (await connection.execute(select(channel.c.state))).scalar_one() == channel_state


@pytest.mark.parametrize(
    ("delivery_text", "expected"),
    [("12-3", (12, 3)), (None, (None, None)), ("", (None, None)), ("12", (None, None)), ("x-1", (None, None))],
)
def test_a_callback_is_read_with_care(delivery_text: str | None, expected: tuple[int | None, int | None]) -> None:
    report = read_report("SM1", "sent", "30003x", delivery_text)

    assert (report.delivery_id, report.fence) == expected
    assert report.error_code is None


async def test_a_status_nobody_knows_changes_nothing(database: Database) -> None:
    delivery_id = await message(database)
    (row,) = await claimed(database, SMS)

    assert not await reported(database, StatusReport("SM1", "pondering", None, delivery_id, row.fence))
    assert await states(database) == {"sending": 1}


# -- all of it, in any order -------------------------------------------------------------


class Ledger(RuleBasedStateMachine):
    """One text message, and everything that can happen to it in any order, by anybody who once held it."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = TemporaryDirectory()
        self.database = Database(f"sqlite+aiosqlite:///{Path(self.folder.name) / 'ledger.db'}", Signer(SECRETS))
        self.held: list[Claimed] = []
        self.now = NOW
        self.before = (0, 0, "")
        self.arrived = False

    @initialize()
    def begin(self) -> None:
        self.runner.run(upgrade(self.database))
        self.runner.run(make_poll(self.database))
        self.runner.run(make_members(self.database, 1, sms=["+447700900001"]))
        self.runner.run(send_notice(self.database))

    def row(self) -> Any:
        return self.runner.run(rows_of(self.database))[0]

    @rule()
    def somebody_claims(self) -> None:
        self.now += timedelta(hours=1)
        self.held += self.runner.run(claimed(self.database, SMS, now=self.now))

    @rule()
    def leases_expire(self) -> None:
        async def give_up() -> None:
            async with self.database.writing() as connection:
                await expire(connection, SMS, self.now + timedelta(hours=1))

        self.runner.run(give_up())

    @precondition(lambda self: self.held)
    @rule(data=st.data(), outcome=st.sampled_from(["sent", "no slot", "not found", *Verdict]))
    def somebody_settles(self, data: st.DataObject, outcome: str) -> None:
        one = data.draw(st.sampled_from(self.held))
        before = self.row()
        settlement = {
            "sent": lambda: after_sent(one, Sent(f"SM{one.fence}"), self.now),
            "no slot": lambda: after_no_slot(one),
            "not found": lambda: after_not_found(one, self.now),
        }.get(outcome, lambda: after_failure(one, SendFailed(Verdict(outcome), "x"), self.now))()
        written = self.runner.run(settled(self.database, settlement, now=self.now))
        if one.fence < before.fence:
            assert written == 0

    @precondition(lambda self: self.held)
    @rule(data=st.data(), status=st.sampled_from(sorted(RANKS)), code=st.sampled_from([None, 30003, 30005, 21610]))
    def twilio_reports(self, data: st.DataObject, status: str, code: int | None) -> None:
        one = data.draw(st.sampled_from(self.held))
        before = self.row()
        report = StatusReport(f"SM{one.fence}", status, code, one.id, one.fence)
        changed = self.runner.run(reported(self.database, report))
        self.arrived |= RANKS[status] >= RANKS["delivered"]
        if one.fence < before.fence and RANKS[status] < RANKS["delivered"]:
            assert not changed
        assert not self.runner.run(reported(self.database, report))

    @invariant()
    def nothing_goes_back(self) -> None:
        if self.now == NOW and not self.held and self.before == (0, 0, ""):
            return
        row = self.row()
        fence, rank, state = self.before
        assert row.fence >= fence
        assert row.fence > fence or row.rank >= rank
        assert state != "delivered" or row.state == "delivered"
        assert not self.arrived or row.state == "delivered"
        self.before = (row.fence, row.rank, row.state)

    def teardown(self) -> None:
        self.runner.run(self.database.close())
        self.runner.close()
        self.folder.cleanup()


TestLedger = Ledger.TestCase
TestLedger.settings = settings(
    max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
