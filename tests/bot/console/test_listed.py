"""A page of a list: by the ids of the last count, each looked at again."""

import pytest
from console_house import MEMBERS, ConsoleHouse
from sqlalchemy import select, update

from bot.console import listed
from bot.console.listed import ListPage, list_page
from voting.schema import member

EVERYBODY = range(1, MEMBERS + 1)
ELIGIBLE = select(member.c.id).where(member.c.eligible)


async def page_of(town: ConsoleHouse, ids: range, *, after: int = 0, limit: int = 10) -> tuple[list[int], int | None]:
    async with town.database.reading() as connection:
        found: ListPage = await list_page(connection, ELIGIBLE, ids, after=after, limit=limit)
    return [row.id for row in found.rows], found.more


async def leave(town: ConsoleHouse, first: int, last: int) -> None:
    async with town.database.writing() as connection:
        gone = update(member).where(member.c.id.between(first, last))
        await connection.execute(gone.values(eligible=False, ineligible_reason="lapsed"))


async def test_pages_follow_one_another_to_the_end(town: ConsoleHouse) -> None:
    ids = range(1, 26)
    assert await page_of(town, ids) == (list(range(1, 11)), 10)
    assert await page_of(town, ids, after=10) == (list(range(11, 21)), 20)
    assert await page_of(town, ids, after=20) == (list(range(21, 26)), None)
    assert await page_of(town, ids, after=25) == ([], None)


async def test_nobody_is_shown_who_was_not_counted_or_has_left_since(town: ConsoleHouse) -> None:
    await leave(town, 3, 4)
    assert await page_of(town, range(2, 9, 2)) == ([2, 6, 8], None)


@pytest.mark.parametrize("piece", [1, 4, 100])
async def test_a_page_is_filled_from_further_pieces(
    town: ConsoleHouse, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr(listed, "PIECE", piece)
    monkeypatch.setattr(listed, "PIECES_MAX", 100)
    await leave(town, 5, 30)
    assert await page_of(town, range(1, 45)) == ([*range(1, 5), *range(31, 37)], 36)


async def test_after_many_who_have_left_the_next_page_goes_on(
    town: ConsoleHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listed, "PIECE", 5)
    monkeypatch.setattr(listed, "PIECES_MAX", 2)
    await leave(town, 1, 18)
    assert await page_of(town, range(1, 31)) == ([], 10)
    assert await page_of(town, range(1, 31), after=10) == ([19, 20], 20)
