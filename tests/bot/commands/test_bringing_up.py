"""What is said when the service or `init` finds a database of an older version."""

from pathlib import Path

import pytest
import structlog
from english_left import english_left
from prepared import NOW
from structlog.testing import capture_logs
from upgrades import LATER, RELEASED, REVISION, kept_file, later_version

from bot.commands import bringing_up
from bot.settings import Settings
from voting import secrets_file
from voting.audit.signer import Signer
from voting.store.database import Database


@pytest.mark.parametrize("form", ["text", "json"])
async def test_an_upgrade_says_from_where_to_where_and_where_the_backup_is(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    structlog.reset_defaults()  # as a command begins, whatever was typed before in this process
    (tmp_path / "ballotline.db").write_bytes(kept_file(REVISION, "ballotline.db"))
    secrets = secrets_file.load(RELEASED / REVISION / "secrets.json")
    url = f"sqlite+aiosqlite:///{tmp_path / 'ballotline.db'}"
    later_version(monkeypatch, tmp_path, "CREATE INDEX later ON member (country)")
    monkeypatch.setattr(bringing_up, "clock", lambda: NOW)
    settings = Settings(_env_file=None, database_url=url, secrets_file=tmp_path / "ballotline.secrets", log_format=form)
    database = Database(url, Signer(secrets))

    with capture_logs() as logged:
        for _ in range(2):  # the second time there is nothing to do, and nothing is said
            await bringing_up.bring_up_to_date(settings, database, secrets)

    await database.close()
    backup = tmp_path / f"before-{LATER}-20220803T100000Z.db"
    said = capsys.readouterr().err
    assert backup.is_file()
    if form == "text":
        assert said.count("\n") == 1
        assert all(word in said for word in (REVISION, LATER, str(backup), f"{backup}.secrets"))
    else:
        assert logged == [
            {
                "event": "the database was upgraded",
                "log_level": "info",
                "before": REVISION,
                "revision": LATER,
                "backup": str(backup),
            }
        ]


async def test_an_upgrade_is_told_in_the_terminals_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LC_ALL", "cy_GB.UTF-8")
    (tmp_path / "ballotline.db").write_bytes(kept_file(REVISION, "ballotline.db"))
    secrets = secrets_file.load(RELEASED / REVISION / "secrets.json")
    url = f"sqlite+aiosqlite:///{tmp_path / 'ballotline.db'}"
    later_version(monkeypatch, tmp_path, "CREATE INDEX later ON member (country)")
    database = Database(url, Signer(secrets))

    settings = Settings(_env_file=None, database_url=url, secrets_file=tmp_path / "ballotline.secrets")
    await bringing_up.bring_up_to_date(settings, database, secrets)

    await database.close()
    said = capsys.readouterr().err
    assert f"Uwchraddiwyd y gronfa ddata o sgema {REVISION} i {LATER}." in said
    assert english_left(said, but=f"{tmp_path} secrets") == set()
