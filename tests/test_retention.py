"""docs/retention.md, in every language: a line for every table, and the purge does what the page says of it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select
from town import Town

from bot.console import handbook
from bot.house import House
from bot.member import privacy
from bot.member.closing import close_poll
from bot.schema import chat, missing_pack
from messages.schema import channel, one_time_code, provider_event
from messages.words.texts import DEFAULT_LANGUAGE, languages
from voting import schema
from voting.model import By
from voting.store.columns import METADATA
from voting.store.database import VERSIONS, Database

AT_PURGE = {
    "en-GB": {"emptied": "emptied", "cleared": "cleared", "stays": "stays"},
    "cy": {"gwacáu": "emptied", "clirio": "cleared", "aros": "stays"},
}


def lines(language: str = DEFAULT_LANGUAGE) -> dict[str, str]:
    """Give what becomes of each table at the purge."""
    text = handbook.file("retention", language).read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| (\w+) \| [^|]*\|$", text, re.MULTILINE)
    return {table: AT_PURGE[language][fate] for table, _, fate in rows}


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


@pytest.fixture
async def town(database: Database, tmp_path: Path) -> AsyncIterator[Town]:
    async with Town(database, tmp_path) as town:
        yield town


async def counts(database: Database) -> dict[str, int]:
    async with database.reading() as connection:
        return {
            table.name: int(await connection.scalar(select(func.count()).select_from(table)) or 0)
            for table in METADATA.sorted_tables
        }


@pytest.mark.parametrize("language", languages())
def test_every_table_has_its_line(language: str) -> None:
    assert set(lines(language)) == {table.name for table in METADATA.sorted_tables} | {VERSIONS}
    assert set(lines().values()) == set(AT_PURGE[language].values())
    assert lines(language) == lines()


async def test_the_purge_does_what_the_page_says(town: Town) -> None:
    """After votes in the chat: what is emptied is empty, what is cleared or stays has its rows."""
    await town.member("ada").votes("North")
    await town.stops()
    now = town.clock()
    async with town.database.writing() as connection:
        member_id = await connection.scalar(select(schema.lock.c.member_id))
        await connection.execute(insert(missing_pack).values(member_id=member_id, chat="telegram:1", reported_at=now))
        code = {"chat": "telegram:1", "code_hash": b"x", "sent_at": now, "expires_at": now}
        await connection.execute(insert(one_time_code).values(member_id=member_id, **code))
        await connection.execute(insert(provider_event).values(provider_id="SM1", status="sent", at=now))
        way = {"kind": "sms", "address": "+447700900201", "state": "on", "since": now}
        await connection.execute(insert(channel).prefix_with("OR REPLACE").values(member_id=member_id, **way))
        wrong = {"chat": "telegram:1", "code_hash": b"x", "at": now}
        await connection.execute(insert(schema.wrong_code).values(**wrong))
    house = House(town.settings, town.database, town.secrets, clock=town.clock)
    await close_poll(house, by=By("Gwen", "command line", now))
    before = await counts(town.database)

    await privacy.forget(town.database, by=By("Gwen", "command line", now))

    after = await counts(town.database)
    emptied = [name for name, fate in lines().items() if fate == "emptied"]
    assert [name for name in emptied if not before[name]] == []
    assert {name: after[name] for name in emptied if after[name]} == {}
    kept = {name for name, fate in lines().items() if fate != "emptied"} - {VERSIONS, schema.chain.name}
    assert {name: (before[name], after[name]) for name in kept if before[name] != after[name]} == {}
    assert after[schema.chain.name] == before[schema.chain.name] + 1
    assert before[chat.name]
