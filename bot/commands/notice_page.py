"""A notice on the terminal: as people will read it before it goes, and its progress until it has ended."""

import asyncio
import html
import re
from typing import Final

from bot.commands.terminal import OUT, print_facts, print_json, progress_bar
from bot.house import House
from messages.notices import notices, reports
from messages.notices.model import ENDED
from messages.notices.preview import Preview
from messages.reach import TELEGRAM

LOOK_SECONDS: Final = 1.0


async def watch_notice(house: House, notice_id: int) -> None:
    """Show progress until the notice has ended."""
    async with house.database.reading() as connection:
        total = sum((await reports.progress(connection, notice_id)).values())
    with progress_bar(f"Notice {notice_id}", total or None) as moved:
        while True:
            async with house.database.reading() as connection:
                counts = await reports.progress(connection, notice_id)
                state = (await notices.show(connection, notice_id)).state
            moved(sum(counts.values()) - counts.get("ready", 0) - counts.get("sending", 0))
            if state in ENDED:
                break
            await asyncio.sleep(LOOK_SECONDS)
    OUT.print(f"Notice {notice_id} is {state}. See: ballotline notice report {notice_id}")


def print_preview(seen: Preview, *, as_json: bool) -> None:
    """Print whom a notice would reach, each text as it will read, and the cost."""
    if as_json:
        print_json(seen.as_json())
        return
    reached = {name: count for name, count in seen.audience.items() if count}
    facts = {
        "kind": seen.kind,
        "audience": f"{seen.audience_name}: {seen.members} members",
        "by": flat(reached),
        "cost": f"{seen.cost} {seen.currency}",
    }
    if seen.cost_most is not None:
        facts["while Telegram takes nothing"] = (
            f"up to {seen.by_text_most} more by text: at most {seen.cost_most} {seen.currency}"
        )
    print_facts(f"Notice {seen.notice_id}", facts)
    for one in seen.texts:
        size = f", {one.encoding}, {_segments(one.segments)} each, {one.cost} {seen.currency}" if one.segments else ""
        OUT.print()
        OUT.print(f"[bold]{one.channel}, {one.language}[/bold] ({one.recipients} recipients{size})")
        OUT.print(_as_read(one.text) if one.channel == TELEGRAM else one.text, markup=False)
    OUT.print()
    OUT.print(f"Next, as another person: ballotline notice approve {seen.notice_id} --as THEIR-NAME")


def _segments(count: int) -> str:
    return "1 segment" if count == 1 else f"{count} segments"


def _as_read(markup: str) -> str:
    """Give a Telegram message as a person reads it, without its HTML."""
    return html.unescape(re.sub(r"<[^>]+>", "", markup))


def flat(value: object) -> object:
    """Give counts by name as one line; anything else as it is."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items())
    return value
