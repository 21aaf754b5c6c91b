"""Make the README's pictures: `python examples/make_pictures.py` plays the demo and photographs phones and console.

Needs the development tools of `make test` and a Chromium.
"""

import json
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

PICTURES = Path(__file__).with_name("pictures")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PORT = 8023
PHONES = f"http://127.0.0.1:{PORT}"


def ask(path: str, body: dict[str, Any] | None = None) -> Any:
    """Ask the local providers' own interface."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(PHONES + path, data=data, headers={"Content-Type": "application/json"})  # noqa: S310 - this machine
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - as above
        return json.load(answer)


def take(page: Page, name: str, *, whole: bool = False) -> None:
    """Take one picture once the page has settled."""
    page.wait_for_load_state("load")
    page.wait_for_timeout(1_200)
    page.screenshot(path=str(PICTURES / f"{name}.png"), full_page=whole)


def main() -> None:
    """Play the demo, take the pictures, end it."""
    PICTURES.mkdir(exist_ok=True)
    demo = subprocess.Popen(
        [sys.executable, "-m", "bot.cli", "demo", "--port", str(PORT)], stdout=subprocess.PIPE, text=True
    )
    assert demo.stdout is not None
    for line in demo.stdout:
        if "Ctrl-C" in line:
            break
    try:
        photograph()
    finally:
        demo.terminate()
        demo.wait(timeout=30)


def photograph() -> None:
    """Take every picture."""
    ids = {person["name"].split()[0]: person["id"] for person in ask("/api/state")["people"]}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{PHONES}/#{ids['Ada']}+{ids['Nia']}")
        take(page, "phones")
        ask(f"/api/person/{ids['Gwen']}/type", {"chat_id": ids["Gwen"], "text": "/console"})
        page.wait_for_timeout(2_000)
        chat = json.dumps(ask(f"/api/person/{ids['Gwen']}"))
        page.goto(re.findall(r"http://127[^\"\s<\\]*login[^\"\s<\\]*", chat)[-1])
        page.click("form button")
        take(page, "console-overview", whole=True)
        root = page.url.split("/console")[0]
        page.goto(f"{root}/console/notices/new")
        take(page, "console-notice", whole=True)
        browser.close()


if __name__ == "__main__":
    main()
