"""What the console says of the chain's entries: in the reader's language, but for what is somebody's own."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from console_house import ConsoleHouse
from sqlalchemy import select

from bot.console.chain_words import Told, told
from bot.console.speech import Speech
from messages.words.texts import languages
from voting import schema
from voting.audit.chain import GENESIS, Entry

NOW = datetime(2022, 8, 10, 12, tzinfo=UTC)
WELSH, ENGLISH = Speech("cy", NOW), Speech("en-GB", NOW)


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


def entry(**body: Any) -> Entry:
    return Entry(1, NOW, "Gwen", "x", body, GENESIS, GENESIS, b"")


def fields(value: Any) -> Iterator[str]:
    """Every field's name, at every depth."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield name
            yield from fields(part)
    elif isinstance(value, list):
        for part in value:
            yield from fields(part)


@pytest.mark.parametrize(
    ("body", "english", "welsh"),
    [
        (
            {"class": "foreign"},
            Told("class", "Codes given from another account or phone", ours=True),
            Told("dosbarth", "Rhoddwyd y codau o gyfrif neu ffôn arall", ours=True),
        ),
        ({"kind": "dealer"}, Told("kind", "a dealer", ours=True), Told("math", "deliwr", ours=True)),
        (
            {"why": "notice_too_late"},
            Told("why", "the last moment it could go had passed", ours=True),
            Told("pam", "roedd yr eiliad olaf y gallai fynd wedi mynd heibio", ours=True),
        ),
        ({"on": True}, Told("on", ""), Told("ymlaen", "")),
        ({"reason": "Reminder"}, Told("reason", "Reminder"), Told("rheswm", "Reminder")),
        (
            {"planned": {"telegram": 4, "skipped": 2}},
            Told("planned", "Telegram 4, skipped 2"),
            Told("cynlluniwyd", "Telegram 4, hepgorwyd 2"),
        ),
        (
            {"content": {"kind": "custom", "audience": "area:Wales", "urgent": True, "texts": {"cy": "Bore da."}}},
            Told("content", "kind In your own words, to Members of an area: Wales, urgent, words cy Bore da."),
            Told("cynnwys", "math Yn eich geiriau eich hun, at Aelodau ardal: Wales, brys, geiriau cy Bore da."),
        ),
    ],
)
def test_a_field_is_said_in_the_reader_s_language(body: dict[str, Any], english: Told, welsh: Told) -> None:
    assert (told(entry(**body), ENGLISH), told(entry(**body), WELSH)) == ([english], [welsh])


def test_what_is_empty_is_left_out_and_what_is_long_is_told_by_its_beginning() -> None:
    said = told(entry(reason=None, on=False, hash="a" * 64, staff=[1, 2, 3, 4]), ENGLISH)

    assert said == [Told("hash", "aaaaaaaaaaaa…"), Told("staff", "1, 2, 3 …")]


async def test_every_field_that_the_chain_has_is_called_something_in_every_language(town: ConsoleHouse) -> None:
    async with town.database.reading() as connection:
        bodies = (await connection.execute(select(schema.chain.c.body))).scalars().all()
    names = {name for body in bodies for name in fields(body)} - set(languages())

    assert {"audience", "telegram", "class"} <= names
    for speech in (ENGLISH, WELSH):
        known = {name for name in names if speech.known(name, "entry_field") or speech.known(name, "channel")}
        assert names - known == set(), speech.language
