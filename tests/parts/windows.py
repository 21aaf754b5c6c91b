"""Windows of a browser that say what their page complains of, and whom it asks."""

from typing import Any, Final, Literal

from playwright.async_api import Browser, Page, expect

PATIENCE_MS: Final = 60_000
WIDE: Final = {"width": 1280, "height": 900}
NARROW: Final = {"width": 390, "height": 844}
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")


async def new_window(browser: Browser, url: str, **named: Any) -> tuple[Page, list[str]]:
    """Open a window of its own; give the page and what it complains of, or asks of anybody but `url`."""
    context = await browser.new_context(reduced_motion="reduce", **{"viewport": WIDE, **named})
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type in {"error", "warning"} else None)
    page.on(
        "request", lambda request: None if request.url.startswith((url, "data:")) else complaints.append(request.url)
    )
    return page, complaints
