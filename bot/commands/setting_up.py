"""What `setup` asks for besides the poll: each answer is tried at once, and kept in `.env` only if it holds."""

from pathlib import Path
from typing import Final

from pydantic import SecretStr, ValidationError
from sqlalchemy.exc import ArgumentError

from bot.commands import env_file
from bot.commands.asking import ask, ask_unseen, say_no, say_off, say_ok, until_taken
from bot.commands.examination import Finding, telegram_findings, twilio_findings
from bot.commands.reaching import reach
from bot.commands.terminal import OUT, run
from bot.settings import Settings, read_settings
from voting.refusals import DatabaseBehind
from voting.store.database import Database
from voting.store.revision import check

ENV: Final = Path(".env")


def missing(settings: Settings, poll_file: Path) -> list[str]:
    """Say what `setup` would ask for, one line each."""
    wanted = (
        (not poll_file.exists(), f"{poll_file}: title, question, options, days and times of the poll"),
        (not settings.telegram_on, "BALLOTLINE_TELEGRAM_TOKEN: the bot's token from @BotFather"),
        (
            not settings.sms_on,
            "BALLOTLINE_TWILIO_ACCOUNT_SID, _AUTH_TOKEN and _FROM or _MESSAGING_SERVICE_SID: for SMS",
        ),
        (not settings.public_url, "BALLOTLINE_PUBLIC_URL: the https address under which this service is reached"),
        ("database_url" not in settings.model_fields_set, "BALLOTLINE_DATABASE_URL: PostgreSQL; SQLite without it"),
    )
    return [words for is_missing, words in wanted if is_missing]


def ask_settings() -> None:
    """Ask for what is not set, one after the other. GivenUp."""
    settings = read_settings()
    if not settings.telegram_on:
        until_taken("the bot's token", _telegram)
    if not settings.sms_on:
        until_taken("Twilio's settings", _twilio)
    if not settings.public_url:
        until_taken("the public address", _public_url)
    if "database_url" not in settings.model_fields_set:
        until_taken("the database", _database)


def _keep(**values: str) -> bool:
    env_file.keep(ENV, {f"BALLOTLINE_{name.upper()}": value for name, value in values.items()})
    return True


def _told(found: Finding) -> bool:
    say = {True: say_ok, False: say_no, None: say_off}[found.ok]
    say(f"{found.name}: {found.detail}")
    return found.ok is not False


def _telegram() -> bool | None:
    token = ask_unseen("The bot's token from @BotFather (not shown; Enter: Telegram stays off)")
    if not token:
        say_off("Telegram stays off.")
        return True
    settings = read_settings().model_copy(update={"telegram_token": SecretStr(token)})
    if not _told(run(telegram_findings(settings))[0]):
        return None
    return _keep(telegram_token=token)


def _twilio() -> bool | None:
    sid = ask("Twilio's account SID (Enter: SMS stays off)")
    if not sid:
        say_off("SMS stays off.")
        return True
    token = ask_unseen("Twilio's auth token (not shown)")
    sender = ask("The number or name that SMS come from, or a messaging service's SID (MG...)")
    by_service = sender.startswith("MG") and not sender.isalpha()
    given = {"twilio_account_sid": sid, "twilio_messaging_service_sid" if by_service else "twilio_from": sender}
    settings = read_settings().model_copy(update={**given, "twilio_auth_token": SecretStr(token)})
    if not settings.sms_on:
        say_no("all three are needed")
        return None
    if not _told(run(twilio_findings(settings))[0]):
        return None
    return _keep(**given, twilio_auth_token=token)


def _public_url() -> bool | None:
    url = ask("The public https address of this service (Enter: none; no voting page, Telegram is polled)")
    if not url:
        say_off("No public address.")
        return True
    try:
        checked = Settings(public_url=url).public_url
    except ValidationError as wrong:
        say_no(str(wrong.errors()[0]["msg"]).removeprefix("Value error, "))
        return None
    settings = read_settings().model_copy(update={"public_url": checked})
    if not _told(run(reach(settings, OUT.print))):
        return None
    return _keep(public_url=checked)


def _database() -> bool | None:
    url = ask_unseen("PostgreSQL's address (not shown, for its password; Enter: SQLite, a file in this folder)")
    if not url:
        say_ok("database: SQLite")
        return _keep(database_url=str(Settings.model_fields["database_url"].default))
    try:
        database = Database(url)
    except (ArgumentError, ImportError):
        say_no("it must look like postgresql+asyncpg://user:password@host/database")
        return None
    say_ok(f"database: {run(_schema(database))}")
    return _keep(database_url=url)


async def _schema(database: Database) -> str:
    """Say what is there. DatabaseTooNew, -Unknown, -Unreachable."""
    try:
        return f"reached, schema {await check(database)}"
    except DatabaseBehind:
        return "reached; `init` makes its tables"
    finally:
        await database.close()
