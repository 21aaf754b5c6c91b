"""Channels that a provider's errors turned off: how many within a span, by error, and one act that turns them on."""

from collections.abc import Sequence
from typing import Final

from starlette.responses import Response

from bot.console.door import Action, Screen
from bot.console.visit import FormWrong, Visit, read_time
from bot.staff.roles import Act
from messages.channels_back import Span, channels_back, went_off
from messages.reach import SMS, TELEGRAM
from voting.model import Poll
from voting.poll import polls


async def show(visit: Visit) -> Response:
    """Ask for the span; once it is given, count what went off within it."""
    asked = {name: visit.word(name) or visit.asked(name) for name in ("channel", "since", "until", "reason")}
    async with visit.console.house.database.reading() as connection:
        found = None
        if asked["since"] and asked["until"]:
            found = await went_off(connection, _span(visit, asked["channel"], await polls.load(connection)))
        back = visit.asked_number("back")
        return await visit.page(connection, "channels.html", typed=asked, found=found, back=back, kinds=(TELEGRAM, SMS))


async def turn_on(visit: Visit) -> Response:
    """Turn on again what these errors turned off within the span."""
    async with visit.console.house.database.writing() as connection:
        errors = [value for name, value in visit.form.multi_items() if name == "error" and isinstance(value, str)]
        if not errors:
            raise FormWrong(field="error")
        span = _span(visit, visit.word("channel"), await polls.load(connection), errors)
        found = await channels_back(connection, span, visit.word("reason"), by=visit.by)
    return visit.back(f"/console/channels?back={sum(found.values())}")


def _span(visit: Visit, channel: str, poll: Poll, errors: Sequence[str] = ()) -> Span:
    since, until = read_time(visit, "since", poll), read_time(visit, "until", poll)
    if since is None or until is None:
        raise FormWrong(field="since" if since is None else "until")
    return Span(channel, since, until, tuple(errors))


SCREENS: Final = (Screen("/channels", Act.TURN_CHANNELS_ON, show),)
ACTIONS: Final = (Action("/channels", Act.TURN_CHANNELS_ON, turn_on, show),)
