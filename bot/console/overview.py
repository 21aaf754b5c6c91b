"""The overview: phase, turnout, packs, reach, alarms; and the stream that keeps it up to date while it is open."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response, StreamingResponse

from bot.alerts import alerts
from bot.console import lists, sessions
from bot.console.door import Action, Screen
from bot.console.headers import PICTURE_POLICY
from bot.console.office import OVERDUE, Office
from bot.console.sessions import COOKIE
from bot.console.snapshot import Snapshot
from bot.console.speech import Speech
from bot.console.visit import Visit, load_poll
from bot.schema import alert
from bot.staff import turnout_picture
from bot.staff.roles import Act
from bot.staff.turnout import STEP
from messages import texts_resumed
from messages.notices.notices import list_notices

TICK_SECONDS: Final = 2.0
STREAM_SECONDS: Final = 600.0  # then the browser asks again
MOVING: Final = frozenset({"scheduled", "sending", "paused"})
WAITING: Final = frozenset({"submitted"})


async def show(visit: Visit) -> Response:
    """Show where everything stands."""
    counted = await visit.console.snapshots.both_soon()
    async with visit.console.house.database.reading() as connection:
        if counted is None:
            return await visit.page(connection, "counting.html", alerts=await alerts.open_alerts(connection, 30))
        latest, office = counted
        notices = await list_notices(connection, 20) if visit.may(Act.SEE_NOTICES) else []
        bars = visit.console.notice_counts
        moving = [(found, await bars.bar(connection, found)) for found in notices if found.state in MOVING]
        return await visit.page(
            connection,
            "overview.html",
            snapshot=latest,
            step=STEP,
            numbers=numbers(latest, office, visit.speech(await load_poll(connection))),
            moving=moving,
            waiting=[found for found in notices if found.state in WAITING],
            alerts=await alerts.open_alerts(connection, 30),
            firsts=await _firsts(visit, connection, office),
            office=office,
            texts_held=await texts_resumed.held_until(connection, visit.now),
        )


async def _firsts(visit: Visit, connection: AsyncConnection, office: Office) -> list[tuple[str, int]]:
    """Give the lists that this person may see, each with the number of its lines."""
    counts = {
        **{name: office.count(name) for name in office.listed},
        "second_person": await lists.count_second_person(visit, connection),
        "reminder": office.since_reminder,
    }
    return [(listing.name, counts[listing.name]) for listing in lists.LISTINGS if visit.may(listing.act)]


async def resume_texts(visit: Visit) -> Response:
    """Let texts go again that the account's limit holds back."""
    async with visit.console.house.database.writing() as connection:
        await texts_resumed.resume(connection, visit.word("reason"), by=visit.by)
    visit.console.desk.wake()
    return visit.back("/console/")


async def show_alarms(visit: Visit) -> Response:
    """Show the list of alarms alone."""
    async with visit.console.house.database.reading() as connection:
        return await visit.part(connection, "_alarms.html", alerts=await alerts.open_alerts(connection, 30))


async def acknowledge(visit: Visit) -> Response:
    """Say that somebody is looking."""
    async with visit.console.house.database.writing() as connection:
        await alerts.acknowledge(connection, visit.path("alert_id"), by=visit.by)
    visit.console.desk.wake()
    if visit.is_fragment:
        return await show_alarms(visit)
    return visit.back("/console/#alarms")


async def show_turnout(visit: Visit) -> Response:
    """Draw votes by hour, in the steps that `bot.staff.turnout` lets out."""
    latest = await visit.console.snapshots.latest()
    async with visit.console.house.database.reading() as connection:
        language = visit.speech(await load_poll(connection)).language
    drawn = await turnout_picture.console_svg(
        latest.turnout, language, dark=visit.asked("dark") == "1", small=visit.asked("small") == "1"
    )
    return Response(drawn, media_type="image/svg+xml", headers={"Content-Security-Policy": PICTURE_POLICY})


async def stream(visit: Visit) -> Response:
    """Send the numbers whenever they change, until the session ends or the browser goes."""
    return StreamingResponse(_events(visit), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def numbers(latest: Snapshot, office: Office, speech: Speech) -> dict[str, str]:
    """Give every live number as written, by the name its place on the page has."""
    facts = latest.facts
    return {
        "voted": speech.number(latest.voted),
        "turnout": speech.percent(latest.voted, latest.eligible),
        "online": speech.number(facts["locks"]["online"]),
        "post": speech.number(facts["locks"]["post"]),
        "eligible": speech.number(latest.eligible),
        "issued": speech.number(facts["packs"]["issued"]),
        **{f"pack_{name}": speech.number(count) for name, count in facts["packs"].items() if name != "issued"},
        **{f"journey_{name}": speech.number(count) for name, count in latest.journeys.items()},
        "overdue": speech.number(office.count(OVERDUE)),
        "locked_out": speech.number(len(latest.locked_out)),
        "open_cases": speech.number(facts["open_cases"]),
        "ballots": speech.number(facts["ballots"]),
    }


async def _events(visit: Visit) -> AsyncIterator[str]:
    console, token = visit.console, visit.request.cookies.get(COOKIE)
    sent: dict[str, str] = {}
    ending: asyncio.Event = visit.request.app.state.ending
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + STREAM_SECONDS
    async with console.house.database.reading() as connection:
        speech = visit.speech(await load_poll(connection))
    yield "retry: 2000\n\n"
    while loop.time() < ends_at and not ending.is_set() and not await visit.request.is_disconnected():
        async with console.house.database.reading() as connection:
            if await sessions.find(connection, console.house.secrets, token, console.now()) is None:
                yield "event: ended\ndata: {}\n\n"
                return
            alarms = await _alarms(connection, speech)
        latest, office = await console.snapshots.latest(), await console.snapshots.office.latest()
        fresh = {**numbers(latest, office, speech), **alarms}
        changed = {name: value for name, value in fresh.items() if sent.get(name) != value}
        sent |= changed
        yield f"event: numbers\ndata: {json.dumps(changed)}\n\n" if changed else ": still here\n\n"
        with suppress(TimeoutError):
            await asyncio.wait_for(ending.wait(), TICK_SECONDS)


async def _alarms(connection: AsyncConnection, speech: Speech) -> dict[str, str]:
    waiting = (alert.c.ended_at.is_(None), alert.c.acknowledged_by.is_(None))
    found = await connection.execute(
        select(func.count(), func.coalesce(func.max(alert.c.id), 0), func.coalesce(func.sum(alert.c.version), 0)).where(
            *waiting
        )
    )
    count, newest, versions = found.one()
    return {
        "alarms": str(count),
        "alarms_words": str(speech.n("frame.alarms", count)),
        "alarms_spoken": str(speech.n("frame.alarms_wait", count)),
        "alarms_mark": f"{count}.{newest}.{versions}",
    }


SCREENS: Final = (
    Screen("/", Act.SEE_OVERVIEW, show),
    Screen("/alarms", Act.SEE_OVERVIEW, show_alarms),
    Screen("/turnout.svg", Act.SEE_TURNOUT, show_turnout),
    Screen("/live", Act.SEE_OVERVIEW, stream),
)
ACTIONS: Final = (
    Action("/alerts/{alert_id:int}/acknowledge", Act.ACKNOWLEDGE, acknowledge, show),
    Action("/texts/resume", Act.RESUME_TEXTS, resume_texts, show),
)
