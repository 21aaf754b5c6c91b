"""The demo from its first line to Ctrl-C: the story on a fresh stage, then a second poll for whoever watches."""

import asyncio
import signal
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from bot.demo import poll_files
from bot.demo.ballot import Ballot, StoryClock
from bot.demo.roll import write_roll
from bot.demo.stage import Stage
from bot.demo.story import Story
from bot.edge.links import vote_url
from bot.edge.server import PortTaken
from bot.house import clock
from bot.sandbox import Sandbox
from bot.staff.roles import Role

HOST: Final = "127.0.0.1"
STORY_BEGINS: Final = datetime(2022, 8, 1, 9, 0, tzinfo=UTC)


async def show(folder: Path, port: int, *, asked: bool, once: bool) -> None:
    """Play the story, then, unless `once`, keep phones and console open until Ctrl-C.

    The phones are on `port`, or on any free one if it is taken and nobody `asked` for it. StoryBroken, PortTaken, or
    AssertionError when the story goes wrong.
    """
    console = Console()
    async with _Opened(port, asked=asked) as sandbox:
        story = await _play(folder, sandbox, console)
        console.print()
        console.print(f"[bold green]The story ended well: {story.stage.checked} checks held.[/bold green]")
        if not once:
            await _your_turn(folder, sandbox, story, console)


class _Opened:
    """The local providers on a port, or on any free one when nobody asked for that."""

    def __init__(self, port: int, *, asked: bool) -> None:
        self._port, self._asked, self._sandbox = port, asked, Sandbox()

    async def __aenter__(self) -> Sandbox:
        try:
            return await self._sandbox.start(self._port)
        except OSError:
            if self._asked:
                raise PortTaken(listen=f"{HOST}:{self._port}") from None
            return await self._sandbox.start(0)

    async def __aexit__(self, *_error: object) -> None:
        await self._sandbox.stop()


async def _play(folder: Path, sandbox: Sandbox, console: Console) -> Story:
    when = StoryClock(STORY_BEGINS)
    stage = Stage(console, when)
    stage.opens(
        "Ballotline: a whole ballot on this machine",
        "August 2022. Packs with voting codes are late, the rule changes, and everybody has to hear of it.\n"
        "Telegram and the text messages are local stand-ins; everything else is the real thing.",
    )
    ballot = Ballot(folder / "story", sandbox, when, f"{HOST}:{_free_port()}")
    story = Story(ballot, stage, when)
    try:
        await story.play()
    finally:
        await ballot.stops()
    return story


async def _your_turn(folder: Path, sandbox: Sandbox, story: Story, console: Console) -> None:
    """Open a second poll, today, on the same phones, and keep it open until Ctrl-C."""
    ballot = Ballot(folder / "your-turn", sandbox, clock, f"{HOST}:{_free_port()}")
    quiet = Story(ballot, Stage(Console(quiet=True), clock), StoryClock(clock()), people=story.people)
    today = clock().date()
    await ballot.init(poll_files.write_open_poll(ballot.folder / "poll.toml", today), "Gwen")
    await ballot.import_roll(write_roll(ballot.folder / "roll.csv"), "Gwen")
    await ballot.issue_packs("Gwen")
    await ballot.open("Gwen")
    await ballot.starts()
    for name, role in (("Gwen", Role.OFFICER), ("Huw", Role.COMMS), ("Nia", Role.SUPPORT)):
        await quiet.enrol(name, role)
    await quiet.link_members()
    await quiet.dispatch_packs(today)
    sandbox.console_url = f"http://{ballot.listen}/console"
    console.print()
    console.print("Your turn: a second poll is open now, and new letters lie beside the phones.")
    console.print(f"  Phones:  [bold]{sandbox.url}[/bold]  (pick up Bedwyr's or Carys's, and vote)")
    console.print(f"  Voting page: [bold]{vote_url(ballot.house.settings)}[/bold]  (letters and phones lead there too)")
    console.print(f"  Console: [bold]{sandbox.console_url}[/bold]  (on Gwen's phone send /console for the way in)")
    console.print("Ctrl-C ends it; nothing is kept.")
    stop = asyncio.Event()
    for end in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(end, stop.set)
    try:
        await stop.wait()
    finally:
        await ballot.stops()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])
