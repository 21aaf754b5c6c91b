"""What `setup` asks for besides the poll: each answer is tried at once, and kept in `.env` only if it holds."""

from pathlib import Path
from typing import Final

from pydantic import SecretStr, ValidationError
from sqlalchemy.exc import ArgumentError

from bot.commands import env_file
from bot.commands.asking import ask, ask_unseen, say_no, say_off, say_ok, until_taken
from bot.commands.findings import Finding
from bot.commands.providers import telegram_findings, twilio_findings
from bot.commands.reaching import reach
from bot.commands.spoken import said, text
from bot.commands.terminal import OUT, run
from bot.settings import Settings, read_settings
from voting.refusals import DatabaseBehind
from voting.store.database import Database
from voting.store.revision import check

ENV: Final = Path(".env")


def missing(settings: Settings, poll_file: Path) -> list[str]:
    """Say what `setup` would ask for, one line each."""
    wanted = (
        (not poll_file.exists(), "poll"),
        (not settings.telegram_on, "telegram"),
        (not settings.sms_on, "twilio"),
        (not settings.public_url, "public_url"),
        ("database_url" not in settings.model_fields_set, "database"),
    )
    named = [name for is_missing, name in wanted if is_missing]
    return [text("commands", f"setup.missing.{name}", file=str(poll_file)) for name in named]


def ask_settings() -> None:
    """Ask for what is not set, one after the other. GivenUp."""
    settings = read_settings()
    if not settings.telegram_on:
        until_taken(text("commands", "setup.what.telegram"), _telegram)
    if not settings.sms_on:
        until_taken(text("commands", "setup.what.twilio"), _twilio)
    if not settings.public_url:
        until_taken(text("commands", "setup.what.public_url"), _public_url)
    if "database_url" not in settings.model_fields_set:
        until_taken(text("commands", "setup.what.database"), _database)


def _keep(**values: str) -> bool:
    env_file.keep(ENV, {f"BALLOTLINE_{name.upper()}": value for name, value in values.items()})
    return True


def _told(found: Finding) -> bool:
    say = {True: say_ok, False: say_no, None: say_off}[found.ok]
    say(found.line)
    return found.ok is not False


def _telegram() -> bool | None:
    token = ask_unseen(text("commands", "setup.telegram"))
    if not token:
        say_off(text("commands", "setup.telegram_off"))
        return True
    settings = read_settings().model_copy(update={"telegram_token": SecretStr(token)})
    if not _told(run(telegram_findings(settings))[0]):
        return None
    return _keep(telegram_token=token)


def _twilio() -> bool | None:
    sid = ask(text("commands", "setup.twilio_sid"))
    if not sid:
        say_off(text("commands", "setup.sms_off"))
        return True
    token = ask_unseen(text("commands", "setup.twilio_token"))
    sender = ask(text("commands", "setup.twilio_sender"))
    by_service = sender.startswith("MG") and not sender.isalpha()
    given = {"twilio_account_sid": sid, "twilio_messaging_service_sid" if by_service else "twilio_from": sender}
    settings = read_settings().model_copy(update={**given, "twilio_auth_token": SecretStr(token)})
    if not settings.sms_on:
        say_no(text("commands", "setup.all_three"))
        return None
    if not _told(run(twilio_findings(settings))[0]):
        return None
    return _keep(**given, twilio_auth_token=token)


def _public_url() -> bool | None:
    url = ask(text("commands", "setup.public_url"))
    if not url:
        say_off(text("commands", "setup.no_public_url"))
        return True
    try:
        checked = Settings(public_url=url).public_url
    except ValidationError as wrong:
        say_no(said(str(wrong.errors()[0]["msg"]).removeprefix("Value error, ")))
        return None
    settings = read_settings().model_copy(update={"public_url": checked})
    if not _told(run(reach(settings, OUT.print))):
        return None
    if not settings.proxy_unnamed:
        return _keep(public_url=checked)
    say_ok(text("commands", "setup.proxy_here"))
    return _keep(public_url=checked, trusted_proxies="127.0.0.1")


def _database() -> bool | None:
    url = ask_unseen(text("commands", "setup.database"))
    if not url:
        say_ok(text("commands", "setup.database_is", what="SQLite"))
        return _keep(database_url=str(Settings.model_fields["database_url"].default))
    try:
        database = Database(url)
    except (ArgumentError, ImportError):
        say_no(text("commands", "setup.database_shape"))
        return None
    say_ok(text("commands", "setup.database_is", what=run(_schema(database))))
    return _keep(database_url=url)


async def _schema(database: Database) -> str:
    """Say what is there. DatabaseTooNew, -Unknown, -Unreachable."""
    try:
        return text("commands", "setup.reached", revision=await check(database))
    except DatabaseBehind:
        return text("commands", "setup.reached_empty")
    finally:
        await database.close()
