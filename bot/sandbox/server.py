"""The sandbox: one server on this machine that plays Telegram, Twilio and everybody's phones."""

from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web
from aiohttp.typedefs import Handler

from bot.sandbox.addresses import is_loopback
from bot.sandbox.chores import Chores
from bot.sandbox.control import Control
from bot.sandbox.faults import Faults, Stage
from bot.sandbox.phones import Cast, Letter, Phones
from bot.sandbox.telegram.people import Person
from bot.sandbox.telegram.telegram import Telegram
from bot.sandbox.twilio.twilio import Twilio

HOST: Final = "127.0.0.1"
UPLOAD_BYTES_MAX: Final = 50 * 1024 * 1024  # Bot API, sendDocument
GOODBYE_SECONDS: Final = 0.2


class SandboxFaults:
    """What goes wrong on purpose, per provider."""

    def __init__(self, seed: int) -> None:
        self.telegram = Faults(seed)
        self.twilio = Faults(seed + 1)


class Sandbox:
    """A local Telegram and Twilio. `async with Sandbox() as sandbox: ...` or start and stop.

    seed: for faults that strike by chance. keep_messages=False bounds memory: only the newest
    texts and messages are kept, and no history.
    """

    def __init__(self, *, seed: int = 0, keep_messages: bool = True) -> None:
        self.faults = SandboxFaults(seed)
        self.port = 0
        self._stage = Stage()
        self._chores = Chores()
        self.phones = Phones()
        shared: dict[str, Any] = {
            "stage": self._stage,
            "chores": self._chores,
            "keep_messages": keep_messages,
        }
        self.telegram = Telegram(faults=self.faults.telegram, publish=self.phones.publish, **shared)
        self.twilio = Twilio(faults=self.faults.twilio, changed=self.phones.text_changed, **shared)
        self._control = Control(self.phones, self.telegram, self.twilio)
        self._runner: web.AppRunner | None = None
        self._session: ClientSession | None = None

    async def start(self, port: int = 0) -> Self:
        """Listen on 127.0.0.1; port 0 takes a free one. OSError when the port is taken."""
        app = web.Application(middlewares=[only_this_machine], client_max_size=UPLOAD_BYTES_MAX)
        app.add_routes([*self.telegram.routes(), *self.twilio.routes(), *self._control.routes()])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=GOODBYE_SECONDS)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, port)
        try:
            await site.start()
        except OSError:
            await self._runner.cleanup()
            raise
        self.port = self._runner.addresses[0][1]
        self._session = ClientSession(
            connector=TCPConnector(limit=0), cookie_jar=DummyCookieJar(), timeout=ClientTimeout(total=60)
        )
        self.telegram.open(self.url, self._session)
        self.twilio.open(self.url, self._session)
        return self

    async def stop(self) -> None:
        """End everything; raise an ExceptionGroup if the sandbox's own work went wrong."""
        self._stage.closing.set()
        self.telegram.close()
        self.phones.close()
        try:
            await self._chores.close()
        finally:
            if self._session is not None:
                await self._session.close()
            if self._runner is not None:
                await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """Where it listens; the page with the phones is there."""
        return f"http://{HOST}:{self.port}"

    # -- the page ------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """What the page is headed. Can be set."""
        return self.phones.title

    @title.setter
    def title(self, value: str) -> None:
        self.phones.title = value

    @property
    def console_url(self) -> str | None:
        """Where the staff console is, if there is one. Can be set."""
        return self.phones.console_url

    @console_url.setter
    def console_url(self, value: str | None) -> None:
        self.phones.console_url = value

    @property
    def cast(self) -> list[Cast]:
        """Who is shown on the page, in order."""
        return self.phones.cast

    @property
    def letters(self) -> dict[str, Letter]:
        """The pack letters that came, by member number."""
        return self.phones.letters

    def show(
        self, person: Person, role: str = "member", *, member_no: str | None = None, phone: str | None = None
    ) -> None:
        """Put a person's phone on the page; role is member, staff or stranger."""
        self.phones.show(Cast(person.id, person.name, role, member_no, phone or person.user.phone))

    def deliver_letter(self, letter: Letter) -> None:
        """Drop a pack letter through a member's door."""
        self.phones.deliver(letter)


@web.middleware
async def only_this_machine(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse names that only pretend to be this machine, and other sites' pages (DNS rebinding, CSRF)."""
    if not is_loopback(urlsplit(f"//{request.headers.get('Host', '')}").hostname):
        return web.Response(status=421, text="This server answers only to its own name.")
    origin = request.headers.get("Origin")
    if origin is not None and request.method != "GET" and urlsplit(origin).netloc != request.host:
        return web.Response(status=403, text="This request came from another site.")
    return await handler(request)
