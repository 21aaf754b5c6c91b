"""Every command speaks the terminal's language: what it prints for a person stands in a catalogue, word for word.

Welsh is English with its letters marked here. What is printed unmarked is a sentence that somebody forgot.
"""

import asyncio
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
import typer
from marked_words import marked, unmarked, welsh_is_marked
from prepared import line, write_roll
from sqlalchemy import insert, select
from typed import types

from bot import cli
from bot.commands import spoken, terminal
from bot.commands.begun import told
from bot.house import clock
from bot.sandbox import Sandbox
from bot.settings import Settings
from bot.staff import enrolment
from bot.staff.roles import Role
from messages.schema import pacer
from voting import schema, secrets_file
from voting.audit.signer import Signer
from voting.ballots.refusals import BallotRefusal
from voting.ballots.trustee_refusals import TrusteeRefusal
from voting.model import By
from voting.refusals import Refusal
from voting.store.database import Database

ROOT: Final = Path(__file__).parents[3]
POLL: Final = (ROOT / "examples" / "poll.toml").read_text(encoding="utf-8")
# What people wrote, and names that are the same in every language.
OWN: Final = "Gwen Huw The boathouse ballot Where shall the new boathouse stand North Quay South ours ocen Yorkshire"
# No words for staff: a story for whoever tries the program out, the columns of a file. The service: see below.
ELSEWHERE: Final = {("demo",), ("template",), ("run",)}


@dataclass(frozen=True)
class Run:
    """A command as it is typed, in one line; `answer` to what it asks, `own` words of somebody in what it prints."""

    typed: str
    code: int = 0
    answer: str = ""
    own: str = ""
    settings: dict[str, str] = field(default_factory=dict)


Step = Run | Callable[["Life"], Awaitable[None]]


@dataclass
class Life:
    """A folder in which a whole poll is lived, command by command."""

    folder: Path
    patch: pytest.MonkeyPatch
    left: dict[str, set[str]] = field(default_factory=dict)

    def database(self) -> Database:
        """Open the poll's database beside the commands."""
        secrets = self.folder / "ballotline.secrets"
        signer = Signer.beside(secrets_file.load(secrets), secrets)
        return Database(f"sqlite+aiosqlite:///{self.folder / 'ballotline.db'}", signer)

    async def runs(self, run: Run) -> None:
        """Type a command, and look at every word that it prints."""
        for name, value in run.settings.items():
            self.patch.setenv(name, value)
        done = await types(*shlex.split(run.typed), answer=run.answer)
        said = done.output
        if isinstance(done.exception, (Refusal, TrusteeRefusal, BallotRefusal)):
            said += spoken.sentence(done.exception)
        else:
            assert isinstance(done.exception, (SystemExit, type(None))), done.exception
        assert done.exit_code == run.code, f"{run.typed}: {done.exit_code} {said}"
        assert said.strip(), run.typed
        if found := unmarked(said, f"{OWN} {run.own} {self.folder}"):
            self.left[run.typed] = found


async def _enrol(life: Life) -> None:
    """Put somebody on the staff."""
    database = life.database()
    async with database.writing() as connection:
        token = await enrolment.invite_staff(connection, Role.OFFICER, by=By("Gwen", "command line", clock()))
        await enrolment.enrol(connection, token, user_id=7, called="Gwen", language="cy", now=clock())
    await database.close()


async def _hold_texts(life: Life) -> None:
    """Let texts be held back as after Twilio's limit."""
    database = life.database()
    async with database.writing() as connection:
        await connection.execute(insert(pacer).values(provider="twilio", beat=1, hold_until=clock().replace(year=2099)))
    await database.close()


async def _make_case(life: Life) -> None:
    """Let there be a case of a member, as an attempt makes it."""
    database = life.database()
    async with database.writing() as connection:
        pack = (await connection.execute(select(schema.pack.c.id, schema.pack.c.member_id).limit(1))).one()
        case = {"id": 1, "member_id": pack.member_id, "opened_at": clock(), "state": "open", "version": 1}
        await connection.execute(insert(schema.case).values(**case))
        attempt = {"case_id": 1, "member_id": pack.member_id, "kind": "foreign", "at": clock(), "chat": "telegram:7"}
        await connection.execute(insert(schema.attempt).values(**attempt, pack_id=pack.id, occasion="a"))
    await database.close()


async def _move(life: Life) -> None:
    """Go to another machine, where nothing is yet."""
    (life.folder / "new").mkdir()
    life.patch.setenv("BALLOTLINE_DATABASE_URL", f"sqlite+aiosqlite:///{life.folder / 'new' / 'ballotline.db'}")
    life.patch.setenv("BALLOTLINE_SECRETS_FILE", str(life.folder / "new" / "secrets"))


async def _keep_head(life: Life) -> None:
    """Keep the newest head elsewhere."""
    (life.folder / "head.json").write_text((await types("head", "--json")).stdout)


NOTICE: Final = "ours ocen GBP Reply STOP to end"  # the last as members read it in English
LIFE: Final[tuple[Step, ...]] = (
    Run("setup", code=1),
    Run("init nowhere.toml", code=1),
    Run("init poll.toml"),
    Run("doctor", code=1, own="INFO text"),
    Run("head", code=1),
    Run("audit"),
    Run("keys create --trustees 1 --threshold 1 --out shares"),
    Run("keys test shares/share-1-of-1.json"),
    Run("trustee new --index 1 --of 1 --threshold 1 --out me"),
    Run("trustee deal me --certificates me/certificate-1-of-1.json"),
    Run("trustee finish me --certificates me/certificate-1-of-1.json --polynomials me/polynomial-1-of-1.json"),
    Run(
        "keys assemble --certificates me/certificate-1-of-1.json --polynomials me/polynomial-1-of-1.json"
        " --publics me/key-1-of-1.json"
    ),
    Run("roll import roll.csv", own="zz"),
    Run("roll lapse 0100002 --reason gone"),
    Run("roll restore 0100002"),
    Run("roll lapse --file gone.csv --reason gone --dry-run --yes"),
    Run("roll remove 0100003"),
    Run("packs issue --print-file print.csv"),
    Run("keys election --out election2"),
    Run("trustee agree --share me/share-1-of-1.json --election election2 --out yes-1.json", answer="y\n", own=POLL),
    Run("keys agree yes-1.json"),
    Run("poll status"),
    Run("poll open"),
    Run("poll rule poll.toml"),
    Run("window set 2030-08-01 2030-08-09 --reason ours"),
    Run("window list"),
    Run("head"),
    Run("doctor", own="INFO text"),
    Run("packs update events.csv"),
    Run("packs replace 0100001 --print-file again.csv --reason ours --as Gwen"),
    Run("packs replace 0100001 --print-file again.csv --as Huw"),
    Run("packs unlock 0100001"),
    Run("staff list"),
    _enrol,
    Run("staff invite --role officer"),
    Run("staff list"),
    Run("staff duty 1"),
    Run("staff phone 1 '07700 900123'"),
    Run("staff phone 1 -"),
    Run("staff phone 1 12", code=1),
    Run("notice draft custom --text-file words.txt --as Gwen", own=NOTICE),
    Run("notice show 1", own=NOTICE),
    Run("notice submit 1 --as Gwen"),
    Run("notice approve 1 --as Huw"),
    Run("notice send 1 --as Gwen"),
    Run("notice list"),
    Run("notice pause 1"),
    Run("notice resume 1"),
    Run("notice report 1 --csv told.csv"),
    Run("notice cancel 1"),
    Run("notice watch 1"),
    _hold_texts,
    Run("notice resume-texts --reason ours"),
    Run("member show 0100001"),
    Run("member channels-back --channel telegram --from 2022-08-01 --until 2022-08-02 --reason ours --dry-run"),
    Run("member channels-back --channel telegram --from 2022-08-01 --until 2022-08-02 --reason ours"),
    Run("postal import postal.csv"),
    Run("backup backup.db"),
    Run("staff remove 1"),
    Run("privacy purge --yes", code=1),
    Run("poll close"),
    Run("postal count count.csv"),
    Run("trustee decrypt tally2 --share me/share-1-of-1.json --out decryption-1.json", code=1),
    Run("tally finish --decryption decryption-1.json --out tally2", code=1),
    Run("verify tally2", code=1),
    Run("tally begin --out tally2 --publish-small"),
    Run("trustee decrypt tally2 --share me/share-1-of-1.json --out decryption-1.json", answer="y\n"),
    Run("tally finish --decryption decryption-1.json --out tally2"),
    Run("count --share me/share-1-of-1.json --out again2 --publish-small"),
    Run("poll status"),
    Run("verify tally2"),
    Run("audit"),
    _keep_head,
    Run("privacy purge", answer="y\n"),
    _move,
    Run("restore backup.db --head head.json", own="INFO text"),
    Run("head resume --as Gwen"),
    Run("head resume --as Huw"),
    Run("rehearse --members 40"),
    Run("rehearse --members 2 --result A", code=1, own="A"),
)

# A poll with a case that cannot be: nobody has voted.
BROKEN: Final[tuple[Step, ...]] = (
    Run("init poll.toml"),
    Run("keys create --trustees 1 --threshold 1 --out shares"),
    Run("roll import roll.csv", own="zz"),
    Run("packs issue --print-file print.csv"),
    Run("poll open"),
    _make_case,
    Run("cases list"),
    Run("cases show 1"),
    Run("cases export cases.csv"),
    Run("member show 0100001"),
    Run("backup backup.db", code=1),
    Run("audit", code=1),
    Run("poll status"),
    Run("poll close"),
    Run("count --share shares/share-1-of-1.json --out again2", code=1),
)
LIVES: Final = {"whole": LIFE, "broken": BROKEN}


def _leaves(command: Any, above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    below = getattr(command, "commands", {})
    found = set().union(*(_leaves(one, (*above, name)) for name, one in below.items())) if below else set()
    return found | ({above} if command.callback is not None and above and not command.no_args_is_help else set())


def test_no_command_is_forgotten() -> None:
    typed = [tuple(shlex.split(step.typed)) for step in LIFE + BROKEN if isinstance(step, Run)]
    forgotten = {
        leaf
        for leaf in _leaves(typer.main.get_command(cli.build()))
        if not any(words[: len(leaf)] == leaf for words in typed)
    }

    assert forgotten == ELSEWHERE | {("ballot", "check")}


@pytest.fixture
async def life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Life]:
    (tmp_path / "here").mkdir()
    folder = tmp_path / "here"
    (folder / "poll.toml").write_text(POLL, encoding="utf-8")
    write_roll(folder / "roll.csv", [line("0100001"), line("0100002", phone="zz"), line("0100003", address_1="")])
    (folder / "gone.csv").write_text("member_no\n0100002\n")
    (folder / "events.csv").write_text("member_no,event,on\n0100001,dispatched,2022-08-01\n0100009,dispatched,soon\n")
    (folder / "words.txt").write_text("ours\n[cy]\nocen\n")
    (folder / "postal.csv").write_text("pack_code,received_at,status\nnone,2030-08-05T09:00,received\n")
    (folder / "count.csv").write_text("option,votes\nNorth Quay,0\nSouth Quay,0\n")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("LC_ALL", "cy_GB.UTF-8")
    monkeypatch.setattr(terminal.OUT, "_width", 400)
    async with Sandbox() as sandbox:
        monkeypatch.setenv("BALLOTLINE_TELEGRAM_TOKEN", sandbox.telegram.token)
        monkeypatch.setenv("BALLOTLINE_TELEGRAM_API_URL", sandbox.telegram.api_url)
        with pytest.MonkeyPatch.context() as patch, welsh_is_marked(patch, tmp_path / "locale"):
            yield Life(folder, monkeypatch)


@pytest.mark.parametrize("steps", LIVES.values(), ids=LIVES)
async def test_what_every_command_prints_stands_in_a_catalogue(life: Life, steps: tuple[Step, ...]) -> None:
    for step in steps:
        if isinstance(step, Run):
            await life.runs(step)
        else:
            await step(life)

    assert life.left == {}


@pytest.mark.usefixtures("life")
async def test_what_the_service_says_when_it_runs_stands_in_a_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(_env_file=None, telegram_token=None)

    async with told(settings, None) as ready:
        ready.set()
        await asyncio.sleep(0)
    said = capsys.readouterr().err

    assert len(said.splitlines()) == 2
    assert unmarked(said) == set()


def test_a_word_that_is_in_no_catalogue_is_seen() -> None:
    assert unmarked(marked("Next: {command}").format(command="ballotline run")) == set()
    assert unmarked(f"{marked('Next')}: start the service") == {"start", "the", "service"}
