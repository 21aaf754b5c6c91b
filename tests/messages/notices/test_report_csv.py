"""A notice's outcomes as a file: one line a member, who was not told with the reason, whatever stands in a cell."""

import csv
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from ballot_town import NOW, chats, make_members, make_poll, numbers, send_notice
from sqlalchemy import update

from messages.notices.report_csv import COLUMNS, unreached_csv, write_report_csv
from messages.notices.reports import OUTCOMES, report
from messages.refusals import NoticeUnknown
from messages.schema import delivery
from voting.schema import member
from voting.store.database import Database

# member -> what became of their row, and the outcome a person reads
FATES: dict[int, tuple[str, str | None, str]] = {
    1: ("ready", None, "waiting"),
    2: ("sending", None, "waiting"),
    3: ("sent", None, "told"),
    4: ("delivered", None, "told"),
    5: ("failed", "blocked", "not_reached"),
    6: ("unknown", "timeout", "unknown"),
    7: ("canceled", "superseded", "canceled"),
    8: ("skipped", "voted", "not_needed"),
    9: ("skipped", "opted_out", "not_reached"),
    10: ("skipped", "expired", "not_reached"),
}


async def one_of_each(database: Database) -> int:
    await make_poll(database)
    await make_members(database, len(FATES), telegram=chats(len(FATES)))
    sent = await send_notice(database)
    async with database.writing() as connection:
        for member_id, (state, reason, _) in FATES.items():
            at = NOW + timedelta(microseconds=5) if state in {"sent", "delivered"} else None
            values = {"state": state, "reason": reason, "sent_at": at}
            await connection.execute(update(delivery).where(delivery.c.member_id == member_id).values(values))
    return sent.id


def read(content: bytes) -> list[dict[str, Any]]:
    return list(csv.DictReader(StringIO(content.decode(), newline="")))


async def test_the_file_of_those_not_told_names_all_of_them_and_nobody_else(database: Database) -> None:
    notice_id = await one_of_each(database)
    async with database.reading() as connection:
        rows = read(await unreached_csv(connection, notice_id))

    assert [(row["member_no"], row["outcome"], row["reason"]) for row in rows] == [
        (f"M{member_id:06}", outcome, reason or "")
        for member_id, (_, reason, outcome) in FATES.items()
        if outcome != "told"
    ]


async def test_the_whole_file_has_a_line_for_everybody_and_adds_up_to_the_report(
    database: Database, tmp_path: Path
) -> None:
    notice_id = await one_of_each(database)
    path = tmp_path / "report.csv"
    async with database.reading() as connection:
        lines = await write_report_csv(connection, notice_id, path)
        found = await report(connection, notice_id)
    rows = read(path.read_bytes())

    assert lines == len(rows) == found.members == len(FATES)
    assert tuple(rows[0]) == COLUMNS
    assert found.outcomes == {name: sum(row["outcome"] == name for row in rows) for name in OUTCOMES}
    assert [row["outcome"] for row in rows] == [outcome for _, _, outcome in FATES.values()]


async def test_a_time_is_whole_seconds_with_its_zone_and_empty_where_nothing_was_sent(
    database: Database, tmp_path: Path
) -> None:
    notice_id = await one_of_each(database)
    async with database.reading() as connection:
        await write_report_csv(connection, notice_id, tmp_path / "r.csv")

    times = {row["member_no"]: row["at"] for row in read((tmp_path / "r.csv").read_bytes())}
    assert times["M000003"] == "2022-08-03T12:00:00+00:00"
    assert times["M000005"] == ""


@pytest.mark.parametrize(
    "member_no",
    ['M"1', "M,1", "M\n1", " M1 ", "Mé1", "M;1"],
    ids=["quote", "comma", "line", "spaces", "é", "semicolon"],
)
async def test_a_member_number_of_any_characters_comes_back_whole(database: Database, member_no: str) -> None:
    await make_poll(database)
    await make_members(database, 1, sms=numbers(1))
    sent = await send_notice(database)
    async with database.writing() as connection:
        await connection.execute(update(member).values(member_no=member_no))
        (row,) = read(await unreached_csv(connection, sent.id))

    assert (row["member_no"], row["channel"]) == (member_no, "sms")


async def test_when_everybody_was_told_the_file_is_its_heading(database: Database) -> None:
    await make_poll(database)
    await make_members(database, 2, telegram=chats(2))
    sent = await send_notice(database)
    async with database.writing() as connection:
        await connection.execute(update(delivery).values(state="sent"))
        assert await unreached_csv(connection, sent.id) == (",".join(COLUMNS) + "\r\n").encode()


async def test_a_file_of_a_notice_there_is_not_is_not_made(database: Database, tmp_path: Path) -> None:
    await make_poll(database)
    async with database.reading() as connection:
        with pytest.raises(NoticeUnknown):
            await unreached_csv(connection, 99)
