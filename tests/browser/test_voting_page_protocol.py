"""The page's protocol beside voting.ballots: one file of vectors, and ballots made in Chromium that Python takes."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from belenios_tool import accepts, needs_tool, set_up
from page_server import PageServer, page_server, serving
from page_visitor import Visitor, opened
from playwright.async_api import Browser
from sealed import ANY, BLANK_OR_ANY, BLANK_OR_SOME, ONE_OF_TWO, TRUSTEE, UUID

from voting.ballots.ballot import ballot_mark, read_ballot
from voting.ballots.check import check
from voting.ballots.credential import CodesAsked, check_codes
from voting.ballots.group import read_point
from voting.ballots.proofs import Proof
from voting.codes.codes import Kind, generate
from voting.codes.format import CheckRule

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

VECTORS: Final = json.loads((Path(__file__).parents[1] / "data" / "ballot-vectors.json").read_text(encoding="utf-8"))
MANY: Final = 2_000 if os.environ.get("BALLOTLINE_SOAK") else 24
MODULES: Final = """const path = document.querySelector('script').src.replace('/app.js', '');
const load = (name) => import(`${path}/${name}.js`);
const [group, mark, election, seal, ballot, credential, codes, receipt] = await Promise.all(
    ['group', 'mark', 'election', 'seal', 'ballot', 'credential', 'codes', 'receipt'].map(load));
"""


@pytest_asyncio.fixture(loop_scope="session")
async def server() -> AsyncIterator[PageServer]:
    async with serving(page_server((ONE_OF_TWO, BLANK_OR_SOME, ANY, BLANK_OR_ANY))) as running:
        yield running


async def run(visitor: Visitor, script: str, facts: Any) -> Any:
    """Run a script over the page's own modules, under the page's own policy."""
    return await visitor.page.evaluate(f"async (facts) => {{ {MODULES} {script} }}", facts)


async def test_every_vector_comes_out_the_same(browser: Browser, server: PageServer) -> None:
    visitor = await Visitor.opens(browser, server)
    script = """
    const keys = await Promise.all(facts.credentials.map(({ pack_code, vote_code }) => (
        credential.deriveSecret(pack_code, vote_code, facts.uuid))));
    const secret = keys[0];
    return {
        credentials: keys.map((key) => [String(key), credential.publicCredential(key)]),
        marks: facts.marks.map(({ digest }) => mark.markOf(group.fromHex(digest))),
        ballots: facts.ballots.map((made) => {
            const read = election.readElection(made.election);
            const mine = credential.publicCredential(secret);
            const answers = seal.seal(read, mine, made.choices, made.draws.map(BigInt));
            const unsigned = ballot.writeUnsigned(read, mine, answers);
            const signed = ballot.sign(unsigned, secret, BigInt(made.nonce));
            const digest = group.digestOf(signed);
            return [read.hash, unsigned, ballot.sealCode(unsigned), signed, group.toHex(digest), mark.markOf(digest)];
        }),
        codes: facts.codes.map((asked) => (
            credential.proveCodes(secret, { ...asked, uuid: facts.uuid }, BigInt(asked.nonce)))),
    };"""
    made = await run(visitor, script, VECTORS)

    names = ("election_hash", "unsigned", "seal_code", "ballot", "digest", "mark")
    assert made["credentials"] == [[each["secret"], each["credential"]] for each in VECTORS["credentials"]]
    assert made["marks"] == [each["mark"] for each in VECTORS["marks"]]
    assert made["ballots"] == [[each[name] for name in names] for each in VECTORS["ballots"]]
    assert made["codes"] == [each["proof"] for each in VECTORS["codes"]]
    assert visitor.complaints == []


async def test_random_ballots_of_the_page_are_right_and_hold_their_choices(
    browser: Browser, server: PageServer
) -> None:
    visitor = await Visitor.opens(browser, server)
    made = await _random_ballots(visitor, server, MANY)

    for one in made:
        ballot = check(
            read_ballot(one["ballot"].encode()), server.election, read_point(one["credential"], "credential")
        )
        assert ballot_mark(ballot) == one["mark"]
        assert opened(ballot, TRUSTEE) == one["choices"]
    assert len({one["mark"] for one in made}) == MANY


@needs_tool
async def test_belenios_tool_accepts_the_page_s_ballots_one_by_one(
    browser: Browser, server: PageServer, tmp_path: Path
) -> None:
    visitor = await Visitor.opens(browser, server)
    made = await _random_ballots(visitor, server, 8)
    set_up(tmp_path, server.election, TRUSTEE, [read_point(one["credential"], "credential") for one in made])

    accepted = [await asyncio.to_thread(accepts, tmp_path, one["ballot"].encode()) for one in made]
    assert accepted == [True] * 8
    last = made[0]["ballot"].replace('"response":"', '"response":"1', 1)
    assert not await asyncio.to_thread(accepts, tmp_path, last.encode())


async def _random_ballots(visitor: Visitor, server: PageServer, count: int) -> list[dict[str, Any]]:
    """Make ballots by the page's modules, each with a credential of its own and any choices that the paper allows."""
    script = """
    const read = election.readElection(facts.election);
    read.key = group.prepared(read.key);
    const bits = (question) => {
        for (;;) {
            const bytes = crypto.getRandomValues(new Uint8Array(seal.ciphertextsOf(question)));
            const drawn = [...bytes].map((byte) => byte & 1);
            if (seal.allows(question, drawn)) return drawn;
        }
    };
    return Array.from({ length: facts.count }, () => {
        const secret = group.randomScalar();
        const mine = credential.publicCredential(secret);
        const choices = read.questions.map(bits);
        const unsigned = ballot.writeUnsigned(read, mine, seal.seal(read, mine, choices, seal.drawRandomness(read)));
        const signed = ballot.sign(unsigned, secret, group.randomScalar());
        return { credential: mine, choices, ballot: signed, mark: mark.markOf(group.digestOf(signed)) };
    });"""
    made: list[dict[str, Any]] = []
    while len(made) < count:
        facts = {"election": server.election.written.decode(), "count": min(50, count - len(made))}
        made += await run(visitor, script, facts)
    return made


async def test_a_proof_of_the_codes_holds_for_what_it_was_asked_for_only(browser: Browser, server: PageServer) -> None:
    visitor = await Visitor.opens(browser, server)
    asked = CodesAsked(UUID, "0" * 32, "intent_7", "check")
    script = """
    const secret = await credential.deriveSecret(facts.pack, facts.vote, facts.uuid);
    return [credential.publicCredential(secret), credential.proveCodes(secret, facts, group.randomScalar())];"""
    facts = {"pack": "VK475JSUE", "vote": "ES2G2H74GVKQ", "uuid": UUID, "session": asked.session}
    public, proof = await run(visitor, script, facts | {"intent": asked.intent, "purpose": asked.purpose})

    read = Proof(int(proof["challenge"]), int(proof["response"]))
    check_codes(read, read_point(public, "credential"), asked)
    with pytest.raises(Exception, match="does not prove"):
        check_codes(read, read_point(public, "credential"), CodesAsked(UUID, asked.session, asked.intent, "vote"))


async def test_the_check_characters_are_judged_as_the_service_does(browser: Browser, server: PageServer) -> None:
    visitor = await Visitor.opens(browser, server)
    right = {kind.value: [generate(kind, server.poll.id) for _ in range(50)] for kind in Kind}
    wrong = {kind.value: [code[:-1] + ("2" if code[-1] != "2" else "3") for code in right[kind.value]] for kind in Kind}
    script = """
    const reader = new codes.Codes(facts.poll);
    const judged = (lists) => Object.entries(lists).map(([kind, list]) => (
        list.map((code) => reader.isRight(kind, code))));
    return [judged(facts.right), judged(facts.wrong), reader.rules];"""
    good, bad, rules = await run(visitor, script, {"poll": server.poll.id, "right": right, "wrong": wrong})

    assert good == [[True] * 50] * 2
    assert bad == [[False] * 50] * 2
    assert {kind: (tuple(rule["weights"]), rule["constant"]) for kind, rule in rules.items()} == {
        kind.value: (rule.weights, rule.constant)
        for kind in Kind
        for rule in [CheckRule.for_poll(server.poll.id, kind)]
    }


@pytest.mark.parametrize(
    ("field", "written"),
    [
        ("version", '{"version":2,'),
        ("spaces", '{ "version":1,'),
        ("order", '{"group":"Ed25519","version":1,'),
    ],
)
async def test_an_election_that_is_spelled_otherwise_is_refused(
    browser: Browser, server: PageServer, field: str, written: str
) -> None:
    visitor = await Visitor.opens(browser, server)
    changed = server.election.written.decode().replace('{"version":1,', written)
    script = "try { election.readElection(facts); return 'read'; } catch (error) { return String(error); }"

    assert "not as the specification has it" in await run(visitor, script, changed), field


@pytest.mark.parametrize(
    "written",
    [
        "01" + "00" * 31,  # not canonical, or not on the curve, by the reading order
        "00" * 31 + "01",  # the identity
        "ff" * 32,
        "7" * 63,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",  # of small order, written backwards
        "00" * 32,  # of order 4
    ],
)
async def test_a_point_that_is_not_of_order_q_is_refused(browser: Browser, server: PageServer, written: str) -> None:
    visitor = await Visitor.opens(browser, server)
    script = "try { group.readPoint(facts); return 'read'; } catch (error) { return 'refused'; }"

    assert await run(visitor, script, written) == "refused"
