"""nginx and Caddy as deploy/ has them, over TLS on loopback; skipped where the program is not on the machine."""

import asyncio
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
from aiohttp import web
from proxies import CLIENT, DEPLOY, in_front
from sqlalchemy import func, select
from town import Town, free_port

from bot.page.addresses import client_of
from bot.schema import inbox
from voting.store.database import Database

KINDS = ("nginx", "caddy")
LOCAL = frozenset({"127.0.0.1"})


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


@pytest.fixture
async def town(database: Database, tmp_path: Path) -> AsyncIterator[Town]:
    (tmp_path / "town").mkdir()
    async with Town(database, tmp_path / "town", webhooks=True) as town:
        yield town


@pytest.mark.parametrize("kind", KINDS)
async def test_webhooks_and_the_voting_page_pass_and_what_is_for_inside_does_not(
    town: Town, tmp_path: Path, kind: str
) -> None:
    secret = {"X-Telegram-Bot-Api-Secret-Token": town.secrets.webhook_secret}
    update = {"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": {"id": 5, "type": "private"}}}

    async with in_front(kind, tmp_path, town.port) as proxy:
        ask, url = proxy.session, proxy.url
        async with ask.post(f"{url}/telegram/webhook", json=update) as answer:
            assert answer.status == 403
        async with ask.post(f"{url}/telegram/webhook", json=update, headers=secret) as answer:
            assert answer.status == 200
        async with ask.post(f"{url}/twilio/inbound", data={"Body": "STATUS"}) as answer:
            assert answer.status == 403
        async with ask.get(f"{url}/vote") as answer:
            assert (answer.status, answer.content_type) == (200, "text/html")
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
            assert "Content-Security-Policy" in answer.headers
        async with ask.post(f"{url}/vote/pack", data=b"x" * 70_000) as answer:
            assert answer.status == 413
            assert "refusal" in await answer.json()
        async with ask.post(f"{url}/vote/pack", data=BytesIO(b"x" * 2_000_000)) as answer:
            assert answer.status in {413, 502}  # Caddy 2.6 says 502 of its own limit
        for path in ("metrics", "readyz", "healthz"):
            async with ask.get(f"{url}/{path}") as answer:
                assert answer.status == 404
        async with ask.get(f"{url}/console/", allow_redirects=False) as answer:
            assert answer.status < 500

    async with town.database.reading() as connection:
        assert await connection.scalar(select(func.count()).where(inbox.c.source == "telegram")) == 1


@pytest.fixture
async def mirror() -> AsyncIterator[tuple[int, asyncio.Event]]:
    """A service that says what it was asked with, and has a stream whose second event waits for ours."""
    go_on = asyncio.Event()

    async def headers(request: web.Request) -> web.Response:
        said = {"Strict-Transport-Security": "max-age=1"}
        return web.json_response({"peer": request.remote, **request.headers}, headers=said)

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: 1\n\n")
        await go_on.wait()
        await response.write(b"data: 2\n\n")
        return response

    port = free_port()
    app = web.Application()
    app.add_routes([web.get("/console/live", stream), web.get("/{rest:.*}", headers)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield port, go_on
    await runner.cleanup()


@pytest.mark.parametrize("kind", KINDS)
async def test_the_client_s_address_is_the_client_s_whatever_it_says(
    mirror: tuple[int, asyncio.Event], tmp_path: Path, kind: str
) -> None:
    async with in_front(kind, tmp_path, mirror[0]) as proxy:
        forged = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "http"}
        async with proxy.session.get(f"{proxy.url}/vote", headers=forged) as answer:
            said = await answer.json()
            secure = answer.headers.getall("Strict-Transport-Security")

    assert secure == ["max-age=31536000"]  # once, though the service says it too
    assert said["peer"] == "127.0.0.1"
    assert said["X-Forwarded-For"] == CLIENT
    assert said["X-Forwarded-Proto"] == "https"
    assert client_of(said["peer"], said["X-Forwarded-For"], LOCAL) == CLIENT


@pytest.mark.parametrize("kind", KINDS)
async def test_an_event_of_the_console_goes_on_at_once(
    mirror: tuple[int, asyncio.Event], tmp_path: Path, kind: str
) -> None:
    port, go_on = mirror

    async with (
        asyncio.timeout(20),
        in_front(kind, tmp_path, port) as proxy,
        proxy.session.get(f"{proxy.url}/console/live") as answer,
    ):
        first = await answer.content.readuntil(b"\n\n")
        go_on.set()
        rest = await answer.content.read()

    assert (first, rest) == (b"data: 1\n\n", b"data: 2\n\n")


def test_nothing_of_the_examples_logs_requests() -> None:
    """An access log would be who voted when."""
    nginx = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    caddy = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")

    assert nginx.count("server {") == nginx.count("access_log off;") == 2
    assert "\n\tlog" not in caddy
