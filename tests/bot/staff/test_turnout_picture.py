"""Turnout as a picture: for a phone's chat, and in the console's colours; from the first minute to the end."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.staff.turnout import HOUR, Hour, Turnout
from bot.staff.turnout_picture import chat_png, console_svg

OPENS = datetime(2022, 8, 3, 8, 0, tzinfo=UTC)
CASES = [
    pytest.param(0, OPENS, id="nobody yet"),
    pytest.param(1, OPENS, id="the first hour"),
    pytest.param(30, OPENS - timedelta(hours=5), id="a paper came before the opening"),
    pytest.param(24 * 30, OPENS, id="a month"),
]


def turnout_of(hours: int, begins: datetime) -> Turnout:
    sums = tuple(Hour(begins + (hour + 1) * HOUR, 50 * hour, 25 * hour) for hour in range(hours))
    return Turnout("Leader 2022", "Europe/London", OPENS, OPENS + timedelta(days=30), 100_000, exact=False, hours=sums)


@pytest.mark.parametrize(("hours", "begins"), CASES)
@pytest.mark.parametrize("language", ["en-GB", "cy"])
async def test_the_chat_s_picture_is_1080_pixels_wide(hours: int, begins: datetime, language: str) -> None:
    drawn = await chat_png(turnout_of(hours, begins), language)

    assert drawn.startswith(b"\x89PNG")
    assert int.from_bytes(drawn[16:20], "big") == 1080  # the width, in a PNG's first chunk


@pytest.mark.parametrize(("hours", "begins"), CASES)
async def test_the_console_s_picture_is_svg_in_the_page_s_colours_and_drawn_once(hours: int, begins: datetime) -> None:
    known = turnout_of(hours, begins)

    light, dark = await console_svg(known, "en-GB", dark=False), await console_svg(known, "en-GB", dark=True)

    assert b"<svg" in light
    assert (b"#2b46ad" in light, b"#2b46ad" in dark) == (True, False)
    assert await console_svg(turnout_of(hours, begins), "en-GB", dark=False) is light
    assert await console_svg(known, "cy", dark=False) is not light
