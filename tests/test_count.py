"""The count and its bundle: refused until all is in order, right, and checkable by strangers (promise 7)."""

import asyncio
import json
import random
import shutil
from pathlib import Path

import pytest
from electorate import Electorate, open_electorate
from prepared import NOW, SECRETS
from sqlalchemy import insert

from voting import bundle_format, polls, schema, shares
from voting.box import empty_tray
from voting.count import Papers, count, percent, result_of
from voting.database import Database
from voting.model import Poll
from voting.refusals import CannotCount
from voting.seal import create_election_key
from voting.shares import ShareForeign, TooFewShares
from voting.verify import verify


@pytest.fixture
async def voted(database: Database) -> Electorate:
    """Twelve members: seven for the first option, four for the second, one who did not vote."""
    town = await open_electorate(database, members=12)
    await asyncio.gather(*(town.votes(letter, option=int(n >= 7)) for n, letter in enumerate(town.letters[:11])))
    return town


async def close(town: Electorate) -> None:
    async with town.database.writing() as connection:
        await polls.close_poll(connection, actor="Gwen", now=NOW)
    await empty_tray(town.database, now=NOW)


def share_files(town: Electorate, folder: Path) -> list[Path]:
    folder.mkdir()
    return shares.write_shares(folder, town.key.shares)


async def counted(town: Electorate, tmp_path: Path) -> Path:
    await close(town)
    files = share_files(town, tmp_path / "shares")
    await count(town.database, files[:2], tmp_path / "result", secrets=SECRETS, actor="Gwen", now=NOW)
    return tmp_path / "result"


async def test_the_count_is_right_and_a_stranger_can_check_it(voted: Electorate, tmp_path: Path) -> None:
    out = await counted(voted, tmp_path)

    verdict = verify(out)

    assert verdict.problems == []
    assert verdict.ok
    assert [(row["option"], row["votes"]) for row in verdict.result["options"]] == [("North", 7), ("South", 4)]
    assert verdict.result["turnout_with_rejected"] == "91.67"
    receipt = (out / "receipts.txt").read_text().splitlines()[3]
    assert verify(out, receipt=receipt).receipt_found is True
    assert verify(out, receipt="AAAAA-AAAAA").receipt_found is False
    assert verify(out, expected_key=verdict.fingerprint).ok
    assert not verify(out, expected_key="0000").ok


async def test_counting_again_gives_the_same_result(voted: Electorate, tmp_path: Path) -> None:
    """A crash between the result and the bundle leaves nothing undone."""
    out = await counted(voted, tmp_path)
    again = tmp_path / "again"
    files = sorted((tmp_path / "shares").iterdir())

    await count(voted.database, files[1:], again, secrets=SECRETS, actor="Huw", now=NOW)

    assert (again / "result.json").read_bytes() == (out / "result.json").read_bytes()
    assert verify(again).ok
    with pytest.raises(CannotCount, match="not an empty folder"):
        await count(voted.database, files[:2], again, secrets=SECRETS, actor="Huw", now=NOW)


async def test_an_open_poll_is_not_counted(voted: Electorate, tmp_path: Path) -> None:
    files = share_files(voted, tmp_path / "shares")

    with pytest.raises(CannotCount, match="is open"):
        await count(voted.database, files, tmp_path / "out", secrets=SECRETS, actor="Gwen", now=NOW)


async def test_a_full_tray_is_not_counted(voted: Electorate, tmp_path: Path) -> None:
    async with voted.database.writing() as connection:
        await polls.close_poll(connection, actor="Gwen", now=NOW)
    files = share_files(voted, tmp_path / "shares")

    with pytest.raises(CannotCount, match="tray"):
        await count(voted.database, files, tmp_path / "out", secrets=SECRETS, actor="Gwen", now=NOW)


async def test_a_broken_probe_stops_the_count(voted: Electorate, tmp_path: Path) -> None:
    """A ballot that nobody cast lies in the box."""
    await close(voted)
    async with voted.database.writing() as connection:
        await connection.execute(insert(schema.box).values(id=b"i" * 16, sealed=b"s" * 80))
    files = share_files(voted, tmp_path / "shares")

    with pytest.raises(CannotCount, match="do not hold"):
        await count(voted.database, files, tmp_path / "out", secrets=SECRETS, actor="Gwen", now=NOW)


async def test_one_share_or_a_foreign_share_opens_nothing(voted: Electorate, tmp_path: Path) -> None:
    await close(voted)
    files = share_files(voted, tmp_path / "shares")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    others = shares.write_shares(foreign, create_election_key(3, 2, poll_id="other").shares)

    with pytest.raises(TooFewShares):
        await count(voted.database, files[:1], tmp_path / "out", secrets=SECRETS, actor="Gwen", now=NOW)
    with pytest.raises(ShareForeign):
        await count(voted.database, [files[0], others[1]], tmp_path / "out", secrets=SECRETS, actor="Gwen", now=NOW)
    assert not (tmp_path / "out").exists()


def test_both_turnouts_are_those_of_the_case() -> None:
    """172,437 members, 81,326 and 60,399 votes, 654 rejected papers: 82.57 % with and 82.19 % without."""
    papers = Papers(locked=10_654, rejected=654, set_aside=0, counted=(5_000, 5_000), justification=None)
    poll = Poll.__new__(Poll)
    object.__setattr__(poll, "options", ("Truss", "Sunak"))
    object.__setattr__(poll, "id", "case")

    result = result_of(poll, (76_326, 55_399), papers, 172_437)

    assert (result["turnout_with_rejected"], result["turnout_without_rejected"]) == ("82.57", "82.19")
    assert percent(0, 0) == "0.00"


@pytest.mark.parametrize("engine_name", ["sqlite"])  # the bundle's bytes are the same story on either engine
@pytest.mark.parametrize("name", bundle_format.EVERYTHING)
async def test_one_changed_byte_is_named(voted: Electorate, tmp_path: Path, name: str) -> None:
    """Wherever a byte is flipped, put in or taken out, the check fails and names the file."""
    out = await counted(voted, tmp_path)
    original = (out / name).read_bytes()
    pick = random.Random(name)
    for place in sorted({0, len(original) - 1, *(pick.randrange(len(original)) for _ in range(25))}):
        flipped = original[:place] + bytes([original[place] ^ 1]) + original[place + 1 :]
        for changed in (flipped, original[:place] + original[place + 1 :], original[:place] + b"0" + original[place:]):
            if changed == original:
                continue
            (out / name).write_bytes(changed)
            problems = verify(out).problems
            assert name in {problem.file for problem in problems}, (place, changed[max(0, place - 20) : place + 20])
            if name in {"box.txt", "receipts.txt", "chain.jsonl", "heads.jsonl", "openings.txt"}:
                line = original[:place].count(b"\n") + 1
                named = {problem.line for problem in problems if problem.file == name}
                assert named & {line, line + 1}, (place, problems)


async def test_a_missing_and_a_foreign_file_are_named(voted: Electorate, tmp_path: Path) -> None:
    out = await counted(voted, tmp_path)
    (out / "box.txt").unlink()
    (out / "extra.txt").write_text("x")

    problems = verify(out).problems

    assert {problem.file for problem in problems} == {"box.txt", "extra.txt"}
    assert verify(tmp_path / "nowhere").problems[0].what == "there is no such folder"


async def test_a_bundle_signed_anew_after_a_change_still_fails(voted: Electorate, tmp_path: Path) -> None:
    """Whoever holds the signing key and changes the result has to change the chain too, whose heads others kept."""
    out = await counted(voted, tmp_path)
    result = json.loads((out / "result.json").read_text())
    result["options"][0]["votes"] += 1
    changed = {path.name: path.read_bytes() for path in out.iterdir()}
    changed["result.json"] = (json.dumps(result, sort_keys=True, indent=1) + "\n").encode()
    from nacl.signing import SigningKey

    hashed = [
        f"{name}:{bundle_format.line_hash(line)}"
        for name in bundle_format.CONTENT
        for line in changed[name].split(b"\n")
    ]
    changed["lines.txt"] = ("\n".join(hashed) + "\n").encode()
    manifest = json.loads(changed["manifest.json"])
    manifest["files"] = {name: bundle_format.sha256(changed[name]) for name in manifest["files"]}
    changed["manifest.json"] = (json.dumps(manifest, sort_keys=True, indent=1) + "\n").encode()
    signature = SigningKey(SECRETS.signing_key).sign(changed["manifest.json"]).signature
    changed["manifest.sig"] = signature.hex().encode() + b"\n"
    shutil.rmtree(out)
    out.mkdir()
    for name, content in changed.items():
        (out / name).write_bytes(content)

    files = {problem.file for problem in verify(out).problems}

    assert files == {"result.json", "chain.jsonl"}
