"""No update and no answer ends the process, or the next one; one person's 429 is that person's; silence is told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import aiohttp
import pytest
from sqlalchemy import func, select, update
from town import Town, Townsperson

from bot.alerts.alerts import Kind
from bot.app import chores
from bot.edge import hearing, poller
from bot.inbox import inbox as inboxes
from bot.inbox import reader
from bot.inbox.inbox import PutOff, Unreadable
from bot.inbox.reader import Reader
from bot.sandbox import Fault
from bot.schema import alert, inbox
from messages.channels.bad_answers import BAD_ANSWERS
from voting.hour_keys import HourKeys
from voting.store.database import Database

GROUP = {"id": -100555, "type": "supergroup", "title": "not ours"}
PERSON = {"id": 4242, "is_bot": False, "first_name": "Mal"}
SECRET_WORDS = "ABC-DEF-GHJ was in my letter"
HIDDEN = {"chat": GROUP, "message_id": 5, "date": 0}

READABLE = {
    "a pin of a message the bot cannot see": {
        "message_id": 6,
        "date": 1,
        "chat": GROUP,
        "from": PERSON,
        "pinned_message": HIDDEN,
    },
    "a reply to one": {
        "message_id": 6,
        "date": 1,
        "chat": GROUP,
        "from": PERSON,
        "text": "x",
        "reply_to_message": HIDDEN,
    },
}
UNREADABLE = {
    "without a date": {"message_id": 6, "chat": GROUP, "text": SECRET_WORDS},
    "its date a word": {"message_id": 6, "chat": GROUP, "date": "soon", "text": SECRET_WORDS},
    "its date beyond all years": {"message_id": 6, "chat": GROUP, "date": 10**30, "text": SECRET_WORDS},
    "its chat a list": {"message_id": 6, "chat": [1], "date": 1, "text": SECRET_WORDS},
    "its entities a number": {"message_id": 6, "chat": GROUP, "date": 1, "text": SECRET_WORDS, "entities": 7},
    "a message that is a word": SECRET_WORDS,
    "from somebody with an id beyond all ids": {
        "message_id": 6,
        "chat": {"id": 10**40, "type": "private"},
        "date": 1,
        "text": SECRET_WORDS,
        "from": {"id": 10**40},
    },
}


@pytest.fixture(params=[False, True], ids=["polled", "webhooked"])
async def town(database: Database, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Town]:
    async with Town(database, tmp_path, webhooks=request.param) as town:
        yield town


async def alerts_of(town: Town, kind: Kind) -> list[dict[str, Any]]:
    async with town.database.reading() as connection:
        rows = await connection.execute(select(alert.c.facts).where(alert.c.kind == kind.value))
        return [dict(facts) for facts in rows.scalars()]


async def until(found: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Wait until something async gives a true answer."""
    async with asyncio.timeout(seconds):
        while not (answer := await found()):  # noqa: ASYNC110 - what is waited for is in a database
            await asyncio.sleep(0.05)
    return answer


@pytest.mark.parametrize("message", READABLE.values(), ids=READABLE.keys())
async def test_what_the_bot_cannot_see_is_kept_as_it_came(town: Town, message: dict[str, Any]) -> None:
    town.sandbox.telegram.update("message", message)
    await town.settles()

    ada = town.member("ada")
    await ada.asks(ada.types("/start"))
    await town.settles()
    async with town.database.reading() as connection:
        assert set((await connection.execute(select(inbox.c.state))).scalars()) == {"done"}


@pytest.mark.parametrize("message", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_an_update_that_cannot_be_read_costs_that_update_alone(
    town: Town, message: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is set aside at once, with an alert that names its number and no word of it; so after a restart too."""
    made = town.sandbox.telegram.update("message", message)
    await town.settles()
    await town.stops()
    await town.starts()
    ada = town.member("ada")
    await ada.asks(ada.types("/start"))

    (facts,) = await alerts_of(town, Kind.UNREADABLE)
    assert facts["number"] == str(made["update_id"])
    said = caplog.text + "".join(capfd.readouterr()) + str(facts)
    assert "ABC-DEF" not in said
    assert "in my letter" not in said


PAGE = "<html><body>Please sign in to the network</body></html>"
NOT_UPDATES = {
    "a page with 200": (200, PAGE),
    "a page with 403": (403, PAGE),
    "a page with 401": (401, PAGE),
    "nothing": (200, ""),
    "cut JSON": (200, '{"ok":true,"result":[{"update_id":815'),
    "a list": (200, "[]"),
    "a number": (200, "7"),
    "no result": (200, '{"ok":true}'),
    "a result that is a word": (200, '{"ok":true,"result":"none"}'),
    "no, with 200": (200, '{"ok":false,"error_code":400,"description":"x"}'),
    "parameters that are a word": (400, '{"ok":false,"error_code":400,"description":"x","parameters":"y"}'),
    "a description that is a list": (403, '{"ok":false,"error_code":403,"description":["x"]}'),
    "endless nesting": (200, '{"ok":' + "[" * 100_000),
}
ODD_UPDATES = {
    "no number": '{"ok":true,"result":[{"message":{}}]}',
    "a number that is a word": '{"ok":true,"result":[{"update_id":"1"}]}',
    "a number beyond all numbers": '{"ok":true,"result":[{"update_id":99999999999999999999999}]}',
    "true": '{"ok":true,"result":[{"update_id":true}]}',
    "words": '{"ok":true,"result":["an update", null, 7]}',
}


@pytest.mark.parametrize(("status", "body"), NOT_UPDATES.values(), ids=NOT_UPDATES.keys())
async def test_whatever_answers_the_poller_it_goes_on(
    database: Database, tmp_path: Path, status: int, body: str
) -> None:
    counted = BAD_ANSWERS.labels("telegram", "getUpdates")
    before = counted._value.get()
    async with Town(database, tmp_path) as town:
        odd = Fault("other_before", method="getUpdates", code=status, body=body, count=2)
        town.sandbox.faults.telegram.add(odd)
        ada = town.member("ada")
        await ada.asks(ada.types("/start"))
        await ada.asks(ada.types("/help"))
        await until(lambda: asyncio.sleep(0, odd.count == 0))
    assert counted._value.get() - before == 2


@pytest.mark.parametrize("body", ODD_UPDATES.values(), ids=ODD_UPDATES.keys())
async def test_what_has_no_number_is_neither_stored_nor_confirmed(
    database: Database, tmp_path: Path, body: str
) -> None:
    async with Town(database, tmp_path) as town:
        odd = Fault("other_before", method="getUpdates", code=200, body=body, count=2)
        town.sandbox.faults.telegram.add(odd)
        ada = town.member("ada")
        await ada.asks(ada.types("/start"))
        await ada.asks(ada.types("/help"))
        await until(lambda: asyncio.sleep(0, odd.count == 0))
        async with town.database.reading() as connection:
            assert await connection.scalar(select(func.count()).select_from(inbox)) == 2


async def ready(town: Town) -> tuple[int, dict[str, Any]]:
    async with aiohttp.ClientSession(f"http://{town.settings.listen}") as client, client.get("/readyz") as answer:
        return answer.status, await answer.json()


REFUSALS = {
    "conflict": '{"ok":false,"error_code":409,"description":"Conflict: terminated by other getUpdates request"}',
    "token": '{"ok":false,"error_code":401,"description":"Unauthorized"}',
    "silent": PAGE,
}


@pytest.mark.parametrize("why", REFUSALS)
async def test_that_telegram_is_not_heard_is_said_everywhere_and_on_the_phone(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    monkeypatch.setattr(hearing, "REFUSED_SECONDS", 0.1)
    monkeypatch.setattr(hearing, "RIVAL_SECONDS", 0)
    monkeypatch.setattr(hearing, "SILENCE_MAX_SECONDS", 3.0 if why == "silent" else 60.0)
    monkeypatch.setattr(poller, "POLL_SECONDS", 1)
    monkeypatch.setattr(poller, "WAIT_MOST_SECONDS", 0.2)
    monkeypatch.setattr(chores, "HEARING_EVERY", timedelta(seconds=0.1))
    async with Town(database, tmp_path) as town:
        gwen = await town.staff("gwen")
        async with database.writing() as connection:
            from bot.schema import staff

            await connection.execute(update(staff).values(phone=gwen.number, duty_order=1))
        status = {"conflict": 409, "token": 401, "silent": 403}[why]
        odd = Fault("other_before", method="getUpdates", code=status, body=REFUSALS[why], count=None)
        town.sandbox.faults.telegram.add(odd)
        await gwen.person.types("wakes the poller")

        await until(lambda: alerts_of(town, Kind.NOT_HEARD))
        assert (await alerts_of(town, Kind.NOT_HEARD))[0] == {"why": why}
        code, facts = await ready(town)
        assert (code, facts["telegram"]) == (503, why)
        assert await measured(town) == 1
        await gwen.phone.hears("does not reach us", timeout_seconds=20)

        await town.stops()
        await town.starts()
        await until(lambda: _says(town, why))  # and staff are not told again
        town.sandbox.faults.telegram.remove(odd)
        await gwen.person.types("wakes it again")  # or its next answer comes within POLL_SECONDS
        await until(lambda: _is_heard(town))
        assert await measured(town) == 0
        await until(lambda: _sees(gwen, "reaches us again", "Over since"))
        await town.stops()
        await town.starts()
        await gwen.person.types("/help")
        await until(lambda: _is_heard(town))
        await town.settles()
        assert len(await alerts_of(town, Kind.NOT_HEARD)) == 1
        assert sum("reaches us again" in message.words for message in gwen.person.messages) == 1


async def measured(town: Town) -> float:
    """Read from /metrics whether updates do not come."""
    async with aiohttp.ClientSession(f"http://{town.settings.listen}") as client, client.get("/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return float(next(line for line in lines if line.startswith("ballotline_telegram_not_heard ")).split()[1])


async def _sees(person: Townsperson, *texts: str) -> bool:
    return all(any(text in message.words for message in person.person.messages) for text in texts)


async def _says(town: Town, why: str) -> bool:
    return (await ready(town))[1]["telegram"] == why


async def _is_heard(town: Town) -> bool:
    code, facts = await ready(town)
    return code == 200 and facts["telegram"] == "heard"


async def test_a_webhook_that_somebody_else_set_is_told(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "REFUSED_SECONDS", 0.1)
    monkeypatch.setattr(chores, "HEARING_EVERY", timedelta(seconds=0.1))
    async with Town(database, tmp_path, webhooks=True) as town:
        assert await _is_heard(town)
        assert town.service is not None
        assert town.service.application is not None
        await town.service.application.bot.set_webhook("https://somebody.example/else")

        await until(lambda: alerts_of(town, Kind.NOT_HEARD))
        assert (await ready(town))[1]["telegram"] == "conflict"


async def test_one_persons_429_is_that_persons(town: Town) -> None:
    """Held for seconds, she is answered once; everybody else at once."""
    ada, bob = town.member("ada"), town.member("bob")
    town.sandbox.faults.telegram.add(Fault("429", chat_id=ada.id, retry_after=6))
    began = monotonic()
    await ada.types("/help")
    await bob.asks(bob.types("/help"), "/vote")
    assert monotonic() - began < 5

    await ada.hears("/vote", timeout_seconds=30)
    assert monotonic() - began >= 6
    await town.settles()
    assert sum("/vote" in message.words for message in ada.messages if message.sender == "bot") == 1


async def test_what_waits_longer_than_its_lease_is_still_answered_once(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inboxes, "LEASE", timedelta(seconds=1))
    monkeypatch.setattr(reader, "LEASE_KEPT_SECONDS", 0.2)
    await town.stops()
    await town.starts()
    assert town.service is not None
    town.service.postman.lines["telegram"].pacer.hold(4)
    ada = town.member("ada")

    await ada.asks(ada.types("/help"), "/vote")

    await town.settles()
    assert sum("/vote" in message.words for message in ada.messages if message.sender == "bot") == 1


# -- the inbox alone, on both engines ----------------------------------------------------


class TestReader:
    """Rows that are put off, that cannot be read, and that nobody can be told of."""

    @pytest.fixture(params=["sqlite", "postgresql"])
    def engine_name(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    async def run(self, database: Database, handle: Any, on_failed: Any, stored: HourKeys | None = None) -> list[Any]:
        from datetime import UTC, datetime

        from bot.inbox.inbox import Envelope, Letter, store

        def clock() -> datetime:
            return datetime.now(UTC)

        keys = HourKeys.make()
        async with database.writing() as connection:
            await store(connection, Envelope(stored or keys), [Letter("telegram", "1", "q", {"update_id": 1})], clock())
        works = Reader(database, Envelope(keys), "me", handle, on_failed, clock)
        task = asyncio.create_task(works.run())
        await until(works.idle)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with database.reading() as connection:
            return [tuple(row) for row in await connection.execute(select(inbox.c.state, inbox.c.payload))]

    async def test_a_row_that_was_put_off_comes_again_more_often_than_one_that_failed(self, database: Database) -> None:
        seen: list[int] = []

        async def handle(row: Any) -> None:
            seen.append(row.tries)
            if row.tries <= inboxes.TRIES_MAX + 2:
                raise PutOff(0.01)

        async def on_failed(_row: Any, _problem: Exception) -> None:
            raise AssertionError

        assert await self.run(database, handle, on_failed) == [("done", None)]
        assert seen == list(range(1, inboxes.TRIES_MAX + 4))

    async def test_a_row_that_cannot_be_read_is_set_aside_at_once_though_nobody_can_be_told(
        self, database: Database
    ) -> None:
        told: list[Exception] = []

        async def handle(_row: Any) -> None:
            raise Unreadable("KeyError")

        async def on_failed(_row: Any, problem: Exception) -> None:
            told.append(problem)
            raise OverflowError

        assert await self.run(database, handle, on_failed) == [("failed", None)]
        assert [str(one) for one in told] == ["KeyError"]

    async def test_a_row_sealed_with_another_key_is_in_nobodys_way(self, database: Database) -> None:
        payloads: list[Any] = []

        async def handle(row: Any) -> None:
            payloads.append(row.payload)

        async def on_failed(_row: Any, _problem: Exception) -> None:
            raise AssertionError

        await self.run(database, handle, on_failed, stored=HourKeys.make())
        assert payloads == [{}]
