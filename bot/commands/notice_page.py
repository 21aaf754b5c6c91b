"""A notice on the terminal: as people will read it before it goes, and its progress until it has ended."""

import asyncio
import html
import re
from typing import Final

from bot.commands.spoken import audience_name, counts, kind_name, name_of, plural, state_name, text
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
    with progress_bar(text("commands", "notice.title", notice=notice_id), total or None) as moved:
        while True:
            async with house.database.reading() as connection:
                counts = await reports.progress(connection, notice_id)
                state = (await notices.show(connection, notice_id)).state
            moved(sum(counts.values()) - counts.get("ready", 0) - counts.get("sending", 0))
            if state in ENDED:
                break
            await asyncio.sleep(LOOK_SECONDS)
    command = f"ballotline notice report {notice_id}"
    OUT.print(text("commands", "notice.ended", id=notice_id, state=state_name(state), command=command))


def print_preview(seen: Preview, *, as_json: bool) -> None:
    """Print whom a notice would reach, each text as it will read, and the cost."""
    if as_json:
        print_json(seen.as_json())
        return
    reached = {name: count for name, count in seen.audience.items() if count}
    facts = {
        "kind": kind_name(seen.kind),
        "audience": text(
            "commands", "notice.members", audience=audience_name(seen.audience_name), members=seen.members
        ),
        "by": counts(reached),
        "cost": f"{seen.cost} {seen.currency}",
    }
    if seen.cost_most is not None:
        most: dict[str, str | int] = {"more": seen.by_text_most, "cost": str(seen.cost_most), "currency": seen.currency}
        facts["while Telegram takes nothing"] = text("commands", "notice.more_by_text", **most)
    title = text("commands", "notice.title", notice=seen.notice_id)
    print_facts(title, {name_of(name): fact for name, fact in facts.items()})
    for one in seen.texts:
        size = f", {one.encoding}, {_segments(one.segments)}, {one.cost} {seen.currency}" if one.segments else ""
        number = text("commands", "notice.recipients", number=one.recipients)
        OUT.print()
        OUT.print(f"[bold]{name_of(one.channel)}, {one.language}[/bold] ({number}{size})")
        OUT.print(_as_read(one.text) if one.channel == TELEGRAM else one.text, markup=False)
    OUT.print()
    OUT.print(text("commands", "notice.approve_next", id=seen.notice_id))


def _segments(count: int) -> str:
    return plural("commands", "notice.segments", count)


def _as_read(markup: str) -> str:
    """Give a Telegram message as a person reads it, without its HTML."""
    return html.unescape(re.sub(r"<[^>]+>", "", markup))
