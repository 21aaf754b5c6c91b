"""The count as it is typed: two steps with trustees at home, one step, and a ballot that was tested."""

import json
from pathlib import Path

import pytest
from counted_town import CountedTown, open_town
from counting import close, share_files
from ended_worker import let_one_be_killed
from prepared import SECRETS
from trustee_town import an_election, dealt
from typed import says, types

from bot.commands.trustee import NotDecrypted
from voting import secrets_file
from voting.ballots.ballot import seal_code
from voting.ballots.credential import public_credential
from voting.ballots.group import write_point
from voting.ballots.refusals import BallotRefusal, FieldWrong
from voting.ballots.seal import draw_randomness, seal
from voting.ballots.trustee_refusals import TooFewDecryptions, TrusteeRefusal
from voting.refusals import Refusal, SmallPoll
from voting.store.database import Database


class Desk:
    """A closed poll of three for North and two for South, and a prompt."""

    def __init__(self, folder: Path, town: CountedTown) -> None:
        self.folder, self.town = folder, town

    async def refuses(self, *words: str) -> BaseException:
        result = await types(*words)
        assert isinstance(result.exception, Refusal | TrusteeRefusal | BallotRefusal), result.exception or result.output
        return result.exception

    async def decrypts(self, index: int, *words: str) -> str:
        """Let a trustee decrypt at home."""
        share = f"shares/share-{index}-of-3.json"
        return await says(
            "trustee", "decrypt", "tally", "--share", share, "--out", f"decryption-{index}.json", *words, answer="y\n"
        )


@pytest.fixture
async def desk(database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A poll that is closed, with every trustee's share."""
    town = await open_town(database, 6)
    await town.votes(town.letters[:3], 0)
    await town.votes(town.letters[3:5], 1)
    await close(town)
    secrets_file.save(tmp_path / "secrets", SECRETS)
    for name, value in {"DATABASE_URL": database_url, "SECRETS_FILE": str(tmp_path / "secrets")}.items():
        monkeypatch.setenv(f"BALLOTLINE_{name}", value)
    monkeypatch.chdir(tmp_path)
    share_files(town, tmp_path / "shares")
    return Desk(tmp_path, town)


async def test_two_trustees_decrypt_at_home(desk: Desk) -> None:
    said = await says("tally", "begin", "--out", "tally")
    assert "send it whole to every trustee" in said
    assert "--share share-1-of-3.json --out" in said
    (desk.folder / "head.json").write_text(await says("head", "--json"))

    shown = await desk.decrypts(1, "--head", "head.json")
    again = await desk.decrypts(3, "--yes")

    for name, value in {
        "credentials issued before the opening": "6",
        "credentials issued after the opening": "0",
        "ballots": "5",
    }.items():
        assert any(line.split() == [*name.split(), value] for line in shown.splitlines()), shown
    head = json.loads((desk.folder / "head.json").read_text())
    assert f"entry {head['seq']}, {head['hash']}" in shown
    assert "send it to the officer" in again
    result = json.loads(
        await says(
            "tally",
            "finish",
            "--decryption",
            "decryption-1.json",
            "decryption-3.json",
            "--out",
            "tally",
            "--publish-small",
            "--json",
        )
    )
    assert ([row["votes"] for row in result["questions"][0]["options"]], result["bundle"]) == ([3, 2], "tally")


async def test_what_a_trustee_says_no_to_is_not_decrypted(desk: Desk) -> None:
    await says("tally", "begin", "--out", "tally", "--json")

    words = ("trustee", "decrypt", "tally", "--share", "shares/share-1-of-3.json", "--out", "d.json")
    assert (await types(*words, answer="n\n")).exit_code == 1

    assert not list(desk.folder.glob("d.json"))
    assert not list(desk.folder.glob("shares/*.tally"))


async def test_a_trustee_does_not_decrypt_what_does_not_verify(desk: Desk) -> None:
    await says("tally", "begin", "--out", "tally")
    archive = next((desk.folder / "tally" / "belenios").iterdir())
    whole = bytearray(archive.read_bytes())
    whole[len(whole) // 2] ^= 1
    archive.write_bytes(whole)

    refusal = await desk.refuses(
        "trustee", "decrypt", "tally", "--share", "shares/share-1-of-3.json", "--out", "d.json", "--yes"
    )

    assert isinstance(refusal, NotDecrypted)
    assert "tally does not verify, so nothing was decrypted" in str(refusal)
    assert not list(desk.folder.glob("shares/*.tally"))


async def test_a_trustee_whose_check_was_cut_off_is_told_so_and_decrypts_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await says("tally", "begin", "--out", "tally")
    let_one_be_killed(monkeypatch)

    words = ("trustee", "decrypt", "tally", "--share", "shares/share-1-of-3.json", "--out", "d.json", "--yes")
    ended = await types(*words)

    assert ended.exit_code == 1
    assert "nothing is known of the bundle, check it again. Nothing was decrypted." in ended.output
    assert not list(desk.folder.glob("shares/*.tally"))


async def test_a_trustee_does_not_decrypt_another_chain_than_the_one_whose_head_was_kept(desk: Desk) -> None:
    await says("tally", "begin", "--out", "tally")
    head = json.loads(await says("head", "--json"))
    (desk.folder / "head.json").write_text(json.dumps({**head, "seq": 2}))

    refusal = await desk.refuses(
        *("trustee", "decrypt", "tally", "--share", "shares/share-1-of-3.json", "--out", "d.json"),
        *("--yes", "--head", "head.json"),
    )

    assert isinstance(refusal, NotDecrypted)


async def test_a_missing_trustee_is_named(desk: Desk) -> None:
    await says("tally", "begin", "--out", "tally")
    await desk.decrypts(1)

    refusal = await desk.refuses("tally", "finish", "--decryption", "decryption-1.json", "--out", "tally")

    assert isinstance(refusal, TooFewDecryptions)


async def test_all_in_one_step(desk: Desk) -> None:
    shares = ["--share", "shares/share-1-of-3.json", "shares/share-2-of-3.json"]

    said = await says("count", *shares, "--out", "result")

    assert "North" in said
    assert "The bundle is in result" in said
    again = json.loads(await says("count", *shares, "--out", "again", "--json"))
    assert (again["votes"], again["bundle"]) == (5, "again")


async def test_few_ballots_are_published_only_when_the_officer_says_so(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = await open_town(database, 2)
    await town.votes(town.letters[:1], 0)
    await close(town)
    secrets_file.save(tmp_path / "secrets", SECRETS)
    monkeypatch.setenv("BALLOTLINE_DATABASE_URL", database_url)
    monkeypatch.setenv("BALLOTLINE_SECRETS_FILE", str(tmp_path / "secrets"))
    monkeypatch.chdir(tmp_path)
    desk = Desk(tmp_path, town)
    share_files(town, tmp_path / "shares")
    shares = ["--share", "shares/share-1-of-3.json", "shares/share-2-of-3.json"]

    assert isinstance(await desk.refuses("tally", "begin", "--out", "out"), SmallPoll)
    assert isinstance(await desk.refuses("count", *shares, "--out", "out"), SmallPoll)

    await says("tally", "begin", "--out", "out", "--publish-small")
    assert "1 votes" in await says("count", *shares, "--out", "out", "--publish-small")


async def test_a_tested_ballot_is_sealed_again(tmp_path: Path) -> None:
    election = an_election(dealt().trustees.election_key)
    draws = draw_randomness(election)
    credential = public_credential(7)
    tested = {
        "format": "ballotline tested 1",
        "uuid": election.uuid,
        "election_hash": election.hash,
        "credential": write_point(credential),
        "choices": [[0, 1]],
        "draws": [str(draw) for draw in draws],
        "seal_code": seal_code(seal(election, credential, [[0, 1]], draws)),
    }
    file, paper = tmp_path / "tested.json", tmp_path / "election.json"
    paper.write_bytes(election.written)
    file.write_text(json.dumps(tested))
    words = ["ballot", "check", str(file), "--election", str(paper)]

    said = await types(*words)
    told = json.loads(await says(*words, "--json"))

    assert said.exit_code == 0, said.output
    assert "Who?  South" in said.stdout
    assert told == {"ok": True, "held": [["South"]], "seal_code": tested["seal_code"]}
    file.write_text(json.dumps({**tested, "choices": [[1, 0]]}))
    assert isinstance((await types(*words)).exception, FieldWrong)
