"""What an office looks for first: each list is right, a page at a time, whole as a file, in either language."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from console_house import WAYS, ConsoleHouse, Visitor
from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerts.case_acts import propose_outcome
from bot.console import lists, office
from bot.staff.turnout import Hour, Turnout
from messages.notices import notices, sending
from messages.notices.model import Content, Notice
from messages.schema import notice
from voting import schema
from voting.model import By
from voting.votes import cases
from voting.votes.cases import Outcome

MORE = 120  # members more than a page holds twice


@pytest.fixture
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "sqlite"))


BOTH = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"], indirect=True)


async def rows_of(visitor: Visitor, name: str) -> list[list[str]]:
    answer = await visitor.looks(f"/lists/{name}.csv")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}.csv"'
    assert answer.text.startswith("\ufeff")  # spreadsheets know UTF-8 by it
    return list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))


async def numbers(town: ConsoleHouse, statement: str) -> set[str]:
    async with town.database.reading() as connection:
        return set((await connection.execute(text(statement))).scalars())


async def add_members(town: ConsoleHouse, **values: object) -> None:
    rows = [
        {"member_no": f"8{number:06}", "language": "cy", "area": "Kent", "country": "GB", "eligible": True, **values}
        for number in range(MORE)
    ]
    async with town.database.writing() as connection:
        await connection.execute(insert(schema.member), rows)


# -- whom nothing reaches ------------------------------------------------------------------


@BOTH
async def test_who_cannot_be_reached_is_listed_with_the_reasons(town: ConsoleHouse) -> None:
    expected = await numbers(
        town,
        "SELECT member_no FROM member WHERE eligible AND id NOT IN (SELECT member_id FROM lock)"
        " AND id NOT IN (SELECT member_id FROM channel WHERE state = 'on')",
    )
    async with town.visitor("Sam") as sam:
        head, *found = await rows_of(sam, "unreachable")
        page = (await sam.looks("/lists/unreachable")).text
    assert head == ["Member", "Area", "Language", "Mobile", "Telegram", "Text messages"]
    assert {row[0] for row in found} == expected
    assert len(expected) > 1
    assert all(f">{number}</a>" in page for number in expected)
    by_number = {row[0]: row for row in found}
    assert by_number["0000037"][3] == "+44 7700 900037"
    assert by_number["0000033"][4:] == ["no chat is linked", "the number on the roll is a landline"]


async def test_who_has_voted_or_is_reached_again_leaves_the_list(town: ConsoleHouse) -> None:
    async with town.visitor("Sam") as sam:
        before = {row[0] for row in (await rows_of(sam, "unreachable"))[1:]}
        gone, left = sorted(before)[:2]
        async with town.database.writing() as connection:
            whose = select(schema.member.c.id).where(schema.member.c.member_no == gone).scalar_subquery()
            await connection.execute(
                update(schema.member).where(schema.member.c.member_no == gone).values(eligible=False)
            )
            assert await connection.scalar(select(whose))
        after = {row[0] for row in (await rows_of(sam, "unreachable"))[1:]}
    assert (gone in after, left in after) == (False, True)


# -- packs ---------------------------------------------------------------------------------


@BOTH
async def test_who_has_no_pack_comes_a_page_at_a_time_and_whole_in_the_file(town: ConsoleHouse) -> None:
    await add_members(town, area='=HYPERLINK("http://evil.example")')
    async with town.database.writing() as connection:
        pack = schema.pack
        await connection.execute(update(pack).where(pack.c.member_id == 50).values(state="void", ended_at=town.clock()))
    async with town.visitor("Sam") as sam:
        _, *whole = await rows_of(sam, "without_pack")
        seen: list[str] = []
        path = "/lists/without_pack"
        while path:
            page = (await sam.looks(path)).text
            on_page = re.findall(r'<a href="/console/members/(\d+)">', page)
            assert 0 < len(on_page) <= lists.PAGE
            seen += on_page
            further = re.search(r'href="/console(/lists/without_pack\?after=\d+)"', page)
            path = further[1] if further else ""
        assert "From the start" in page
    assert seen == [row[0] for row in whole]
    assert len(whole) == MORE + 1
    assert {row[0]: row[3] for row in whole}["0000050"] == "the last one is void"
    assert {row[3] for row in whole[1:]} == {"never issued"}
    assert {row[1][0] for row in whole[1:]} == {"'"}  # no spreadsheet runs it


async def test_the_overdue_list_is_that_of_the_packs_page_with_days_a_spreadsheet_sorts(town: ConsoleHouse) -> None:
    async with town.visitor("Sam") as sam:
        found = (await rows_of(sam, "overdue"))[1:]
        assert len(found) > 1
        page = (await sam.looks("/packs")).text
        town.clock.moment -= timedelta(days=6)  # before the window is over
        assert (await rows_of(sam, "overdue"))[1:] == []
        assert "No pack is overdue" in (await sam.looks("/lists/overdue")).text
    assert all(f">{row[0]}</a>" in page for row in found)
    assert {row[0]: row[3] for row in found}["0000035"] == "2022-08-02"


# -- a second person -----------------------------------------------------------------------


async def test_what_waits_for_a_second_person_is_told_to_who_may_see_it(town: ConsoleHouse) -> None:
    async with town.database.writing() as connection:
        shown = await cases.show_case(connection, 1)
        by = By("Sam", "console", town.clock())
        await propose_outcome(connection, 1, Outcome.EXPLAINED, "", version=shown.version, by=by)
    async with town.visitor("Gwen") as gwen, town.visitor("Carys") as carys:
        _, *all_of_it = await rows_of(gwen, "second_person")
        _, *only_notices = await rows_of(carys, "second_person")
        overview = (await carys.looks("/")).text
        page = (await gwen.looks("/lists/second_person")).text
    assert [row[:3] for row in all_of_it] == [
        ["Notice to approve", "3 · Reminder to vote", "Carys"],
        ["Pack to replace", "0000047 · water damage", "Sam"],
        ["Pack to replace", "0000048 · never came", "Gwen"],
        ["Outcome to agree with", "1 · Explained: there is an innocent reason", "Sam"],
    ]
    assert only_notices == all_of_it[:1]
    assert 'href="/console/cases/1"' in page
    assert re.findall(r'href="/console/lists/([a-z_]+)"', overview) == ["second_person", "reminder"]


# -- reminders -----------------------------------------------------------------------------


async def remind(town: ConsoleHouse, connection: AsyncConnection) -> Notice:
    """Let a reminder to everybody begin."""
    made = await notices.draft(connection, Content("reminder", "all"), ways=WAYS, by=By("Carys", "chat", town.clock()))
    await notices.submit(connection, made.id, by=By("Carys", "chat", town.clock()))
    await notices.approve(connection, made.id, by=By("Gwen", "chat", town.clock()))
    await sending.send(connection, made.id, by=By("Carys", "chat", town.clock()))
    return made


async def test_a_reminder_that_has_told_nobody_yet_says_nothing_of_nobody(town: ConsoleHouse) -> None:
    async with town.database.writing() as connection:
        made = await remind(town, connection)
    async with town.visitor("Carys") as carys:
        page = (await carys.looks("/lists/reminder")).text
    assert f"{made.id} · Reminder to vote" in page
    assert "told by the last reminder" not in page


async def test_turnout_stands_beside_the_last_reminder(town: ConsoleHouse) -> None:
    async with town.database.writing() as connection:
        made = await remind(town, connection)
        went = town.clock() - timedelta(days=6)
        await connection.execute(update(notice).where(notice.c.id == made.id).values(planned_at=went))
        await connection.execute(text(f"UPDATE delivery SET state = 'sent' WHERE notice_id = {made.id}"))
        people = f"SELECT DISTINCT member_id FROM delivery WHERE notice_id = {made.id}"
        told = len((await connection.execute(text(people))).all())
    async with town.visitor("Carys") as carys:
        head, row = await rows_of(carys, "reminder")
        page = (await carys.looks("/lists/reminder")).text
    assert head[0] == "Notice"
    assert row[:2] == [f"{made.id} · Reminder to vote", f"{went.astimezone(ZoneInfo('Europe/London')):%Y-%m-%d %H:%M}"]
    assert all(int(cell) % 25 == 0 for cell in row[3:])  # nothing finer is let out before the close
    assert f"Of {told} members told by the last reminder, at least" in page
    assert f'href="/console/notices/{made.id}/report"' in page


@pytest.mark.parametrize(("hours_later", "voted"), [(-1, 0), (0, 0), (1, 75), (2, 150), (99, 150)])
def test_who_had_voted_by_a_moment_is_known_by_whole_hours(hours_later: int, voted: int) -> None:
    begins = datetime(2022, 8, 3, 9, tzinfo=UTC)
    hours = tuple(Hour(begins + timedelta(hours=place), 50 * place, 25 * place) for place in (1, 2))
    known = Turnout("Leader", "UTC", begins, begins + timedelta(days=9), 500, exact=False, hours=hours)
    assert office.voted_by(known, begins + timedelta(hours=hours_later)) == voted


# -- one press -----------------------------------------------------------------------------


async def test_each_list_and_its_file_is_one_press_from_the_overview(town: ConsoleHouse) -> None:
    async with town.visitor("Gwen") as gwen:
        overview = (await gwen.looks("/")).text
        for listing in lists.LISTINGS:
            assert f'href="/console/lists/{listing.name}"' in overview
            assert f'href="/console/lists/{listing.name}.csv"' in overview
            assert "The whole list as CSV" in (await gwen.looks(f"/lists/{listing.name}")).text
        assert (await gwen.looks("/lists/other")).status_code == 404


async def test_a_list_and_its_file_speak_the_reader_s_language(town: ConsoleHouse) -> None:
    async with town.visitor("Sam") as sam:
        await sam.does("/language", language="cy")
        head, *found = await rows_of(sam, "unreachable")
    assert head == ["Aelod", "Ardal", "Iaith", "Ffôn symudol", "Telegram", "Negeseuon testun"]
    assert {row[0]: row for row in found}["0000033"][4] == "nid oes sgwrs wedi'i chysylltu"
