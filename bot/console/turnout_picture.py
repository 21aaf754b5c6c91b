"""The console's picture of turnout, SVG in the page's own colours: drawn beside the event loop, the last few kept."""

import asyncio
import io
from collections import OrderedDict
from typing import Any, Final
from zoneinfo import ZoneInfo

from bot.staff.turnout import HOUR, STEP, Turnout

KEPT_MAX: Final = 16
INCHES: Final = {False: (7.2, 2.7), True: (3.6, 2.1)}  # on a desk, on a phone
TICKS: Final = (3, 6)
FORMATS: Final = ["%Y", "%b", "%-d %b", "%H:%M", "%H:%M", "%S"]  # of years, months, days, hours, minutes, seconds
AT_ZERO: Final = ["%Y", "%b", "%-d %b", "%-d %b", "%H:%M", "%H:%M"]  # where the smaller unit begins anew
COLOURS: Final = {  # ink, quiet, online, post: as in console.css
    False: ("#1a2130", "#515c6e", "#2b46ad", "#b4650a"),
    True: ("#e9edf4", "#a4afc0", "#a3b6ff", "#f0a94a"),
}
_TURN: Final = asyncio.Lock()  # one picture at a time
_KEPT: Final[OrderedDict[object, bytes]] = OrderedDict()


async def turnout(known: Turnout, *, dark: bool, small: bool = False) -> bytes:
    """Draw votes locked so far, online and by post, one on the other."""
    key = (known, dark, small)
    async with _TURN:
        if key not in _KEPT:
            _KEPT[key] = await asyncio.to_thread(_draw, known, dark=dark, small=small)
            while len(_KEPT) > KEPT_MAX:
                _KEPT.popitem(last=False)
        return _KEPT[key]


def _draw(known: Turnout, *, dark: bool, small: bool) -> bytes:
    from matplotlib.figure import Figure

    ink, quiet, online, post = COLOURS[dark]
    figure = Figure(figsize=INCHES[small], layout="constrained")
    axes: Any = figure.add_subplot()  # matplotlib's types do not know dates
    start = known.hours[0].ended_at - HOUR if known.hours else known.opens_at
    moments = [start, *(hour.ended_at for hour in known.hours)]
    sums = [[0, *(hour.online for hour in known.hours)], [0, *(hour.post for hour in known.hours)]]
    axes.stackplot(moments, *sums, colors=(online, post), linewidth=0)
    axes.set_xlim(start, max(moments[-1], start + 6 * HOUR))
    axes.set_ylim(0, max(STEP, sums[0][-1] + sums[1][-1]) * 1.08)
    _dress(axes, ZoneInfo(known.timezone), ink, quiet)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return drawn.getvalue()


def _dress(axes: Any, zone: ZoneInfo, ink: str, quiet: str) -> None:  # noqa: ANN401 - as above
    from matplotlib import dates
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    untyped: Any = dates
    locator = untyped.AutoDateLocator(tz=zone, minticks=TICKS[0], maxticks=TICKS[1])
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(
        untyped.ConciseDateFormatter(locator, zone, FORMATS, zero_formats=AT_ZERO, show_offset=False)
    )
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.tick_params(colors=quiet, labelsize=10, length=0)
    axes.grid(axis="y", color=quiet, alpha=0.25, linewidth=0.7)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.spines["bottom"].set(visible=True, color=ink, linewidth=1.2)
