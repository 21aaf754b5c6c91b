"""Turnout drawn: votes locked online and by post, one on the other, by the hour.

A PNG for a phone's chat and an SVG for the console, in the page's own colours. No window system, no global state.
Drawing takes a good part of a second, and loading this file another: `turnout_picture` does both beside the event loop.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from matplotlib import dates
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, MaxNLocator

from bot.staff.turnout import HOUR, STEP, Turnout
from messages.words.texts import text


@dataclass(frozen=True, slots=True)
class _Look:
    """Colours and sizes of one reader's picture; sizes in points, `headroom` is the height over the tallest."""

    online: str
    post: str
    labels: str
    label_size: float
    label_pad: float
    grid: dict[str, object]
    ground: dict[str, object]
    steps: int
    headroom: float


INK: Final = "#1b1f24"
PALE: Final = "#d0d7de"
# Told apart in grey and with any colour vision (Okabe and Ito, 2008).
_CHAT: Final = _Look(
    "#0072b2", "#e69f00", INK, 14, 6, {"color": PALE, "linewidth": 0.8}, {"color": PALE}, steps=5, headroom=1.12
)
PHONE_INCHES: Final = (6.0, 6.0)
PHONE_DPI: Final = 180  # 1080 pixels wide
DAY_HOURS: Final = 24
TICK_HOURS: Final = (1, 2, 3, 6, 12, 24, 48, 96, 168, 336, 672)
TICKS_MAX: Final = 5


def _console_look(ink: str, quiet: str, online: str, post: str) -> _Look:
    grid = {"color": quiet, "alpha": 0.25, "linewidth": 0.7}
    return _Look(online, post, quiet, 10, 3.5, grid, {"color": ink, "linewidth": 1.2}, steps=4, headroom=1.08)


_CONSOLE: Final = {  # ink, quiet, online, post: as in console.css
    False: _console_look("#1a2130", "#515c6e", "#2b46ad", "#b4650a"),
    True: _console_look("#e9edf4", "#a4afc0", "#a3b6ff", "#f0a94a"),
}
CONSOLE_INCHES: Final = {False: (7.2, 2.7), True: (3.6, 2.1)}  # on a desk, on a phone
CONSOLE_TICKS: Final = (3, 6)


def chat_png(turnout: Turnout, language: str) -> bytes:
    """Draw a picture 1080 pixels wide whose words can be read on a phone."""
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12)
    figure = Figure(figsize=PHONE_INCHES, facecolor="white", layout=layout)
    FigureCanvasAgg(figure)
    places = [0.0, *(_place(hour.ended_at, turnout) for hour in turnout.hours)]
    axes = _stacked(figure, _CHAT, places, turnout)
    axes.plot(places, [0, *(hour.online + hour.post for hour in turnout.hours)], color=INK, linewidth=1.6)
    axes.set_xlim(0, max(1.0, places[-1]))
    _name_hours(axes, turnout, language, last=max(1.0, places[-1]))
    _head(figure, axes, turnout, language)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=PHONE_DPI)
    return drawn.getvalue()


def console_svg(known: Turnout, language: str, *, dark: bool, small: bool) -> bytes:
    """Draw it for the console's page, light or dark, wide or for a phone."""
    figure = Figure(figsize=CONSOLE_INCHES[small], layout="constrained")
    start = known.hours[0].ended_at - HOUR if known.hours else known.opens_at
    moments = [start, *(hour.ended_at for hour in known.hours)]
    axes = _stacked(figure, _CONSOLE[dark], moments, known)
    axes.set_xlim(start, max(moments[-1], start + 6 * HOUR))
    untyped: Any = dates
    zone = ZoneInfo(known.timezone)
    locator = untyped.AutoDateLocator(tz=zone, minticks=CONSOLE_TICKS[0], maxticks=CONSOLE_TICKS[1])
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda place, _: _named(untyped.num2date(place, zone), language)))
    drawn = io.BytesIO()
    figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return drawn.getvalue()


def _named(moment: datetime, language: str) -> str:
    """Name a place on the axis: an hour, and a day where one begins."""
    pattern = "HH:mm" if moment.hour or moment.minute else "d MMM"
    return str(format_datetime(moment, pattern, locale=language.replace("-", "_")))


def _stacked(figure: Figure, look: _Look, places: Sequence[object], turnout: Turnout) -> Any:  # noqa: ANN401 - untyped
    """Draw the sums at their places, and what both pictures have around them."""
    axes: Any = figure.add_subplot()
    sums = [[0, *(hour.online for hour in turnout.hours)], [0, *(hour.post for hour in turnout.hours)]]
    axes.stackplot(places, *sums, colors=(look.online, look.post), linewidth=0)
    axes.set_ylim(0, max(STEP, turnout.online + turnout.post) * look.headroom)
    axes.yaxis.set_major_locator(MaxNLocator(look.steps, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.tick_params(labelsize=look.label_size, colors=look.labels, length=0, pad=look.label_pad)
    axes.grid(axis="y", **look.grid)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.spines["bottom"].set(visible=True, **look.ground)
    return axes


def _place(at: datetime, turnout: Turnout) -> float:
    """Give the hours since opening; a paper may have come earlier."""
    return max(0.0, (at - turnout.opens_at).total_seconds() / 3600)


def _name_hours(axes: Any, turnout: Turnout, language: str, *, last: float) -> None:  # noqa: ANN401 - as above
    locale = language.replace("-", "_")
    step = next((hours for hours in TICK_HOURS if last / hours <= TICKS_MAX), TICK_HOURS[-1])
    marks = _marks(turnout, last, step)
    pattern = "HH:mm" if step < DAY_HOURS else "d MMM"
    axes.set_xticks(
        [_place(mark, turnout) for mark in marks], [format_datetime(mark, pattern, locale=locale) for mark in marks]
    )


def _marks(turnout: Turnout, last: float, step: int) -> list[datetime]:
    """Give the whole local hours, or the midnights, that are named on the axis."""
    zone = ZoneInfo(turnout.timezone)
    start = turnout.opens_at.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    mark = start.replace(hour=0) if step >= DAY_HOURS else start
    end = turnout.opens_at + timedelta(hours=last)
    marks = []
    while mark <= end:
        if mark >= turnout.opens_at:
            marks.append(mark)
        mark += timedelta(hours=step)
    return marks


def _head(figure: Figure, axes: Any, turnout: Turnout, language: str) -> None:  # noqa: ANN401 - as above
    total = turnout.online + turnout.post
    figure.suptitle(turnout.title, fontsize=19, fontweight="bold", color=INK, x=0.03, ha="left")
    about = "" if turnout.exact else "≥ "
    big = text("staff", "chart.voted", language, total=f"{about}{total:,}", percent=f"{turnout.percent:.1f} %")
    axes.set_title(big, fontsize=16, color=INK, loc="left", pad=34)
    for x, key, count, colour in (
        (0.0, "chart.online", turnout.online, _CHAT.online),
        (0.5, "chart.post", turnout.post, _CHAT.post),
    ):
        words = text("staff", key, language, count=f"{about}{count:,}")
        place = {"transform": axes.transAxes, "fontsize": 14}
        axes.text(x, 1.03, "■", color=colour, **place)
        axes.text(x + 0.05, 1.03, words, color=INK, **place)
    note = text("staff", "chart.exact" if turnout.exact else "chart.steps", language)
    axes.set_xlabel(note, fontsize=11, color=INK, labelpad=10)
