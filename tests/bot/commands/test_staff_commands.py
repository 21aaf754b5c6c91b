"""`staff`, `cases`, `notice` and `privacy` on the command line, as a person and as a script uses them."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from prepared import NOW, SECRETS, chain_kinds, line, make_poll, open_with_key, take_roll, write_roll
from sqlalchemy import func, insert, select
from typer.testing import CliRunner, Result

from bot import cli
from bot.house import clock
from bot.sandbox import Sandbox
from messages import reach
from messages.schema import pacer
from voting import schema, secrets_file
from voting.model import By
from voting.poll import polls
from voting.refusals import PollStillOpen, Refusal
from voting.store.database import Database


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


class Shell:
    """A prompt in a folder with a poll of two members."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    async def __call__(self, *words: str, types: str = "") -> Result:
        return await asyncio.to_thread(CliRunner().invoke, cli.build(), list(words), input=types)

    async def says(self, *words: str) -> str:
        """Run a command that works."""
        result = await self(*words)
        assert result.exit_code == 0, result.exception or result.output
        return result.output

    async def refuses(self, *words: str) -> str:
        """Run a command that is refused."""
        result = await self(*words)
        assert isinstance(result.exception, Refusal), result.exception or result.output
        return str(result.exception)

    async def json(self, *words: str) -> dict:  # type: ignore[type-arg]
        """Run a command for a script: one JSON object and nothing else."""
        found = json.loads(await self.says(*words, "--json"))
        assert isinstance(found, dict)
        return found


@pytest.fixture
async def shell(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Shell]:
    await make_poll(database)
    roll = write_roll(tmp_path / "roll.csv", [line("100001"), line("100002", phone="07700 900124", language="cy")])
    await take_roll(database, roll)
    async with database.writing() as connection:
        await reach.sync_sms_channels(connection, NOW)
    secrets_file.save(tmp_path / "secrets", SECRETS)
    async with Sandbox() as sandbox:
        for name, value in {
            "DATABASE_URL": database_url,
            "SECRETS_FILE": str(tmp_path / "secrets"),
            "TELEGRAM_TOKEN": sandbox.telegram.token,
            "TELEGRAM_API_URL": sandbox.telegram.api_url,
        }.items():
            monkeypatch.setenv(f"BALLOTLINE_{name}", value)
        monkeypatch.chdir(tmp_path)
        yield Shell(sandbox)


async def test_an_invitation_is_a_link_to_our_bot(shell: Shell) -> None:
    found = await shell.json("staff", "invite", "--role", "officer")

    assert found["link"].startswith(f"https://t.me/{shell.sandbox.telegram.bot_username}?start=staff_")
    assert len(found["link"].partition("staff_")[2]) == 32
    told = await shell.says("staff", "invite", "--role", "comms")
    assert "https://t.me/" in told.splitlines()[0]
    assert "Next: they open it and press Start in Telegram" in told


async def test_without_telegram_there_is_no_invitation(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BALLOTLINE_TELEGRAM_TOKEN")

    assert "Telegram is off" in await shell.refuses("staff", "invite", "--role", "officer")


async def test_an_unknown_role_is_wrong_usage(shell: Shell) -> None:
    assert (await shell("staff", "invite", "--role", "king")).exit_code == 2


async def test_a_staff_that_is_empty_is_listed_as_such(shell: Shell) -> None:
    assert await shell.json("staff", "list") == {"staff": []}
    assert "none" in await shell.says("staff", "list")
    assert "There is nobody with the number 5" in await shell.refuses("staff", "remove", "5")


async def test_channels_that_went_off_by_mistake_come_back_by_one_command(shell: Shell, database: Database) -> None:
    async with database.writing() as connection:
        for member_id, chat in ((1, 7001), (2, 7002)):
            await reach.link_telegram(connection, member_id, chat, NOW)
            await reach.set_channel_state(
                connection, reach.TELEGRAM, str(chat), reach.State.BLOCKED, reason="blocked", now=NOW
            )
    day = NOW.date().isoformat()
    span = ("member", "channels-back", "--channel", "telegram", "--from", day, "--until", f"{day}T23:59")
    wanted = (*span, "--reason", "a proxy answered", "--as", "Gwen")

    assert (await shell.json(*wanted, "--dry-run"))["back"] == 2
    assert "2 telegram channels are on again." in await shell.says(*wanted)
    assert await shell.json(*wanted) == {"channel": "telegram", "back": 0, "by_error": {}, "dry_run": False}
    assert (await chain_kinds(database)).count("channels_back") == 2
    assert "is not a moment" in await shell.refuses(*(word.replace(day, "noon") for word in wanted))
    assert "Name the errors" in await shell.refuses(*(word.replace("telegram", "sms") for word in wanted))


async def test_texts_held_for_a_day_go_again_by_one_command(shell: Shell, database: Database) -> None:
    wanted = ("notice", "resume-texts", "--reason", "Twilio raised the limit", "--as", "Gwen")
    assert "not held back" in await shell.refuses(*wanted)
    until = clock() + timedelta(hours=20)
    async with database.writing() as connection:
        await connection.execute(insert(pacer).values(provider="twilio", beat=1, hold_until=until))

    assert f"held until {until:%Y-%m-%d %H:%M} UTC" in await shell.says(*wanted)
    assert "not held back" in await shell.refuses(*wanted)
    assert (await chain_kinds(database))[-1] == "texts_resumed"


async def test_a_notice_is_drafted_approved_by_another_and_sent(shell: Shell) -> None:
    made = await shell.json("notice", "draft", "reminder", "--as", "Gwen")

    assert made["audience"]["members"] == 2
    assert {(one["language"], one["channel"]) for one in made["texts"]} == {
        (language, channel) for language in ("en-GB", "cy") for channel in ("telegram", "sms")
    }
    assert all(one["segments"] and one["encoding"] == "GSM-7" for one in made["texts"] if one["channel"] == "sms")
    assert "second person" in await shell.refuses("notice", "send", "1", "--as", "Gwen")
    assert "second person" in await shell.refuses("notice", "approve", "1", "--as", "Gwen")
    await shell.says("notice", "approve", "1", "--as", "Huw")
    assert "2 messages planned" in await shell.says("notice", "send", "1", "--as", "Gwen")
    (listed,) = (await shell.json("notice", "list"))["notices"]
    assert (listed["state"], listed["author"], listed["approved_by"]) == ("sending", "Gwen", "Huw")


async def test_a_notice_that_goes_by_text_while_telegram_takes_nothing_says_what_that_costs(
    shell: Shell, database: Database
) -> None:
    async with database.writing() as connection:
        await reach.link_telegram(connection, 1, 7001, NOW)
    wish = ("notice", "draft", "reminder", "--texts-when-held", "--as", "Gwen")

    made = await shell.json(*wish)

    assert made["texts_when_held"]["recipients_most"] == 1
    assert Decimal(made["texts_when_held"]["cost_most"]) > Decimal(made["cost"])
    said = " ".join((await shell.says(*wish)).split())
    assert f"up to 1 more by text: at most {made['texts_when_held']['cost_most']} GBP" in said
    assert "texts_when_held" not in await shell.json("notice", "draft", "reminder")


@pytest.mark.parametrize("name", ["gwen", " Gwen ", "Gw\u0435n", "Ｇｗｅｎ", "Gwe\u200bn"])
async def test_whoever_types_a_name_that_looks_the_same_is_no_second_person(shell: Shell, name: str) -> None:
    await shell.json("notice", "draft", "reminder", "--as", "Gwen")

    assert "second person" in await shell.refuses("notice", "approve", "1", "--as", name)


@pytest.mark.parametrize("name", ["", "\u200b\u2800", "x" * 81, "system", "S\u0443stem"])
async def test_a_name_that_nobody_can_have_is_wrong_usage(shell: Shell, name: str) -> None:
    result = await shell("staff", "invite", "--role", "officer", "--as", name)

    assert result.exit_code == 2
    assert "--as" in result.output


async def test_the_chain_has_the_name_as_it_can_be_shown(shell: Shell, database: Database) -> None:
    await shell.says("staff", "invite", "--role", "officer", "--as", " Gw\u202een\u200b  Evans ")

    async with database.reading() as connection:
        actors = (await connection.execute(select(schema.chain.c.actor).order_by(schema.chain.c.seq.desc()))).scalars()
        assert next(iter(actors)) == "Gwen Evans (command line)"


@pytest.mark.parametrize("option", ["--send-at", "--send-before"])
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("2030-10-27T01:30", "write 2030-10-27T01:30+01:00 or 2030-10-27T01:30+00:00"),
        ("2030-03-31T01:30", "write 2030-03-31T00:30 or 2030-03-31T02:30"),
        ("soon", "is not a moment"),
        ("9999-12-31T23:59-11:00", "is not a moment"),
    ],
    ids=["comes twice", "never comes", "no time", "no end of time"],
)
async def test_a_notice_s_time_that_is_no_one_moment_is_refused(
    shell: Shell, option: str, typed: str, said: str
) -> None:
    assert said in await shell.refuses("notice", "draft", "reminder", option, typed)


async def test_a_notice_s_time_that_comes_twice_is_told_apart_by_its_offset(shell: Shell) -> None:
    await shell.json("notice", "draft", "reminder", "--send-at", "2030-10-27T01:30+00:00")

    (listed,) = (await shell.json("notice", "list"))["notices"]
    assert listed["send_at"] == "2030-10-27T01:30:00+00:00"


async def test_a_notice_is_paused_resumed_canceled_and_reported(shell: Shell, tmp_path: Path) -> None:
    await shell.says("notice", "draft", "reminder", "--as", "Gwen")
    await shell.says("notice", "approve", "1", "--as", "Huw")
    await shell.says("notice", "send", "1")
    # SMS is off here: nobody can be reached, and the report says so
    report = await shell.json("notice", "report", "1", "--csv", str(tmp_path / "told.csv"))

    assert report["members"] == 2
    assert report["not_reached"] == 2
    assert (tmp_path / "told.csv").read_text().splitlines()[0] == "member_no,outcome,channel,reason,at"
    assert len((tmp_path / "told.csv").read_text().splitlines()) == 3
    await shell.says("notice", "pause", "1")
    await shell.says("notice", "resume", "1")
    await shell.says("notice", "cancel", "1")
    assert "has ended" in await shell.refuses("notice", "resume", "1")


async def test_our_own_words_come_from_a_file_with_a_part_for_each_language(shell: Shell, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("The helpline is open.\n\n[cy]\nMae'r llinell ar agor.\n", encoding="utf-8")

    made = await shell.json("notice", "draft", "custom", "--text-file", str(words))

    said = {one["language"]: one["text"] for one in made["texts"] if one["channel"] == "telegram"}
    assert said == {"en-GB": "The helpline is open.", "cy": "Mae'r llinell ar agor."}


async def test_our_own_words_without_a_file_or_a_language_are_refused(shell: Shell, tmp_path: Path) -> None:
    assert "no text in en-GB" in await shell.refuses("notice", "draft", "custom")
    words = tmp_path / "words.txt"
    words.write_text("Only English.\n", encoding="utf-8")
    assert "no text in cy" in await shell.refuses("notice", "draft", "custom", "--text-file", str(words))


async def test_a_moment_is_read_or_refused(shell: Shell) -> None:
    assert "is not a moment" in await shell.refuses("notice", "draft", "reminder", "--send-at", "soon")
    assert "There is no audience called everyone" in await shell.refuses(
        "notice", "draft", "reminder", "--audience", "everyone"
    )


async def test_cases_are_listed_shown_and_exported_without_anybodys_account(
    shell: Shell, database: Database, tmp_path: Path
) -> None:
    async with database.writing() as connection:
        member_id = await connection.scalar(schema.member.select().with_only_columns(schema.member.c.id).limit(1))
        pack = {"member_id": member_id, "serial": 1, "pack_hash": b"p", "state": "live"}
        await connection.execute(insert(schema.pack).values(**pack, issued_at=NOW))
        await connection.execute(
            insert(schema.case).values(id=1, member_id=member_id, opened_at=NOW, state="open", version=1)
        )
        attempt = {"case_id": 1, "member_id": member_id, "kind": "foreign", "at": NOW, "chat": "telegram:7"}
        await connection.execute(insert(schema.attempt).values(**attempt, pack_id=1, occasion="a"))

    (case,) = (await shell.json("cases", "list"))["cases"]
    shown = await shell.json("cases", "show", "1")
    await shell.says("cases", "export", str(tmp_path / "cases.csv"))

    assert case == shown
    assert case["attempts"] == [{"kind": "foreign", "at": NOW.isoformat(), "same_account": False}]
    written = (tmp_path / "cases.csv").read_text()
    assert "foreign" in written
    assert "telegram:7" not in written + json.dumps(shown)
    assert "There is no case 9" in await shell.refuses("cases", "show", "9")


async def test_nothing_is_forgotten_before_the_poll_is_over_and_nobody_is_asked(
    shell: Shell, database: Database
) -> None:
    assert "still preparing" in await shell.refuses("privacy", "purge", "--yes")
    await issue_and_open(database)

    assert "still open" in await shell.refuses("privacy", "purge", "--yes")
    result = await shell("privacy", "purge", types="y\n")

    assert isinstance(result.exception, PollStillOpen)
    assert "for good?" not in result.output
    assert await phones_kept(database) == 2


async def test_after_the_poll_one_command_forgets_numbers_and_addresses_once_it_is_confirmed(
    shell: Shell, database: Database
) -> None:
    await issue_and_open(database)
    async with database.writing() as connection:
        await polls.close_poll(connection, by=By("Gwen", "command line", NOW))

    assert (await shell("privacy", "purge", types="n\n")).exit_code == 1
    assert (await shell("privacy", "purge", "--json")).exit_code == 2
    assert await phones_kept(database) == 2
    assert "phones" in (await shell("privacy", "purge", "--as", "Gwen", types="y\n")).output

    assert await phones_kept(database) == 0
    assert (await chain_kinds(database))[-1] == "personal_data_forgotten"
    again = await shell.json("privacy", "purge", "--yes")
    nothing = {"chats": 0, "phones": 0, "channels": 0, "deliveries": 0, "inbox": 0, "credentials": 0}
    assert again == nothing | {"compact": True}
    assert (await chain_kinds(database)).count("personal_data_forgotten") == 1


async def test_after_the_count_a_purge_forgets_credentials_too(shell: Shell, database: Database) -> None:
    await issue_and_open(database)
    async with database.writing() as connection:
        await polls.close_poll(connection, by=By("Gwen", "command line", NOW))
        await polls.mark_counted(connection)

    forgotten = await shell.json("privacy", "purge", "--yes")

    assert (forgotten["credentials"], forgotten["phones"], forgotten["compact"]) == (1, 2, True)
    assert (await chain_kinds(database))[-1] == "personal_data_forgotten"


async def issue_and_open(database: Database) -> None:
    """Open the poll as far as these commands look: with a pack for somebody."""
    async with database.writing() as connection:
        member_id = await connection.scalar(select(func.min(schema.member.c.id)))
        pack = {"member_id": member_id, "serial": 1, "pack_hash": b"p", "state": "live"}
        await connection.execute(insert(schema.pack).values(**pack, credential=b"c" * 32, issued_at=NOW))
    await open_with_key(database)


async def phones_kept(database: Database) -> int:
    async with database.reading() as connection:
        return int(await connection.scalar(select(func.count(schema.member.c.phone))) or 0)
