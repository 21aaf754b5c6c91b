"""What `doctor` looks at: the settings, and what lies on this machine; the providers are in a room of their own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.app.presence import OURS, Seen, fingerprint, seen
from bot.commands.findings import Finding
from bot.commands.providers import TIMEOUT_SECONDS, clock_findings, telegram_findings, twilio_findings
from bot.commands.spoken import language, made, phase_name, probe_detail, said, sentence, text
from bot.house import clock
from bot.settings import Settings
from bot.staff import rights
from messages.words.reasons import missing_text
from voting import schema, secrets_file
from voting.audit import chain
from voting.audit.signer import Signer
from voting.ballots.trustee_refusals import TrusteeRefusal
from voting.hour_keys import FIRST
from voting.kept_file import MODE
from voting.model import Poll
from voting.poll import polls
from voting.poll.keys import MADE
from voting.poll.opening import missing_of_key
from voting.poll.status import key_facts
from voting.poll.without_pack import count_eligible, count_without_pack
from voting.refusals import DatabaseBehind, DatabaseEmpty, Fault, NoPoll, Refusal
from voting.store import postgres
from voting.store.database import Database
from voting.store.revision import check

HOURS_OLD_MAX: Final = timedelta(days=1)


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything, in the terminal's language; never raises for what it finds."""
    findings = [_setting(settings, name) for name in type(settings).model_fields]
    findings += proxy_findings(settings)
    findings += await _kept(settings)
    looks: list[Callable[[Settings], Awaitable[list[Finding]]]] = [telegram_findings, twilio_findings, clock_findings]
    for found in await asyncio.gather(*(look(settings) for look in looks)):
        findings += found
    return findings


def _setting(settings: Settings, name: str) -> Finding:
    value = getattr(settings, name)
    if isinstance(value, SecretStr):
        value = text("commands", "setting.is_set")
    if name == "database_url":
        value = Database(value).url.render_as_string(hide_password=True)
    shown = text("commands", "setting.not_set") if value is None or value == "" else value
    about = text("commands", f"setting.{name}", path="/bot<token>")
    return Finding(f"BALLOTLINE_{name.upper()}", ok=True, detail=f"{shown} ({about})")


def proxy_findings(settings: Settings) -> list[Finding]:
    """Say that visitors could not be told apart; nothing where they can be."""
    if not settings.proxy_unnamed:
        return []
    todo = text("commands", "finding.proxy_todo", setting="BALLOTLINE_TRUSTED_PROXIES=127.0.0.1")
    return [Finding("proxy", ok=False, detail=text("commands", "finding.proxy"), what_to_do=todo)]


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
        found.append(
            Finding("secrets", ok=safe, detail=text("commands", "finding.readable", mode=f"{mode:o}"), what_to_do=todo)
        )
        found.append(hours_finding(secrets.hours.oldest, clock(), runs=await _runs(settings)))
    except Refusal as refusal:
        found.append(Finding("secrets", ok=False, detail=sentence(refusal)))
    database = Database(settings.database_url, signer)
    found += await pooler_findings(database.url)
    try:
        revision = await check(database)
        found.append(Finding("database", ok=True, detail=text("commands", "finding.schema", revision=revision)))
        async with database.reading() as connection:
            poll = await polls.load(connection)
            if signer is not None:
                found += [await _head(connection), await _staff(connection)]
            key = await _key(connection, poll)
            page = await page_finding(connection, poll)
        found.append(Finding("poll", ok=True, detail=f"{poll.title}, {phase_name(poll.phase)}"))
        found.append(page)
        found += await _packs(database)
        async with database.reading() as connection:
            found += machines(await seen(connection, clock()), fingerprint(secrets) if signer is not None else None)
        found += key
    except (Refusal, TrusteeRefusal) as refusal:
        found.append(Finding("database", ok=False, detail=sentence(refusal), what_to_do=_remedy(refusal)))
    finally:
        await database.close()
    return found


def _remedy(refusal: Refusal | TrusteeRefusal) -> str:
    """Give the command that mends it, where one does: a newer database, or somebody else's, is not for us to touch."""
    if isinstance(refusal, DatabaseEmpty | NoPoll):
        return "ballotline init poll.toml"
    return "ballotline run" if isinstance(refusal, DatabaseBehind) else ""


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
    detail = text("commands", "finding.pooler")
    todo = text("commands", "finding.pooler_todo", setting=f"{postgres.CACHE}=0")
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
    new = oldest == FIRST
    detail = text("commands", "finding.hour", moment=f"{oldest:%Y-%m-%d %H:%M} UTC")
    detail = text("commands", "finding.hour_new") if new else detail
    if oldest > now:
        todo = text("commands", "finding.hour_ahead")
    elif runs and now - oldest > HOURS_OLD_MAX:
        todo = text("commands", "finding.hour_none_erased" if new else "finding.hour_old")
    else:
        return Finding("hour key", ok=True, detail=detail)
    return Finding("hour key", ok=False, detail=detail, what_to_do=todo)


async def _head(connection: AsyncConnection) -> Finding:
    """Compare the chain with the head that is kept beside the secrets."""
    try:
        await chain.check_continues(connection)
    except Fault as lost:
        return Finding("head", ok=False, detail=said(str(lost)), what_to_do=text("commands", "finding.head_todo"))
    return Finding("head", ok=True, detail=text("commands", "finding.head"))


async def _key(connection: AsyncConnection, poll: Poll) -> list[Finding]:
    """Look who decrypts, and whether anything of the key stands in the way of the opening."""
    key = await key_facts(connection, poll)
    if key is None:
        todo = "ballotline keys create --trustees 3 --threshold 2 --out shares"
        return [Finding("election key", ok=False, detail=text("commands", "key.none"), what_to_do=todo)]
    who = text("commands", "key.decrypt", threshold=key["threshold"], trustees=key["trustees"])
    missing = await missing_of_key(connection, poll)
    todo = missing_text(", ".join(missing), language())
    found = [Finding("election key", ok=not missing, detail=f"{who}; {made(MADE[key['kind']])}", what_to_do=todo)]
    if key["fingerprint"]:
        words = text("commands", "finding.fingerprint", fingerprint=key["fingerprint"])
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
    detail = text("commands", "finding.page", digest=digest, opened=str(body.get("page")))
    todo = text("commands", "finding.page_todo")
    return Finding("voting page", ok=False, detail=detail, what_to_do=todo)


def machines(running: Sequence[Seen], ours: str | None) -> list[Finding]:
    """Compare the processes that run with each other and with this machine's secrets (`ours`: their fingerprint)."""
    if not running:
        return [Finding("running", ok=None, detail=text("commands", "finding.nothing_runs"))]
    places = sorted({one.machine for one in running})
    detail = text("commands", "finding.running", number=len(running), machines=", ".join(places))
    versions = sorted({one.version for one in running} | {OURS})
    others = sorted({one.machine for one in running if ours is not None and one.secrets != ours})
    if others:
        detail = text("commands", "finding.other_secrets", machines=", ".join(others))
        return [Finding("running", ok=False, detail=detail, what_to_do=text("commands", "finding.secrets_todo"))]
    if len(versions) > 1:
        joined = f" {text('commands', 'finding.and')} ".join(versions)
        detail = text("commands", "finding.versions", versions=joined)
        return [Finding("running", ok=False, detail=detail, what_to_do=text("commands", "finding.versions_todo"))]
    return [Finding("running", ok=True, detail=detail)]


async def _staff(connection: AsyncConnection) -> Finding:
    """Compare the staff's table with the signed entries."""
    tried = await rights.probe(connection)
    todo = "" if tried.holds else "ballotline audit"
    return Finding("staff", ok=tried.holds, detail=probe_detail(tried.detail), what_to_do=todo)


async def _packs(database: Database) -> list[Finding]:
    """Look whether everybody who may vote can; nobody to look for before there is a roll."""
    async with database.reading() as connection:
        eligible, without = await count_eligible(connection), await count_without_pack(connection)
    if not eligible:
        return [Finding("packs", ok=None, detail=text("commands", "finding.nobody_yet"))]
    numbers = {"without": f"{without:,}", "eligible": f"{eligible:,}"}
    detail = text("commands", "finding.without_pack", **numbers) if without else text("commands", "finding.all_packs")
    todo = "ballotline packs issue --print-file FILE --roll each-file-of-the-roll.csv" if without else ""
    return [Finding("packs", ok=not without, detail=detail, what_to_do=todo)]
