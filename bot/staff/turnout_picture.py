"""Pictures of the turnout, drawn beside the event loop; matplotlib loads there too, when the first is asked for."""

import asyncio
from collections import OrderedDict
from typing import Final

from bot.staff.turnout import Turnout

KEPT_MAX: Final = 16
_TURN: Final = asyncio.Lock()  # one picture at a time
_KEPT: Final[OrderedDict[object, bytes]] = OrderedDict()


async def chat_png(turnout: Turnout, language: str) -> bytes:
    """Draw a picture 1080 pixels wide whose words can be read on a phone."""
    return await asyncio.to_thread(_draw_png, turnout, language)


async def console_svg(known: Turnout, language: str, *, dark: bool, small: bool = False) -> bytes:
    """Draw it for the console, or give one of the last few drawn."""
    key = (known, language, dark, small)
    async with _TURN:
        if key not in _KEPT:
            _KEPT[key] = await asyncio.to_thread(_draw_svg, known, language, dark=dark, small=small)
            while len(_KEPT) > KEPT_MAX:
                _KEPT.popitem(last=False)
        return _KEPT[key]


def _draw_png(turnout: Turnout, language: str) -> bytes:
    from bot.staff import turnout_drawing  # noqa: PLC0415 - loads matplotlib

    return turnout_drawing.chat_png(turnout, language)


def _draw_svg(turnout: Turnout, language: str, *, dark: bool, small: bool) -> bytes:
    from bot.staff import turnout_drawing  # noqa: PLC0415 - loads matplotlib

    return turnout_drawing.console_svg(turnout, language, dark=dark, small=small)
