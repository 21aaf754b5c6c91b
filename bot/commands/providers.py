"""What `doctor` and `setup` ask of each provider that is on; only then is its library loaded."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from bot.commands.findings import Finding
from bot.commands.spoken import text
from bot.house import clock
from bot.settings import Settings

TIMEOUT_SECONDS: Final = 5.0
CLOCK_OFF_MAX: Final = timedelta(seconds=30)


async def telegram_findings(settings: Settings) -> list[Finding]:
    """Ask Telegram who the bot is, then what it knows of the webhook."""
    if not settings.telegram_on:
        return [Finding("telegram", ok=None, detail=text("commands", "finding.telegram_off"))]
    from telegram.error import InvalidToken, TelegramError

    from bot.edge import telegram
    from messages.pace.pacer import Pacer

    bot = telegram.make_bot(settings, Pacer())
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await bot.initialize()
            info = await bot.get_webhook_info()
    except InvalidToken:
        detail, todo = text("commands", "finding.token"), text("commands", "finding.token_todo")
        return [Finding("telegram", ok=False, detail=detail, what_to_do=todo)]
    except (TelegramError, TimeoutError) as problem:
        detail = text("commands", "finding.unreached", problem=type(problem).__name__)
        return [Finding("telegram", ok=False, detail=detail, what_to_do=text("commands", "finding.telegram_todo"))]
    finally:
        await bot.shutdown()
    wanted = f"{settings.public_url}/telegram/webhook" if settings.public_url else ""
    fits = info.url == wanted
    detail = info.url or text("commands", "finding.polled")
    todo = "" if fits else text("commands", "finding.webhook_todo")
    return [
        Finding("telegram", ok=True, detail=f"@{bot.username}"),
        Finding("webhook", ok=fits and not info.last_error_message, detail=detail, what_to_do=todo),
    ]


async def twilio_findings(settings: Settings) -> list[Finding]:
    """Ask Twilio for the account; say what does not work without a public address."""
    if not settings.sms_on:
        return [Finding("twilio", ok=None, detail=text("commands", "finding.twilio_off"))]
    import aiohttp

    from bot.app.assembly import twilio_account

    account = twilio_account(settings)
    url = f"{account.api_url}/2010-04-01/Accounts/{account.account_sid}.json"
    headers = {"Authorization": aiohttp.encode_basic_auth(account.account_sid, account.auth_token)}
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url, headers=headers) as answer:
            ok = answer.status == 200  # noqa: PLR2004 - HTTP
            detail = _answered(answer.status, ok=ok)
    except (aiohttp.ClientError, TimeoutError) as problem:
        ok, detail = False, text("commands", "finding.unreached", problem=type(problem).__name__)
    todo = "" if ok else text("commands", "finding.twilio_todo")
    found = [Finding("twilio", ok=ok, detail=detail, what_to_do=todo)]
    if not settings.public_url:
        found.append(Finding("sms replies", ok=None, detail=text("commands", "finding.sms_replies")))
    return found


def _answered(status: int, *, ok: bool) -> str:
    return text("commands", "finding.account") if ok else text("commands", "finding.answered", status=status)


async def clock_findings(settings: Settings) -> list[Finding]:
    """Compare our clock with the Date header of whichever provider is on."""
    url = settings.telegram_api_url if settings.telegram_on else settings.twilio_api_url if settings.sms_on else None
    if url is None:
        now = f"{clock():%Y-%m-%d %H:%M:%S} UTC"
        return [Finding("clock", ok=None, detail=text("commands", "finding.clock_alone", now=now))]
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            theirs = parsedate_to_datetime(answer.headers["Date"]).astimezone(UTC)
    except (aiohttp.ClientError, TimeoutError, KeyError, ValueError):
        return [Finding("clock", ok=None, detail=text("commands", "finding.clock_unsaid"))]
    off = abs(datetime.now(UTC) - theirs)
    ok = off <= CLOCK_OFF_MAX
    todo = "" if ok else text("commands", "finding.clock_todo")
    detail = text("commands", "finding.clock_off", seconds=f"{off.total_seconds():.0f}")
    return [Finding("clock", ok=ok, detail=detail, what_to_do=todo)]
