"""Processes say that they run, and are forgotten when they do not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prepared import SECRETS

from bot.app.presence import KEPT_FOR, OURS, SEEN_WITHIN, Presence, fingerprint, seen
from bot.house import House
from bot.schema import presence
from bot.settings import Settings
from voting.store.database import Database

NOW = datetime(2022, 8, 3, 10, tzinfo=UTC)


def at(database: Database, folder: Path, moment: datetime) -> House:
    settings = Settings(_env_file=None, secrets_file=folder / "ballotline.secrets")
    return House(settings, database, SECRETS, clock=lambda: moment)


async def test_who_runs_is_seen_for_a_minute_and_forgotten_after_a_day(database: Database, tmp_path: Path) -> None:
    one = Presence(at(database, tmp_path, NOW), "one")
    await one.show()
    await one.show()

    async with database.reading() as connection:
        (found,) = await seen(connection, NOW)
        assert (found.version, found.secrets) == (OURS, fingerprint(SECRETS))
        assert await seen(connection, NOW + SEEN_WITHIN) == []

    await Presence(at(database, tmp_path, NOW + KEPT_FOR + timedelta(seconds=1)), "two").show()
    async with database.reading() as connection:
        assert [row.process for row in await connection.execute(presence.select())] == ["two"]


async def test_who_ends_in_order_is_seen_no_more(database: Database, tmp_path: Path) -> None:
    one, two = (Presence(at(database, tmp_path, NOW), name) for name in ("one", "two"))
    await one.show()
    await two.show()

    await one.end()

    async with database.reading() as connection:
        assert [row.process for row in await connection.execute(presence.select())] == ["two"]


def test_a_fingerprint_tells_each_key_apart_and_shows_none() -> None:
    changed = [
        replace(SECRETS, **{name: bytes(32)}) for name in ("code_key", "session_key", "button_key", "signing_key")
    ]
    changed.append(replace(SECRETS, webhook_secret="another"))

    found = {fingerprint(one) for one in (SECRETS, *changed)}

    assert len(found) == 1 + len(changed)
    assert all(len(one) == 16 for one in found)
