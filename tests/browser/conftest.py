"""A real Chromium for the tests in this folder; without one they are skipped, except where nothing may be.

It is started once: a browser belongs to the event loop it was started in, so these tests share the session's loop.
"""

import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

import pytest
import pytest_asyncio
from page_server import PageServer, page_server, serving
from playwright.async_api import Browser, async_playwright
from prepared import SECRETS

from voting.audit.signer import Signer
from voting.store.database import Database

NAMES: Final = (  # the first has no windows to draw around its pages, and costs a third less
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
QUIET: Final = [  # no sandbox of its own: the tests may run as root; and no word to anybody else
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        reason = "no Chromium found: install it, for example with `apt-get install chromium`"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    async with async_playwright() as driver:
        chromium = await driver.chromium.launch(executable_path=path, args=QUIET)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="session")
async def browser(chromium: Browser) -> AsyncIterator[Browser]:
    """Chromium without a window; with the test's windows, all that they stored goes."""
    assert chromium.contexts == []
    yield chromium
    for context in list(chromium.contexts):
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def database(new_database: Callable[[], AbstractAsyncContextManager[str]]) -> AsyncIterator[Database]:
    """A fresh, migrated database, in the session's loop."""
    async with new_database() as url:
        database = Database(url, Signer(SECRETS))
        yield database
        await database.close()


@pytest_asyncio.fixture(loop_scope="session")
async def server() -> AsyncIterator[PageServer]:
    """The page of a poll with one question; a file that tries another paper has a server of its own."""
    async with serving(page_server()) as running:
        yield running
