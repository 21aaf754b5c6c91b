"""What the page may ask, where from and how often: each bound of its own, without a service."""

import base64
import contextlib
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.page import asked
from bot.page.addresses import came_by_http, client_of, hashed, network_of
from bot.page.init_data import AHEAD_MAX, LIFE, read_init_data
from bot.page.rates import ADDRESSES_MAX, REQUESTS_MAX, SPAN, Rates
from bot.page.refusals import InitDataWrong, RequestWrong
from bot.page.visits import LIFE as VISIT_LIFE
from bot.page.visits import Visit, paper_of, read_visit, write_visit
from voting.refusals import UnknownIntent

NOW = datetime(2022, 8, 20, 12, 0, tzinfo=UTC)
KEY = bytes(range(32))
TOKEN = "123456:ABC"
SESSION = "0123456789abcdef" * 2


# -- what Telegram signed -------------------------------------------------------------------


def signed(token: str = TOKEN, at: datetime = NOW, **fields: str) -> str:
    """Sign as core.telegram.org/bots/webapps has it."""
    facts = {"query_id": "AAH", "user": '{"id":77,"first_name":"Ada"}', "auth_date": str(int(at.timestamp()))} | fields
    text = "\n".join(f"{name}={value}" for name, value in sorted(facts.items()))
    key = hmac.new(b"WebAppData", token.encode(), hashlib.sha256).digest()
    return urlencode(facts | {"hash": hmac.new(key, text.encode(), hashlib.sha256).hexdigest()})


@pytest.mark.parametrize("at", [NOW, NOW - LIFE, NOW + AHEAD_MAX], ids=["now", "a day ago", "by a clock before ours"])
def test_what_telegram_signed_for_our_bot_names_the_account(at: datetime) -> None:
    assert read_init_data(signed(at=at), TOKEN, NOW) == 77


@pytest.mark.parametrize(
    "written",
    [
        "",
        "hash=00",
        signed()[:-1] + "x",
        signed().replace("Ada", "Eve"),
        signed("999999:XYZ"),
        signed(at=NOW - LIFE - timedelta(seconds=1)),
        signed(at=NOW + AHEAD_MAX + timedelta(seconds=1)),
        signed() + "&query_id=AAH",
        signed(auth_date="soon"),
        signed(user="nobody"),
        signed(user="[]"),
        signed(user='{"id":"77"}'),
        signed(x="y" * 5_000),
    ],
    ids=[
        "nothing",
        "a hash alone",
        "another hash",
        "another name",
        "another bot",
        "too old",
        "from the future",
        "a field twice",
        "no date",
        "no user",
        "a list for a user",
        "a name for a number",
        "too long",
    ],
)
def test_what_it_did_not_sign_is_refused(written: str) -> None:
    with pytest.raises(InitDataWrong):
        read_init_data(written, TOKEN, NOW)


# -- a visit's note -------------------------------------------------------------------------


@pytest.mark.parametrize("warned", [True, False])
def test_a_visit_s_note_comes_back_as_it_was_and_fits_a_proof(warned: bool) -> None:
    note = write_visit(KEY, Visit(b"\x07" * 32, NOW, warned=warned), "page:one")
    visit = read_visit(KEY, note, "page:one", NOW + VISIT_LIFE)

    assert (visit.pack, visit.at, visit.warned) == (b"\x07" * 32, NOW, warned)
    assert len(note) <= 128
    assert len(paper_of(note)) == 16
    assert paper_of(note) != paper_of(write_visit(KEY, visit, "page:one"))


def test_a_visit_s_note_is_nothing_to_others_and_later() -> None:
    note = write_visit(KEY, Visit(b"\x07" * 32, NOW, warned=True), "page:one")
    raw = bytearray(base64.urlsafe_b64decode(note + "=" * (-len(note) % 4)))
    raw[-1] ^= 1
    changed = base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("=")
    for key, written, identity, now in [
        (bytes(32), note, "page:one", NOW),
        (KEY, changed, "page:one", NOW),
        (KEY, note, "page:two", NOW),
        (KEY, note, "page:one", NOW + VISIT_LIFE + timedelta(seconds=1)),
        (KEY, "A", "page:one", NOW),
        (KEY, "", "page:one", NOW),
    ]:
        with pytest.raises(UnknownIntent):
            read_visit(key, written, identity, now)


# -- where from, how often ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", ", ", "10.0.0.1"),
    ],
    ids=[
        "alone",
        "a header that a stranger sends",
        "by a proxy",
        "a made-up address before the proxy's",
        "by two proxies",
        "a proxy that says nothing",
        "a proxy itself",
        "a proxy that says nothing twice",
    ],
)
def test_only_trusted_proxies_are_believed_about_an_address(peer: str, forwarded: str, client: str) -> None:
    assert client_of(peer, forwarded, {"10.0.0.1", "10.0.0.2"}) == client


@pytest.mark.parametrize(
    ("peer", "said", "plain"),
    [
        ("10.0.0.1", "http", True),
        ("10.0.0.1", "https, HTTP", True),
        ("10.0.0.1", "http, https", False),
        ("10.0.0.1", "https", False),
        ("10.0.0.1", "", False),
        ("203.0.113.7", "http", False),
    ],
    ids=["http", "the nearest says http", "the nearest says https", "https", "nothing said", "a stranger's word"],
)
def test_only_trusted_proxies_are_believed_about_the_scheme(peer: str, said: str, plain: bool) -> None:
    assert came_by_http(peer, said, {"10.0.0.1"}) is plain


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("somewhere", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_64_counts_as_one_address(address: str, network: str) -> None:
    assert network_of(address) == network


def test_an_address_is_named_by_a_keyed_hash() -> None:
    assert "203" not in hashed(KEY, "203.0.113.7")
    assert hashed(KEY, "203.0.113.7") != hashed(bytes(32), "203.0.113.7")


def test_an_address_may_ask_so_often_a_minute_and_then_again() -> None:
    rates = Rates()
    waits = [rates.wait_seconds("a", NOW) for _ in range(REQUESTS_MAX + 1)]

    assert waits == [0] * REQUESTS_MAX + [61]
    assert rates.wait_seconds("b", NOW) == 0
    assert rates.wait_seconds("a", NOW + SPAN - timedelta(seconds=1)) == 2
    assert rates.wait_seconds("a", NOW + SPAN) == 0


def test_no_more_addresses_are_remembered_than_a_bound() -> None:
    rates = Rates()
    for _ in range(REQUESTS_MAX):
        rates.wait_seconds("first", NOW)
    for number in range(ADDRESSES_MAX):
        rates.wait_seconds(str(number), NOW)

    assert rates.wait_seconds("first", NOW) == 0


# -- what is asked --------------------------------------------------------------------------

PACK: dict[str, Any] = {"pack_code": "ABCDEFGHJ", "rule_version": 1}
CODES: dict[str, Any] = {
    "intent": "i",
    "purpose": "vote",
    "credential": "66" * 31 + "58",  # g, written backwards
    "proof": {"challenge": "1", "response": "0"},
}
BALLOT: dict[str, Any] = {"intent": "i", "rule_version": 1, "ballot": {"b": 1, "a": "Ŵ"}}


def test_right_questions_are_read_as_they_are() -> None:
    assert asked.read_asker({"session": SESSION}) == asked.Asker(SESSION, None, None)
    assert asked.read_asker({"session": SESSION, "language": "cy", "init_data": "x"}).init_data == "x"
    assert asked.read_pack(PACK) == asked.PackAsked("ABCDEFGHJ", 1)
    assert asked.read_pack(PACK | {"rule_version": None}).rule_version is None
    assert asked.read_codes(CODES).proof == (1, 0)
    assert asked.read_ballot(BALLOT).ballot == '{"b":1,"a":"Ŵ"}'.encode()


@pytest.mark.parametrize(
    ("read", "right", "changed"),
    [
        (asked.read_asker, {"session": SESSION}, {"session": None}),
        (asked.read_asker, {"session": SESSION}, {"session": SESSION.upper()}),
        (asked.read_asker, {"session": SESSION}, {"session": SESSION + "0"}),
        (asked.read_asker, {"session": SESSION}, {"session": SESSION + "\n"}),
        (asked.read_asker, {"session": SESSION}, {"language": 7}),
        (asked.read_asker, {"session": SESSION}, {"language": "x" * 36}),
        (asked.read_asker, {"session": SESSION}, {"init_data": ""}),
        (asked.read_asker, {"session": SESSION}, {"init_data": []}),
        (asked.read_pack, PACK, {"pack_code": None}),
        (asked.read_pack, PACK, {"pack_code": "ABC-DEF-G"}),
        (asked.read_pack, PACK, {"pack_code": "abcdefghj"}),
        (asked.read_pack, PACK, {"pack_code": "ABCDEFGH"}),
        (asked.read_pack, PACK, {"rule_version": True}),
        (asked.read_pack, PACK, {"rule_version": "1"}),
        (asked.read_pack, PACK, {"rule_version": -1}),
        (asked.read_codes, CODES, {"intent": ""}),
        (asked.read_codes, CODES, {"intent": "a b"}),
        (asked.read_codes, CODES, {"intent": "x" * 129}),
        (asked.read_codes, CODES, {"purpose": "look"}),
        (asked.read_codes, CODES, {"purpose": []}),
        (asked.read_codes, CODES, {"credential": "00" * 32}),
        (asked.read_codes, CODES, {"credential": None}),
        (asked.read_codes, CODES, {"proof": None}),
        (asked.read_codes, CODES, {"proof": {"challenge": "1"}}),
        (asked.read_codes, CODES, {"proof": {"challenge": "01", "response": "0"}}),
        (asked.read_codes, CODES, {"proof": {"challenge": 1, "response": "0"}}),
        (asked.read_ballot, BALLOT, {"rule_version": None}),
        (asked.read_ballot, BALLOT, {"intent": None}),
        (asked.read_ballot, BALLOT, {"ballot": "{}"}),
        (asked.read_ballot, BALLOT, {"ballot": {"a": "\ud800"}}),
    ],
)
def test_a_question_that_is_not_by_the_rules_is_refused(
    read: Any, right: dict[str, Any], changed: dict[str, Any]
) -> None:
    read(right)
    with pytest.raises(RequestWrong):
        read(right | changed)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 50_000, b'"x"', b"null"])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(RequestWrong):
        asked.read_json(body)


ANYTHING = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5)
FIELDS = ("session", "language", "init_data", "intent", "purpose", "credential", "proof", "ballot", "pack_code")


@given(st.dictionaries(st.sampled_from(FIELDS), ANYTHING))
def test_no_question_does_more_than_be_refused(content: dict[str, Any]) -> None:
    """Whatever a stranger sends is refused as such or read; nothing else is raised."""
    refused = 0
    for read in (asked.read_asker, asked.read_codes, asked.read_ballot):
        with contextlib.suppress(RequestWrong):
            read(asked.read_json(json.dumps(content).encode()))
            refused -= 1
        refused += 1

    assert refused >= 2
