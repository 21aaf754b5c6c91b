"""What `doctor` looks at: what lies on this machine, and each provider that is on; only then is its library loaded."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.app.presence import OURS, Seen, fingerprint, seen
from bot.house import clock
from bot.settings import Settings
from bot.staff import rights
from voting import schema, secrets_file
from voting.audit import chain
from voting.audit.signer import Signer
from voting.ballots.trustee_refusals import TrusteeRefusal
from voting.kept_file import MODE
from voting.model import Poll
from voting.poll import polls
from voting.poll.keys import MADE
from voting.poll.opening import missing_of_key
from voting.poll.status import key_facts
from voting.poll.without_pack import count_eligible, count_without_pack
from voting.refusals import Fault, Refusal
from voting.store import postgres
from voting.store.database import Database
from voting.store.revision import check

TIMEOUT_SECONDS: Final = 5.0
CLOCK_OFF_MAX: Final = timedelta(seconds=30)
HOURS_OLD_MAX: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: `ok` is None for what is off on purpose."""

    name: str
    ok: bool | None
    detail: str
    what_to_do: str = ""


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything; never raises for what it finds."""
    findings = [_setting(settings, name) for name in type(settings).model_fields]
    findings += await _kept(settings)
    looks: list[Callable[[Settings], Awaitable[list[Finding]]]] = [telegram_findings, twilio_findings, _clock]
    for found in await asyncio.gather(*(look(settings) for look in looks)):
        findings += found
    return findings


def _setting(settings: Settings, name: str) -> Finding:
    field = type(settings).model_fields[name]
    value = getattr(settings, name)
    if isinstance(value, SecretStr):
        value = "set"
    if name == "database_url":
        value = Database(value).url.render_as_string(hide_password=True)
    shown = "not set" if value is None or value == "" else value
    return Finding(f"BALLOTLINE_{name.upper()}", ok=True, detail=f"{shown} ({field.description})")


async def _kept(settings: Settings) -> list[Finding]:
    """Look at what lies on this machine."""
    found = []
    signer = None
    try:
        secrets = secrets_file.load(settings.secrets_file)
        signer = Signer.beside(secrets, settings.secrets_file)
        mode = settings.secrets_file.stat().st_mode & 0o777
        safe = mode == MODE
        todo = "" if safe else f"chmod 600 {settings.secrets_file}"
        found.append(Finding("secrets", ok=safe, detail=f"readable, mode {mode:o}", what_to_do=todo))
        found.append(hours_finding(secrets.hours.oldest, clock(), runs=await _runs(settings)))
    except Refusal as refusal:
        found.append(Finding("secrets", ok=False, detail=str(refusal)))
    database = Database(settings.database_url, signer)
    found += await pooler_findings(database.url)
    try:
        revision = await check(database)
        found.append(Finding("database", ok=True, detail=f"schema {revision}"))
        async with database.reading() as connection:
            poll = await polls.load(connection)
            if signer is not None:
                found += [await _head(connection), await _staff(connection)]
            key = await _key(connection, poll)
            page = await page_finding(connection, poll)
        found.append(Finding("poll", ok=True, detail=f"{poll.title}, {poll.phase}"))
        found.append(page)
        found += await _packs(database)
        async with database.reading() as connection:
            found += machines(await seen(connection, clock()), fingerprint(secrets) if signer is not None else None)
        found += key
    except (Refusal, TrusteeRefusal) as refusal:
        found.append(Finding("database", ok=False, detail=str(refusal), what_to_do="ballotline init poll.toml"))
    finally:
        await database.close()
    return found


async def pooler_findings(url: URL) -> list[Finding]:
    """Look whether a pooler stands before the database that the URL does not tell of; nothing if none can be seen."""
    if url.get_backend_name() == "sqlite" or postgres.is_pooled(url):
        return []
    careful = Database(url.update_query_dict({postgres.CACHE: "0"}))
    try:
        async with careful.reading() as connection:
            if not await postgres.is_behind_pooler(connection):
                return []
    except (DBAPIError, OSError):
        return []  # what follows says why it cannot be reached
    finally:
        await careful.close()
    detail = "a pooler stands before the database, and the URL does not say so"
    todo = f"add {postgres.CACHE}=0 to the query of BALLOTLINE_DATABASE_URL"
    return [Finding("pooler", ok=False, detail=detail, what_to_do=todo)]


async def _runs(settings: Settings) -> bool:
    """Tell whether somebody listens where the service does."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            _, writer = await asyncio.open_connection(settings.host, settings.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def hours_finding(oldest: datetime, now: datetime, *, runs: bool) -> Finding:
    """Look at the hour of the secrets file's key: the service moves it on, and what came before cannot be opened."""
    detail = f"what came in before {oldest:%Y-%m-%d %H:%M} UTC cannot be opened by anybody"
    if oldest > now:
        todo = "compare this machine's clock: the file's hour is ahead of it"
    elif runs and now - oldest > HOURS_OLD_MAX:
        todo = "more than a day ago: see whether rows wait in the inbox, and the service's log for the chore `hours`"
    else:
        return Finding("hour key", ok=True, detail=detail)
    return Finding("hour key", ok=False, detail=detail, what_to_do=todo)


async def _head(connection: AsyncConnection) -> Finding:
    """Compare the chain with the head that is kept beside the secrets."""
    try:
        await chain.check_continues(connection)
    except Fault as lost:
        return Finding("head", ok=False, detail=str(lost), what_to_do="ballotline audit, then as it says")
    return Finding("head", ok=True, detail="the chain continues the head kept beside the secrets")


async def _key(connection: AsyncConnection, poll: Poll) -> list[Finding]:
    """Look who decrypts, and whether anything of the key stands in the way of the opening."""
    key = await key_facts(connection, poll)
    if key is None:
        todo = "ballotline keys create --trustees 3 --threshold 2 --out shares"
        return [Finding("election key", ok=False, detail="none yet", what_to_do=todo)]
    who = f"{key['threshold']} of {key['trustees']} trustees decrypt; {MADE[key['kind']]}"
    missing = await missing_of_key(connection, poll)
    found = [Finding("election key", ok=not missing, detail=who, what_to_do=", ".join(missing))]
    if key["fingerprint"]:
        words = (
            f"{key['fingerprint']} (it stays once the poll is open; publish it then: `verify` is told it with --key)"
        )
        found.append(Finding("fingerprint", ok=True, detail=words))
    return found


async def page_finding(connection: AsyncConnection, poll: Poll) -> Finding:
    """Compare the files of the voting page with those that the chain names of the opening."""
    from bot.page.page import page_digest

    digest = page_digest(tuple(poll.languages))
    opened = select(schema.chain.c.body).where(schema.chain.c.kind == "poll_opened")
    body = await connection.scalar(opened)
    if body is None or body.get("page") == digest:
        return Finding("voting page", ok=True, detail=digest)
    detail = f"{digest}, and at the opening it was {body.get('page')}"
    todo = "tell members that the page changed and why; publish both digests"
    return Finding("voting page", ok=False, detail=detail, what_to_do=todo)


def machines(running: Sequence[Seen], ours: str | None) -> list[Finding]:
    """Compare the processes that run with each other and with this machine's secrets (`ours`: their fingerprint)."""
    if not running:
        return [Finding("running", ok=None, detail="no process runs on this database")]
    places = sorted({one.machine for one in running})
    detail = f"{len(running)} on {', '.join(places)}"
    versions = sorted({one.version for one in running} | {OURS})
    others = sorted({one.machine for one in running if ours is not None and one.secrets != ours})
    if others:
        detail = f"{', '.join(others)} has other secrets than this machine"
        return [Finding("running", ok=False, detail=detail, what_to_do="copy one secrets file to all, and start again")]
    if len(versions) > 1:
        detail = f"versions {' and '.join(versions)} run on one database"
        return [Finding("running", ok=False, detail=detail, what_to_do="install one version everywhere")]
    return [Finding("running", ok=True, detail=detail)]


async def _staff(connection: AsyncConnection) -> Finding:
    """Compare the staff's table with the signed entries."""
    tried = await rights.probe(connection)
    return Finding("staff", ok=tried.holds, detail=tried.detail, what_to_do="" if tried.holds else "ballotline audit")


async def _packs(database: Database) -> list[Finding]:
    """Look whether everybody who may vote can; nobody to look for before there is a roll."""
    async with database.reading() as connection:
        eligible, without = await count_eligible(connection), await count_without_pack(connection)
    if not eligible:
        return [Finding("packs", ok=None, detail="nobody on the roll may vote yet")]
    detail = f"{without:,} of {eligible:,} who may vote have no pack" if without else "everybody who may vote has one"
    todo = "ballotline packs issue --print-file FILE --roll each-file-of-the-roll.csv" if without else ""
    return [Finding("packs", ok=not without, detail=detail, what_to_do=todo)]


async def telegram_findings(settings: Settings) -> list[Finding]:
    """Ask Telegram who the bot is, then what it knows of the webhook."""
    if not settings.telegram_on:
        return [Finding("telegram", ok=None, detail="off: BALLOTLINE_TELEGRAM_TOKEN is not set")]
    from telegram.error import InvalidToken, TelegramError

    from bot.edge import telegram
    from messages.pace.pacer import Pacer

    bot = telegram.make_bot(settings, Pacer())
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await bot.initialize()
            info = await bot.get_webhook_info()
    except InvalidToken:
        return [Finding("telegram", ok=False, detail="the token is not known", what_to_do="ask @BotFather for it")]
    except (TelegramError, TimeoutError) as problem:
        detail = f"cannot be reached ({type(problem).__name__})"
        return [Finding("telegram", ok=False, detail=detail, what_to_do="check BALLOTLINE_TELEGRAM_API_URL")]
    finally:
        await bot.shutdown()
    wanted = f"{settings.public_url}/telegram/webhook" if settings.public_url else ""
    fits = info.url == wanted
    detail = info.url or "none: updates are polled"
    todo = "" if fits else "start `ballotline run`: it sets the webhook right"
    return [
        Finding("telegram", ok=True, detail=f"@{bot.username}"),
        Finding("webhook", ok=fits and not info.last_error_message, detail=detail, what_to_do=todo),
    ]


async def twilio_findings(settings: Settings) -> list[Finding]:
    """Ask Twilio for the account; say what does not work without a public address."""
    if not settings.sms_on:
        return [Finding("twilio", ok=None, detail="off: its settings are not all set")]
    import aiohttp

    from bot.app.assembly import twilio_account

    account = twilio_account(settings)
    url = f"{account.api_url}/2010-04-01/Accounts/{account.account_sid}.json"
    headers = {"Authorization": aiohttp.encode_basic_auth(account.account_sid, account.auth_token)}
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url, headers=headers) as answer:
            ok = answer.status == 200  # noqa: PLR2004 - HTTP
            detail = "the account answers" if ok else f"answered {answer.status}"
    except (aiohttp.ClientError, TimeoutError) as problem:
        ok, detail = False, f"cannot be reached ({type(problem).__name__})"
    found = [Finding("twilio", ok=ok, detail=detail, what_to_do="" if ok else "check the BALLOTLINE_TWILIO_ settings")]
    if not settings.public_url:
        found.append(Finding("sms replies", ok=None, detail="STOP and STATUS reach us only with BALLOTLINE_PUBLIC_URL"))
    return found


async def _clock(settings: Settings) -> list[Finding]:
    """Compare our clock with the Date header of whichever provider is on."""
    url = settings.telegram_api_url if settings.telegram_on else settings.twilio_api_url if settings.sms_on else None
    if url is None:
        return [Finding("clock", ok=None, detail=f"{clock():%Y-%m-%d %H:%M:%S} UTC, not compared: no provider is on")]
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            theirs = parsedate_to_datetime(answer.headers["Date"]).astimezone(UTC)
    except (aiohttp.ClientError, TimeoutError, KeyError, ValueError):
        return [Finding("clock", ok=None, detail="not compared: the provider did not say the time")]
    off = abs(datetime.now(UTC) - theirs)
    ok = off <= CLOCK_OFF_MAX
    todo = "" if ok else "set this machine's clock (NTP)"
    return [Finding("clock", ok=ok, detail=f"{off.total_seconds():.0f} s from the provider's", what_to_do=todo)]
