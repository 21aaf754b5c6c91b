"""`setup` in a real terminal, against the local providers as if they were real."""

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import pytest
from english_left import english_left
from pydantic import SecretStr
from shell import Shell
from terminal import Terminal
from town import free_port

from bot.commands.reaching import reach
from bot.sandbox import Sandbox
from bot.settings import Settings
from voting import secrets_file

Runs = Callable[..., Terminal]
PUBLIC_URL = "https://ballot.example"
QUESTIONS = (
    ("A short name", "boathouse-2031"),
    ("Its title", 'The "second" boathouse'),
    ("The question", "Where?"),
    ("The options", "North Quay; South Quay"),
    ("The time zone", ""),
    ("When voting opens", "2031-08-01T09:00"),
    ("When voting closes", "2031-09-06T17:00"),
    ("The last day of joining", "2031-06-03"),
    ("The first day", "2031-08-01"),
    ("The last day on", "2031-08-05"),
)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def runs(tmp_path: Path, sandbox: Sandbox, port: int) -> Iterator[Runs]:
    """Start `setup` in an empty folder; the providers' addresses are the local ones."""
    started = []

    def start(**more: str) -> Terminal:
        settings = more | {
            "BALLOTLINE_TELEGRAM_API_URL": sandbox.telegram.api_url,
            "BALLOTLINE_TWILIO_API_URL": sandbox.twilio.api_url,
            "BALLOTLINE_LISTEN": f"127.0.0.1:{port}",
        }
        started.append(Terminal(tmp_path, "setup", settings=settings))
        return started[-1]

    yield start
    for terminal in started:
        terminal.close()


async def _poll(terminal: Terminal) -> None:
    for question, answer in QUESTIONS:
        await terminal.answers(question, answer)


async def test_everything_is_asked_tried_and_kept_and_a_secret_is_never_shown(
    runs: Runs, sandbox: Sandbox, tmp_path: Path, port: int
) -> None:
    """A wrong token first; the public address is tried by a message that comes in through it, which is not lost."""
    telegram, twilio = sandbox.telegram, sandbox.twilio
    telegram.public_url[PUBLIC_URL] = f"http://127.0.0.1:{port}"
    (tmp_path / ".env").write_text("# ours\nOTHER=1\nBALLOTLINE_TELEGRAM_TOKEN=\n", encoding="utf-8")
    ada = telegram.person("Ada")
    terminal = runs()

    await _poll(terminal)
    await terminal.answers("bot's token", "1234567:wrong-wrong-wrong-wrong-wrong-wrong")
    await terminal.shows("the token is not known")
    await terminal.answers("bot's token", telegram.token)
    await terminal.shows("ok  telegram: @")
    await terminal.answers("account SID", twilio.account_sid)
    await terminal.answers("auth token", twilio.auth_token)
    await terminal.answers("that SMS come from", twilio.messaging_service_sid)
    await terminal.shows("ok  twilio: the account answers")
    await terminal.answers("public https address", "ballot.example")
    await terminal.shows("must begin with https://")
    await terminal.answers("public https address", PUBLIC_URL + "/")
    await terminal.shows("write anything to @")
    await ada.types("/start")
    await terminal.shows("ok  public address: Telegram reaches it")
    await terminal.shows("ok  a proxy on this machine is expected")
    await terminal.answers("PostgreSQL's address")
    await terminal.shows("ok  BALLOTLINE_TELEGRAM_TOKEN: set")
    await terminal.shows("There is nothing in the database yet")
    await terminal.shows("ballotline init poll.toml")

    assert await terminal.ends() == 0
    kept = (tmp_path / ".env").read_text(encoding="utf-8")
    assert kept.splitlines() == [
        "# ours",
        "OTHER=1",
        f"BALLOTLINE_TELEGRAM_TOKEN={telegram.token}",
        f"BALLOTLINE_TWILIO_ACCOUNT_SID={twilio.account_sid}",
        f"BALLOTLINE_TWILIO_MESSAGING_SERVICE_SID={twilio.messaging_service_sid}",
        f"BALLOTLINE_TWILIO_AUTH_TOKEN={twilio.auth_token}",
        f"BALLOTLINE_PUBLIC_URL={PUBLIC_URL}",
        "BALLOTLINE_TRUSTED_PROXIES=127.0.0.1",
        "BALLOTLINE_DATABASE_URL=sqlite+aiosqlite:///ballotline.db",
    ]
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    assert telegram.token not in terminal.screen
    assert twilio.auth_token not in terminal.screen
    assert telegram.world.queue.pending
    assert 'title = "The \\"second\\" boathouse"' in (tmp_path / "poll.toml").read_text(encoding="utf-8")
    Shell(tmp_path)("init", "poll.toml")


async def test_a_second_run_asks_for_nothing_that_is_there(runs: Runs, tmp_path: Path, sandbox: Sandbox) -> None:
    """What was left off is asked again, what is kept is not; Telegram off means the address is said to be untried."""
    first = runs()
    await _poll(first)
    await first.answers("bot's token")
    await first.answers("account SID")
    await first.answers("public https address", PUBLIC_URL)
    await first.shows("untried: Telegram is off")
    await first.answers("PostgreSQL's address", "nonsense")
    await first.shows("must look like postgresql")
    await first.answers("PostgreSQL's address")
    assert await first.ends() == 0
    before = (tmp_path / "poll.toml").read_bytes()

    second = runs()
    await second.answers("bot's token", sandbox.telegram.token)
    await second.answers("account SID")
    assert await second.ends() == 0

    assert (tmp_path / "poll.toml").read_bytes() == before
    assert "public https address" not in second.screen
    assert "PostgreSQL's" not in second.screen
    assert "poll.toml: The" in second.screen


async def test_answers_to_the_poll_that_make_none_are_asked_again(runs: Runs, tmp_path: Path) -> None:
    terminal = runs()
    for question, answer in QUESTIONS[:6]:
        await terminal.answers(question, answer)
    await terminal.answers("When voting closes", "soon")
    await terminal.shows("no")
    await terminal.answers("When voting closes", "2031-07-01T09:00")
    for question, answer in QUESTIONS[7:]:
        await terminal.answers(question, answer)
    await terminal.shows("poll.toml")

    await _poll(terminal)
    await terminal.shows("poll.toml is written")

    assert "closes_at = 2031-09-06T17:00" in (tmp_path / "poll.toml").read_text(encoding="utf-8")


WELSH_QUESTIONS = (
    ("Enw byr y bleidlais", "cwt-cychod-2031"),
    ("Ei theitl", "Cwt"),
    ("Y cwestiwn", "Cwt"),
    ("Yr opsiynau", "North Quay; South Quay"),
    ("Cylchfa amser", ""),
    ("Pryd mae'r pleidleisio'n agor", "2031-08-01T09:00"),
    ("Pryd mae'r pleidleisio'n cau", "2031-07-06T17:00"),
    ("Y diwrnod olaf i ymuno", "2031-06-03"),
    ("Y diwrnod cyntaf", "2031-08-01"),
    ("Y diwrnod olaf y mae", "2031-08-05"),
)


async def test_on_a_welsh_terminal_it_asks_and_answers_in_welsh(runs: Runs, sandbox: Sandbox) -> None:
    """What is wrong with an answer too; only what people typed and the file's own names stay as they are."""
    terminal = runs(LC_ALL="cy_GB.UTF-8")
    for question, answer in WELSH_QUESTIONS:
        await terminal.answers(question, answer)
    await terminal.shows("nid yw poll.closes_at ar ôl poll.opens_at")
    for question, answer in WELSH_QUESTIONS:
        await terminal.answers(question, answer.replace("2031-07-06", "2031-09-06"))
    await terminal.shows("Ysgrifennwyd poll.toml")
    await terminal.answers("Tocyn y bot", "1234567:wrong-wrong-wrong-wrong-wrong-wrong")
    await terminal.shows("nid yw'r tocyn yn hysbys")
    await terminal.answers("Tocyn y bot", sandbox.telegram.token)
    await terminal.answers("SID cyfrif Twilio", sandbox.twilio.account_sid)
    await terminal.answers("Tocyn dilysu Twilio")
    await terminal.answers("Y rhif neu'r enw")
    await terminal.shows("mae angen y tri")
    await terminal.answers("SID cyfrif Twilio")
    await terminal.answers("Cyfeiriad https cyhoeddus", "ballot.example")
    await terminal.shows("rhaid iddo ddechrau â https://")
    await terminal.answers("Cyfeiriad https cyhoeddus")
    await terminal.answers("Cyfeiriad PostgreSQL", "nonsense")
    await terminal.answers("Cyfeiriad PostgreSQL")
    await terminal.shows("iawn")

    assert await terminal.ends() == 0
    typed = " ".join(answer for _, answer in WELSH_QUESTIONS)
    words = re.sub(r"\S*[_./@]\S*", " ", terminal.screen)  # names of settings and keys, addresses
    assert english_left(words, but=f"{typed} nonsense text") == set()


def test_without_a_terminal_it_says_what_it_would_need_and_changes_nothing(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.settings["BALLOTLINE_PUBLIC_URL"] = PUBLIC_URL

    done = shell.run("setup")

    assert done.returncode == 1
    assert done.stderr.startswith("Questions need a terminal")
    assert len(done.stderr.splitlines()) == 1
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == [
        "poll.toml",
        "BALLOTLINE_TELEGRAM_TOKEN",
        "BALLOTLINE_TWILIO_ACCOUNT_SID, _AUTH_TOKEN and _FROM or _MESSAGING_SERVICE_SID",
        "BALLOTLINE_DATABASE_URL",
    ]
    assert list(tmp_path.iterdir()) == []


def test_the_example_in_the_wheel_is_the_example(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]

    assert (root / "bot/commands/poll.toml").read_bytes() == (root / "examples/poll.toml").read_bytes()


@pytest.fixture
def reached(sandbox: Sandbox, tmp_path: Path, port: int) -> Settings:
    """Settings of a machine whose public address leads nowhere yet."""
    return Settings(
        _env_file=None,
        secrets_file=tmp_path / "ballotline.secrets",
        telegram_token=SecretStr(sandbox.telegram.token),
        telegram_api_url=sandbox.telegram.api_url,
        public_url=PUBLIC_URL,
        listen=f"127.0.0.1:{port}",
    )


async def test_an_address_that_telegram_cannot_reach_is_named_with_its_error(
    sandbox: Sandbox, reached: Settings
) -> None:
    await sandbox.telegram.person("Ada").types("/start")

    found = await reach(reached, lambda _: None)

    assert found.ok is False
    assert "Telegram cannot reach it: Connection refused" in found.detail
    assert sandbox.telegram.world.queue.pending


async def test_an_address_that_telegram_refuses_is_refused(reached: Settings) -> None:
    found = await reach(reached.model_copy(update={"public_url": "http://ballot.example"}), lambda _: None)

    assert found.ok is False
    assert "an https url must be provided" in found.detail


async def test_an_address_to_which_nothing_was_sent_is_untried(reached: Settings, sandbox: Sandbox, port: int) -> None:
    sandbox.telegram.public_url[PUBLIC_URL] = f"http://127.0.0.1:{port}"

    found = await reach(reached, lambda _: None, patience_seconds=0.1)

    assert found.ok is None
    assert "untried" in found.detail


async def test_what_comes_with_another_secret_does_not_count_as_telegram(reached: Settings, port: int) -> None:
    """Anybody can call the address; only Telegram knows what it was told with it."""
    said: list[str] = []

    async def call() -> int:
        url = f"http://127.0.0.1:{port}/telegram/webhook"
        headers = {"X-Telegram-Bot-Api-Secret-Token": "guess"}
        async with aiohttp.ClientSession() as session, session.post(url, json={}, headers=headers) as answer:
            return answer.status

    calls: list[asyncio.Task[int]] = []

    def tell(sentence: str) -> None:
        said.append(sentence)
        calls.append(asyncio.create_task(call()))

    found = await reach(reached, tell, patience_seconds=1.0)

    assert await calls[0] == 503
    assert found.ok is None


async def test_the_service_that_runs_already_keeps_its_webhook(
    reached: Settings, sandbox: Sandbox, port: int, tmp_path: Path
) -> None:
    """The port is taken: its secret is the one told to Telegram, and the webhook stays set."""
    secrets = secrets_file.make()
    await asyncio.to_thread(secrets_file.save, tmp_path / "ballotline.secrets", secrets)

    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port):
        found = await reach(reached, lambda _: None, patience_seconds=0.1)

    webhook = sandbox.telegram._http._feed.webhook  # type: ignore[union-attr]
    assert found.ok is None
    assert (webhook.url, webhook.secret) == (f"{PUBLIC_URL}/telegram/webhook", secrets.webhook_secret)
