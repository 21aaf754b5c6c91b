"""What `doctor` says of the hour's key: where it is, and that it stands still while the service runs."""

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from town import free_port
from typed import types
from upgrades import later_version

from bot.app.presence import OURS, Seen
from bot.commands.examination import HOURS_OLD_MAX, examine, hours_finding, machines, proxy_findings
from bot.commands.findings import Finding
from bot.settings import Settings
from voting import secrets_file
from voting.store.revision import revisions

NOW = datetime(2022, 8, 3, 10, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("oldest", "runs", "ok", "todo"),
    [
        (NOW - HOURS_OLD_MAX, True, True, ""),
        (NOW - HOURS_OLD_MAX - SECOND, True, False, "the chore `hours`"),
        (NOW - timedelta(days=900), False, True, ""),
        (NOW, True, True, ""),
        (NOW + SECOND, True, False, "ahead of it"),
        (NOW + SECOND, False, False, "ahead of it"),
    ],
    ids=["a day", "over a day", "service is off", "this hour", "ahead", "ahead and off"],
)
def test_an_hour_long_past_is_wrong_while_the_service_runs_and_one_to_come_always(
    oldest: datetime, *, runs: bool, ok: bool, todo: str
) -> None:
    found = hours_finding(oldest, NOW, runs=runs)

    assert found.ok is ok
    assert f"{oldest:%Y-%m-%d %H:%M} UTC" in found.detail
    assert todo in found.what_to_do
    assert bool(todo) == bool(found.what_to_do)


async def test_doctor_says_the_file_s_hour_and_sees_whether_the_service_runs(tmp_path: Path) -> None:
    secrets = tmp_path / "ballotline.secrets"
    await asyncio.to_thread(secrets_file.save, secrets, secrets_file.make())
    port = free_port()
    settings = Settings(
        _env_file=None,
        database_url=f"sqlite+aiosqlite:///{tmp_path / 'none.db'}",
        secrets_file=secrets,
        listen=f"127.0.0.1:{port}",
    )

    async def finding() -> Finding:
        (found,) = [one for one in await examine(settings) if one.name == "hour key"]
        return found

    stopped = await finding()
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port):
        running = await finding()

    assert stopped.detail == "new: no hour's key has been erased from the secrets file yet"
    assert "has erased none" in running.what_to_do
    assert (stopped.ok, running.ok) == (True, False)


@pytest.mark.parametrize(
    ("revision", "command"),
    [(None, "ballotline init poll.toml"), ("0100", ""), ("9999", "")],
    ids=["nothing there", "from before the first release", "newer than this program"],
)
async def test_only_what_a_command_mends_comes_with_a_command(
    tmp_path: Path, revision: str | None, command: str
) -> None:
    place = tmp_path / "some.db"
    if revision is not None:
        with closing(sqlite3.connect(place)) as made:
            made.execute("CREATE TABLE alembic_version (version_num)")
            made.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
            made.commit()

    found = await examine(Settings(_env_file=None, database_url=f"sqlite+aiosqlite:///{place}"))

    assert [(one.ok, one.what_to_do) for one in found if one.name == "database"] == [(False, command)]


async def test_an_older_database_is_brought_up_by_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "some.db"
    with closing(sqlite3.connect(place)) as made:
        made.execute("CREATE TABLE alembic_version (version_num)")
        made.execute("INSERT INTO alembic_version VALUES (?)", (revisions()[-1],))
        made.commit()
    later_version(monkeypatch, tmp_path)

    found = await examine(Settings(_env_file=None, database_url=f"sqlite+aiosqlite:///{place}"))

    assert [one.what_to_do for one in found if one.name == "database"] == ["ballotline run"]


# -- which processes run -----------------------------------------------------------------

MINE = Seen("here", OURS, "a1")


@pytest.mark.parametrize(
    ("running", "ok", "detail"),
    [
        ([], None, "no process runs"),
        ([MINE, MINE], True, "2 on here"),
        ([MINE, Seen("there", OURS, "a1")], True, "2 on here, there"),
        ([MINE, Seen("there", OURS, "b2")], False, "there has other secrets"),
        ([MINE, Seen("there", "9.9.9", "a1")], False, f"versions {OURS} and 9.9.9"),
        ([Seen("there", "9.9.9", "a1")], False, f"versions {OURS} and 9.9.9"),
    ],
    ids=["none", "two here", "two machines", "other secrets", "other version", "older than this program"],
)
def test_machines_that_do_not_fit_together_are_named(running: list[Seen], *, ok: bool | None, detail: str) -> None:
    (found,) = machines(running, "a1")

    assert found.ok is ok
    assert detail in found.detail
    assert bool(found.what_to_do) == (ok is False)


def test_without_secrets_here_only_versions_are_compared() -> None:
    (found,) = machines([Seen("there", OURS, "b2")], None)

    assert found.ok


@pytest.mark.parametrize(
    ("public_url", "listen", "proxies", "said"),
    [
        ("https://vote.example.org", "127.0.0.1:8080", "", True),
        ("https://vote.example.org", "localhost:8080", "", True),
        ("https://vote.example.org", "127.0.0.1:8080", "127.0.0.1", False),
        ("https://vote.example.org", "0.0.0.0:8080", "", False),
        ("http://127.0.0.1:8080", "127.0.0.1:8080", "", False),
        ("", "127.0.0.1:8080", "", False),
    ],
)
def test_a_proxy_that_must_be_there_and_is_not_named_is_said(
    public_url: str, listen: str, proxies: str, *, said: bool
) -> None:
    settings = Settings(_env_file=None, public_url=public_url, listen=listen, trusted_proxies=proxies)

    found = proxy_findings(settings)

    assert [(one.name, one.ok) for one in found] == [("proxy", False)] * said
    assert all("BALLOTLINE_TRUSTED_PROXIES=127.0.0.1" in one.what_to_do for one in found)


# -- in which language -------------------------------------------------------------------


async def test_on_a_welsh_terminal_a_person_reads_welsh_and_a_script_english(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LC_ALL", "cy_GB.UTF-8")

    read, script = (await types("doctor")).stdout, json.loads((await types("doctor", "--json")).stdout)

    found = {finding["name"]: finding for finding in script["findings"]}
    assert found["BALLOTLINE_TELEGRAM_TOKEN"]["detail"].startswith("not set (from @BotFather")
    assert found["telegram"]["detail"] == "off: BALLOTLINE_TELEGRAM_TOKEN is not set"
    assert "is missing or unreadable" in found["secrets"]["detail"]
    assert "BALLOTLINE_TELEGRAM_TOKEN: heb ei osod (gan @BotFather" in read
    assert "na       cyfrinachau: Mae'r ffeil gyfrinachau" in read
