"""What waits at the same moment is decided together; who goes away, and what fails, spoils nothing for the others."""

import asyncio
from collections.abc import Sequence

import pytest

from voting.refusals import AlreadyVoted, Fault
from voting.store.together import Together, TooMany


class Counter:
    """Decides slowly, and remembers what it was asked together."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = asyncio.Event()

    async def decide(self, asks: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(asks))
        await self.open.wait()
        if 13 in asks:
            raise OSError("the disk is full")
        return [AlreadyVoted() if ask == 7 else ask * 2 for ask in asks]


@pytest.fixture
def counter() -> Counter:
    return Counter()


async def asked(together: Together[int, int], *asks: int) -> list[asyncio.Task[int]]:
    """Ask, and let the first of it be taken in hand."""
    tasks = [asyncio.create_task(together.ask(ask)) for ask in asks]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_those_who_come_while_one_is_decided_are_decided_together(counter: Counter) -> None:
    together = Together("sums", counter.decide)
    first = await asked(together, 1)
    later = await asked(together, 2, 3, 4)
    counter.open.set()

    assert await asyncio.gather(*first, *later) == [2, 4, 6, 8]
    assert counter.batches == [[1], [2, 3, 4]]


async def test_no_more_than_a_bound_are_decided_together(counter: Counter) -> None:
    together = Together("sums", counter.decide, together_max=2)
    counter.open.set()

    assert await asyncio.gather(*(together.ask(ask) for ask in range(5))) == [0, 2, 4, 6, 8]
    assert counter.batches == [[0, 1], [2, 3], [4]]


async def test_more_than_can_wait_are_told_to_come_again(counter: Counter) -> None:
    together = Together("sums", counter.decide, waiting_max=2)
    first = await asked(together, 1)
    waiting = await asked(together, 2, 3)

    with pytest.raises(TooMany):
        await together.ask(4)
    counter.open.set()

    assert await asyncio.gather(*first, *waiting) == [2, 4, 6]
    assert await together.ask(4) == 8


async def test_a_refusal_is_for_the_one_who_asked(counter: Counter) -> None:
    counter.open.set()
    answers = await asyncio.gather(
        *(Together("sums", counter.decide).ask(ask) for ask in (6, 7)), return_exceptions=True
    )

    assert answers[0] == 12
    assert isinstance(answers[1], AlreadyVoted)


async def test_when_deciding_fails_these_get_a_fault_and_the_next_are_taken(counter: Counter) -> None:
    """The database may be gone for a moment: nobody waits for ever, and nobody is told a vote stands that may not."""
    together = Together("sums", counter.decide)
    counter.open.set()

    failed = await asyncio.gather(together.ask(12), together.ask(13), return_exceptions=True)

    assert [type(answer) for answer in failed] == [Fault, Fault]
    assert "disk" not in str(failed[0]), "what broke is for the log"
    assert await together.ask(14) == 28


async def test_who_goes_away_before_the_answer_stops_nobody(counter: Counter) -> None:
    together = Together("sums", counter.decide)
    gone, stays = await asked(together, 1, 2)
    gone.cancel()
    counter.open.set()

    assert await stays == 4
    assert gone.cancelled()


async def test_asks_are_made_ready_while_those_before_them_are_decided(counter: Counter) -> None:
    ready: list[list[int]] = []

    async def prepare(asks: Sequence[int]) -> None:
        ready.append(list(asks))
        if 9 in asks:
            raise OSError("no room")

    together = Together("sums", counter.decide, prepare=prepare)
    first = await asked(together, 1)
    later = [*await asked(together, 2, 3), *await asked(together, 9)]
    await asyncio.sleep(0)

    assert (ready, counter.batches) == ([[1], [2, 3], [9]], [[1]])
    counter.open.set()
    answers = await asyncio.gather(*first, *later, return_exceptions=True)
    assert answers[:3] == [2, 4, 6]
    assert isinstance(answers[3], Fault), "what cannot be made ready is not decided"
    assert counter.batches == [[1], [2, 3]]


async def test_finishing_waits_for_what_is_still_made_ready(counter: Counter) -> None:
    slow = asyncio.Event()

    async def prepare(_asks: Sequence[int]) -> None:
        await slow.wait()

    together = Together("sums", counter.decide, prepare=prepare)
    [task] = await asked(together, 4)
    finishing = asyncio.create_task(together.finish())
    counter.open.set()
    await asyncio.sleep(0)
    assert not finishing.done()
    slow.set()

    await finishing
    assert task.result() == 8


async def test_those_who_come_while_its_turn_is_waited_for_are_taken_along(counter: Counter) -> None:
    free = asyncio.Event()

    async def turn() -> None:
        await free.wait()

    together = Together("sums", counter.decide, turn=turn)
    tasks = [*await asked(together, 1), *await asked(together, 2)]
    free.set()
    counter.open.set()

    assert await asyncio.gather(*tasks) == [2, 4]
    assert counter.batches == [[1, 2]]


async def test_finishing_waits_for_all_who_were_taken(counter: Counter) -> None:
    together = Together("sums", counter.decide)
    tasks = await asked(together, 1, 2)
    await asked(together, 3)
    asyncio.get_running_loop().call_later(0.01, counter.open.set)

    await together.finish()

    assert [task.result() for task in tasks] == [2, 4]
    assert counter.batches == [[1, 2], [3]]
    await together.finish()
