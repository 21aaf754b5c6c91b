"""Telegram: what each answer of the real wire means, and that only a connection never made is safe to repeat."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from telegram import Bot, InputFile
from telegram.error import NetworkError, RetryAfter, TimedOut

from bot.sandbox import Fault, Sandbox
from messages.channels.bad_answers import BAD_ANSWERS
from messages.channels.channels import Outgoing
from messages.channels.slow_downs import SLOW_DOWNS
from messages.channels.telegram_channel import TelegramChannel
from messages.channels.telegram_request import LANE, AiohttpRequest, NotSent
from messages.channels.verdicts import SendFailed, Verdict
from messages.pace.pacer import Lane, NoSlot, Pacer


@asynccontextmanager
async def channel_to(url: str, token: str = "1:token", **options: object) -> AsyncIterator[TelegramChannel]:
    request = AiohttpRequest(**options)  # type: ignore[arg-type]
    try:
        yield TelegramChannel(Bot(token, base_url=f"{url}/bot", request=request))
    finally:
        await request.shutdown()


@asynccontextmanager
async def server_that(answers: web.Response | None, arrived: asyncio.Event | None = None) -> AsyncIterator[str]:
    """Give every request this answer; None: be silent. `arrived` is set by each request."""
    stop = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        if arrived is not None:
            arrived.set()
        if answers is None:
            await stop.wait()
            return web.Response()
        return web.Response(status=answers.status, body=answers.body, content_type=answers.content_type)

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        stop.set()
        await runner.cleanup()


def refusal(code: int, description: str, **parameters: int) -> web.Response:
    extra = {"parameters": parameters} if parameters else {}
    return web.json_response({"ok": False, "error_code": code, "description": description, **extra}, status=code)


def page(status: int) -> web.Response:
    """Give what a proxy says by itself."""
    return web.Response(status=status, text="<html><h1>Access denied</h1></html>", content_type="text/html")


def sent(**message: object) -> web.Response:
    return web.json_response({"ok": True, "result": message})


ANSWERS = {
    "blocked": (refusal(403, "Forbidden: bot was blocked by the user"), Verdict.BLOCKED, "blocked"),
    "deactivated": (refusal(403, "Forbidden: user is deactivated"), Verdict.DEAD, "deactivated"),
    "never started": (refusal(403, "Forbidden: bot can't initiate conversation with a user"), Verdict.DEAD, None),
    "another 403": (refusal(403, "Forbidden: something new"), Verdict.DOUBTFUL, "forbidden"),
    "no such chat": (refusal(400, "Bad Request: chat not found"), Verdict.DEAD, "chat_not_found"),
    "our markup": (
        refusal(400, "Bad Request: can't parse entities: Unsupported start tag"),
        Verdict.OUR_SETUP,
        "markup",
    ),
    "our length": (refusal(400, "Bad Request: message is too long"), Verdict.OUR_SETUP, "too_long"),
    "another 400": (refusal(400, "Bad Request: something new"), Verdict.DOUBTFUL, "bad_request"),
    "wrong token": (refusal(401, "Unauthorized"), Verdict.OUR_SETUP, "token"),
    "no token at all": (refusal(404, "Not Found"), Verdict.OUR_SETUP, "token"),
    "a group became a supergroup": (
        refusal(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-1007),
        Verdict.MIGRATED,
        "migrated",
    ),
    "slow down": (refusal(429, "Too Many Requests: retry after 7", retry_after=7), Verdict.SLOW_DOWN, "429"),
    "slow down, without saying how long": (refusal(429, "Too Many Requests"), Verdict.SLOW_DOWN, "429"),
    "bad gateway": (web.Response(status=502, text="<html>oops</html>"), Verdict.UNKNOWN, None),
    "internal error": (refusal(500, "Internal Server Error"), Verdict.UNKNOWN, None),
    "yes, but not JSON": (web.Response(status=200, text="ok"), Verdict.UNKNOWN, "unclear_answer"),
    "yes, but a page": (page(200), Verdict.UNKNOWN, "unclear_answer"),
    "yes, cut short": (web.Response(status=200, text='{"ok":true,"result":{"mess'), Verdict.UNKNOWN, "unclear_answer"),
    "yes, to nothing": (web.json_response({"ok": True}), Verdict.UNKNOWN, "unclear_answer"),
    "yes, as a word": (web.json_response({"ok": True, "result": "sent"}), Verdict.UNKNOWN, "unclear_answer"),
    "yes, in somebody else's chat": (sent(message_id=1, chat={"id": 8}), Verdict.UNKNOWN, "unclear_answer"),
    "yes, with an id beyond all ids": (sent(message_id=10**20, chat={"id": 7}), Verdict.UNKNOWN, "unclear_answer"),
    "a proxy's 403": (page(403), Verdict.ON_THE_WAY, "unclear_answer"),
    "a proxy's 400 of another shape": (
        web.json_response({"error": "denied"}, status=400),
        Verdict.ON_THE_WAY,
        "unclear_answer",
    ),
    "a proxy's 401": (page(401), Verdict.ON_THE_WAY, "unclear_answer"),
    "a proxy's 404 without a word": (web.Response(status=404), Verdict.ON_THE_WAY, "unclear_answer"),
    "a list": (web.json_response([1], status=403), Verdict.ON_THE_WAY, "unclear_answer"),
    "a proxy's 429": (page(429), Verdict.SLOW_DOWN, "429"),
    "slow down, for a thousand years": (
        refusal(429, "Too Many Requests", retry_after=10**12),
        Verdict.SLOW_DOWN,
        "429",
    ),
}


@pytest.mark.parametrize(("answer", "verdict", "reason"), ANSWERS.values(), ids=ANSWERS.keys())
async def test_an_answer_has_one_meaning(answer: web.Response, verdict: Verdict, reason: str | None) -> None:
    async with server_that(answer) as url, channel_to(url) as telegram:
        with pytest.raises(SendFailed) as failed:
            await telegram.send(Outgoing("7", "Hello"))

    assert failed.value.verdict is verdict
    assert reason in (None, failed.value.reason)


async def test_a_migrated_group_says_where_to() -> None:
    answer = refusal(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-1007)
    async with server_that(answer) as url, channel_to(url) as telegram:
        with pytest.raises(SendFailed) as failed:
            await telegram.send(Outgoing("-7", "Hello"))

    assert failed.value.migrate_to == "-1007"


async def test_a_429_holds_its_chat_and_when_another_is_refused_too_everybody() -> None:
    """The answer does not say whose limit was met: one chat refused is that chat's, two within a moment are ours."""
    pacer = Pacer(100)
    answer = refusal(429, "Too Many Requests: retry after 7", retry_after=7)
    async with server_that(answer) as url, channel_to(url, pacer=pacer) as telegram:
        for _ in range(3):
            with pytest.raises(SendFailed) as failed:
                await telegram.send(Outgoing("7", "Hello"))
        assert (failed.value.retry_after_seconds, failed.value.obeyed) == (7, True)
        assert (pacer.held_for(), pacer.rate) == (0, 100)
        assert 6 < pacer.chat_held_for("7") <= 7

        with pytest.raises(SendFailed):
            await telegram.send(Outgoing("8", "Hello"))

    assert 6 < pacer.held_for() <= 7
    assert pacer.rate < 100


async def test_a_429_is_counted_and_a_chat_that_is_held_already_is_not() -> None:
    counted = SLOW_DOWNS.labels("telegram")
    before = counted._value.get()
    answer = refusal(429, "Too Many Requests: retry after 7", retry_after=7)
    async with server_that(answer) as url, channel_to(url, pacer=Pacer(100)) as telegram:
        for _ in range(2):
            with pytest.raises(SendFailed):
                await telegram.send(Outgoing("7", "Hello"))

    assert counted._value.get() == before + 1


async def test_nothing_is_asked_of_telegram_for_a_chat_that_it_holds() -> None:
    arrived = asyncio.Event()
    answer = refusal(429, "Too Many Requests", retry_after=7)
    async with server_that(answer, arrived) as url, channel_to(url, pacer=Pacer(100)) as telegram:
        with pytest.raises(SendFailed):
            await telegram.send(Outgoing("7", "Hello"))
        arrived.clear()
        with pytest.raises(SendFailed) as failed:
            await telegram.send(Outgoing("7", "Hello"))

    assert not arrived.is_set()
    assert failed.value.retry_after_seconds == 7


async def test_every_answer_that_is_not_telegrams_is_counted() -> None:
    counted = BAD_ANSWERS.labels("telegram", "sendMessage")
    before = counted._value.get()
    for answer in (page(403), page(502), page(200), page(429), sent(message_id=1, chat={"id": 8})):
        async with server_that(answer) as url, channel_to(url) as telegram:
            with pytest.raises(SendFailed):
                await telegram.send(Outgoing("7", "Hello"))
    assert counted._value.get() - before == 5


async def test_nobody_listening_means_nothing_was_sent() -> None:
    async with server_that(None) as url:
        pass
    async with channel_to(url) as telegram:
        with pytest.raises(SendFailed) as failed:
            await telegram.send(Outgoing("7", "Hello"))

    assert failed.value.verdict is Verdict.UNREACHABLE
    assert isinstance(failed.value.__cause__, NotSent)


async def test_no_free_connection_means_nothing_was_sent() -> None:
    """Waiting for a connection is part of connecting: the message is still here."""
    arrived = asyncio.Event()
    async with server_that(None, arrived) as url:
        request = AiohttpRequest(connections_max=1, connect_timeout_seconds=0.3, read_timeout_seconds=30)
        bot = Bot("1:token", base_url=f"{url}/bot", request=request)
        first = asyncio.create_task(bot.send_message(7, "Hello"))
        await arrived.wait()

        with pytest.raises(NotSent):
            await bot.send_message(7, "Hello")

        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await request.shutdown()


async def test_silence_means_it_may_have_arrived() -> None:
    async with server_that(None) as url, channel_to(url, read_timeout_seconds=0.05) as telegram:
        with pytest.raises(SendFailed) as failed:
            await telegram.send(Outgoing("7", "Hello"))

    assert (failed.value.verdict, failed.value.reason) == (Verdict.UNKNOWN, "timeout")
    assert isinstance(failed.value.__cause__, TimedOut)


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
async def test_a_dropped_connection_means_it_may_have_arrived(kind: str) -> None:
    async with Sandbox() as sandbox:
        ada = sandbox.telegram.person("Ada")
        await ada.types("/start")
        sandbox.faults.telegram.add(Fault(kind))
        async with channel_to(sandbox.telegram.api_url, sandbox.telegram.token) as telegram:
            with pytest.raises(SendFailed) as failed:
                await telegram.send(Outgoing(str(ada.id), "Hello"))

    assert (failed.value.verdict, failed.value.reason) == (Verdict.UNKNOWN, "connection_lost")
    assert not isinstance(failed.value.__cause__, NotSent)


async def test_a_message_arrives_with_its_markup_and_buttons() -> None:
    async with Sandbox() as sandbox:
        ada = sandbox.telegram.person("Ada")
        await ada.types("/start")
        async with channel_to(sandbox.telegram.api_url, sandbox.telegram.token) as telegram:
            buttons = ((("Acknowledge", "ack:1"), ("Open", "https://example.org/case")),)
            await telegram.send(Outgoing(str(ada.id), "plain", "<b>A case</b> &amp; more", buttons=buttons))

        assert (await ada.hears("A case & more")).text == "A case & more"
        assert ada.buttons == ["Acknowledge", "Open"]


async def test_a_file_goes_in_parts_with_its_caption() -> None:
    async with Sandbox() as sandbox:
        ada = sandbox.telegram.person("Ada")
        await ada.types("/start")
        request = AiohttpRequest()
        bot = Bot(sandbox.telegram.token, base_url=f"{sandbox.telegram.api_url}/bot", request=request)
        await bot.send_document(ada.id, InputFile(b"a,b\n1,2\n", filename="turnout.csv"), caption="Turnout – today")
        await request.shutdown()

        assert (await ada.hears("Turnout")).caption == "Turnout – today"


async def test_only_messages_wait_for_their_slot() -> None:
    """Whoever has no slot can still ask who it is; a message waits, in the lane of whoever sends it."""
    pacer = Pacer(0)
    async with Sandbox() as sandbox:
        request = AiohttpRequest(pacer)
        bot = Bot(sandbox.telegram.token, base_url=f"{sandbox.telegram.api_url}/bot", request=request)

        assert (await bot.get_me()).is_bot
        sending = asyncio.create_task(bot.send_message(7, "Hello"))
        await asyncio.sleep(0.01)
        assert pacer.waiting == 1
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        assert LANE.get() is Lane.CHAT
        await request.shutdown()


async def test_a_channel_uses_the_slot_it_was_given() -> None:
    """The postman waits for the slot itself; the transport must not ask for a second one."""
    async with Sandbox() as sandbox:
        ada = sandbox.telegram.person("Ada")
        await ada.types("/start")
        async with channel_to(sandbox.telegram.api_url, sandbox.telegram.token, pacer=Pacer(0)) as telegram:
            await telegram.send(Outgoing(str(ada.id), "Hello"))

        await ada.hears("Hello")


async def test_an_error_never_carries_the_answer_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    secret = "a body that may hold anything"
    async with server_that(web.Response(status=502, text=secret)) as url, channel_to(url) as telegram:
        with pytest.raises(SendFailed) as failed:
            await telegram.send(Outgoing("7", "Hello"))

    assert secret not in caplog.text
    assert secret not in str(failed.value)


def test_what_python_telegram_bot_calls_network_errors_is_told_apart() -> None:
    """The trap this module is about: catching NetworkError to retry would double messages."""
    assert issubclass(TimedOut, NetworkError)
    assert issubclass(NotSent, NetworkError)
    assert not issubclass(RetryAfter, NetworkError)
    assert not issubclass(NoSlot, NetworkError)
