"""Rules and dashboard: what they name is in /metrics of the service that runs, and every alarm is in the handbook."""

import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from shell import ROOT
from sqlalchemy import insert, select
from town import Town

from bot.alerts.alerts import Kind
from bot.app.figures import Figures
from bot.console import handbook
from bot.house import House
from bot.schema import alert
from bot.staff.turnout import STEP
from messages.reach import link_telegram
from messages.words.texts import languages
from voting.audit.chain import sign_head
from voting.schema import member
from voting.store.database import Database

RULES = ROOT / "deploy" / "prometheus" / "ballotline.rules.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "ballotline.json"
PANELS = ("Reach", "Queue", "Pace", "429s", "Votes", "Alerts", "Inbox: age", "Heads signed")


def named() -> set[str]:
    return set(re.findall(r"\bballotline_\w+", RULES.read_text("utf-8") + DASHBOARD.read_text("utf-8")))


def rule_names() -> list[str]:
    return re.findall(r"- alert: (\w+)", RULES.read_text(encoding="utf-8"))


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


@pytest.fixture
async def town(database: Database, tmp_path: Path) -> AsyncIterator[Town]:
    async with Town(database, tmp_path) as town:
        yield town


async def metrics(town: Town) -> dict[str, float]:
    async with aiohttp.ClientSession() as session, session.get(f"{town.url}/metrics") as answer:
        assert answer.status == 200
        lines = (await answer.text()).splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


async def test_every_metric_that_is_watched_is_in_metrics(town: Town) -> None:
    said = {name.partition("{")[0] for name in await metrics(town)}
    async with aiohttp.ClientSession() as session, session.get(f"{town.url}/metrics") as answer:
        kinds = set(re.findall(r"^# TYPE (\S+)", await answer.text(), re.MULTILINE))

    assert len(named()) > 10
    assert named() - said - kinds == set()


async def test_the_figures_are_what_is_in_the_database(town: Town) -> None:
    """Reach, alerts and heads; and no more votes than whole steps while the poll is open."""
    await metrics(town)  # the service's own: gathered now, and not again in this test
    ada = town.member("ada")
    await ada.votes("North")
    now = town.clock()
    raised = {"facts": {}, "raised_at": now, "changed_at": now}
    async with town.database.writing() as connection:
        await connection.execute(insert(alert).values(kind=Kind.HELP_ASKED, occasion="one", **raised))
        ended = {"acknowledged_by": "Gwen", "acknowledged_at": now}
        await connection.execute(insert(alert).values(kind=Kind.INBOX_FAILED, occasion="two", **raised, **ended))
        member_id = await connection.scalar(select(member.c.id).limit(1))
        assert member_id is not None
        await link_telegram(connection, member_id, 77, now)
        await sign_head(connection, now - timedelta(hours=3))

    await Figures(House(town.settings, town.database, town.secrets, clock=town.clock)).refresh()
    said = await metrics(town)

    assert said['ballotline_channels{channel="telegram",state="on"}'] == 1
    assert said['ballotline_alerts_open{kind="help_asked"}'] == 1
    assert said['ballotline_alerts_open{kind="inbox_failed"}'] == 0
    assert said['ballotline_votes{how="online"}'] == 0
    assert said["ballotline_poll_open"] == 1
    assert said["ballotline_members_eligible"] == len(town.residents) - 1  # newt joined too late
    assert said["ballotline_heads_signed"] >= 1
    assert STEP > 1


async def test_figures_are_gathered_once_in_a_while(town: Town) -> None:
    """They are scans of whole tables: whoever asks often gets the last ones."""
    house = House(town.settings, town.database, town.secrets, clock=town.clock)
    rare, often = Figures(house, fresh_seconds=3600), Figures(house, fresh_seconds=0)
    await metrics(town)  # the service's own: gathered now, and not again in this test
    await rare.refresh()
    name = 'ballotline_alerts_open{kind="unreadable"}'
    now = town.clock()
    async with town.database.writing() as connection:
        values = {"kind": Kind.UNREADABLE, "occasion": "x", "facts": {}, "raised_at": now, "changed_at": now}
        await connection.execute(insert(alert).values(**values))

    await rare.refresh()
    before = (await metrics(town))[name]
    await often.refresh()

    assert before == 0
    assert (await metrics(town))[name] == 1


def test_prometheus_takes_the_rules() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not on this machine: apt-get install prometheus")

    done = subprocess.run(
        [promtool, "check", "rules", str(RULES)], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(rule_names())} rules found" in done.stdout


def test_the_dashboard_shows_what_an_office_watches() -> None:
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    titles = [panel["title"] for panel in board["panels"]]

    assert [name for name in PANELS if not any(title.startswith(name) for title in titles)] == []
    assert all(target["expr"] and target["legendFormat"] for panel in board["panels"] for target in panel["targets"])
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


@pytest.mark.parametrize("language", languages())
def test_every_alarm_is_in_the_handbook_with_what_to_do(language: str) -> None:
    page = handbook.file("on-the-day", language).read_text(encoding="utf-8")
    parts = re.split(r"^### (\w+)$", page, flags=re.MULTILINE)
    told = dict(zip(parts[1::2], parts[2::2], strict=True))
    alarms = [*rule_names(), *map(str, Kind)]

    assert len(rule_names()) > 5
    assert sorted(told) == sorted(alarms)
    assert [name for name in alarms if len(told[name].split()) < 6] == []
    links = re.findall(r"on-the-day\.md#(\w+)", RULES.read_text(encoding="utf-8"))
    assert links == [name.lower() for name in rule_names()]
