"""The delivery window: the days between which packs arrive, one version after another."""

from datetime import date
from typing import Final

from sqlalchemy import RowMapping, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.model import By, Window
from voting.refusals import NoPoll, WindowBackwards
from voting.typed_text import one_line

REASON_CHARACTERS_MAX: Final = 300


async def current(connection: AsyncConnection) -> Window:
    """Give the version that holds now; NoPoll before `ballotline init`."""
    latest = select(schema.window).order_by(schema.window.c.version.desc()).limit(1)
    row = (await connection.execute(latest)).mappings().first()
    if row is None:
        raise NoPoll
    return _window(row)


async def history(connection: AsyncConnection) -> list[Window]:
    """Give every version, oldest first."""
    rows = await connection.execute(select(schema.window).order_by(schema.window.c.version))
    return [_window(row) for row in rows.mappings()]


async def set_window(connection: AsyncConnection, first_day: date, last_day: date, reason: str, *, by: By) -> Window:
    """Make a new version, or give the current one when its days are these already (a press that came twice).

    `reason` is told to members and published on the chain. WindowBackwards, NoPoll.
    """
    if last_day < first_day:
        raise WindowBackwards(first_day=first_day, last_day=last_day)
    await connection.execute(select(schema.poll.c.only).with_for_update())  # two versions at once take turns
    before = await current(connection)
    if (before.first_day, before.last_day) == (first_day, last_day):
        return before
    after = Window(before.version + 1, first_day, last_day, one_line(reason)[:REASON_CHARACTERS_MAX], by.at, by.actor)
    await add(connection, after, by=by)
    return after


async def add(connection: AsyncConnection, version: Window, *, by: By) -> None:
    """Write `version`, which nobody else has written, and say so on the chain."""
    values = {name: getattr(version, name) for name in schema.window.c.keys()}  # noqa: SIM118 - columns, not a dict
    await connection.execute(insert(schema.window).values(values))
    body = {
        "version": version.version,
        "first_day": version.first_day.isoformat(),
        "last_day": version.last_day.isoformat(),
        "reason": version.reason,
    }
    await chain.append(connection, "window_set", body, by=by)


def _window(row: RowMapping) -> Window:
    return Window(**{name: row[name] for name in row})
