"""A stranger's check of the published bundle (promise 7): right bundles pass, and every wrong one is named."""

import asyncio
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from counting import close, counted, take_count, take_papers
from electorate import open_electorate
from forging import KEY, change, change_chain, change_json, change_lines, entry_of, write_heads
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey
from prepared import NOW, SECRETS, later
from voting.sealing import seal

from voting import secrets_file
from voting.audit import canonical, chain
from voting.audit.signer import Signer, entry_message, head_message
from voting.count.bundle import Head, _write_manifest
from voting.store.database import Database
from voting.store.upgrade import upgrade
from voting.verify import format as form
from voting.verify.verify import Verdict, verify


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of a poll of forty, with papers, an attempt and a head that was signed while the vote went on."""
    folder = tmp_path_factory.mktemp("counted")
    return asyncio.run(_whole_poll(folder))


async def _whole_poll(folder: Path) -> Path:
    database = Database(f"sqlite+aiosqlite:///{folder / 'poll.db'}", Signer(SECRETS))
    try:
        await upgrade(database)
        town = await open_electorate(database, members=40)
        await asyncio.gather(*(town.votes(letter, option=n % 3 % 2) for n, letter in enumerate(town.letters[:30])))
        await town.gives_codes(town.letters[0], chat="telegram:999")
        async with database.writing() as connection:
            await chain.sign_head(connection, NOW)
        await take_papers(town, folder, town.letters[29:36])
        await take_papers(town, folder, town.letters[36:37], status="rejected")
        await close(town)
        await take_count(town, folder, (4, 1), justification="One envelope was empty")
        return await counted(town, folder)
    finally:
        await database.close()


@pytest.fixture
def bundle(original: Path, tmp_path: Path) -> Path:
    """A copy to play with."""
    return Path(shutil.copytree(original, tmp_path / "bundle"))


def named(verdict: Verdict) -> set[str]:
    """Give the files in which something is wrong."""
    return {problem.file for problem in verdict.problems}


def test_a_right_bundle_passes_every_check(original: Path) -> None:
    verdict = verify(original)

    assert verdict.ok
    assert verdict.problems == ()
    assert len(verdict.checks) == 11
    assert verdict.result == json.loads((original / form.RESULT).read_bytes())
    assert verdict.result is not None
    assert verdict.result["votes"] == 35
    assert verdict.receipt_found is None
    assert re.fullmatch(r"([0-9a-f]{4} ){7}[0-9a-f]{4}", verdict.fingerprint)


def test_progress_is_told_while_the_box_is_opened(original: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voting.verify.box.PROGRESS_BALLOTS", 12)
    opened: list[int] = []

    verify(original, progress=opened.append)

    assert opened == [12, 24]


def test_a_member_finds_their_receipt(original: Path) -> None:
    receipt = (original / form.RECEIPTS).read_text().splitlines()[3]

    assert verify(original, receipt=f" {receipt.lower()}\n").receipt_found is True
    assert verify(original, receipt="AAAAA-AAAAA").receipt_found is False
    assert verify(original, receipt="").receipt_found is False


def test_a_receipt_is_not_looked_up_in_a_list_that_was_changed(bundle: Path) -> None:
    lines = (bundle / form.RECEIPTS).read_bytes().splitlines(keepends=True)
    (bundle / form.RECEIPTS).write_bytes(b"".join(lines[1:]))

    assert verify(bundle, receipt=lines[0].decode()).receipt_found is None


@pytest.mark.parametrize("write", [str, str.upper, lambda key: key.replace(" ", ""), lambda key: key.replace(" ", "-")])
def test_the_key_that_was_published_before_is_known_however_it_is_written(
    original: Path, write: Callable[[str], str]
) -> None:
    fingerprint = verify(original).fingerprint

    assert verify(original, expected_key=write(fingerprint)).ok


def test_another_key_than_the_expected_one_is_no_pass(original: Path) -> None:
    """A bundle made up as a whole agrees with itself."""
    verdict = verify(original, expected_key="0000 1111")

    assert not verdict.ok
    assert [(problem.file, problem.line) for problem in verdict.problems] == [(form.CHAIN, 1)]
    assert verdict.fingerprint in verdict.problems[0].what


@pytest.mark.parametrize("name", form.EVERYTHING)
def test_one_changed_byte_is_named_by_file_and_line(bundle: Path, name: str) -> None:
    """Wherever a byte is flipped, put in or taken out."""
    content = (bundle / name).read_bytes()
    pick = random.Random(name)
    places = {0, len(content) - 1, len(content) - 2, *(pick.randrange(len(content)) for _ in range(9))}
    for place in sorted(places):
        line = content[:place].count(b"\n") + 1
        changes = {
            "flipped": content[:place] + bytes([content[place] ^ (1 << pick.randrange(8))]) + content[place + 1 :],
            "taken out": content[:place] + content[place + 1 :],
            "put in": content[:place] + bytes([pick.randrange(256)]) + content[place:],
            "line feed put in": content[:place] + b"\n" + content[place:],
        }
        for how, changed in changes.items():
            if changed == content:
                continue
            (bundle / name).write_bytes(changed)
            verdict = verify(bundle)
            assert not verdict.ok, (how, place)
            assert named(verdict) == {name}, (how, place, verdict.problems)
            # A line feed put in before a line, or into a row of equal ones, may show one line later.
            assert {problem.line for problem in verdict.problems} <= {line, line + 1}, (how, place, verdict.problems)


@pytest.mark.parametrize("name", form.EVERYTHING)
def test_a_missing_file_is_named(bundle: Path, name: str) -> None:
    (bundle / name).unlink()

    problem = verify(bundle).problems[0]

    assert (problem.file, problem.line, problem.what) == (name, None, "is missing")


def test_a_file_that_is_no_part_of_it_is_named(bundle: Path) -> None:
    (bundle / "result-2.html").write_text("Somebody else won")
    (bundle / ".DS_Store").write_text("a file manager's")

    verdict = verify(bundle)

    assert [(problem.file, problem.what) for problem in verdict.problems] == [
        ("result-2.html", "is not part of the bundle")
    ]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    verdict = verify(tmp_path / "nowhere")

    assert not verdict.ok
    assert verdict.problems[0].what == "there is no such folder"


def test_an_empty_folder_lacks_everything(tmp_path: Path) -> None:
    assert named(verify(tmp_path)) == set(form.EVERYTHING) - {form.SIGNATURE}


def test_what_could_be_read_for_ever_is_not_opened(bundle: Path) -> None:
    (bundle / form.BOX).unlink()
    os.mkfifo(bundle / form.BOX)

    assert (form.BOX, "is not a file") in {(problem.file, problem.what) for problem in verify(bundle).problems}


def test_a_file_that_may_not_be_read_is_named(bundle: Path) -> None:
    (bundle / form.POLL).unlink()
    (bundle / form.POLL).mkdir()

    assert form.POLL in named(verify(bundle))


def test_two_changed_files_are_both_named(bundle: Path) -> None:
    for name in (form.BOX, form.RECEIPTS):
        lines = (bundle / name).read_bytes().splitlines(keepends=True)
        lines[4] = lines[4].replace(lines[4][:2], b"zz")
        (bundle / name).write_bytes(b"".join(lines))

    problems = verify(bundle).problems

    assert [(problem.file, problem.line) for problem in problems] == [(form.BOX, 5), (form.RECEIPTS, 5)]


def test_what_rests_on_a_changed_file_is_not_tried(bundle: Path) -> None:
    (bundle / form.BOX).write_bytes((bundle / form.BOX).read_bytes()[:-1])

    checks = {check.name: check for check in verify(bundle).checks}

    assert checks["The chain is unbroken"].ok
    assert checks["Every ballot in the box opens"].detail == "not tried, because of box.txt"


def test_lines_and_another_file_changed_together_are_both_named(bundle: Path) -> None:
    for name in (form.LINES, form.POSTAL):
        (bundle / name).write_bytes((bundle / name).read_bytes() + b"\n")

    verdict = verify(bundle)

    assert named(verdict) == {form.LINES, form.POSTAL}
    assert ("postal.json", None) in {(problem.file, problem.line) for problem in verdict.problems}


Lines = list[bytes]
Entries = list[dict[str, Any]]


def _swap(lines: Lines) -> None:
    lines[0], lines[1] = lines[1], lines[0]


def _twice(lines: Lines) -> None:
    lines.insert(1, lines[0])


def _drop(lines: Lines) -> None:
    del lines[2]


def _bare(lines: Lines) -> None:
    lines[-1] = lines[-1].rstrip(b"\n")


def _line(number: int, line: bytes) -> Callable[[Lines], None]:
    def act(lines: Lines) -> None:
        lines[number - 1] = line + b"\n"

    return act


def _another_ballot(lines: Lines) -> None:
    key = bytes.fromhex(_election_key(lines))
    lines[5] = seal.seal(key, 0, options=2).hex().encode() + b"\n"
    lines.sort()


_KEYS: dict[str, str] = {}


def _election_key(_lines: Lines) -> str:
    return _KEYS["election_key"]


def _ballot_of_five(lines: Lines) -> None:
    lines[0] = seal.seal(bytes.fromhex(_KEYS["election_key"]), 1, options=5).hex().encode() + b"\n"


# Whoever holds the signing key rewrites a line file: what stands in its way is the rest.
@pytest.mark.parametrize(
    ("name", "act", "line", "what"),
    [
        pytest.param(form.BOX, _swap, 2, "not in order", id="ballots swapped"),
        pytest.param(form.BOX, _twice, 2, "stands there twice", id="a ballot twice"),
        pytest.param(form.BOX, _drop, None, "not what the chain closed", id="a ballot dropped"),
        pytest.param(form.BOX, _another_ballot, None, "not what the chain closed", id="a ballot exchanged"),
        pytest.param(form.BOX, _ballot_of_five, 1, "does not hold a choice", id="a ballot with other options"),
        pytest.param(form.BOX, _line(1, b"0" * 160), 1, "not a ballot sealed", id="a ballot of nothing"),
        pytest.param(form.BOX, _line(1, b"00"), 1, "not 160 hexadecimal", id="a short ballot"),
        pytest.param(form.BOX, _line(3, b"A" * 160), 3, "not 160 hexadecimal", id="capital digits"),
        pytest.param(form.BOX, _bare, 30, "does not end with a line feed", id="no line feed at the end"),
        pytest.param(form.RECEIPTS, _swap, 2, "not in order", id="receipts swapped"),
        pytest.param(form.RECEIPTS, _twice, 2, "stands there twice", id="a receipt twice"),
        pytest.param(form.RECEIPTS, _drop, None, "not what the chain closed", id="a receipt dropped"),
        pytest.param(form.RECEIPTS, _line(30, b"ZZZZZ-ZZZZZ"), None, "not what the chain", id="a receipt exchanged"),
        pytest.param(form.RECEIPTS, _line(2, b"hello"), 2, "is not a receipt", id="not a receipt"),
        pytest.param(form.OPENINGS, _line(1, b"2"), 1, "should be '1'", id="an opening exchanged"),
        pytest.param(form.OPENINGS, _drop, 20, "should be '1'", id="an opening dropped"),
        pytest.param(form.OPENINGS, lambda lines: lines.pop(), 30, "is missing", id="the last opening dropped"),
        pytest.param(form.OPENINGS, lambda lines: lines.append(b"2\n"), 31, "should not be there", id="one more"),
        pytest.param(form.HEADS, lambda lines: lines.pop(), 3, "end of the chain is not signed", id="no last head"),
        pytest.param(form.HEADS, _twice, 2, "not in the order", id="a head twice"),
        pytest.param(form.HEADS, _line(1, b"{}"), 1, '"seq" is not a whole number', id="an empty head"),
        pytest.param(form.HEADS, _line(1, b"[]"), 1, "not a JSON object", id="no head at all"),
        pytest.param(form.HEADS, _line(1, b"{"), 1, "is not JSON", id="half a head"),
    ],
)
def test_a_line_that_is_forged_and_signed_is_found(
    bundle: Path, name: str, act: Callable[[Lines], None], line: int | None, what: str
) -> None:
    _KEYS["election_key"] = json.loads((bundle / form.POLL).read_bytes())["election_key"]
    change_lines(bundle, name, act)

    problem = verify(bundle).problems[0]

    assert (problem.file, problem.line) == (name, line), problem
    assert what in problem.what


@pytest.mark.parametrize(
    ("name", "act", "files", "what"),
    [
        pytest.param(
            form.RESULT,
            lambda value: value["options"][0].update(votes=999),
            {form.RESULT},
            'should be \'"votes"',
            id="more votes in the result",
        ),
        pytest.param(
            form.RESULT, lambda value: value.update(note="!"), {form.RESULT}, "should be", id="a remark in the result"
        ),
        pytest.param(
            form.POLL, lambda value: value.update(eligible=99), {form.POLL}, "should be", id="another number eligible"
        ),
        pytest.param(
            form.POLL, lambda value: value.pop("question"), {form.POLL}, "should be", id="a poll without a question"
        ),
        pytest.param(
            form.POSTAL, lambda value: value.update(votes=[1, 4]), {form.POSTAL}, "should be", id="papers moved over"
        ),
        pytest.param(
            form.POSTAL, lambda value: value.update(received=5), {form.POSTAL}, "should be", id="fewer papers received"
        ),
        pytest.param(
            form.KEY,
            lambda value: value.update(election_private_key="77" * 32),
            {form.KEY},
            "not the private half",
            id="another election key",
        ),
        pytest.param(
            form.KEY,
            lambda value: value.update(election_private_key="7"),
            {form.KEY},
            "not 64 hexadecimal digits",
            id="a short election key",
        ),
    ],
)
def test_a_value_that_is_forged_and_signed_is_found(
    bundle: Path, name: str, act: Callable[[dict[str, Any]], None], files: set[str], what: str
) -> None:
    change_json(bundle, name, act)

    verdict = verify(bundle)

    assert named(verdict) == files
    assert what in verdict.problems[0].what


def _without_fact(page: bytes) -> bytes:
    return page.replace(b'data-fact="eligible"', b'data-note="eligible"')


@pytest.mark.parametrize(
    ("act", "what"),
    [
        pytest.param(lambda page: page.replace(b">35<", b">53<"), "does not show what the result says", id="number"),
        pytest.param(lambda page: page.replace(b">North<", b">South<"), "does not show what the", id="name"),
        pytest.param(_without_fact, "does not show all of the result (eligible)", id="left out"),
        pytest.param(
            lambda page: page.replace(b"</main>", b'<p data-fact="votes">35</p></main>'), "something twice", id="twice"
        ),
        pytest.param(
            lambda page: page.replace(b"</main>", b'<p data-fact="winner">North</p></main>'),
            "does not show what the result says (winner)",
            id="invented",
        ),
        pytest.param(
            lambda page: page.replace(b"</main>", b"<script>x()</script></main>"), "must stand alone", id="script"
        ),
    ],
)
def test_a_page_that_says_something_else_is_found(bundle: Path, act: Callable[[bytes], bytes], what: str) -> None:
    change(bundle, form.PAGE, act)

    verdict = verify(bundle)

    assert named(verdict) == {form.PAGE}
    assert what in verdict.problems[0].what


@pytest.mark.parametrize("name", [form.RESULT, form.KEY])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"null\n", id="null"),
        pytest.param(b"[" * 100_000, id="nested without end"),
        pytest.param(b'{"a": "\\ud800"}\n', id="half a character"),
        pytest.param(b'{"a": ' + b"9" * 10_000 + b"}\n", id="an endless number"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param(b'{"a": 1}', id="written otherwise"),
        pytest.param(b" " * (form.SMALL_BYTES_MAX + 1), id="too long"),
    ],
)
def test_a_file_of_nonsense_is_a_problem_and_no_more(bundle: Path, name: str, content: bytes) -> None:
    change(bundle, name, lambda _: content)

    assert name in named(verify(bundle))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        pytest.param(b"[]\n", "is not a JSON object", id="a list"),
        pytest.param(b'{"files": {}}\n', '"poll.json" is not an object', id="without files"),
        pytest.param(b'{"files": 3}\n', '"files" is not an object', id="with a number"),
    ],
)
def test_a_manifest_of_nonsense_that_is_signed_is_a_problem(bundle: Path, content: bytes, what: str) -> None:
    _sign_manifest(bundle, content)

    problems = verify(bundle).problems

    assert [(problem.file, problem.what) for problem in problems] == [(form.MANIFEST, what)]


def test_a_manifest_of_another_format_is_a_problem(bundle: Path) -> None:
    content = (bundle / form.MANIFEST).read_bytes().replace(b"bundle 1", b"bundle 2")
    _sign_manifest(bundle, content)

    problem = verify(bundle).problems[0]

    assert (problem.file, problem.what) == (form.MANIFEST, 'should be \'"format": "ballotline bundle 1",\'')


def _sign_manifest(bundle: Path, content: bytes) -> None:
    signature = KEY.sign(form.manifest_message(content)).signature
    (bundle / form.MANIFEST).write_bytes(content)
    (bundle / form.SIGNATURE).write_bytes(signature.hex().encode() + b"\n")


def test_lines_of_nonsense_that_are_signed_are_a_problem_when_they_are_needed(bundle: Path) -> None:
    (bundle / form.LINES).write_bytes(b"poll.json 1 zz\n")
    _manifest_again(bundle)
    (bundle / form.BOX).write_bytes((bundle / form.BOX).read_bytes() + b"\n")

    problem = verify(bundle).problems[0]

    assert (problem.file, problem.line, problem.what) == (form.LINES, 1, "is not a row of digests")


def test_lines_whose_digest_alone_is_wrong_are_named(bundle: Path) -> None:
    manifest = json.loads((bundle / form.MANIFEST).read_bytes())
    manifest["files"][form.LINES]["sha256"] = "00" * 32
    _sign_manifest(bundle, form.readable(manifest))

    problem = verify(bundle).problems[0]

    assert (problem.file, problem.line, problem.what) == (form.LINES, None, "was changed")


def test_lines_that_are_signed_but_say_nothing_of_a_change_leave_the_file_named(bundle: Path) -> None:
    """A collision of short digests, or lines of digests made to hide a change."""
    before = (bundle / form.BOX).read_bytes()
    (bundle / form.BOX).write_bytes(before + b"00\n")
    rows = b"".join(form.line_rows(form.BOX, (before + b"00\n").splitlines(keepends=True)))
    (bundle / form.LINES).write_bytes(rows)
    _manifest_again(bundle, box=before)

    problem = verify(bundle).problems[0]

    assert (problem.file, problem.line, problem.what) == (form.BOX, None, "was changed")


def _manifest_again(bundle: Path, box: bytes | None = None) -> None:
    """Sign a manifest that fits all files but, if given, for another box."""
    now = (bundle / form.BOX).read_bytes()
    head = json.loads((bundle / form.HEADS).read_bytes().splitlines()[-1])
    poll_id = json.loads((bundle / form.POLL).read_bytes())["id"]
    (bundle / form.BOX).write_bytes(now if box is None else box)
    _write_manifest(bundle, poll_id, Head(head["seq"], head["hash"]), SECRETS)
    (bundle / form.BOX).write_bytes(now)


def _set(kind: str, **values: Any) -> Callable[[Entries], None]:
    def act(entries: Entries) -> None:
        entry_of(entries, kind)["body"].update(values)

    return act


def _remove(kind: str) -> Callable[[Entries], None]:
    def act(entries: Entries) -> None:
        entries.remove(entry_of(entries, kind))

    return act


def _again(kind: str, at: int) -> Callable[[Entries], None]:
    def act(entries: Entries) -> None:
        entry = entry_of(entries, kind)
        entries.insert(len(entries) if at == -1 else at, entry | {"body": dict(entry["body"])})

    return act


def _key_changed(entries: Entries) -> None:
    entries.insert(2, entries[0] | {"kind": "poll_changed", "body": entries[0]["body"] | {"signing_key": "00" * 32}})


def _late_vote(entries: Entries) -> None:
    late = (later(days=60) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    entry_of(entries, form.VOTES_LOCKED)["at"] = int(late) * 1_000_000


def _justification_gone(entries: Entries) -> None:
    entry_of(entries, form.POSTAL_COUNTED)["body"]["justification"] = None


# The whole chain is rewritten, linked and signed again: only a head that somebody kept, and the rest, contradict it.
@pytest.mark.parametrize(
    ("act", "file", "what"),
    [
        pytest.param(_remove(form.COUNTED), form.CHAIN, "does not end with the count", id="no count"),
        pytest.param(_remove(form.BOX_CLOSED), form.CHAIN, 'comes before "box_closed"', id="no promise of the box"),
        pytest.param(_remove(form.POLL_OPENED), form.CHAIN, "when the box was not open", id="never opened"),
        pytest.param(_remove(form.BALLOTS_BOXED), form.BOX, "but the chain 30 votes locked", id="fewer boxed"),
        pytest.param(_remove(form.VOTES_LOCKED), form.BOX, "votes locked and 30 ballots boxed", id="fewer votes"),
        pytest.param(_remove(form.PAPERS_IMPORTED), form.POSTAL, "should be", id="papers not imported"),
        pytest.param(_again(form.COUNTED, -1), form.CHAIN, "after the count", id="counted twice"),
        pytest.param(_again(form.VOTES_LOCKED, -3), form.CHAIN, "when the box was not open", id="a vote too late"),
        pytest.param(_late_vote, form.CHAIN, "outside the time for voting", id="a vote after the closing time"),
        pytest.param(_set(form.POLL_OPENED, opens_at="soon"), form.CHAIN, "is not a time", id="no opening time"),
        pytest.param(
            _set(form.POLL_OPENED, closes_at="2022-09-02T16:00"), form.CHAIN, "is not a time", id="a time without zone"
        ),
        pytest.param(_set(form.VOTES_LOCKED, n=-1), form.CHAIN, '"n" is below 0', id="votes below nothing"),
        pytest.param(_set(form.VOTES_LOCKED, n=True), form.CHAIN, '"n" is not a whole', id="a vote that is true"),
        pytest.param(_set(form.VOTES_LOCKED, n=10**30), form.CHAIN, '"n" is not a whole', id="endless votes"),
        pytest.param(_set(form.BOX_CLOSED, n=29), form.BOX, "not what the chain closed", id="another box promised"),
        pytest.param(_set(form.RECEIPTS_CLOSED, n=1), form.RECEIPTS, "not what the chain closed", id="receipts"),
        pytest.param(_set(form.COUNTED, result="0"), form.RESULT, "not the result on the chain", id="another result"),
        pytest.param(_set(form.PAPERS_IMPORTED, n_received=None), form.CHAIN, "n_received", id="papers unknown"),
        pytest.param(_set(form.POSTAL_COUNTED, votes=[["South", 1], ["North", 4]]), form.CHAIN, "order", id="order"),
        pytest.param(_set(form.POSTAL_COUNTED, votes=3), form.CHAIN, "not a list of options", id="no pairs"),
        pytest.param(_justification_gone, form.POSTAL, 'should be \'"justification": null', id="no reason"),
        pytest.param(_set("election_key_set", election_key="00"), form.POLL, "should be", id="a short public key"),
        pytest.param(_key_changed, form.CHAIN, "changes the signing key", id="another signing key half-way"),
        pytest.param(_set("poll_initialised", title="\x1b[2J"), form.POLL, "should be", id="a title for terminals"),
        pytest.param(lambda entries: entries[3].update(kind=3), form.CHAIN, '"kind" is not', id="a kind of 3"),
        pytest.param(lambda entries: entries[3].update(body=3), form.CHAIN, '"body" is not', id="a body of 3"),
        pytest.param(lambda entries: entries[3].update(extra=3), form.CHAIN, "is not written as", id="a word more"),
        pytest.param(lambda entries: entries[3].update(actor=3), form.CHAIN, '"actor" is not', id="an actor of 3"),
    ],
)
def test_a_chain_that_is_forged_and_signed_is_found(
    bundle: Path, act: Callable[[Entries], None], file: str, what: str
) -> None:
    change_chain(bundle, act)

    problem = verify(bundle).problems[0]

    assert (problem.file, what in problem.what) == (file, True), problem


def test_a_title_made_for_terminals_is_not_shown(bundle: Path) -> None:
    change_chain(bundle, _set("poll_initialised", title="\x1b[2J"))
    change_json(bundle, form.POLL, lambda value: value.update(title="\x1b[2J"))

    problem = verify(bundle).problems[0]

    assert (problem.file, problem.what) == (form.POLL, '"title" is not plain text')


@pytest.mark.parametrize(
    ("kind", "name", "value", "what"),
    [
        pytest.param("poll_initialised", "options", 3, '"options" is not a list', id="options"),
        pytest.param("poll_initialised", "question", None, '"question" is not plain text', id="question"),
        pytest.param("poll_initialised", "id", 7, '"id" is not plain text', id="id"),
    ],
)
def test_a_poll_of_nonsense_is_a_problem(bundle: Path, kind: str, name: str, value: object, what: str) -> None:
    change_chain(bundle, _set(kind, **{name: value}))
    change_json(bundle, form.POLL, lambda poll: poll.update({name: value}))

    assert what in {problem.what for problem in verify(bundle).problems}


@pytest.mark.parametrize(
    ("votes", "what"),
    [
        pytest.param(["4", 1], '"votes" is not a whole number', id="a text"),
        pytest.param([7, -1], "counts fewer papers than none", id="below nothing"),
    ],
)
def test_a_count_of_papers_that_is_none_is_found(bundle: Path, votes: list[Any], what: str) -> None:
    pairs = [[option, count] for option, count in zip(("North", "South"), votes, strict=True)]
    change_chain(bundle, _set(form.POSTAL_COUNTED, votes=pairs))
    change_json(bundle, form.POSTAL, lambda value: value.update(votes=votes))

    problem = verify(bundle).problems[0]

    assert (problem.file, problem.what) == (form.POSTAL, what)


def test_fewer_receipts_than_ballots_are_found(bundle: Path) -> None:
    """The chain, too, was made to promise one receipt less."""
    receipts = (bundle / form.RECEIPTS).read_bytes().splitlines()[:-1]
    digest = form.sha256(b"\n".join(receipts))
    change_chain(bundle, _set(form.RECEIPTS_CLOSED, n=29, receipts=digest))
    change(bundle, form.RECEIPTS, lambda _: b"".join(receipt + b"\n" for receipt in receipts))

    problem = verify(bundle).problems[0]

    assert (problem.file, problem.what) == (form.RECEIPTS, "has 29 receipts for 30 ballots")


def test_papers_whose_count_is_not_on_the_chain_are_found(bundle: Path) -> None:
    change_chain(bundle, _remove(form.POSTAL_COUNTED))

    problem = verify(bundle).problems[0]

    assert (problem.file, problem.line) == (form.POSTAL, 2)


def test_papers_that_differ_without_a_reason_are_found(bundle: Path) -> None:
    change_chain(bundle, _justification_gone)
    change_json(bundle, form.POSTAL, lambda value: value.update(justification=None))

    problem = verify(bundle).problems[0]

    assert (problem.file, problem.what) == (form.POSTAL, "counts 5 papers of 6 received, and does not say why")


def test_an_entry_out_of_its_place_is_found(bundle: Path) -> None:
    change_lines(bundle, form.CHAIN, _swap)

    problem = verify(bundle).problems[0]

    assert (problem.file, problem.line, problem.what) == (form.CHAIN, 1, "should be entry 1")


def test_an_entry_that_was_changed_is_found(bundle: Path) -> None:
    change_lines(bundle, form.CHAIN, lambda lines: lines.__setitem__(1, lines[1].replace(b"Gwen", b"Huw")))

    problem = verify(bundle).problems[0]

    assert (problem.file, problem.line) == (form.CHAIN, 2)
    assert "does not follow" in problem.what


@pytest.mark.parametrize(
    ("seq", "digest", "what"),
    [
        pytest.param(3, "00" * 32, "is not the hash of entry 3", id="of another chain"),
        pytest.param(999, "00" * 32, "that the chain does not have", id="of nothing"),
    ],
)
def test_a_head_that_is_signed_but_wrong_is_found(bundle: Path, seq: int, digest: str, what: str) -> None:
    last = json.loads((bundle / form.HEADS).read_bytes().splitlines()[-1])
    write_heads(bundle, dict(sorted({seq: digest, last["seq"]: last["hash"]}.items())))

    problem = next(problem for problem in verify(bundle).problems if problem.file == form.HEADS)

    assert what in problem.what


@pytest.mark.parametrize(
    ("act", "what"),
    [
        pytest.param(lambda head: head.update(signature="00" * 64), "is not signed by", id="a signature of nothing"),
        pytest.param(lambda head: head.update(signature="00"), "not 128 hexadecimal", id="a short signature"),
        pytest.param(lambda head: head.update(at=3), "is not written as", id="a word more"),
    ],
)
def test_a_head_that_is_not_signed_is_found(bundle: Path, act: Callable[[dict[str, Any]], None], what: str) -> None:
    def forge(lines: Lines) -> None:
        head = json.loads(lines[0])
        act(head)
        lines[0] = form.canonical(head) + b"\n"

    change_lines(bundle, form.HEADS, forge)

    problem = verify(bundle).problems[0]

    assert (problem.file, problem.line) == (form.HEADS, 1)
    assert what in problem.what


def test_a_bundle_signed_by_somebody_else_is_found(bundle: Path) -> None:
    """Each file is right; only the signature is another's."""
    content = (bundle / form.MANIFEST).read_bytes()
    signature = SigningKey.generate().sign(form.manifest_message(content)).signature
    (bundle / form.SIGNATURE).write_bytes(signature.hex().encode() + b"\n")

    problems = verify(bundle).problems

    assert [(problem.file, problem.line) for problem in problems] == [(form.SIGNATURE, 1)]


@pytest.mark.parametrize("line", [1, 4])
@pytest.mark.parametrize("signature", [SigningKey.generate().sign(b"entry").signature.hex(), "", "00" * 64])
def test_an_entry_that_the_polls_key_did_not_sign_is_found(bundle: Path, line: int, signature: str) -> None:
    def resign(lines: Lines) -> None:
        lines[line - 1] = form.canonical(json.loads(lines[line - 1]) | {"signature": signature}) + b"\n"

    change_lines(bundle, form.CHAIN, resign)

    problem = verify(bundle).problems[0]

    assert (problem.file, problem.line) == (form.CHAIN, line)
    assert "signature" in problem.what or "is not signed" in problem.what


def _heads_of(folder: Path) -> list[bytes]:
    return (folder / form.HEADS).read_bytes().splitlines(keepends=True)


def test_a_head_that_was_kept_is_in_the_chain(original: Path) -> None:
    verdict = verify(original, head=_heads_of(original)[0])

    assert verdict.ok
    assert verdict.checks[-1].name == "The chain has the head that was kept"


@pytest.mark.parametrize(
    ("head", "file", "what"),
    [
        (Signer(SECRETS).sign_head(5, b"x" * 32).line, form.CHAIN, "is not the entry of the head"),
        (Signer(SECRETS).sign_head(9_999, b"x" * 32).line, form.CHAIN, "is not the entry of the head"),
        (Signer(secrets_file.make()).sign_head(5, b"x" * 32).line, "the head that was kept", "is not signed"),
        (b"", "the head that was kept", "is not JSON"),
    ],
    ids=["another chain's", "of an entry that was dropped", "a stranger's", "empty"],
)
def test_a_head_that_was_kept_contradicts_another_chain(original: Path, head: bytes, file: str, what: str) -> None:
    """Signed by the same key, so somebody saw another chain."""
    (problem,) = verify(original, head=head).problems

    assert problem.file == file
    assert what in problem.what


def test_a_poll_whose_key_is_no_key_is_found(bundle: Path) -> None:
    """The chain's own signing key is nonsense, so nothing can be signed by it."""
    change_chain(bundle, _set("poll_initialised", signing_key="zz"))
    change_json(bundle, form.POLL, lambda value: value.update(signing_key="zz"))

    verdict = verify(bundle)

    assert not verdict.ok
    assert verdict.fingerprint == ""


def test_the_check_imports_nothing_of_ours_but_the_format() -> None:
    script = """if True:
        import sys, voting.verify.verify
        print(*(name for name in sys.modules if name.split(".")[0] in ("voting", "messages", "bot", "sqlalchemy")))
    """
    ran = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    ours = ran.stdout.split()

    assert {name for name in ours if not name.startswith("voting.verify")} == {"voting"}


def test_the_format_is_what_the_house_writes() -> None:
    """What verify repeats for itself is the same as what makes chain, heads and ballots."""
    body = {"n": 3, "b": ["é", None, True], "a": "Siân"}
    words = {"seq": 1, "at": NOW, "actor": "Gwen", "kind": "k", "body": body}
    micro = words | {"at": (NOW - form.EPOCH) // form.MICROSECOND}
    key = seal.create_election_key(1, 1, poll_id="p").public_key

    assert form.canonical(body) == canonical.canonical_json(body)
    assert form.entry_hash(micro, form.GENESIS) == chain.hash_of(**words, previous=chain.GENESIS)
    assert form.head_message(3, b"x" * 32) == head_message(3, b"x" * 32)
    assert form.entry_message("p", 3, b"x" * 32, b"y" * 32) == entry_message("p", 3, b"x" * 32, b"y" * 32)
    assert form.election_key_binding(key) == seal._binding(key)
    assert form.SEALED_BYTES == seal.SEALED_BYTES


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_a_percentage_is_rounded_half_up(part: int, whole: int) -> None:
    due = "0.00"
    if whole:
        due = str((Decimal(100 * part) / Decimal(whole)).quantize(Decimal("0.01"), ROUND_HALF_UP))

    assert form.percent(part, whole) == due


@pytest.mark.parametrize(
    ("part", "due"),
    [
        pytest.param(141_725 + 654, "82.57", id="with rejected papers"),
        pytest.param(141_725, "82.19", id="without"),
        pytest.param(0, "0.00", id="nobody"),
        pytest.param(172_437, "100.00", id="everybody"),
    ],
)
def test_turnouts_of_the_case(part: int, due: str) -> None:
    assert form.percent(part, 172_437) == due
