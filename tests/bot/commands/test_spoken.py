"""Commands speak the terminal's language; English is what scripts have always seen, and JSON knows no language."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from english_left import english_left
from made_bundle import Made
from prepared import NOW
from typed import says

from bot.commands import spoken
from bot.commands.importing import take_and_tell
from bot.commands.issuing import what_was_made, who_is_left
from bot.settings import Settings, terminal_languages
from bot.staff import rights  # noqa: F401 - its probe has a name
from messages.words.reasons import probe_text
from messages.words.texts import LOCALE_FOLDER, languages, templates
from voting.audit.probes import EQUAL
from voting.ballots.refusals import ProofWrong
from voting.ballots.trustee_refusals import FileDamaged, TrusteeRefusal
from voting.imports.report import ImportReport
from voting.packs.packs import Issued
from voting.poll import opening
from voting.refusals import CannotCount, NoPoll, NotEligible, PollNotOpen, PollNotReady, SecretsMissing
from voting.trustees import refusals  # noqa: F401 - the tree of refusals is whole
from voting.verify import checking, files
from voting.verify import format as form

NAMES = ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE")


@pytest.fixture
def welsh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "cy_GB.UTF-8")


@pytest.mark.parametrize(
    ("told", "wanted", "spoken_in"),
    [
        pytest.param({}, (), "en-GB", id="nothing said"),
        pytest.param({"LANG": "cy_GB.UTF-8"}, ("cy_GB",), "cy", id="LANG"),
        pytest.param({"LANG": "en_GB.UTF-8", "LC_MESSAGES": "cy_GB"}, ("cy_GB",), "cy", id="messages before LANG"),
        pytest.param({"LC_MESSAGES": "cy", "LC_ALL": "en_GB"}, ("en_GB",), "en-GB", id="all before messages"),
        pytest.param({"LANG": "cy", "LC_ALL": "C.UTF-8"}, (), "en-GB", id="C speaks no language"),
        pytest.param({"LANG": "C", "LANGUAGE": "cy"}, (), "en-GB", id="and hears of no other"),
        pytest.param({"LANG": "en_GB", "LANGUAGE": "fr:cy"}, ("fr", "cy", "en_GB"), "cy", id="the first that we have"),
        pytest.param({"LANG": "de_DE@euro"}, ("de_DE",), "en-GB", id="none that we have"),
    ],
)
def test_the_terminal_says_its_language_as_to_every_program(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, str], wanted: tuple[str, ...], spoken_in: str
) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in told.items():
        monkeypatch.setenv(name, value)

    assert terminal_languages() == wanted
    assert spoken.language() == spoken_in


async def test_a_trustee_at_home_reads_welsh(welsh: None, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    said = await says("trustee", "new", "--index", "1", "--of", "1", "--threshold", "1", "--out", str(folder))
    certificate, polynomial = folder / "certificate-1-of-1.json", folder / "polynomial-1-of-1.json"
    said += await says("trustee", "deal", str(folder), "--certificates", str(certificate))
    known = ("--certificates", str(certificate), "--polynomials", str(polynomial))
    said += await says("trustee", "finish", str(folder), *known)

    assert "Ôl bys y seremoni" in said
    assert "anfonwch hi at y swyddog" in said
    assert english_left(said, but=str(folder)) == set()


def test_a_refusal_is_said_in_the_terminals_language(welsh: None) -> None:
    assert spoken.sentence(NoPoll()) == "Nid oes pleidlais yma eto; gwnewch un gyda `ballotline init POLL.toml`."
    assert spoken.sentence(SecretsMissing(file="x")).startswith("Mae'r ffeil gyfrinachau x ar goll")
    assert spoken.sentence(FileDamaged(file="x", problem="y")) == "Mae x wedi'i difrodi: y."
    assert "ddydd" in spoken.sentence(PollNotOpen(opens_at=NOW, closes_at=NOW))


def test_english_is_each_refusals_own_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    for refusal in (NoPoll(), FileDamaged(file="x", problem="y"), PollNotOpen(opens_at=NOW, closes_at=NOW)):
        assert spoken.sentence(refusal) == str(refusal)
    assert spoken.moment(NOW) == f"{NOW:%Y-%m-%d %H:%M} UTC"
    assert spoken.written_moment(NOW.isoformat()) == NOW.isoformat()


def places(template: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", template))


def tree(kind: type[TrusteeRefusal]) -> set[type[TrusteeRefusal]]:
    return {kind}.union(*(tree(child) for child in kind.__subclasses__()))


@pytest.mark.parametrize("language", languages())
def test_every_trustees_refusal_has_its_text_and_names_only_its_facts(language: str) -> None:
    written = templates("commands", language)
    kinds = {f"trustee_refusal.{spoken._key(kind.__name__)}": kind for kind in tree(TrusteeRefusal)}

    assert {name for name in written if name.startswith("trustee_refusal.")} == kinds.keys()
    for name, kind in kinds.items():
        assert places(written[name]) <= places(kind.__doc__ or ""), name


def test_every_check_has_its_name() -> None:
    source = Path(checking.__file__).read_text(encoding="utf-8")
    names = {*re.findall(r'Step\(\s*"([^"]+)"', source), files._CHECK}
    english = templates("commands", "en-GB")

    assert len(names) > 20
    assert {name for name in english if name.startswith("check.")} == {f"check.{spoken._key(name)}" for name in names}
    assert all(english[f"check.{spoken._key(name)}"] == name for name in names)


@pytest.mark.parametrize("name", [*EQUAL, "the chain's newest entries are linked and signed"])
def test_every_probe_has_its_name(name: str) -> None:
    assert probe_text(name, "en-GB") == name
    assert probe_text(name, "cy") != name


@pytest.mark.parametrize("stage", [form.RESULTED, form.TALLIED])
async def test_a_bundle_is_checked_in_welsh(welsh: None, tmp_path: Path, stage: str) -> None:
    said = await says("verify", str(Made(stage=stage, kind="ceremony").write(tmp_path / "x")))

    assert "Mae'r gadwyn yn ddi-dor" in said
    assert "cytunodd 3 ymddiriedolwr iddo" in said
    assert english_left(said, but=f"{tmp_path} Leader Who North South") == set()


def test_a_detail_without_a_pattern_is_the_programs_own(welsh: None) -> None:
    assert spoken.said("to the byte") == "i'r beit"
    assert spoken.said("2 papers, 1 rejected, 0 set aside").startswith("papurau: 2;")
    assert spoken.said("chain.jsonl: is unlike all others") == "chain.jsonl: is unlike all others"


def test_a_problem_is_said_piece_by_piece(welsh: None) -> None:
    sentence = spoken.sentence(CannotCount(reason="these checks do not hold: online locks are ballots; no poll yet"))

    assert "nid yw'r gwiriadau hyn yn dal" in sentence
    assert english_left(sentence) == set()
    assert spoken.said_problem("poll.json, line 3: was changed") == "poll.json, llinell 3: cafodd ei newid"
    assert spoken.sentence(NotEligible(reason="joined_late")) != str(NotEligible(reason="joined_late"))
    assert spoken.sentence(ProofWrong("answers")) == "Nid yw answers yn profi'r hyn y mae'n rhaid iddo ei brofi."


def test_a_label_without_words_is_itself(welsh: None) -> None:
    assert spoken.name_of("ballots") == "pleidleisiau ar-lein"
    assert spoken.name_of("no such label") == "no such label"


def test_no_label_is_left_over() -> None:
    """A label is looked up by what the code calls it: each is called so somewhere."""
    code = " ".join(
        re.sub(r"[^a-z]+", "_", path.read_text(encoding="utf-8").lower())
        for floor in ("bot", "messages", "voting")
        for path in (LOCALE_FOLDER.parents[1] / floor).rglob("*.py")
    )
    with (LOCALE_FOLDER / "en_GB" / "LC_MESSAGES" / "commands.po").open("rb") as file:
        labels = [str(one.id).removeprefix("field.") for one in read_po(file) if str(one.id).startswith("field.")]

    assert labels
    assert [label for label in labels if label not in code] == []


def test_what_the_opening_misses_is_said_piece_by_piece(welsh: None) -> None:
    missing = (
        "the yes of trustee 1, 3 to exactly this election (`ballotline keys agree`), packs (`ballotline packs issue`)"
    )
    sentence = spoken.sentence(PollNotReady(missing=missing))

    assert "cytundeb ymddiriedolwr 1, 3 i'r union" in sentence
    assert english_left(sentence) == set()


def test_an_import_s_report_is_said_in_welsh(welsh: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = ImportReport(added=2, notes=["2 members may vote (before: 0)."])
    report.reject(3, "", "a control character in the member_no")
    report.warn(4, "7", "no name and no address: no pack is made unless told")

    take_and_tell(tmp_path / "x", lambda _: report, dry_run=True)
    told = capsys.readouterr().out

    assert "Mae 2 aelod yn cael pleidleisio" in told
    assert english_left(told, but=f"{tmp_path} report csv member_no") == set()


@pytest.mark.parametrize("encrypted", [True, False])
def test_what_packs_issue_made_is_said_in_welsh(welsh: None, *, encrypted: bool) -> None:
    made = Issued(packs=2, left=3, nowhere=1, eligible=5, file=Path("x"), sources=(Path("y"),))
    told = " ".join([what_was_made(made, encrypted=encrypted), *who_is_left(made, [])])

    assert "Pecynnau yn x: 2" in told
    assert "Nesaf: rhowch x i'r cwmni postio" in told
    assert english_left(told) == set()


def test_what_the_opening_misses_has_the_english_that_it_is_known_by() -> None:
    source = Path(opening.__file__).read_text(encoding="utf-8")
    for key, english in templates("words", "en-GB").items():
        if key.startswith("missing."):
            assert english in source, key


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_setting_is_explained_in_english_as_where_it_is_declared(name: str) -> None:
    explained = templates("commands", "en-GB")[f"setting.{name}"].format(path="/bot<token>")

    assert explained == Settings.model_fields[name].description


def test_what_goes_into_json_is_english_and_what_follows_is_not(welsh: None) -> None:
    with spoken.in_english(on=True):
        assert spoken.language() == "en-GB"
        assert spoken.text("commands", "found.off") == "off"
    with spoken.in_english(on=False):
        assert spoken.language() == "cy"
    assert spoken.language() == "cy"
