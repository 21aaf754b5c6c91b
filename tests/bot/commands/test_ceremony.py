"""The trustees' ceremony as it is typed: three trustees at home, an officer, and an election that all agree to."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from prepared import line
from typer.testing import CliRunner

from bot import cli
from bot.commands.several import _spread
from voting.ballots.refusals import BallotRefusal
from voting.ballots.trustee_refusals import FileDamaged, FileForeign, TrusteeRefusal
from voting.refusals import PollNotReady, Refusal
from voting.trustees.refusals import FileTaken, SecretMissing

ROOT = Path(__file__).parents[3]
POLL = (ROOT / "examples" / "poll.toml").read_text(encoding="utf-8")


class Desk:
    """A folder and a prompt; each trustee has a folder of their own in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def says(self, *words: str, types: str = "") -> str:
        result = CliRunner().invoke(cli.build(), list(words), input=types)
        assert result.exit_code == 0, result.exception or result.output
        return result.output

    def refuses(self, *words: str) -> BaseException:
        result = CliRunner().invoke(cli.build(), list(words))
        assert isinstance(result.exception, Refusal | TrusteeRefusal | BallotRefusal), result.exception or result.output
        return result.exception

    def files(self, *patterns: str) -> list[str]:
        return [str(path.relative_to(self.folder)) for each in patterns for path in sorted(self.folder.glob(each))]

    @property
    def certificates(self) -> list[str]:
        return ["--certificates", *self.files("?/certificate-*")]

    @property
    def polynomials(self) -> list[str]:
        return ["--polynomials", *reversed(self.files("?/polynomial-*"))]

    @property
    def publics(self) -> list[str]:
        return ["--publics", *self.files("?/key-*", "1/key-*")]

    def ceremony(self) -> str:
        for index in "123":
            self.says("trustee", "new", "--index", index, "--of", "3", "--threshold", "2", "--out", index)
        for index in "123":
            self.says("trustee", "deal", index, *self.certificates)
        for index in "123":
            self.says("trustee", "finish", index, *self.certificates, *self.polynomials)
        return self.says("keys", "assemble", *self.certificates, *self.polynomials, *self.publics)

    def agrees(self, index: str, election: str = "election") -> str:
        share, out = f"{index}/share-{index}-of-3.json", f"{index}/yes-{election}.json"
        return self.says("trustee", "agree", "--share", share, "--election", election, "--out", out, types="y\n")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A poll with a roll and packs, waiting for its key."""
    for name in os.environ:
        if name.startswith("BALLOTLINE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "poll.toml").write_text(POLL, encoding="utf-8")
    from prepared import write_roll

    write_roll(tmp_path / "roll.csv", [line("1")])
    made = Desk(tmp_path)
    made.says("init", "poll.toml")
    made.says("roll", "import", "roll.csv")
    made.says("packs", "issue", "--print-file", "print.csv")
    return made


def test_a_whole_ceremony_from_the_first_secret_to_the_open_poll(desk: Desk) -> None:
    """Everybody reads the same fingerprint; the poll opens when the last of three has agreed."""
    assembled = desk.ceremony()
    read = [desk.says("trustee", "deal", index, *desk.certificates) for index in "123"]  # again: the same
    fingerprints = {mark for said in (*read, assembled) for mark in said.splitlines() if "of the ceremony:" in mark}
    assert len(fingerprints) == 1
    assert all("Read it aloud" in said for said in (*read, assembled))
    assert "yes of trustee 1, 2, 3" in str(desk.refuses("poll", "open"))
    shown = desk.says("keys", "election", "--out", "election")
    [fingerprint] = [mark for mark in shown.splitlines() if "Fingerprint of the election:" in mark]
    assert "good" in desk.says("keys", "test", "1/share-1-of-3.json", "--election", "election/election.json")
    assert "good" in desk.says("keys", "test", "1/share-1-of-3.json", "3/share-3-of-3.json")

    agreed = [desk.agrees(index) for index in "312"]

    assert all(fingerprint in said and "North Quay" in said for said in agreed)
    said = desk.says("keys", "agree", "3/yes-election.json", "1/yes-election.json", "3/yes-election.json")
    assert "Still missing: the yes of trustee 2" in said
    assert isinstance(desk.refuses("poll", "open"), PollNotReady)
    assert "the yes of trustee 2 is missing" in desk.says("poll", "status")
    assert "Every trustee has agreed" in desk.says("keys", "agree", "2/yes-election.json")
    desk.says("poll", "open")
    assert "the trustees made the key together" in desk.says("poll", "status")


def test_what_the_others_sent_is_enough_and_each_step_names_the_next(desk: Desk) -> None:
    """Our own certificate and polynomial are found in our folder, whether or not they lie with the others'."""
    for index in "12":
        said = desk.says("trustee", "new", "--index", index, "--of", "2", "--threshold", "2", "--out", index)
        assert f"ballotline trustee deal {index} --certificates" in said
    sent = {index: desk.files(f"{index}/certificate-*") for index in "12"}
    said = desk.says("trustee", "deal", "1", "--certificates", *sent["2"])
    assert "ballotline trustee finish 1 --certificates certificate-*.json" in " ".join(said.split())
    assert "--polynomials polynomial-*.json" in " ".join(said.split())
    desk.says("trustee", "deal", "2", "--certificates", *sent["1"], *sent["2"])

    desk.says("trustee", "finish", "1", "--certificates", *sent["2"], "--polynomials", *desk.files("2/polynomial-*"))

    assert desk.files("1/share-*") == ["1/share-1-of-2.json"]
    missing = desk.refuses("trustee", "deal", "1", "--certificates", *sent["1"])
    assert "of these trustees is missing: 2" in str(missing)


def test_a_poll_that_changes_after_the_yeses_waits_for_new_ones(desk: Desk) -> None:
    desk.ceremony()
    desk.says("keys", "election", "--out", "election")
    for index in "123":
        desk.agrees(index)
    desk.says("keys", "agree", *desk.files("?/yes-election.json"))
    changed = POLL.replace("North Quay", "North Pier")
    assert changed != POLL
    (desk.folder / "poll.toml").write_text(changed, encoding="utf-8")
    desk.says("init", "poll.toml")

    assert "yes of trustee 1, 2, 3" in str(desk.refuses("poll", "open"))
    assert isinstance(desk.refuses("keys", "agree", "1/yes-election.json"), FileForeign)
    assert isinstance(desk.refuses("keys", "election", "--out", "election"), FileTaken)
    desk.says("keys", "election", "--out", "second")
    for index in "123":
        desk.agrees(index, "second")
    desk.says("keys", "agree", *desk.files("?/yes-second.json"))
    desk.says("poll", "open")


def test_a_trustee_who_says_no_has_written_nothing(desk: Desk) -> None:
    desk.ceremony()
    desk.says("keys", "election", "--out", "election")
    words = ("--share", "1/share-1-of-3.json", "--election", "election", "--out", "1/yes.json")

    declined = CliRunner().invoke(cli.build(), ["trustee", "agree", *words], input="n\n")

    assert declined.exit_code == 1
    assert desk.files("1/yes*", "1/*.uuid") == []
    desk.says("trustee", "agree", *words, "--yes")
    assert desk.files("1/yes*") == ["1/yes.json"]


@pytest.mark.parametrize("wrong", ["damaged", "foreign", "no secret", "two secrets", "another's share"])
def test_a_wrong_file_is_named_in_one_sentence(desk: Desk, wrong: str) -> None:
    desk.ceremony()
    certificate = desk.folder / "2" / "certificate-2-of-3.json"
    if wrong == "damaged":
        certificate.write_bytes(certificate.read_bytes()[:-5])
        assert isinstance(desk.refuses("trustee", "deal", "1", *desk.certificates), FileDamaged)
        assert "certificate-2-of-3.json is damaged" in str(
            desk.refuses("keys", "assemble", *desk.certificates, *desk.polynomials, *desk.publics)
        )
    elif wrong == "foreign":
        certificate.unlink()
        desk.says("trustee", "new", "--index", "2", "--of", "3", "--threshold", "2", "--out", "other")
        (desk.folder / "other" / "certificate-2-of-3.json").rename(certificate)
        said = desk.refuses("trustee", "finish", "1", *desk.certificates, *desk.polynomials)
        assert isinstance(said, FileForeign)
    elif wrong == "no secret":
        assert isinstance(desk.refuses("trustee", "deal", ".", *desk.certificates), SecretMissing)
    elif wrong == "two secrets":
        desk.says("trustee", "new", "--index", "2", "--of", "3", "--threshold", "2", "--out", "1")
        assert isinstance(desk.refuses("trustee", "deal", "1", *desk.certificates), SecretMissing)
    else:
        desk.says("keys", "create", "--trustees", "3", "--threshold", "2", "--out", "dealt")
        desk.says("keys", "election", "--out", "election")
        for words in (("--election", "election/election.json"), ()):
            assert "another key" in str(desk.refuses("keys", "test", "1/share-1-of-3.json", *words))


def test_a_refusal_about_a_file_is_one_sentence_on_standard_error(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever package it comes from: the trustees', or the ballots'."""
    (desk.folder / "election.json").write_text("{}")
    desk.says("keys", "create", "--trustees", "3", "--threshold", "2", "--out", "dealt")
    for words, said in (
        (["keys", "test", "nowhere.json"], "nowhere.json is damaged: it cannot be read"),
        (["keys", "test", "dealt/share-1-of-3.json", "--election", "election.json"], "is not as the rules have it"),
    ):
        monkeypatch.setattr("sys.argv", ["ballotline", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        assert ended.value.code == 1
        assert (len(told.err.splitlines()), said in told.err) == (1, True)


def test_a_dealer_s_key_opens_without_a_yes_and_says_so(desk: Desk) -> None:
    desk.says("keys", "create", "--trustees", "3", "--threshold", "2", "--out", "dealt")
    desk.says("poll", "open")

    assert "a dealer made the key" in desk.says("poll", "status")


@pytest.mark.parametrize(
    ("words", "spread"),
    [
        ("--certificates a b c", "--certificates a --certificates b --certificates c"),
        ("me --certificates a --polynomials p q", "me --certificates a --polynomials p --polynomials q"),
        ("--certificates a b --as Gwen", "--certificates a --certificates b --as Gwen"),
        ("--certificates a --certificates b", "--certificates a --certificates b"),
        ("--as Gwen c", "--as Gwen c"),
        ("--certificates", "--certificates"),
    ],
)
def test_an_option_of_several_files_takes_every_word_up_to_the_next(words: str, spread: str) -> None:
    assert _spread(words.split()) == spread.split()
