"""No innocent sequence is ever an attempt, and every deliberate one is: a million sequences in `make soak`."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from counting import take_papers
from electorate import Letter, make_letters, open_electorate, pack_row
from innocent import Deliberate, Innocent, Lives, all_live
from page_papers import PagePaper
from prepared import POLL
from soak import CHUNKS, INNOCENT_PER_CHUNK
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.post.scans import Aside
from voting.store.database import Database
from voting.votes.attempts import Kind
from voting.votes.wrong_codes import ALARM_WRONG_CODES

AT_ONCE = 4_096  # so that every transaction is full
PLANTED_EACH = max(10, INNOCENT_PER_CHUNK // 1_000)
NOW_AND_THEN = 5_000  # ballots are boxed in between

log = logging.getLogger(__name__)  # `--log-cli-level=INFO` shows how much was done

_LETTERS: list[Letter] = []


def letters_of(number: int) -> list[Letter]:
    """Make the letters once: each database has the same members, and a chance of its own."""
    if not _LETTERS:
        _LETTERS.extend(make_letters(POLL, number))
    return _LETTERS[:number]


@pytest.mark.soak
@pytest.mark.parametrize("chunk", range(CHUNKS))
async def test_no_innocent_sequence_is_an_attempt_and_every_planted_one_is(
    database: Database, engine_name: str, chunk: int, tmp_path: Path
) -> None:
    """Innocent sequences of every kind; among them every kind of a second vote, and papers of replaced packs."""
    chance = Random(f"{engine_name} {chunk}")
    letters = letters_of(INNOCENT_PER_CHUNK + len(Kind) * PLANTED_EACH)
    innocent, guilty = letters[:INNOCENT_PER_CHUNK], letters[INNOCENT_PER_CHUNK:]
    planted = {kind: guilty[place * PLANTED_EACH :][:PLANTED_EACH] for place, kind in enumerate(Kind)}
    old_letters = make_old_letters(planted[Kind.ONLINE_AFTER_POST])

    async def with_replaced_packs(connection: AsyncConnection) -> None:
        rows = [pack_row(POLL, old, serial=0, state="replaced") for old in old_letters]
        await connection.execute(insert(schema.pack), rows)

    town = await open_electorate(database, letters=letters, before_open=with_replaced_packs)
    lives = Lives(town)
    people = [Innocent(lives, letter, Random(chance.random())) for letter in innocent]
    by_post = planted[Kind.ONLINE_AFTER_POST]
    online = [letter for letter in guilty if letter not in by_post]
    people += [Innocent(lives, letter, Random(chance.random()), devices=1) for letter in online]

    for start in range(0, len(people), NOW_AND_THEN):
        await all_live(people[start : start + NOW_AND_THEN], AT_ONCE)
    await town.clerk.finish()
    assert await town.count("attempt") == 0
    assert (await take_papers(town, tmp_path, by_post)).added == len(by_post)
    assert (await take_papers(town, tmp_path, by_post)).unchanged == len(by_post), "an envelope was scanned twice"
    late = [await PagePaper(town, letter, "after the post").proves() for letter in by_post]
    assert [good.attempt for good in late if not good.warn_first] == []
    assert await town.count("attempt") == 0 == await town.count("attempt_case")
    assert await town.count("lock") == len(letters)

    in_chat = (Kind.REPEAT, Kind.FOREIGN, Kind.ONLINE_AFTER_POST)
    await asyncio.gather(*(Deliberate(town, letter, kind).act() for kind in in_chat for letter in planted[kind]))
    by_scan = [*planted[Kind.POST_AFTER_ONLINE], *old_letters]
    for _ in range(2):
        await take_papers(town, tmp_path, by_scan)

    async with database.reading() as connection:
        found = {(row.member_id, row.kind) for row in await connection.execute(select(schema.attempt))}
        aside = set((await connection.execute(select(schema.paper.c.reason).distinct())).scalars())
    assert found == {(letter.member_id, str(kind)) for kind in Kind for letter in planted[kind]}
    assert await town.count("attempt") == len(found) == await town.count("attempt_case")
    assert aside == {None, Aside.ONLINE_VOTE, Aside.DEAD_PACK}
    assert await town.count("ballot") == len(people)
    assert len(town.alarms) <= 1 + INNOCENT_PER_CHUNK // ALARM_WRONG_CODES
    assert await town.broken_probes() == []
    log.info("%s %s: %d planted, all found; %s", engine_name, chunk, len(found), dict(lives.done))


def make_old_letters(letters: Sequence[Letter]) -> list[Letter]:
    """Make the packs that these members held before their present one."""
    return [
        Letter(letter.member_id, 10_000_000 + letter.pack_id, made.pack_code, made.vote_code)
        for letter, made in zip(letters, make_letters(POLL, len(letters)), strict=True)
    ]
