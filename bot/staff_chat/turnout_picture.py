"""Pictures: turnout as PNG for a phone's chat and as SVG for the console. No window system, no global state."""

from datetime import datetime, timedelta
from io import BytesIO
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, MaxNLocator

from bot.staff.turnout import STEP, Turnout
from messages.words.texts import text

# Told apart in grey and with any colour vision (Okabe and Ito, 2008).
ONLINE_COLOUR: Final = "#0072b2"
POST_COLOUR: Final = "#e69f00"
INK: Final = "#1b1f24"
PALE: Final = "#d0d7de"
PHONE_INCHES: Final = (6.0, 6.0)
PHONE_DPI: Final = 180  # 1080 pixels wide
DAY_HOURS: Final = 24
TICK_HOURS: Final = (1, 2, 3, 6, 12, 24, 48, 96, 168, 336, 672)
TICKS_MAX: Final = 5


def turnout_png(turnout: Turnout, language: str) -> bytes:
    """Draw a picture 1080 pixels wide whose words can be read on a phone."""
    figure = _figure(turnout, language, PHONE_INCHES, scale=1.0)
    FigureCanvasAgg(figure)
    drawn = BytesIO()
    figure.savefig(drawn, format="png", dpi=PHONE_DPI)
    return drawn.getvalue()


def turnout_svg(turnout: Turnout, language: str) -> str:
    """Draw the same for the console; an SVG element without an XML declaration."""
    figure = _figure(turnout, language, (9.0, 4.5), scale=0.8)
    FigureCanvasSVG(figure)
    drawn = BytesIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    svg = drawn.getvalue().decode()
    return svg[svg.index("<svg") :]


def _figure(turnout: Turnout, language: str, inches: tuple[float, float], *, scale: float) -> Figure:
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12)
    figure = Figure(figsize=inches, facecolor="white", layout=layout)
    axes = figure.add_subplot()
    points = [(0.0, 0, 0), *((_place(hour.ended_at, turnout), hour.online, hour.post) for hour in turnout.hours)]
    places, online, post = ([point[which] for point in points] for which in range(3))
    both = [one + other for one, other in zip(online, post, strict=True)]
    axes.fill_between(places, 0, online, color=ONLINE_COLOUR, linewidth=0)
    axes.fill_between(places, online, both, color=POST_COLOUR, linewidth=0)
    axes.plot(places, both, color=INK, linewidth=1.6 * scale)
    axes.set_ylim(0, max(STEP, both[-1]) * 1.12)
    axes.set_xlim(0, max(1.0, places[-1]))
    _dress(axes, turnout, language, scale)
    _head(figure, axes, turnout, language, scale)
    return figure


def _place(at: datetime, turnout: Turnout) -> float:
    """Give the hours since opening; a paper may have come earlier."""
    return max(0.0, (at - turnout.opens_at).total_seconds() / 3600)


def _dress(axes: Any, turnout: Turnout, language: str, scale: float) -> None:  # noqa: ANN401 - untyped
    locale = language.replace("-", "_")
    last = max(1.0, _place(turnout.hours[-1].ended_at, turnout)) if turnout.hours else 1.0
    step = next((hours for hours in TICK_HOURS if last / hours <= TICKS_MAX), TICK_HOURS[-1])
    marks = _marks(turnout, last, step)
    pattern = "HH:mm" if step < DAY_HOURS else "d MMM"
    axes.set_xticks(
        [_place(mark, turnout) for mark in marks], [format_datetime(mark, pattern, locale=locale) for mark in marks]
    )
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.tick_params(labelsize=14 * scale, colors=INK, length=0, pad=6)
    axes.grid(axis="y", color=PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(PALE)


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


def _head(figure: Figure, axes: Any, turnout: Turnout, language: str, scale: float) -> None:  # noqa: ANN401 - untyped
    total = turnout.online + turnout.post
    figure.suptitle(turnout.title, fontsize=19 * scale, fontweight="bold", color=INK, x=0.03, ha="left")
    about = "" if turnout.exact else "≥ "
    big = text("staff", "chart.voted", language, total=f"{about}{total:,}", percent=f"{turnout.percent:.1f} %")
    axes.set_title(big, fontsize=16 * scale, color=INK, loc="left", pad=34 * scale)
    for x, key, count, colour in (
        (0.0, "chart.online", turnout.online, ONLINE_COLOUR),
        (0.5, "chart.post", turnout.post, POST_COLOUR),
    ):
        words = text("staff", key, language, count=f"{about}{count:,}")
        place = {"transform": axes.transAxes, "fontsize": 14 * scale}
        axes.text(x, 1.03, "■", color=colour, **place)
        axes.text(x + 0.05, 1.03, words, color=INK, **place)
    note = text("staff", "chart.exact" if turnout.exact else "chart.steps", language)
    axes.set_xlabel(note, fontsize=11 * scale, color=INK, labelpad=10)
