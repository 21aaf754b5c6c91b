"""Unsigned is refused and nothing is stored; what is too large or too slow is cut off; a repetition is stored once.

What is refused or means nothing leaves the service as it was, so one runs for all these tests: each begins with an
inbox that is empty. Where a text is taken and answered, or something lies in the inbox, the service is the test's own.
"""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from prepared import SECRETS
from sqlalchemy import delete, func, insert, select
from starlette.datastructures import ImmutableMultiDict
from town import PUBLIC_URL, Town
from twilio.request_validator import RequestValidator

from bot.edge import slow_clients, webhooks
from bot.edge.slow_clients import Waiting
from bot.schema import inbox
from voting.audit.signer import Signer
from voting.store.database import Database
from voting.store.upgrade import upgrade

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*PTB_TIMEDELTA:telegram.warnings.PTBDeprecationWarning"),
    pytest.mark.asyncio(loop_scope="module"),
]

UPDATE = {"update_id": 1, "message": {"message_id": 1, "date": 0, "chat": {"id": 9, "type": "channel", "title": "x"}}}
SMS = {"MessageSid": "SM1", "From": "+447700900201", "To": "+447700900000", "Body": "STATUS", "Empty": ""}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("webhooks")
    database = Database(f"sqlite+aiosqlite:///{folder / 'ballotline.db'}", Signer(SECRETS))
    await upgrade(database)
    await database.close()
    async with Town(database, folder, webhooks=True) as town:
        yield town
    await database.close()


@pytest_asyncio.fixture(loop_scope="module")
async def town(one_town: Town) -> AsyncIterator[Town]:
    """Give the town with an empty inbox; what the test before left in it was handled first."""
    yield one_town
    await one_town.settles()
    async with one_town.database.writing() as connection:
        await connection.execute(delete(inbox))


in_its_own_town = pytest.mark.asyncio(loop_scope="function")


@pytest.fixture
async def own_town(database: Database, tmp_path: Path) -> AsyncIterator[Town]:
    """Give a town of the test's own, in the test's own loop."""
    async with Town(database, tmp_path, webhooks=True) as town:
        yield town


@pytest.fixture
async def own_client(own_town: Town) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(own_town.url) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def client(town: Town) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(town.url) as client:
        yield client


async def stored(town: Town) -> int:
    async with town.database.reading() as connection:
        return int(await connection.scalar(select(func.count()).select_from(inbox)) or 0)


@pytest.mark.parametrize("secret", [None, "", "wrong", "é".encode().decode("latin-1")])
async def test_an_update_without_the_secret_is_refused(
    town: Town, client: aiohttp.ClientSession, secret: str | None
) -> None:
    headers = {} if secret is None else {webhooks.TELEGRAM_HEADER: secret}

    async with client.post("/telegram/webhook", json=UPDATE, headers=headers) as answer:
        assert answer.status == 403

    assert await stored(town) == 0


async def test_an_update_that_comes_again_is_stored_once_and_always_answered_200(
    town: Town, client: aiohttp.ClientSession
) -> None:
    headers = {webhooks.TELEGRAM_HEADER: town.secrets.webhook_secret}
    for _ in range(3):
        async with client.post("/telegram/webhook", json=UPDATE, headers=headers) as answer:
            assert answer.status == 200
    assert await stored(town) == 1


@pytest.mark.parametrize("path", ["/twilio/inbound", "/twilio/status"])
@pytest.mark.parametrize("signature", [None, "", "bm90IHNpZ25lZA=="])
async def test_a_text_without_a_signature_is_refused(
    town: Town, client: aiohttp.ClientSession, path: str, signature: str | None
) -> None:
    headers = {} if signature is None else {"X-Twilio-Signature": signature}

    async with client.post(path, data=SMS, headers=headers) as answer:
        assert answer.status == 403

    assert await stored(town) == 0


@in_its_own_town
async def test_a_signature_counts_for_the_public_address_alone(
    own_town: Town, own_client: aiohttp.ClientSession
) -> None:
    """Host and X-Forwarded headers are the sender's to choose."""
    validator = RequestValidator(own_town.sandbox.twilio.auth_token)
    for base, status in ((f"http://{own_town.settings.listen}", 403), (PUBLIC_URL, 200), (PUBLIC_URL, 200)):
        signed = validator.compute_signature(f"{base}/twilio/inbound", SMS)
        headers = {"X-Twilio-Signature": signed, "X-Forwarded-Host": "evil.example"}
        async with own_client.post("/twilio/inbound", data=SMS, headers=headers) as answer:
            assert answer.status == status
    assert await stored(own_town) == 1


PATHS = ("/telegram/webhook", "/twilio/inbound", "/twilio/status")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("declared", [True, False], ids=["its length declared", "in chunks"])
async def test_a_body_over_one_mebibyte_is_refused(
    town: Town, client: aiohttp.ClientSession, path: str, *, declared: bool
) -> None:
    body = b"x" * (webhooks.BODY_MAX_BYTES + 1)

    async with client.post(path, data=io.BytesIO(body) if declared else once(body), headers=signed(town)) as answer:
        assert answer.status == 413

    assert await stored(town) == 0


async def test_a_body_of_one_mebibyte_is_read(town: Town, client: aiohttp.ClientSession) -> None:
    padded = json.dumps(UPDATE).encode().ljust(webhooks.BODY_MAX_BYTES)

    async with client.post("/telegram/webhook", data=io.BytesIO(padded), headers=signed(town)) as answer:
        assert answer.status == 200

    assert await stored(town) == 1


@pytest.mark.parametrize("path", PATHS)
async def test_a_webhook_is_posted_to_and_nothing_else(town: Town, client: aiohttp.ClientSession, path: str) -> None:
    async with client.get(path, headers=signed(town)) as answer:
        assert answer.status == 405


@pytest.mark.parametrize("path", ["/twilio/inbound", "/twilio/status"])
@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"Body": "STOP"}, id="another word"),
        pytest.param({"From": "+447700900202"}, id="another sender"),
        pytest.param({"More": "1"}, id="one field more"),
        pytest.param({"Empty": "x"}, id="a blank field filled"),
    ],
)
async def test_a_signature_counts_for_what_was_signed(
    town: Town, client: aiohttp.ClientSession, path: str, change: dict[str, str]
) -> None:
    signature = RequestValidator(town.sandbox.twilio.auth_token).compute_signature(f"{PUBLIC_URL}{path}", SMS)

    async with client.post(path, data=SMS | change, headers={"X-Twilio-Signature": signature}) as answer:
        assert answer.status == 403

    assert await stored(town) == 0


async def test_news_of_a_text_is_stored_once_for_each_status(town: Town, client: aiohttp.ClientSession) -> None:
    url = "/twilio/status?delivery=1"
    validator = RequestValidator(town.sandbox.twilio.auth_token)
    for status in ("sent", "sent", "delivered"):
        fields = {"MessageSid": "SM7", "MessageStatus": status}
        signature = validator.compute_signature(f"{PUBLIC_URL}{url}", fields)
        async with client.post(url, data=fields, headers={"X-Twilio-Signature": signature}) as answer:
            assert answer.status == 204
    assert await stored(town) == 2


async def test_a_signed_text_without_its_fields_is_answered_and_not_stored(
    town: Town, client: aiohttp.ClientSession
) -> None:
    validator = RequestValidator(town.sandbox.twilio.auth_token)
    for path in ("/twilio/inbound", "/twilio/status"):
        signature = validator.compute_signature(f"{PUBLIC_URL}{path}", {"From": "x"})
        async with client.post(path, data={"From": "x"}, headers={"X-Twilio-Signature": signature}) as answer:
            assert answer.status == 400
    assert await stored(town) == 0


def signed(town: Town) -> dict[str, str]:
    """Give what Telegram sends along; Twilio's signature depends on the body."""
    return {webhooks.TELEGRAM_HEADER: town.secrets.webhook_secret}


async def once(body: bytes) -> AsyncIterator[bytes]:
    yield body


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'{"update_id": "1"}', b"\xff\xfe"])
async def test_a_signed_body_without_sense_is_answered_and_not_stored(
    town: Town, client: aiohttp.ClientSession, body: bytes
) -> None:
    headers = {webhooks.TELEGRAM_HEADER: town.secrets.webhook_secret}

    async with client.post("/telegram/webhook", data=body, headers=headers) as answer:
        assert answer.status == 400

    assert await stored(town) == 0


@pytest.mark.parametrize("path", PATHS)
async def test_a_client_that_sends_too_slowly_is_cut_off(
    town: Town, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(webhooks, "BODY_SECONDS", 0.2)

    async def drip() -> AsyncIterator[bytes]:
        yield b'{"update_id"'
        await asyncio.sleep(2)
        yield b": 1}"

    async with client.post(path, data=drip(), headers=signed(town)) as answer:
        assert answer.status == 408

    assert await stored(town) == 0


@pytest.mark.parametrize(
    ("waiting", "sent"),
    [
        pytest.param(Waiting.HEADERS, b"", id="silent"),
        pytest.param(Waiting.HEADERS, b"POST /telegram/webhook HTTP/1.1\r\nHost: x\r\nA: ", id="in the headers"),
        pytest.param(
            Waiting.BODY, b"POST /twilio/inbound HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n", id="body"
        ),
        pytest.param(
            Waiting.REST, b"POST /telegram/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n", id="answered"
        ),
        pytest.param(Waiting.HEADERS, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /", id="in the second request"),
    ],
)
async def test_a_connection_that_drips_is_cut_off_wherever_it_drips(
    town: Town, monkeypatch: pytest.MonkeyPatch, waiting: Waiting, sent: bytes
) -> None:
    """A byte every moment keeps uvicorn's own limits from ever being reached."""
    monkeypatch.setitem(slow_clients.SECONDS_MAX, waiting, 0.3)
    host, _, port = town.settings.listen.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(sent)

    async def drip() -> None:
        while sent:
            writer.write(b"a")
            await asyncio.sleep(0.05)

    dripping = asyncio.create_task(drip())
    async with asyncio.timeout(5):
        with suppress(ConnectionError):
            while await reader.read(1024):
                pass
    dripping.cancel()
    writer.close()
    assert await stored(town) == 0


@in_its_own_town
async def test_a_backlog_is_seen_in_readyz_and_metrics(own_town: Town, own_client: aiohttp.ClientSession) -> None:
    """A row that somebody else holds, and has for two minutes."""
    async with own_client.get("/readyz") as answer:
        assert (answer.status, (await answer.json())["ok"]) == (200, True)
    now = own_town.clock()
    held = {"received_at": now - timedelta(minutes=2), "lease_until": now + timedelta(hours=1), "state": "new"}
    async with own_town.database.writing() as connection:
        await connection.execute(insert(inbox).values(source="telegram", key="1", queue="q", claimed_by="x", **held))

    async with own_client.get("/readyz") as answer:
        assert answer.status == 503
        assert (await answer.json())["inbox_waiting"] == 1
    async with own_client.get("/metrics") as answer:
        said = await answer.text()
        assert "ballotline_inbox_waiting 1.0" in said
        assert "ballotline_inbox_lag_seconds 12" in said
    async with own_client.get("/healthz") as answer:
        assert answer.status == 200


@in_its_own_town
async def test_repeated_form_keys_that_are_signed_are_accepted(
    own_town: Town, own_client: aiohttp.ClientSession
) -> None:
    fields = ImmutableMultiDict([*SMS.items(), ("ChannelPrefix", "a"), ("ChannelPrefix", "b")])
    signature = RequestValidator(own_town.sandbox.twilio.auth_token).compute_signature(
        f"{PUBLIC_URL}/twilio/inbound", fields
    )
    headers = {"X-Twilio-Signature": signature}
    async with own_client.post("/twilio/inbound", data=fields.multi_items(), headers=headers) as answer:
        assert answer.status == 200
    assert await stored(own_town) == 1


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/twilio/status?delivery=" + "9" * 400, {"MessageSid": "SM7", "MessageStatus": "sent"}),
        ("/twilio/status", {"MessageSid": "S" * 400, "MessageStatus": "sent"}),
        ("/twilio/status", {"MessageSid": "SM7\x00", "MessageStatus": "sent"}),
        ("/twilio/inbound", SMS | {"From": "+44\x00"}),
    ],
    ids=["a delivery id too long", "a message id too long", "a zero byte in it", "a zero byte in a number"],
)
async def test_what_no_provider_sends_there_is_refused_and_not_stored(
    town: Town, client: aiohttp.ClientSession, path: str, fields: dict[str, str]
) -> None:
    signature = RequestValidator(town.sandbox.twilio.auth_token).compute_signature(f"{PUBLIC_URL}{path}", fields)
    async with client.post(path, data=fields, headers={"X-Twilio-Signature": signature}) as answer:
        assert answer.status == 400
    assert await stored(town) == 0
