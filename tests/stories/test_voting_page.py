"""Stories of the voting page with the real service behind it: one lock over page and chat, and the chat's rules."""

import asyncio
import io
import json
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from nacl.signing import VerifyKey
from page_client import PageClient, Refused, init_data
from sqlalchemy import func, select, text, update
from town import MOMENT, PATIENCE_SECONDS, Letter, Resident, Town, receipt_in

from bot import logs
from bot.commands.examination import Finding, page_finding
from bot.page.page import page_digest, static_path
from bot.page.rates import REQUESTS_MAX
from bot.page.routes import HEAD_BYTES_MAX
from bot.schema import alert
from voting import schema
from voting.audit.signer import receipt_message
from voting.ballots.ballot import ballot_digest
from voting.codes import codes
from voting.codes.codes import Kind
from voting.model import By, How
from voting.poll import polls
from voting.store.database import Database
from voting.votes import sealing, wrong_codes
from voting.votes.wrong_codes import WRONG_PACK_CODES_MAX, WRONG_VOTE_CODES_MAX

pytestmark = pytest.mark.filterwarnings("ignore:.*PTB_TIMEDELTA:telegram.warnings.PTBDeprecationWarning")


@pytest.fixture
async def page(town: Town) -> AsyncIterator[PageClient]:
    async with PageClient(town.url) as page:
        yield page


def letter_of(town: Town, name: str) -> Letter:
    return town.letters[town.member_nos[name]]


def made_up(kind: Kind = Kind.PACK) -> str:
    return codes.generate(kind, "leader-2022")


# -- the way --------------------------------------------------------------------------------


async def test_a_member_votes_by_page_and_the_count_has_it(town: Town, page: PageClient) -> None:
    letter = letter_of(town, "ada")
    found = await page.gives_pack(letter)
    assert (found["word"], found["state"], found["warns"], found["lock"]) == (letter.word, "ready", False, None)
    assert (await page.proves(letter, found["intent"]))["state"] == "ready"
    ballot = page.seals(letter, 1)
    answer = await page.casts(found["intent"], ballot)

    lock = await town.lock_of("ada")
    assert lock is not None
    assert (lock.how, lock.receipt) == (How.ONLINE, answer["receipt"])
    assert answer["fresh"]
    assert await town.count("South Quay") == 1
    message = receipt_message(page.poll["uuid"], ballot_digest(ballot), answer["entry"])
    key = VerifyKey(bytes.fromhex(page.poll["signing_key"]))
    assert key.verify(message, bytes.fromhex(answer["signature"])) == message
    assert page.session not in (lock.chat or "")


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
async def test_everything_asked_twice_has_the_same_effect_as_once(database: Database, tmp_path: Path) -> None:
    """As when each answer is lost: the same receipt, one ballot, no wrong code, no attempt."""
    async with Town(database, tmp_path) as town, PageClient(town.url) as page:
        letter = letter_of(town, "ada")
        await page.gives_pack(letter)
        intent = (await page.gives_pack(letter))["intent"]
        assert [await page.proves(letter, intent) for _ in range(2)] == [
            {"state": "ready", "lock": None, "noted": False}
        ] * 2
        ballot = page.seals(letter, 0)
        first, again = [await page.casts(intent, ballot) for _ in range(2)]
        late = await page.proves(letter, intent)

        assert (first["fresh"], again["fresh"]) == (True, False)
        assert {name: first[name] for name in ("receipt", "at", "entry", "signature")} == {
            name: again[name] for name in ("receipt", "at", "entry", "signature")
        }
        assert (late["state"], late["noted"]) == ("locked_here", False)
        assert (await town.locks(), await town.attempts()) == (1, 0)


async def test_two_ballots_on_one_paper_or_from_two_tabs_are_one_vote(town: Town, page: PageClient) -> None:
    letter = letter_of(town, "ada")
    one, other = await page.comes_to_paper(letter), await page.comes_to_paper(letter)
    first = await page.casts(one, page.seals(letter, 0))
    second = await page.casts(one, page.seals(letter, 1))
    third = await page.casts(other, page.seals(letter, 1))

    assert {answer["receipt"] for answer in (first, second, third)} == {first["receipt"]}
    assert [answer["fresh"] for answer in (first, second, third)] == [True, False, False]
    assert (await town.count("North Quay"), await town.count("South Quay")) == (1, 0)
    assert await town.attempts() == 0


async def test_checking_codes_is_never_an_attempt(town: Town, page: PageClient) -> None:
    letter = letter_of(town, "ada")
    for _ in range(2):
        intent = (await page.gives_pack(letter, check=True))["intent"]
        assert (await page.proves(letter, intent, purpose="check"))["state"] == "ready"
    await page.votes(letter)
    found = await page.gives_pack(letter, check=True)
    checked = await page.proves(letter, found["intent"], purpose="check")

    assert found["warns"] is False
    assert (checked["state"], checked["noted"]) == ("locked_here", False)
    assert await town.attempts() == 0


# -- wrong codes ----------------------------------------------------------------------------


async def test_a_proof_that_does_not_hold_is_a_wrong_code_with_the_same_words(town: Town, page: PageClient) -> None:
    """Whoever only knows the public credential, from the bundle of another day, has no codes."""
    letter, intent = letter_of(town, "ada"), (await page.gives_pack(letter_of(town, "ada")))["intent"]
    other = Letter(letter.pack_code, letter_of(town, "sian").vote_code, "")
    said = []
    for wrong, secret in ((other, None), (letter, 12345)):
        with pytest.raises(Refused) as refused:
            await page.proves(wrong, intent, secret=secret)
        said.append((refused.value.refusal, refused.value.words))

    assert said[0] == said[1]
    assert said[0][0] == "wrong_vote_code"
    with pytest.raises(Refused, match="wrong_vote_code"):  # a proof for a check is none for a vote
        await _replays_a_check_as_a_vote(page, letter, intent)


async def _replays_a_check_as_a_vote(page: PageClient, letter: Letter, intent: str) -> None:
    sent: list[bytes] = []
    real = page.sends

    async def noting(act: str, body: bytes) -> dict[str, object]:
        sent.append(body)
        return await real(act, body)

    page.sends = noting  # type: ignore[method-assign]
    await page.proves(letter, intent, purpose="check")
    await real("codes", sent[0].replace(b'"check"', b'"vote"'))


async def test_five_wrong_vote_codes_hold_the_pack_from_every_session_and_staff_hear_of_it(
    town: Town, page: PageClient
) -> None:
    desk, letter = await town.staff("desk"), letter_of(town, "ada")
    intent = (await page.gives_pack(letter))["intent"]
    for _ in range(WRONG_VOTE_CODES_MAX):
        with pytest.raises(Refused, match="wrong_vote_code"):
            await page.proves(Letter(letter.pack_code, made_up(Kind.VOTE), ""), intent)
    async with PageClient(town.url) as other:
        for session in (page, other):
            with pytest.raises(Refused, match="pack_locked_out"):
                await session.gives_pack(letter)

    await desk.hears("Too many wrong vote codes")


async def test_ten_wrong_pack_codes_hold_a_session_for_a_day_and_not_its_neighbours(
    town: Town, page: PageClient
) -> None:
    for _ in range(WRONG_PACK_CODES_MAX):
        with pytest.raises(Refused, match="unknown_pack_code"):
            await page.gives_pack(Letter(made_up(), "", ""))
    with pytest.raises(Refused, match="session_locked_out"):
        await page.gives_pack(letter_of(town, "ada"))
    async with PageClient(town.url) as neighbour:
        assert (await neighbour.gives_pack(letter_of(town, "ada")))["state"] == "ready"


async def test_wrong_codes_from_ever_new_sessions_hold_their_address(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wrong_codes, "WRONG_FROM_ADDRESS_MAX", 3)
    for _ in range(3):
        async with PageClient(town.url, headers={"X-Forwarded-For": "198.51.100.7"}) as page:
            with pytest.raises(Refused, match="unknown_pack_code"):
                await page.gives_pack(Letter(made_up(), "", ""))
    async with PageClient(town.url, headers={"X-Forwarded-For": "198.51.100.8"}) as page:
        with pytest.raises(Refused, match="session_locked_out"):  # no proxy is trusted here: the header says nothing
            await page.gives_pack(letter_of(town, "ada"))
    async with town.database.reading() as connection:
        stored = [row.chat for row in await connection.execute(select(schema.wrong_code.c.chat))]

    assert sum(chat.startswith("address:") for chat in stored) == 3
    assert not [chat for chat in stored if "127.0.0.1" in chat]


@pytest.mark.parametrize(
    ("peer", "proxies", "believed"),
    [("127.0.0.1", "127.0.0.1", True), ("127.0.0.2", "127.0.0.1", False)],
    ids=["trusted", "untrusted"],
)
async def test_what_a_proxy_says_counts_only_where_it_is_trusted(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, peer: str, proxies: str, believed: bool
) -> None:
    """Its word about the address (a /64 is one) holds whom it means and nobody else; its word about the scheme too."""
    monkeypatch.setattr(wrong_codes, "WRONG_FROM_ADDRESS_MAX", 2)
    async with Town(database, tmp_path, webhooks=True, trusted_proxies=proxies) as town:
        for number in (1, 2):
            headers = {"X-Forwarded-For": f"203.0.113.9, 2001:db8:1:2::{number}", "X-Forwarded-Proto": "http"}
            async with PageClient(town.url, headers=headers, comes_from=peer) as page:
                with pytest.raises(Refused, match="unknown_pack_code"):
                    await page.gives_pack(Letter(made_up(), "", ""))
                plain = await page.http.get("/vote")
        refused = []
        for address in ("2001:db8:1:2:ffff::3", "2001:db8:1:3::1"):
            headers = {"X-Forwarded-For": address, "X-Forwarded-Proto": "https"}
            async with PageClient(town.url, headers=headers, comes_from=peer) as page:
                secure = await page.http.get("/vote")
                try:
                    await page.gives_pack(letter_of(town, "ada"))
                except Refused as problem:
                    refused.append(problem.refusal)

    assert refused == (["session_locked_out"] if believed else ["session_locked_out"] * 2)
    assert "Strict-Transport-Security" in secure.headers
    assert ("Strict-Transport-Security" in plain.headers) is not believed


async def test_a_note_of_another_session_is_nothing(town: Town, page: PageClient) -> None:
    letter = letter_of(town, "ada")
    intent = await page.comes_to_paper(letter)
    async with PageClient(town.url) as thief:
        for act in (thief.proves(letter, intent), thief.casts(intent, thief.seals(letter, 1))):
            with pytest.raises(Refused, match="unknown_intent"):
                await act

    assert await town.locks() == 0


# -- after the lock -------------------------------------------------------------------------


async def test_the_own_session_sees_the_receipt_and_others_only_that_it_is_locked(town: Town, page: PageClient) -> None:
    letter = letter_of(town, "ada")
    answer = await page.votes(letter)
    own = await page.gives_pack(letter)
    async with PageClient(town.url) as other:
        seen = await other.gives_pack(letter)

    assert (own["state"], own["warns"]) == ("locked_here", True)
    assert own["lock"] == {"receipt": answer["receipt"], "at": answer["at"], "way": "online"}
    assert (seen["state"], seen["warns"]) == ("locked_elsewhere", True)
    assert seen["lock"] == {"receipt": None, "at": answer["at"], "way": "online"}
    assert await town.attempts() == 0


async def test_stolen_codes_are_warned_first_then_noted_once_and_staff_hear_of_it(town: Town, page: PageClient) -> None:
    desk, letter = await town.staff("desk"), letter_of(town, "ada")
    await page.votes(letter)
    async with PageClient(town.url) as thief:
        intent = (await thief.gives_pack(letter))["intent"]
        assert await town.attempts() == 0
        answers = [await thief.proves(letter, intent) for _ in range(3)]

    assert [(answer["state"], answer["noted"]) for answer in answers] == [("locked_elsewhere", True)] * 3
    assert await town.attempts() == 1
    await desk.hears("Codes used on the voting page, not where the vote was cast")


async def test_a_note_from_before_the_lock_leads_to_a_warning_and_to_no_attempt(town: Town, page: PageClient) -> None:
    letter = letter_of(town, "ada")
    async with PageClient(town.url) as second_phone:
        intent = (await second_phone.gives_pack(letter))["intent"]
        await page.votes(letter)
        answer = await second_phone.proves(letter, intent)
        with pytest.raises(Refused, match="unknown_intent"):
            await second_phone.casts(intent, second_phone.seals(letter, 1))

    assert (answer["state"], answer["noted"]) == ("locked_elsewhere", False)
    assert await town.attempts() == 0


async def test_a_paper_opened_on_another_phone_before_the_lock_is_told_and_nobody_is_reported(
    town: Town, page: PageClient
) -> None:
    letter = letter_of(town, "ada")
    async with PageClient(town.url) as second_phone:
        intent = await second_phone.comes_to_paper(letter)
        await page.votes(letter)
        with pytest.raises(Refused, match="already_voted") as refused:
            await second_phone.casts(intent, second_phone.seals(letter, 1))

    assert "was locked online at" in refused.value.words
    assert await town.attempts() == 0


async def test_page_and_chat_are_one_lock(town: Town, page: PageClient) -> None:
    ada = town.member("ada")
    receipt = await ada.votes("North Quay")
    found = await page.gives_pack(letter_of(town, "ada"))
    await page.votes(letter_of(town, "sian"))
    sian = town.member("sian", language_code="en")
    await sian.gives_codes(sian.pack.codes)
    await sian.hears("This pack has already been used to vote")

    assert found["state"] == "locked_elsewhere"
    assert receipt
    assert (await town.locks(), await town.attempts()) == (2, 0)


async def test_chat_and_page_racing_on_one_member_make_one_lock(town: Town) -> None:
    letter = letter_of(town, "ada")
    pages = [await PageClient(town.url).__aenter__() for _ in range(8)]
    intents = [await page.comes_to_paper(letter) for page in pages]
    casts = [
        page.casts(intent, page.seals(letter, number % 2))
        for number, (page, intent) in enumerate(zip(pages * 8, intents * 8, strict=True))
    ]
    answers = await asyncio.gather(*casts, return_exceptions=True)
    for page in pages:
        await page.__aexit__()

    locked = [answer for answer in answers if isinstance(answer, dict)]
    assert len(answers) == 64
    assert sum(answer["fresh"] for answer in locked) == 1
    assert len({answer["receipt"] for answer in locked}) == 1
    assert {answer.refusal for answer in answers if isinstance(answer, Refused)} == {"already_voted"}
    assert (await town.locks(), await town.attempts()) == (1, 0)


# -- this was not me ------------------------------------------------------------------------


async def test_who_says_on_the_page_that_it_was_not_them_is_heard_by_the_staff_once(
    town: Town, page: PageClient
) -> None:
    """As the chat's button: the first vote stands, the case says so, the alert names the page."""
    desk, letter = await town.staff("desk"), letter_of(town, "ada")
    await page.votes(letter)
    async with PageClient(town.url) as member:
        intent = (await member.gives_pack(letter))["intent"]
        answers = [await member.disowns(intent) for _ in range(2)]
    heard = await desk.hears("was not theirs")
    async with town.database.reading() as connection:
        cases = [row.disputed_at for row in await connection.execute(select(schema.case.c.disputed_at))]
        raised = list(await connection.scalars(select(alert.c.kind)))

    assert answers == [{"told": True}] * 2
    assert "It was on the voting page" in heard.words
    assert f"/member {town.member_nos['ada']}" in heard.words
    assert len(cases) == 1
    assert cases[0] is not None
    assert raised == ["theft_reported"]
    assert (await town.locks(), await town.attempts()) == (1, 0)


async def test_nobody_disowns_what_is_not_locked_or_with_a_note_of_another_session(
    town: Town, page: PageClient
) -> None:
    letter = letter_of(town, "ada")
    intent = (await page.gives_pack(letter))["intent"]
    with pytest.raises(Refused, match="unknown_intent"):
        await page.disowns(intent)
    await page.votes(letter)
    async with PageClient(town.url) as stranger:
        with pytest.raises(Refused, match="unknown_intent"):
            await stranger.disowns(intent)
    async with town.database.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(alert)) == 0


# -- many at once ---------------------------------------------------------------------------


async def test_while_200_ballots_of_the_page_are_checked_the_chat_is_answered(
    town: Town, page: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No check ends before the chat was answered, codes and all: checks hold neither the loop nor the writer."""
    may_go_on, real, held = threading.Event(), sealing.check, threading.Event()

    def check(*asked: Any) -> Any:
        held.set()
        assert may_go_on.wait(PATIENCE_SECONDS)
        return real(*asked)

    letters = [letter_of(town, name) for name in ("ada", "sian", "bea", "carl")]
    papers = [(await page.comes_to_paper(letter), page.seals(letter, 0)) for letter in letters]
    bob = town.member("bob")
    await bob.asks(bob.types("/start"))
    monkeypatch.setattr(sealing, "check", check)
    try:
        posts = [asyncio.create_task(page.casts(*paper)) for paper in papers * 50]
        assert await asyncio.to_thread(held.wait, PATIENCE_SECONDS)
        await bob.opens_paper()
        await bob.asks(bob.types("/status"))
        assert [post for post in posts if post.done()] == []
    finally:
        may_go_on.set()
    answers = await asyncio.gather(*posts)
    await bob.asks(bob.presses("North Quay"), "You chose")

    assert len(answers) == 200
    assert sum(answer["fresh"] for answer in answers) == len({answer["receipt"] for answer in answers}) == 4
    assert (await town.locks(), await town.attempts()) == (4, 0)


# -- when nothing can be cast ---------------------------------------------------------------


async def test_a_rule_that_changed_is_read_before_anything_is_cast(town: Town, page: PageClient) -> None:
    letter = letter_of(town, "ada")
    intent = await page.comes_to_paper(letter)
    async with town.database.writing() as connection:
        await polls.change_rule(
            connection, {"en-GB": "New.", "cy": "Newydd."}, by=By("Gwen", "command line", town.clock())
        )
    for act in (page.casts(intent, page.seals(letter, 0)), page.gives_pack(letter)):
        with pytest.raises(Refused, match="rule_unread"):
            await act
    page.rule_version = 2
    assert (await page.votes(letter))["fresh"]
    assert (await page.http.get("/vote/poll.json")).json()["rule"]["cy"] == "Newydd."


async def test_after_the_closing_bell_nothing_is_cast_and_codes_can_still_be_checked(
    town: Town, page: PageClient
) -> None:
    letter = letter_of(town, "ada")
    intent = await page.comes_to_paper(letter)
    town.clock.put(town.poll.closes_at + timedelta(seconds=1))
    with pytest.raises(Refused, match="poll_not_open"):
        await page.casts(intent, page.seals(letter, 0))
    found = await page.gives_pack(letter)

    assert found["state"] == "closed"
    assert (await page.proves(letter, found["intent"], purpose="check"))["lock"] is None
    assert (await page.http.get("/vote/poll.json")).json()["state"] == "closed"


async def test_before_the_opening_codes_can_be_checked_and_not_used(database: Database, tmp_path: Path) -> None:
    town = Town(database, tmp_path, opened=False, moment=MOMENT - timedelta(days=30))
    async with town, PageClient(town.url) as page:
        letter = letter_of(town, "ada")
        found = await page.gives_pack(letter)
        assert found["state"] == "not_open"
        assert (await page.proves(letter, found["intent"], purpose="check"))["state"] == "not_open"
        with pytest.raises(Refused, match="poll_not_open"):
            await page.proves(letter, found["intent"])


async def test_who_may_not_vote_is_told_so_and_a_replaced_pack_is_void(town: Town, page: PageClient) -> None:
    letter = letter_of(town, "ada")
    async with town.database.writing() as connection:
        member_id = await connection.scalar(
            select(schema.member.c.id).where(schema.member.c.member_no == town.member_nos["ada"])
        )
        chosen = update(schema.member).where(schema.member.c.id == member_id)
        await connection.execute(chosen.values(eligible=False, ineligible_reason="lapsed"))
    found = await page.gives_pack(letter)
    assert found["state"] == "not_eligible"
    with pytest.raises(Refused, match="not_eligible"):
        await page.proves(letter, found["intent"])
    await town.changes_pack("sian", state="void")
    with pytest.raises(Refused, match="pack_void"):
        await page.gives_pack(letter_of(town, "sian"))


async def test_a_ballot_that_does_not_hold_is_refused_and_the_paper_stays(town: Town, page: PageClient) -> None:
    letter = letter_of(town, "ada")
    intent = await page.comes_to_paper(letter)
    with pytest.raises(Refused, match="ballot_wrong"):
        await page.post("ballot", intent=intent, rule_version=1, ballot={"election_uuid": "x"})
    with pytest.raises(Refused, match="ballot_wrong"):
        await page.casts(intent, page.seals(letter_of(town, "sian"), 0))
    assert (await page.casts(intent, page.seals(letter, 0)))["fresh"]


# -- in Telegram ----------------------------------------------------------------------------


async def test_in_telegram_the_account_s_chat_is_the_session_and_gets_the_receipt(town: Town) -> None:
    ada = town.member("ada")
    await ada.types("/start")
    await ada.hears("What would you like to do?")
    signed = init_data(town.sandbox.telegram.token, ada.id, town.clock())
    async with PageClient(town.url, more={"init_data": signed}) as page:
        answer = await page.votes(letter_of(town, "ada"))
    heard = await ada.hears("Your vote is locked")
    lock = await town.lock_of("ada")

    assert lock is not None
    assert lock.chat == f"telegram:{ada.id}"
    assert receipt_in(heard.words) == answer["receipt"]


@pytest.mark.parametrize(
    ("token", "age"), [("999:other", timedelta(0)), (None, timedelta(days=2))], ids=["foreign", "old"]
)
async def test_wrong_data_of_telegram_is_refused_plainly(town: Town, token: str | None, age: timedelta) -> None:
    signed = init_data(token or town.sandbox.telegram.token, 7, town.clock() - age)
    async with PageClient(town.url, more={"init_data": signed}) as page:
        with pytest.raises(Refused, match="init_data_wrong") as refused:
            await page.gives_pack(letter_of(town, "ada"))

    assert refused.value.status == 403


# -- what it serves, and its bounds ---------------------------------------------------------


async def test_every_answer_has_the_headers_and_sets_no_cookie(town: Town, page: PageClient) -> None:
    static = static_path()
    paths = (
        "/vote",
        "/vote/poll.json",
        "/vote/election.json",
        "/vote/paper.json",
        "/vote/words/cy.json",
        f"{static}/app.js",
    )
    answers = [await page.http.get(path) for path in paths]
    missing = [
        await page.http.get(path) for path in ("/vote/words/fr.json", f"{static}/none.js", f"{static}/..%2fpage.py")
    ]
    policy = f"frame-ancestors https://web.telegram.org {town.sandbox.telegram.api_url.rsplit('/', 1)[0]}"

    assert [answer.status_code for answer in answers] == [200] * len(paths)
    assert [answer.status_code for answer in missing] == [404] * 3
    for answer in answers:
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert policy.split()[1] in answer.headers["Content-Security-Policy"]
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert {"set-cookie", "x-frame-options", "server"} & set(answer.headers) == set()
    assert [answer.headers["Cache-Control"] for answer in answers] == ["no-store"] * 5 + [
        "public, max-age=31536000, immutable"
    ]


async def test_the_page_is_told_the_poll_and_what_its_files_are(town: Town, page: PageClient) -> None:
    assert page.poll["state"] == "open"
    assert page.poll["election_hash"] == page.election.hash
    assert page.poll["page"] == page_digest(tuple(town.poll.languages))
    assert page.poll["window"]


async def test_doctor_says_which_page_is_served_and_whether_it_is_that_of_the_opening(
    database: Database, tmp_path: Path
) -> None:
    async with Town(database, tmp_path, opened=False) as town:
        digest = page_digest(tuple(town.poll.languages))
        before = await _page_finding(database)
        async with database.writing() as connection:
            by = By("Gwen", "command line", town.clock())
            await polls.open_poll(connection, by=by, page="another")
        after = await _page_finding(database)

    assert (before.ok, before.detail) == (True, digest)
    assert after.ok is False
    assert after.detail == f"{digest}, and at the opening it was another"


async def _page_finding(database: Database) -> Finding:
    async with database.reading() as connection:
        return await page_finding(connection, await polls.load(connection))


async def test_before_the_election_key_is_there_no_election_is_served(database: Database, tmp_path: Path) -> None:
    async with Town(database, tmp_path, opened=False) as town:
        async with database.writing() as connection:
            await connection.execute(text("UPDATE poll SET trustees_file = NULL, key_kind = NULL"))
        async with httpx.AsyncClient(base_url=town.url, trust_env=False) as http:
            told = (await http.get("/vote/poll.json")).json()
            missing = [await http.get(f"/vote/{name}.json") for name in ("election", "paper")]

    assert told["election_hash"] is None
    assert [answer.status_code for answer in missing] == [404, 404]


async def test_static_files_are_compressed_for_who_takes_it(page: PageClient) -> None:
    path = f"{static_path()}/ed25519.js"
    plain = await page.http.get(path, headers={"Accept-Encoding": "identity"})
    squeezed = await page.http.get(path, headers={"Accept-Encoding": "gzip"})

    assert plain.content == squeezed.content
    assert "Content-Encoding" not in plain.headers
    assert squeezed.headers["Content-Encoding"] == "gzip"
    assert int(squeezed.headers["Content-Length"]) < len(plain.content) // 2


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{}", 400), (b"[]", 400), (b"x" * (HEAD_BYTES_MAX + 2_000), 413), (b"[" * 10_000, 400)],
    ids=["nothing", "no session", "a list", "too large", "too deep"],
)
@pytest.mark.parametrize("act", ["pack", "codes", "ballot"])
async def test_what_is_no_question_is_refused(page: PageClient, act: str, body: bytes, status: int) -> None:
    with pytest.raises(Refused, match="request_wrong") as refused:
        await page.sends(act, body)

    assert refused.value.status == status


async def test_too_many_questions_of_one_address_are_told_when_to_come_again(page: PageClient) -> None:
    refused = []
    for _ in range(REQUESTS_MAX + 1):
        try:
            await page.sends("pack", b"{}")
        except Refused as problem:
            refused.append(problem)

    assert [problem.status for problem in refused[:-1]] == [400] * REQUESTS_MAX
    assert (refused[-1].status, refused[-1].refusal) == (429, "too_many")
    assert 0 < int(refused[-1].retry_after or 0) <= 61


async def test_a_refusal_is_said_in_the_language_asked_for(page: PageClient) -> None:
    page.more = {"language": "cy"}
    with pytest.raises(Refused) as refused:
        await page.gives_pack(Letter(made_up(), "", ""))

    assert refused.value.words.startswith("Nid oes gennym becyn")


# -- what is kept ---------------------------------------------------------------------------


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Log everything, as `BALLOTLINE_LOG_LEVEL=DEBUG` does, into this; leave the machine as it was."""
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    logs.configure("DEBUG", json_lines=True)
    stream = io.StringIO()
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield stream
    structlog.reset_defaults()
    root.setLevel(before[0])
    root.handlers[:] = before[1]


async def test_no_code_choice_or_secret_is_logged_or_stored(town: Town, page: PageClient, logged: io.StringIO) -> None:
    letter = letter_of(town, "ada")
    await page.votes(letter, 1)
    with pytest.raises(Refused):
        await page.gives_pack(Letter(made_up(), "", ""))
    async with town.database.reading() as connection:
        tables = [await connection.execute(select(table)) for table in schema.METADATA.sorted_tables]
        stored = "".join(str(tuple(row)) for rows in tables for row in rows)
    plain = [code.replace("-", "") for code in (letter.pack_code, letter.vote_code)]
    secrets_ = [*plain, letter.pack_code, letter.vote_code, page.session, str(page.secret(letter))]

    assert [secret for secret in secrets_ if secret in stored] == []
    assert [secret for secret in [*secrets_, "South Quay"] if secret in logged.getvalue()] == []


FIELDS = {
    "pack": {"session", "language", "pack_code", "rule_version"},
    "codes": {"session", "language", "intent", "purpose", "credential", "proof"},
    "ballot": {"session", "language", "intent", "rule_version", "ballot"},
}
OF_A_BALLOT = {"election_uuid", "election_hash", "credential", "answers", "signature"}


async def test_of_50_votes_by_page_nothing_received_logged_or_stored_is_a_choice_a_vote_code_or_a_secret(
    database: Database, tmp_path: Path, logged: io.StringIO
) -> None:
    """Everything that went into the service's door, its log at DEBUG, and every value of every table afterwards."""
    residents = [Resident(f"member{number}", None) for number in range(50)]
    received: list[tuple[str, bytes]] = []
    secret: set[bytes] = set()

    async def hear(request: httpx.Request) -> None:
        line = f"{request.method} {request.url}\n{request.headers.raw}".encode()
        received.append((request.url.path.rpartition("/")[2], line + b"\n" + await request.aread()))

    async with Town(database, tmp_path, residents=residents) as town:
        for number, resident in enumerate(residents):
            letter = letter_of(town, resident.name)
            async with PageClient(town.url, hear=hear) as page:
                await page.votes(letter, number % 2)
                value = page.secret(letter)
                secret |= {str(value).encode(), *(value.to_bytes(32, order) for order in ("big", "little"))}
            secret |= {letter.vote_code.encode(), letter.vote_code.replace("-", "").encode()}
        assert (await town.count("North Quay"), await town.count("South Quay")) == (25, 25)
        async with town.database.reading() as connection:
            tables = [await connection.execute(select(table)) for table in schema.METADATA.sorted_tables]
            stored = b"".join(_bytes(value) for rows in tables for row in rows for value in row)
        packs = {letter.pack_code.replace("-", "").encode() for letter in town.letters.values()}
    secret |= {code.lower() for code in secret} | {code.hex().encode() for code in secret if len(code) == 32}
    choices = {b"North Quay", b"South Quay"}
    heard, said = b"".join(line for _, line in received), logged.getvalue().encode()

    assert [act for act, _ in received].count("ballot") == 50
    for act, line in received:
        if act in FIELDS:
            asked = json.loads(line.rpartition(b"\n")[2])
            assert asked.keys() == FIELDS[act]
            assert asked.get("ballot", {}).keys() <= OF_A_BALLOT
    assert {needle for needle in secret | choices if needle in heard} == set()
    assert {needle for needle in secret | packs | choices if needle in said} == set()
    assert {needle for needle in secret | packs if needle in stored} == set()
    assert len(stored) > 50_000
    assert b"page" in stored


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
