"""The local Twilio, spoken to by the unmodified twilio clients over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import aiohttp
import pytest
from aiohttp import web
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from bot.sandbox import Fault, Phone, Sandbox
from bot.sandbox.twilio.signature import sign
from bot.sandbox.twilio.sms_segments import segments

# The twilio client authenticates in a way that aiohttp is about to drop.
pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]

NUMBER = "+447700900123"
PROGRESS = ["sending", "sent", "delivered"]


@pytest.fixture
def phone(sandbox: Sandbox) -> Phone:
    return sandbox.twilio.phone(NUMBER)


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[Client]:
    async with AsyncTwilioHttpClient() as http:
        yield client_of(sandbox, http=http)


def client_of(sandbox: Sandbox, *, token: str | None = None, http: AsyncTwilioHttpClient | None = None) -> Client:
    client = Client(sandbox.twilio.account_sid, token or sandbox.twilio.auth_token, http_client=http)
    client.api.base_url = sandbox.twilio.api_url
    return client


async def send(client: Client, sandbox: Sandbox, body: str = "Hello", **fields: object) -> MessageInstance:
    given = {"to": NUMBER, "from_": sandbox.twilio.sender, "body": body} | fields
    return await client.messages.create_async(**given)


class Webhook:
    """A bot's Twilio webhook: checks the signature with Twilio's own validator and keeps what came."""

    def __init__(self, auth_token: str) -> None:
        self.forms: list[dict[str, str]] = []
        self.public_url: str | None = None
        self.url = ""
        self.answer = ""
        self.status = 200
        self._validator = RequestValidator(auth_token)
        self._arrived = asyncio.Condition()

    async def handle(self, request: web.Request) -> web.Response:
        form = dict(parse_qsl((await request.read()).decode(), keep_blank_values=True))
        url = (self.public_url or self.url) + request.path_qs
        assert self._validator.validate(url, form, request.headers["X-Twilio-Signature"])
        async with self._arrived:
            self.forms.append(form)
            self._arrived.notify_all()
        return web.Response(text=self.answer, status=self.status, content_type="text/xml")

    async def has(self, count: int) -> list[dict[str, str]]:
        async with asyncio.timeout(5), self._arrived:
            await self._arrived.wait_for(lambda: len(self.forms) >= count)
        return self.forms


@pytest.fixture
async def webhook(sandbox: Sandbox) -> AsyncIterator[Webhook]:
    hook = Webhook(sandbox.twilio.auth_token)
    app = web.Application()
    app.router.add_post("/{path:.*}", hook.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield hook
    await runner.cleanup()


# -- sending -----------------------------------------------------------------------------


async def test_a_text_is_queued_then_arrives(sandbox: Sandbox, client: Client, phone: Phone) -> None:
    sent = await send(client, sandbox)

    assert (sent.status, sent.num_segments, sent.direction) == ("queued", "1", "outbound-api")
    assert sent.date_sent is None
    sms = await phone.hears("Hello")
    assert (sms.sid, sms.from_, phone.inbox) == (sent.sid, sandbox.twilio.sender, [sms])
    fetched = await client.messages(sent.sid).fetch_async()
    assert (fetched.status, fetched.error_code) == ("delivered", None)
    assert abs(datetime.now(UTC) - fetched.date_sent) < timedelta(seconds=10)


async def test_the_plain_client_in_a_thread_works_too(sandbox: Sandbox, phone: Phone) -> None:
    client = client_of(sandbox)

    sent = await asyncio.to_thread(lambda: client.messages.create(to=NUMBER, from_=sandbox.twilio.sender, body="Hello"))

    assert (await phone.hears("Hello")).sid == sent.sid


async def test_a_messaging_service_sends_from_the_sender(sandbox: Sandbox, client: Client, phone: Phone) -> None:
    sent = await client.messages.create_async(
        to=NUMBER, messaging_service_sid=sandbox.twilio.messaging_service_sid, body="Hello"
    )

    assert sent.status == "accepted"
    assert (await phone.hears("Hello")).from_ == sandbox.twilio.sender


@pytest.mark.parametrize("outcome", [("undelivered", 30005), ("failed", 30003)], ids=lambda outcome: outcome[0])
async def test_a_text_can_fail_to_arrive(
    sandbox: Sandbox, client: Client, phone: Phone, webhook: Webhook, outcome: tuple[str, int]
) -> None:
    phone.outcome = outcome

    sent = await send(client, sandbox, status_callback=f"{webhook.url}/status")

    forms = await webhook.has(2 if outcome[0] == "failed" else 3)
    assert (forms[-1]["MessageStatus"], forms[-1]["ErrorCode"]) == (outcome[0], str(outcome[1]))
    fetched = await client.messages(sent.sid).fetch_async()
    assert (fetched.status, fetched.error_code) == outcome
    assert phone.inbox == []


REFUSALS = {
    "no number": ({"to": "07700"}, 21211),
    "letters": ({"to": "+44770090012x"}, 21211),
    "no body": ({"body": ""}, 21602),
    "1601 characters": ({"body": "x" * 1601}, 21617),
    "a sender of others": ({"from_": "+447700900999"}, 21606),
    "another service": ({"from_": None, "messaging_service_sid": "MG" + "0" * 32}, 21704),
    "no sender": ({"from_": None}, 21603),
    "no time to live": ({"validity_period": 0}, 21624),
    "more than ten hours to live": ({"validity_period": 36001}, 21624),
    "a callback that is no URL": ({"status_callback": "nowhere"}, 21609),
}


@pytest.mark.parametrize(("fields", "code"), REFUSALS.values(), ids=REFUSALS)
async def test_what_twilio_would_refuse_is_refused(
    sandbox: Sandbox, client: Client, fields: dict[str, object], code: int
) -> None:
    given = {key: value for key, value in fields.items() if value is not None}
    chosen = {"to": NUMBER, "body": "Hello"} | ({} if "from_" in fields else {"from_": sandbox.twilio.sender})

    with pytest.raises(TwilioRestException) as refused:
        await client.messages.create_async(**(chosen | given))

    assert (refused.value.code, refused.value.status) == (code, 400)
    assert sandbox.twilio.messages == []
    assert sandbox.twilio.meter.accepted == 0


async def test_the_longest_body_passes_and_is_counted_in_segments(
    sandbox: Sandbox, client: Client, phone: Phone
) -> None:
    sent = await send(client, sandbox, "x" * 1600, validity_period=36000)

    assert sent.num_segments == "11"
    assert (sandbox.twilio.meter.counted, sandbox.twilio.meter.weight) == (1, 11)
    await phone.hears("xxx")


async def test_a_dead_number_or_landline_is_refused_at_once(sandbox: Sandbox, client: Client, phone: Phone) -> None:
    phone.landline = True
    with pytest.raises(TwilioRestException) as refused:
        await send(client, sandbox)
    assert refused.value.code == 21614

    phone.dead = 21211
    with pytest.raises(TwilioRestException) as refused:
        await send(client, sandbox)
    assert refused.value.code == 21211


async def test_wrong_credentials_are_20003(sandbox: Sandbox) -> None:
    async with AsyncTwilioHttpClient() as http:
        with pytest.raises(TwilioRestException) as refused:
            await send(client_of(sandbox, token="wrong", http=http), sandbox)

    assert (refused.value.code, refused.value.status) == (20003, 401)


async def test_an_unknown_text_is_20404(sandbox: Sandbox, client: Client) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await client.messages("SM" + "0" * 32).fetch_async()

    assert (refused.value.code, refused.value.status) == (20404, 404)


async def test_the_account_says_it_is_active(sandbox: Sandbox, client: Client) -> None:
    assert (await client.api.accounts(sandbox.twilio.account_sid).fetch_async()).status == "active"


async def test_over_the_limit_of_segments_is_20429(sandbox: Sandbox, client: Client, phone: Phone) -> None:
    sandbox.twilio.rate_segments_per_second = 0.1  # one in ten seconds; more segments at once pass alone
    await send(client, sandbox, "x" * 200)

    with pytest.raises(TwilioRestException) as refused:
        await send(client, sandbox, "x" * 200)

    assert (refused.value.code, refused.value.status) == (20429, 429)
    assert sandbox.twilio.meter.max_weight_in_window(1.0) == 2
    assert sandbox.twilio.meter.refused_429 == 1


async def test_a_text_can_be_redacted_deleted_and_canceled_on_its_way(
    sandbox: Sandbox, client: Client, phone: Phone
) -> None:
    sandbox.twilio.step_seconds = 60
    sent = await send(client, sandbox, "secret")

    assert (await client.messages(sent.sid).update_async(status="canceled")).status == "canceled"
    assert (await client.messages(sent.sid).update_async(body="")).body == ""
    assert await client.messages(sent.sid).delete_async()

    assert phone.messages == []


# -- listing -----------------------------------------------------------------------------


async def test_a_list_is_filtered_by_number_and_time_newest_first(
    sandbox: Sandbox, client: Client, phone: Phone
) -> None:
    for body in ("one", "two"):
        await send(client, sandbox, body)
        await phone.hears(body)
    await send(client, sandbox, "other", to="+447700900124")
    now = datetime.now(UTC)

    async def bodies(**filters: object) -> list[str]:
        return [sms.body for sms in await client.messages.list_async(**filters)]

    assert await bodies(to=NUMBER) == ["two", "one"]
    assert await bodies(to=NUMBER, from_=sandbox.twilio.sender) == ["two", "one"]
    assert await bodies(from_="+447700900999") == []
    assert await bodies(to="+447700900125") == []
    assert await bodies() == ["other", "two", "one"]
    assert await bodies(to=NUMBER, date_sent_after=now - timedelta(minutes=1)) == ["two", "one"]
    assert await bodies(to=NUMBER, date_sent_after=now + timedelta(minutes=1)) == []
    assert await bodies(to=NUMBER, date_sent_before=now - timedelta(minutes=1)) == []
    sent = (await client.messages.list_async(to=NUMBER))[0].date_sent
    assert "two" in await bodies(date_sent=sent.date())
    assert await bodies(date_sent=sent.date() - timedelta(days=1)) == []


async def test_a_list_goes_on_over_its_pages(sandbox: Sandbox, client: Client) -> None:
    for number in range(7):
        await send(client, sandbox, f"{number}")

    listed = await client.messages.list_async(to=NUMBER, page_size=3)

    assert [sms.body for sms in listed] == list("6543210")
    assert sandbox.twilio.meter.by_method["list"] == 3


# -- callbacks ---------------------------------------------------------------------------


def statuses(forms: list[dict[str, str]]) -> list[str]:
    return [form["MessageStatus"] for form in forms]


async def test_each_status_but_the_first_is_called_back_signed(
    sandbox: Sandbox, client: Client, webhook: Webhook
) -> None:
    sent = await send(client, sandbox, status_callback=f"{webhook.url}/status?delivery=42")

    forms = await webhook.has(3)

    assert statuses(forms) == PROGRESS
    assert {form["MessageSid"] for form in forms} == {sent.sid}
    assert sandbox.twilio.debugger == []


async def test_callbacks_come_signed_for_the_public_address(sandbox: Sandbox, client: Client, webhook: Webhook) -> None:
    webhook.public_url = "https://ballot.example"
    sandbox.twilio.public_url = {"https://ballot.example": webhook.url}

    await send(client, sandbox, status_callback="https://ballot.example/status")

    assert statuses(await webhook.has(3)) == PROGRESS
    assert sandbox.twilio.debugger == []


async def test_a_callback_elsewhere_is_never_made(sandbox: Sandbox, client: Client, phone: Phone) -> None:
    await send(client, sandbox, status_callback="https://ballot.example/status")
    await phone.hears("Hello")

    assert sandbox.twilio.debugger[0] == (11205, "https://ballot.example/status", 0)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("callback_doubled", ["sending", "sending", "sent", "sent", "delivered", "delivered"]),
        ("callback_reordered", PROGRESS[::-1]),
    ],
)
async def test_callbacks_can_be_doubled_and_reordered(
    sandbox: Sandbox, client: Client, webhook: Webhook, kind: str, expected: list[str]
) -> None:
    sandbox.faults.twilio.add(Fault(kind))

    await send(client, sandbox, status_callback=f"{webhook.url}/status")

    assert statuses(await webhook.has(len(expected))) == expected


async def test_callbacks_can_come_before_the_answer(sandbox: Sandbox, client: Client, webhook: Webhook) -> None:
    sandbox.faults.twilio.add(Fault("callback_early"))

    sent = await send(client, sandbox, status_callback=f"{webhook.url}/status")

    assert statuses(webhook.forms) == PROGRESS
    assert sent.status == "queued"


async def test_callbacks_can_be_lost(sandbox: Sandbox, client: Client, phone: Phone, webhook: Webhook) -> None:
    sandbox.faults.twilio.add(Fault("callback_lost", count=1))

    await send(client, sandbox, status_callback=f"{webhook.url}/status?lost")
    await phone.hears("Hello")
    await send(client, sandbox, status_callback=f"{webhook.url}/status")

    assert statuses(await webhook.has(3)) == PROGRESS
    assert sandbox.faults.twilio.played == {"callback_lost": 1}


async def test_a_webhook_that_fails_is_in_the_debugger(sandbox: Sandbox, phone: Phone, webhook: Webhook) -> None:
    sandbox.twilio.inbound_url = f"{webhook.url}/inbound"
    webhook.status = 503

    await phone.texts("STATUS")

    assert sandbox.twilio.debugger == [(11200, f"{webhook.url}/inbound", 503)]


# -- people's texts ----------------------------------------------------------------------


async def test_a_persons_text_reaches_the_webhook_signed_with_blank_fields(
    sandbox: Sandbox, phone: Phone, webhook: Webhook
) -> None:
    sandbox.twilio.inbound_url = f"{webhook.url}/inbound"

    sms = await phone.texts("STATUS")

    (form,) = webhook.forms
    assert (form["From"], form["To"], form["Body"]) == (NUMBER, sandbox.twilio.sender, "STATUS")
    assert form["MessageSid"] == sms.sid
    assert form["FromCity"] == ""
    assert "OptOutType" not in form
    assert phone.inbox == []


async def test_an_answer_in_the_webhooks_response_is_sent_back(
    sandbox: Sandbox, phone: Phone, webhook: Webhook
) -> None:
    sandbox.twilio.inbound_url = f"{webhook.url}/inbound"
    webhook.answer = "<Response><Message>You &amp; your vote</Message></Response>"

    await phone.texts("STATUS")

    assert (await phone.hears("You & your vote")).direction == "outbound-reply"


@pytest.mark.parametrize(
    ("word", "kind", "answer"),
    [
        ("STOP", "STOP", "unsubscribed"),
        (" optout ", "STOP", "unsubscribed"),
        ("Start", "START", "re-subscribed"),
        ("unstop", "START", "re-subscribed"),
        ("HELP", "HELP", "Reply STOP"),
    ],
)
async def test_twilio_itself_answers_the_keywords(
    *, sandbox: Sandbox, phone: Phone, webhook: Webhook, word: str, kind: str, answer: str
) -> None:
    sandbox.twilio.inbound_url = f"{webhook.url}/inbound"

    await phone.texts(word)

    assert webhook.forms[0]["OptOutType"] == kind
    await phone.hears(answer)
    assert phone.opted_out is (kind == "STOP")


async def test_stop_stops_and_start_starts_again(sandbox: Sandbox, client: Client, phone: Phone) -> None:
    await phone.texts("STOP")
    with pytest.raises(TwilioRestException) as refused:
        await send(client, sandbox)
    assert refused.value.code == 21610

    await phone.texts("please stop calling")  # not the keyword alone
    await phone.texts("START")
    await send(client, sandbox)
    await phone.hears("Hello")


async def test_nobody_answers_to_a_name(sandbox: Sandbox, client: Client, phone: Phone) -> None:
    sandbox.twilio.sender = "BALLOT"
    await send(client, sandbox)
    await phone.hears("Hello")

    with pytest.raises(AssertionError, match="nobody can answer to BALLOT"):
        await phone.texts("STOP")


async def test_hearing_goes_forward_and_tells_what_there_was(sandbox: Sandbox, client: Client, phone: Phone) -> None:
    await send(client, sandbox, "first")
    await phone.hears("first")

    with pytest.raises(AssertionError, match=r"(?s)got no text with 'first'.*delivered: first"):
        await phone.hears("first", timeout_seconds=0)


async def test_the_page_shows_and_sends_texts(sandbox: Sandbox, client: Client, phone: Phone) -> None:
    ada = sandbox.telegram.person("Ada", phone=NUMBER)
    sandbox.show(ada)
    await send(client, sandbox)
    await phone.hears("Hello")

    async with aiohttp.ClientSession(sandbox.url) as browser:
        await browser.post(f"/api/person/{ada.id}/sms", json={"body": "STOP"})
        shown = await (await browser.get(f"/api/person/{ada.id}")).json()

    assert [(sms["outgoing"], sms["body"][:9]) for sms in shown["sms"]] == [
        (False, "Hello"),
        (True, "STOP"),
        (False, "You have "),
    ]
    assert phone.opted_out


# -- faults ------------------------------------------------------------------------------

FAULTS = {
    "429": (Fault("429"), TwilioRestException, 0),
    "a code": (Fault("error", code=30450), TwilioRestException, 0),
    "5xx before": (Fault("5xx_before"), TwilioRestException, 0),
    "5xx after": (Fault("5xx_after"), TwilioRestException, 1),
    "dropped before": (Fault("drop_before"), aiohttp.ClientError, 0),
    "dropped after": (Fault("drop_after"), aiohttp.ClientError, 1),
    "too slow": (Fault("slow", delay_seconds=30), TimeoutError, 1),
    "hangs": (Fault("hang"), TimeoutError, 0),
}


@pytest.mark.parametrize(("fault", "error", "arrived"), FAULTS.values(), ids=FAULTS)
async def test_a_fault_strikes_once_and_says_nothing_of_what_arrived(
    *, sandbox: Sandbox, client: Client, phone: Phone, fault: Fault, error: type[Exception], arrived: int
) -> None:
    fault.count = 1
    sandbox.faults.twilio.add(fault)

    with pytest.raises(error):
        await asyncio.wait_for(send(client, sandbox, "lost?"), 0.3)

    assert len(await client.messages.list_async(to=NUMBER)) == arrived
    await send(client, sandbox, "found")
    await phone.hears("found")


# -- pure parts --------------------------------------------------------------------------


def test_the_signature_is_that_of_twilios_published_example() -> None:
    """Twilio, "Webhooks security": the worked example, and its own validator as a second opinion."""
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+12349013030",
        "Digits": "1234",
        "From": "+12349013030",
        "To": "+18005551212",
    }

    assert sign("12345", url, fields) == "0/KCTR6DLpKmkAf8muzZqo1nDgQ="
    assert RequestValidator("12345").compute_signature(url, fields) == sign("12345", url, fields)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("x" * 306, 2),
        ("x" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("x" * 152 + "€" + "x" * 152, 3),
        ("ŵ" * 70, 1),
        ("ŵ" * 71, 2),
        ("😀" * 35, 1),
        ("ŵ" * 66 + "😀" + "ŵ" * 66, 3),
    ],
    ids=[
        "empty",
        "160",
        "161",
        "306",
        "307",
        "80 euro signs",
        "81 euro signs",
        "an escape pair is not split",
        "70 Welsh circumflexes",
        "71 of them",
        "35 emoji",
        "a surrogate pair is not split",
    ],
)
def test_segments_are_counted_as_on_the_air(text: str, count: int) -> None:
    assert segments(text) == count


async def test_without_keeping_messages_only_the_newest_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.sandbox.twilio.world.KEPT_MAX", 2)
    async with Sandbox(keep_messages=False) as sandbox, AsyncTwilioHttpClient() as http:
        client = client_of(sandbox, http=http)
        for number in range(5):
            await send(client, sandbox, f"{number}", to=f"+44770090010{number}")
        assert [sms.body for sms in sandbox.twilio.messages] == ["3", "4"]
        assert sandbox.twilio.meter.counted == 5
