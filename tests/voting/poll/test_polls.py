"""The poll: its file is read strictly, its life only goes forward, and its chain tells strangers what it is."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from prepared import (
    CLOSES_AT,
    NOW,
    OPENS_AT,
    POLL,
    SECRETS,
    WINDOW,
    asked,
    chain_kinds,
    line,
    make_poll,
    open_with_key,
    options_of,
    rows,
    take_roll,
    write_roll,
)
from sqlalchemy import insert, select, update
from trustee_town import dealt

from voting import schema, secrets_file
from voting.ballots.election import check_uuid
from voting.model import By, Phase, Poll, SmsRules, StaffRules, Window
from voting.packs.packing import Printing
from voting.packs.packs import issue
from voting.poll import polls, window
from voting.poll.election import paper_of
from voting.poll.questions import written_questions
from voting.poll.stored import move
from voting.refusals import (
    ForeignSecrets,
    NoPoll,
    PacksMissing,
    PollAlreadyOpen,
    PollExists,
    PollFileWrong,
    PollNotOpen,
    PollNotReady,
    PollOver,
    PollStillOpen,
)
from voting.store.database import Database

EXAMPLE = Path(__file__).parents[3] / "examples" / "poll.toml"
FILE = """
[poll]
id = "leader-2022"
title = "The leader ballot"
question = "Who shall lead?"
options = ["North", "South"]
opens_at = 2022-08-01T09:00:00
closes_at = "2022-09-02T17:00"
timezone = "Europe/London"
joined_by = 2022-06-03
languages = ["en-GB", "cy"]
[window]
first_day = 2022-08-01
last_day = "2022-08-05"
[rule]
"en-GB" = "One vote."
cy = "Un bleidlais."
"""


def written(tmp_path: Path, content: str = FILE) -> Path:
    path = tmp_path / "poll.toml"
    path.write_text(content, encoding="utf-8")
    return path


def test_a_poll_file_is_read_with_its_local_times(tmp_path: Path) -> None:
    path = written(tmp_path)

    assert polls.read_poll_file(path) == replace(POLL, uuid="")
    assert polls.window_of_file(path, by=By("Gwen", "command line", NOW)) == WINDOW


def test_what_nobody_sees_is_taken_out_of_a_poll_file(tmp_path: Path) -> None:
    content = FILE.replace('"The leader ballot"', '"The \\u200bleader  ballot\\u0007"')
    content = content.replace('"Who shall lead?"', '"""\nWho  shall\u00ad lead?\nOne of\ttwo."""').replace(
        '"South"', '" Sou\\u202eth"'
    )

    poll = polls.read_poll_file(written(tmp_path, content + '[staff]\ncontact = "020\u00a0 7946 0000"\n'))

    assert (poll.title, poll.named(poll.questions[0].text)) == ("The leader ballot", "Who shall lead?\nOne of two.")
    assert (options_of(poll), poll.staff.contact) == (("North", "South"), "020 7946 0000")


def test_the_example_is_a_poll_file() -> None:
    poll = polls.read_poll_file(EXAMPLE)

    assert poll.opens_at == datetime(2030, 8, 1, 8, 0, tzinfo=UTC)
    assert (poll.sms, poll.staff) == (SmsRules(), StaffRules())


def test_sms_and_staff_may_say_otherwise(tmp_path: Path) -> None:
    more = '[sms]\nquiet_from = 21:30:00\ncost_per_segment = 0.055\ncurrency = "EUR"\n'
    more += '[staff]\napprove_over = 0\ncontact = "020 7946 0000"\n'

    poll = polls.read_poll_file(written(tmp_path, FILE + more))

    assert poll.sms == SmsRules(quiet_from="21:30", cost_per_segment=Decimal("0.055"), currency="EUR")
    assert poll.staff == StaffRules(approve_over=0, contact="020 7946 0000")


def test_times_may_carry_their_own_zone(tmp_path: Path) -> None:
    content = FILE.replace("2022-08-01T09:00:00", "2022-08-01T09:00:00+02:00")

    assert polls.read_poll_file(written(tmp_path, content)).opens_at == datetime(2022, 8, 1, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(("offset", "hour"), [("+01:00", 0), ("+00:00", 1)], ids=["first", "second"])
def test_a_closing_time_that_comes_twice_is_told_apart_by_its_offset(tmp_path: Path, offset: str, hour: int) -> None:
    content = FILE.replace('"2022-09-02T17:00"', f"2022-10-30T01:30:00{offset}")

    assert polls.read_poll_file(written(tmp_path, content)).closes_at == datetime(2022, 10, 30, hour, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        pytest.param("[poll]", "[pole]", "the unknown section [pole]", id="unknown section"),
        pytest.param("[window]", "[poll.window]", "the section [window] is missing", id="missing section"),
        pytest.param('[rule]\n"en-GB" = "One vote."\ncy = "Un bleidlais."', "", "[rule] is missing", id="no rule"),
        pytest.param("[poll]", "sms = 3\n[poll]", "[sms] must be a section", id="section is a number"),
        pytest.param('title = "The', 'shoe = 1\ntitle = "The', "poll.shoe is not a key", id="unknown key"),
        pytest.param('title = "The leader ballot"', "", "poll.title is missing", id="missing key"),
        pytest.param('"The leader ballot"', "3", "poll.title must be text", id="number for text"),
        pytest.param('"The leader ballot"', '"  "', "poll.title is empty", id="blank"),
        pytest.param('"The leader ballot"', f'"{"x" * 1001}"', "poll.title is longer than 1000", id="endless title"),
        pytest.param('"The leader ballot"', '"a\\uE000"', "poll.title holds U+E000, a character that", id="private"),
        pytest.param('"The leader ballot"', '"a\\U00031350"', "poll.title holds U+31350, a", id="newer than Python"),
        pytest.param('"The leader ballot"', '"\\u200b"', "poll.title is empty", id="nothing to be seen"),
        pytest.param('"leader-2022"', '"Leader 2022"', "poll.id must be 1 to 40 lower-case", id="id with a space"),
        pytest.param(
            '["North", "South"]', '["North"]', "poll.options must name 2 to 64 options, not 1", id="one option"
        ),
        pytest.param('["North", "South"]', '"North"', "poll.options must be a list", id="options as text"),
        pytest.param('"South"]', '"NORTH"]', "poll.options names 'North' twice", id="option twice"),
        *(
            pytest.param('"South"]', f'"{option}"]', f"names 'North' and {shown!r}, which look alike", id=name)
            for name, option, shown in (
                ("full width", "Ｎｏｒｔｈ", "Ｎｏｒｔｈ"),
                ("Cyrillic o", "N\u043erth", "N\u043erth"),
                ("Greek capital", "\u039dorth", "\u039dorth"),
            )
        ),
        pytest.param('"South"]', '"Nor\\u200bth"]', "names 'North' twice", id="zero-width space"),
        pytest.param('"North", "South"', '"The  Quay", "the Quay"', "names 'The Quay' twice", id="doubled space"),
        pytest.param('"North", "South"', '"Zoë", "Zoe\\u0308"', "names 'Zoë' twice", id="accent by itself"),
        pytest.param('"South"]', f'"{"x" * 61}"]', "poll.options is longer than 60", id="endless option"),
        pytest.param('"South"]', '"A\\nB"]', "poll.options must be one line each", id="option of two lines"),
        pytest.param('"South"]', "3]", "poll.options must be text", id="option is a number"),
        pytest.param("2022-08-01T09:00:00", "2022-08-01", "poll.opens_at must be a time", id="day for a time"),
        pytest.param("2022-08-01T09:00:00", '"soon"', "poll.opens_at must be a time such as", id="word for a time"),
        pytest.param(
            "2022-08-01T09:00:00",
            "2022-03-27T01:30:00",
            "2022-03-27T01:30 never comes in Europe/London, where the clocks go forward; write 2022-03-27T00:30 or",
            id="skipped",
        ),
        pytest.param(
            "2022-09-02T17:00",
            "2022-10-30T01:30",
            "poll.closes_at cannot be used: 2022-10-30T01:30 comes twice in Europe/London, where the clocks go back; "
            "write 2022-10-30T01:30+01:00 or 2022-10-30T01:30+00:00",
            id="twice",
        ),
        pytest.param('"2022-09-02T17:00"', '"9999-12-31T23:59-11:00"', "must be a time such as", id="no end of time"),
        pytest.param("2022-09-02T17:00", "2022-08-01T09:00", "poll.closes_at is not after", id="closes when it opens"),
        pytest.param("Europe/London", "Europe/Atlantis", "poll.timezone names no known zone", id="unknown zone"),
        pytest.param("Europe/London", "Europe", "poll.timezone names no known zone", id="zone is a continent"),
        pytest.param("Europe/London", "/etc/passwd", "poll.timezone names no known zone", id="zone is a path"),
        pytest.param("2022-06-03", '"03/06/2022"', "poll.joined_by must be a date such as", id="other date order"),
        pytest.param("2022-06-03", "2022-06-03T00:00:00", "poll.joined_by must be a date", id="time for a day"),
        pytest.param('["en-GB", "cy"]', "[]", "poll.languages is empty", id="no language"),
        pytest.param(
            '["en-GB", "cy"]',
            str([f"{one}{other}" for one in "abcde" for other in "wxyz"]).replace("'", '"'),
            "poll.languages has more than 16",
            id="more languages than a page can have",
        ),
        pytest.param('["en-GB", "cy"]', '["english"]', "poll.languages must hold tags", id="language in full"),
        pytest.param('cy = "Un bleidlais."', "", "rule.cy is missing", id="rule lacks a language"),
        pytest.param("cy =", 'fr = "Une voix."\ncy =', "rule.fr is not in poll.languages", id="rule has one more"),
        pytest.param('"2022-08-05"', '"2022-07-31"', "window.last_day is before window.first_day", id="backwards"),
        pytest.param("[rule]", "size = 1\n[rule]", "window.size is not a key", id="unknown key of the window"),
        pytest.param("[rule]", '[sms]\nquiet_from = "9pm"\n[rule]', "sms.quiet_from must be a time", id="9pm"),
        pytest.param("[rule]", '[sms]\ncost_per_segment = "4p"\n[rule]', "must be a number", id="cost as text"),
        pytest.param("[rule]", "[sms]\ncost_per_segment = -1\n[rule]", "must be 0 or more", id="cost below nothing"),
        pytest.param("[rule]", "[sms]\ncost_per_segment = inf\n[rule]", "must be 0 or more", id="cost without end"),
        pytest.param("[rule]", '[sms]\ncurrency = "pounds"\n[rule]', "sms.currency must be three", id="currency"),
        pytest.param("[rule]", "[sms]\nnoise = 1\n[rule]", "sms.noise is not a key", id="unknown key of sms"),
        pytest.param("[rule]", "[staff]\napprove_over = true\n[rule]", "staff.approve_over must be", id="true"),
        pytest.param("[rule]", "[staff]\nescalate_after_minutes = 0\n[rule]", "1 or more", id="at once"),
        pytest.param("[rule]", "[staff]\nboss = 1\n[rule]", "staff.boss is not a key", id="unknown key of staff"),
        pytest.param("[rule]", "[staff]\ncontact = 7\n[rule]", "staff.contact must be text", id="contact is a number"),
        pytest.param("[rule]", '[staff]\ncontact = ""\n[rule]', "staff.contact is empty", id="empty contact"),
        pytest.param("[rule]", '[staff]\ncontact = "a\\nb"\n[rule]', "must be one line", id="contact of two lines"),
        pytest.param(
            "[rule]", f'[staff]\ncontact = "{"x" * 41}"\n[rule]', "is longer than 40 characters", id="endless contact"
        ),
        pytest.param("[poll]", "[poll", "it is not TOML", id="not TOML"),
        pytest.param("[poll]", "#" * 300_000, "it is longer than 262144 bytes", id="endless file"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_by_its_key(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert old in FILE

    with pytest.raises(PollFileWrong) as refused:
        polls.read_poll_file(written(tmp_path, FILE.replace(old, new, 1)))

    assert problem in str(refused.value)
    assert str(tmp_path) in str(refused.value)


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PollFileWrong, match="No such file"):
        polls.read_poll_file(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b'title = "Zo\xeb"')
    with pytest.raises(PollFileWrong, match="not UTF-8"):
        polls.read_poll_file(tmp_path / "latin.toml")


async def again(database: Database, poll: Poll = POLL, delivery: Window = WINDOW) -> Poll:
    async with database.writing() as connection:
        return await polls.init(connection, poll, delivery, SECRETS, by=By("Gwen", "command line", NOW))


async def loaded(database: Database) -> Poll:
    async with database.reading() as connection:
        return await polls.load(connection)


async def test_init_writes_the_poll_its_window_and_two_entries(database: Database) -> None:
    made = await make_poll(database, uuid="")

    assert made == replace(POLL, signing_key=SECRETS.verify_key, uuid=made.uuid)
    assert check_uuid(made.uuid, "uuid") == made.uuid
    assert await loaded(database) == made
    assert await rows(database, schema.window) == [(1, WINDOW.first_day, WINDOW.last_day, "poll file", NOW, "Gwen")]
    chain = await rows(database, schema.chain, schema.chain.c.seq, schema.chain.c.kind, schema.chain.c.body)
    assert [row[1] for row in chain] == ["poll_initialised", "window_set"]
    assert [option["cy"] for option in chain[0][2]["questions"][0]["options"]] == ["North", "South"]
    assert chain[0][2]["signing_key"] == SECRETS.verify_key.hex()


async def test_init_again_changes_nothing(database: Database) -> None:
    made = await make_poll(database)

    assert await again(database) == made
    assert len(await chain_kinds(database)) == 2


async def test_a_changed_file_changes_a_poll_that_is_preparing(database: Database) -> None:
    await make_poll(database)
    file = replace(POLL, title="Leader", rule={"en-GB": "Once.", "cy": "Unwaith."})

    changed = await again(database, file, replace(WINDOW, last_day=date(2022, 8, 6)))

    assert await loaded(database) == changed
    assert (changed.title, changed.rule_version) == ("Leader", 2)
    assert await chain_kinds(database) == ["poll_initialised", "window_set", "poll_changed", "window_set"]


async def test_a_file_whose_window_alone_changed_makes_a_version(database: Database) -> None:
    await make_poll(database)

    await again(database, delivery=replace(WINDOW, last_day=date(2022, 8, 6)))

    assert await chain_kinds(database) == ["poll_initialised", "window_set", "window_set"]


async def test_the_file_does_not_undo_a_window_set_by_hand(database: Database) -> None:
    await make_poll(database)
    async with database.writing() as connection:
        days = date(2022, 8, 1), date(2022, 8, 10)
        by_hand = await window.set_window(connection, *days, "strike", by=By("Gwen", "command line", NOW))

    await again(database, replace(POLL, title="Leader"))

    async with database.reading() as connection:
        assert await window.current(connection) == by_hand


async def test_another_poll_is_refused(database: Database) -> None:
    await make_poll(database)

    with pytest.raises(PollExists, match="leader-2022"):
        await again(database, replace(POLL, id="other"))


async def test_a_poll_with_somebody_else_s_secrets_is_refused(database: Database) -> None:
    await make_poll(database)

    with pytest.raises(ForeignSecrets):
        async with database.writing() as connection:
            await polls.init(connection, POLL, WINDOW, secrets_file.make(), by=By("Gwen", "command line", NOW))


async def test_without_a_poll_nothing_can_be_asked_of_it(database: Database) -> None:
    with pytest.raises(NoPoll, match="ballotline init"):
        await loaded(database)


async def ready(database: Database, tmp_path: Path) -> None:
    """Prepare a poll that lacks only the key."""
    await make_poll(database)
    await take_roll(database, write_roll(tmp_path / "roll.csv", [line("1")]))
    async with database.writing() as connection:
        member_id = await connection.scalar(select(schema.member.c.id))
        pack = {"member_id": member_id, "serial": 1, "pack_hash": b"p", "state": "live"}
        await connection.execute(insert(schema.pack).values(**pack, issued_at=NOW))


async def test_a_poll_opens_when_nothing_is_missing_and_closes_for_good(database: Database, tmp_path: Path) -> None:
    await ready(database, tmp_path)

    opened = await open_with_key(database)

    assert await loaded(database) == opened
    assert (opened.phase, opened.opened_at, opened.trustees_file) == (Phase.OPEN, NOW, dealt().trustees.data)
    with pytest.raises(PollAlreadyOpen, match="open"):
        await open_with_key(database)
    async with database.writing() as connection:
        with pytest.raises(PollStillOpen):
            await polls.mark_counted(connection)
        assert await polls.refuse_when_over(connection) == opened
        closed = await polls.close_poll(connection, by=By("Gwen", "command line", CLOSES_AT))
        assert (closed.phase, closed.closed_at) == (Phase.CLOSED, CLOSES_AT)
        with pytest.raises(PollOver, match="closed"):
            await polls.close_poll(connection, by=By("Gwen", "command line", CLOSES_AT))
        with pytest.raises(PollAlreadyOpen, match="closed"):
            await polls.open_poll(connection, by=By("Gwen", "command line", NOW))
        await polls.mark_counted(connection)
    assert (await loaded(database)).phase is Phase.COUNTED
    assert (await chain_kinds(database))[-3:] == ["trustees_set", "poll_opened", "poll_closed"]


async def test_the_opening_names_the_page_that_members_vote_on(database: Database, tmp_path: Path) -> None:
    await ready(database, tmp_path)
    async with database.writing() as connection:
        await polls.set_trustees(connection, dealt().trustees.data, "dealer", by=By("Gwen", "command line", NOW))
        await polls.open_poll(connection, by=By("Gwen", "command line", NOW), page="c0ffee")

    bodies = await rows(database, schema.chain, schema.chain.c.seq, schema.chain.c.body)
    assert bodies[-1][1]["page"] == "c0ffee"


async def test_who_has_no_pack_is_insisted_on_unless_accepted(database: Database, tmp_path: Path) -> None:
    await make_poll(database)
    roll = write_roll(tmp_path / "roll.csv", [line("1"), line("2"), line("3", joined_on="")])
    await take_roll(database, roll)
    one = write_roll(tmp_path / "one.csv", [line("1")])
    printing = Printing(tmp_path / "print.csv", roll_paths=(one,))
    await issue(database, SECRETS, printing, by=By("Gwen", "command line", NOW))

    async with database.writing() as connection:
        await polls.set_trustees(connection, dealt().trustees.data, "dealer", by=By("Gwen", "command line", NOW))
        with pytest.raises(PacksMissing, match="1 members who may vote have no pack"):
            await polls.open_poll(connection, by=By("Gwen", "command line", NOW))
        await polls.open_poll(connection, by=By("Gwen", "command line", NOW), despite_missing_packs=True)

    bodies = await rows(database, schema.chain, schema.chain.c.seq, schema.chain.c.body)
    assert bodies[-1][1]["without_pack"] == 1


async def test_everything_that_is_missing_is_named(database: Database) -> None:
    await make_poll(database)

    async with database.writing() as connection:
        with pytest.raises(PollNotReady) as refused:
            await polls.open_poll(connection, by=By("Gwen", "command line", CLOSES_AT))

    missing = str(refused.value)
    assert all(word in missing for word in ("election key", "roll", "packs", "closing time"))


async def test_a_text_that_cannot_stand_in_the_election_is_named_before_the_opening(
    database: Database, tmp_path: Path
) -> None:
    await ready(database, tmp_path)
    async with database.writing() as connection:
        await connection.execute(
            update(schema.poll).values(questions=written_questions([asked("Who\nshall lead?", "North", "South")]))
        )

    with pytest.raises(PollNotReady, match=r"texts can stand in the election \(questions\[0\]\.question is not"):
        await open_with_key(database)


async def test_the_paper_is_made_at_the_opening_whatever_stood_in_the_row(database: Database, tmp_path: Path) -> None:
    """A paper planted before the opening would show other texts than the poll's."""
    await ready(database, tmp_path)
    async with database.writing() as connection:
        await connection.execute(update(schema.poll).values(paper=b"{}"))

    opened = await open_with_key(database)

    assert opened.paper == paper_of(replace(opened, paper=None)) != b"{}"
    assert (await loaded(database)).paper == opened.paper


async def test_a_poll_that_is_not_open_cannot_close(database: Database) -> None:
    await make_poll(database)

    async with database.writing() as connection:
        with pytest.raises(PollNotOpen):
            await polls.close_poll(connection, by=By("Gwen", "command line", NOW))


async def test_an_open_poll_no_longer_follows_its_file(database: Database, tmp_path: Path) -> None:
    await ready(database, tmp_path)
    opened = await open_with_key(database)

    assert await again(database) == opened
    with pytest.raises(PollAlreadyOpen):
        await again(database, replace(POLL, title="Leader"))
    with pytest.raises(PollAlreadyOpen):
        await again(database, delivery=replace(WINDOW, last_day=date(2022, 8, 6)))
    async with database.writing() as connection:
        with pytest.raises(PollAlreadyOpen):
            await polls.set_trustees(connection, dealt().trustees.data, "dealer", by=By("Gwen", "command line", NOW))


async def test_who_opens_second_is_told(database: Database) -> None:
    """Two people press at once, and both have read a poll that is preparing."""
    await make_poll(database)
    async with database.writing() as connection:
        await connection.execute(update(schema.poll).values(phase=Phase.OPEN))
        with pytest.raises(PollAlreadyOpen, match="open"):
            await move(connection, Phase.PREPARING, Phase.OPEN, opened_at=NOW)


async def test_a_changed_rule_has_a_new_version_to_accept(database: Database) -> None:
    await make_poll(database)
    rule = {"en-GB": " On\u200bce.", "cy": "Unwaith."}
    async with database.writing() as connection:
        changed = await polls.change_rule(connection, rule, by=By("Gwen", "command line", NOW))
        same = await polls.change_rule(connection, rule, by=By("Gwen", "command line", NOW))
        with pytest.raises(ValueError, match="each language"):
            await polls.change_rule(connection, {"en-GB": "Once."}, by=By("Gwen", "command line", NOW))

    assert changed == same == await loaded(database)
    assert (changed.rule_version, changed.rule_in("cy"), changed.rule_in("fr")) == (2, "Unwaith.", "Once.")
    assert (await chain_kinds(database)).count("rule_changed") == 1


@pytest.mark.parametrize(
    ("phase", "now", "takes"),
    [
        pytest.param(Phase.PREPARING, NOW, False, id="not opened"),
        pytest.param(Phase.OPEN, OPENS_AT - timedelta(microseconds=1), False, id="opened early"),
        pytest.param(Phase.OPEN, OPENS_AT, True, id="on the opening bell"),
        pytest.param(Phase.OPEN, CLOSES_AT - timedelta(microseconds=1), True, id="at the last moment"),
        pytest.param(Phase.OPEN, CLOSES_AT, False, id="on the closing bell"),
        pytest.param(Phase.CLOSED, NOW, False, id="closed early"),
    ],
)
def test_votes_are_taken_from_the_opening_to_the_closing_bell(phase: Phase, now: datetime, takes: bool) -> None:
    assert replace(POLL, phase=phase).takes_votes(now) is takes
