"""The pace: evenly spaced, never over the limit, people in a chat first, one holder among processes."""

import asyncio
import itertools
import math
from datetime import timedelta

import pytest
from ballot_town import clock
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from messages.pace.pace_keeper import OTHERS_SHARE, PaceKeeper
from messages.pace.pacer import Lane, NoSlot, Pacer
from messages.pace.spacing import CATCH_UP_SECONDS, LOWER_BY, RAISE_EVERY_SECONDS, SHARE, WINDOW_SECONDS, Spacing
from messages.schema import pace_share, pacer
from voting.store.database import Database

LIMITS = st.one_of(st.integers(1, 1000).map(float), st.floats(0.5, 50))
COSTS = st.integers(1, 4)


def releases(spacing: Spacing, costs: list[int], delays: list[float]) -> list[tuple[float, int]]:
    """Take one slot after the other, each as soon as it is ready or a little late; give (time, cost)."""
    now, taken = 0.0, []
    for cost, delay in zip(costs, delays, strict=True):
        ready = spacing.ready_at(cost, now)
        assert ready < math.inf
        now = max(now, ready) + delay
        spacing.take(cost, now)
        taken.append((now, cost))
    return taken


def fullest_second(taken: list[tuple[float, int]]) -> int:
    """Give the most units in any one second."""
    return max(sum(cost for at, cost in taken if start <= at < start + 1.0) for start, _ in taken)


@given(
    limit=LIMITS,
    steps=st.lists(st.tuples(COSTS, st.sampled_from([0.0, 0.0, 0.001, 0.02, 0.3, 1.7])), min_size=1, max_size=200),
)
def test_no_second_ever_holds_more_than_the_limit(limit: float, steps: list[tuple[int, float]]) -> None:
    """However late each slot is taken and whatever the messages cost; one larger than the limit goes alone."""
    costs, delays = [cost for cost, _ in steps], [delay for _, delay in steps]

    taken = releases(Spacing(limit), costs, delays)

    assert fullest_second(taken) <= max(limit, *costs)


@given(limit=st.integers(2, 1000), count=st.integers(50, 400))
def test_the_limit_is_nearly_used_up(limit: int, count: int) -> None:
    """Messages of one unit leave at SHARE of the limit, as evenly as can be."""
    taken = releases(Spacing(float(limit)), [1] * count, [0.0] * count)

    gaps = [later - earlier for (earlier, _), (later, _) in itertools.pairwise(taken)]
    assert gaps == [pytest.approx(1 / (limit * SHARE), rel=1e-6)] * (count - 1)


@given(limit=st.sampled_from([28.0, 500.0]), lateness=st.floats(0, 0.004))
def test_a_sleep_that_ends_late_costs_no_throughput(limit: float, lateness: float) -> None:
    """Slots missed by a few milliseconds are made good; the broadcast takes no longer for it."""
    taken = releases(Spacing(limit), [1] * 200, [lateness] * 200)

    assert taken[-1][0] <= 200 * max(1 / (limit * SHARE), lateness) + CATCH_UP_SECONDS


def test_a_hold_is_for_everybody_and_the_longer_one_wins() -> None:
    spacing = Spacing(10)
    spacing.hold(5.0)
    spacing.hold(3.0)

    assert spacing.ready_at(1, 0.0) == 5.0


def test_a_429_lowers_the_rate_once_however_many_answers_say_so_and_time_raises_it() -> None:
    spacing = Spacing(100)
    for _ in range(16):
        spacing.lower(50.0)
    assert spacing.rate == 100 * LOWER_BY

    spacing.take(1, 50.0 + RAISE_EVERY_SECONDS / 2)
    assert spacing.rate == 100 * LOWER_BY
    for minute in range(1, 6):
        spacing.take(1, 50.0 + minute * RAISE_EVERY_SECONDS)
    assert spacing.rate == 100


def test_a_closed_pace_gives_no_slot_and_an_unlimited_one_always() -> None:
    assert Spacing(0).ready_at(1, 0.0) == math.inf
    assert Spacing(math.inf).ready_at(99, 7.0) <= 7.0


async def test_people_in_a_chat_go_before_alerts_before_urgent_before_the_rest() -> None:
    """Whoever waits longest is last, if everybody else is more urgent."""
    pace, order = Pacer(200), []

    async def one(lane: Lane) -> None:
        await pace.acquire(lane)
        order.append(lane)

    await pace.acquire(Lane.REST)
    async with asyncio.TaskGroup() as group:
        for lane in (Lane.REST, Lane.REST, Lane.URGENT, Lane.ALERT, Lane.CHAT, Lane.CHAT):
            group.create_task(one(lane))
            await asyncio.sleep(0)

    assert order == sorted(order)


async def test_a_person_in_a_chat_waits_for_one_slot_behind_a_thousand_members() -> None:
    pace, released = Pacer(100), []

    async def broadcast() -> None:
        await pace.acquire(Lane.REST)
        released.append(Lane.REST)

    crowd = [asyncio.create_task(broadcast()) for _ in range(1000)]
    await asyncio.sleep(0.05)
    before = len(released)
    await pace.acquire(Lane.CHAT)

    assert len(released) - before <= 1
    for task in crowd:
        task.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)


async def test_who_gives_up_waiting_takes_no_slot() -> None:
    pace = Pacer(10)
    pace.hold(30)

    with pytest.raises(NoSlot):
        await pace.acquire(Lane.REST, within_seconds=0.01)

    assert pace.waiting == 0


async def test_two_broadcasts_reach_one_chat_a_second_apart() -> None:
    loop, pace = asyncio.get_running_loop(), Pacer()
    began = loop.time()
    for _ in range(2):
        await pace.acquire(Lane.REST, key="7")

    assert loop.time() - began >= 1.0


async def test_a_lease_that_ran_out_releases_nobody() -> None:
    """Whoever could not prove in time that they hold the pace stops sending by themselves."""
    loop, pace = asyncio.get_running_loop(), Pacer(100)
    pace.open_until(loop.time())

    with pytest.raises(NoSlot):
        await pace.acquire(Lane.CHAT, within_seconds=0.05)
    pace.open_until(loop.time() + 10)
    await pace.acquire(Lane.CHAT, within_seconds=1)


def keeper(database: Database, pace: Pacer, name: str, silent_seconds: float = 60.0) -> PaceKeeper:
    return PaceKeeper(database, "telegram", pace, process=name, now=clock, silent_seconds=silent_seconds)


async def test_one_process_holds_the_pace_and_grants_the_others_a_share(database: Database) -> None:
    """Together they never exceed the limit; nobody sends before room was made for them."""
    pace_a, pace_b = Pacer(40), Pacer(40)
    a, b = keeper(database, pace_a, "a"), keeper(database, pace_b, "b")
    assert pace_a.rate == pace_b.rate == 0

    await a.beat()
    await b.beat()
    assert (a.holding, pace_a.rate) == (True, 40)
    assert (b.holding, pace_b.rate) == (False, 0)

    await a.beat()
    await b.beat()
    assert pace_a.rate == 40 * (1 - OTHERS_SHARE)
    assert pace_b.rate == 40 * OTHERS_SHARE


async def test_a_third_process_gets_its_share_only_after_the_second_had_time_to_give_it_up(database: Database) -> None:
    paces = [Pacer(40) for _ in range(3)]
    a, b, c = (keeper(database, pace, name) for pace, name in zip(paces, "abc", strict=True))
    for one in (a, b, a, b, c, a, b, c):
        await one.beat()

    assert [pace.rate for pace in paces] == [30, 5, 0]


async def test_the_pace_is_taken_over_from_a_dead_process_with_its_hold(database: Database) -> None:
    """A RetryAfter is remembered by whoever comes next."""
    pace_a, pace_b = Pacer(40), Pacer(40)
    a, b = keeper(database, pace_a, "a"), keeper(database, pace_b, "b", silent_seconds=0.05)
    await a.beat()
    pace_a.slow_down(60)
    await a.beat()
    await b.beat()
    assert not b.holding

    await asyncio.sleep(0.06)
    await b.beat()

    assert b.holding
    assert pace_b.held_for() > 50
    assert pace_b.rate == pytest.approx(40 * LOWER_BY)


async def test_the_pace_of_a_process_that_is_surely_gone_is_taken_over_at_once_and_its_last_second_counts(
    database: Database,
) -> None:
    pace_a, pace_b = Pacer(40), Pacer(40)
    await (a := keeper(database, pace_a, "a")).beat()
    b = PaceKeeper(database, "telegram", pace_b, process="b", gone=lambda name: name == "a", now=clock)
    pace_a.slow_down(0.1)
    await a.beat()

    await b.look()
    await asyncio.sleep(0.2)
    await b.beat()

    assert (b.holding, pace_b.rate) == (True, pytest.approx(40 * LOWER_BY))
    assert 0 < pace_b.held_for() <= WINDOW_SECONDS - 0.2, "counted from when it was seen to be gone"


async def test_the_share_of_a_process_that_is_surely_gone_is_free_a_second_later(database: Database) -> None:
    paces = [Pacer(40) for _ in range(2)]
    ended: set[str] = set()
    a, b = (
        PaceKeeper(database, "telegram", pace, process=name, gone=ended.__contains__, now=clock)
        for pace, name in zip(paces, "ab", strict=True)
    )
    for one in (a, b, a):
        await one.beat()
    ended.add("b")

    await a.beat()
    assert paces[0].rate == 30, "what it sent in its last second counts"
    await asyncio.sleep(WINDOW_SECONDS)
    await a.beat()

    assert paces[0].rate == 40


async def test_a_process_that_ends_leaves_the_pace_at_once(database: Database) -> None:
    pace_a, pace_b = Pacer(40), Pacer(40)
    a, b = keeper(database, pace_a, "a"), keeper(database, pace_b, "b")
    await a.beat()
    await a.let_go()
    await b.beat()

    assert (a.holding, pace_a.rate) == (False, 0)
    assert (b.holding, pace_b.rate) == (True, 40)
    assert 0 < pace_b.held_for() <= WINDOW_SECONDS, "what was sent this second counts with what comes"


async def test_the_others_get_their_share_back_when_one_falls_silent(database: Database) -> None:
    pace_a, pace_b = Pacer(40), Pacer(40)
    a, b = keeper(database, pace_a, "a", silent_seconds=0.05), keeper(database, pace_b, "b")
    for one in (a, b, a):
        await one.beat()
    assert pace_a.rate == 30

    await asyncio.sleep(0.06)
    await a.beat()

    assert pace_a.rate == 40
    async with database.reading() as connection:
        assert (await connection.execute(select(pace_share))).first() is None


async def test_an_old_hold_is_over_after_a_restart(database: Database) -> None:
    pace = Pacer(40)
    one = keeper(database, pace, "a")
    await one.beat()
    await one.let_go()
    async with database.writing() as connection:
        await connection.execute(update(pacer).values(hold_until=clock() - timedelta(seconds=1)))

    again = Pacer(40)
    await keeper(database, again, "b").beat()

    assert again.held_for() <= WINDOW_SECONDS
