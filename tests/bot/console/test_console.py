"""The console's door and its actions, over a real server: who gets where, what two people at once hear."""

import asyncio
import csv
import io
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

import httpx
import pytest
from console_house import ConsoleHouse, Visitor, console_house
from markupsafe import escape
from prepared import HEADER, line, options_of
from sqlalchemy import delete, func, insert, select, update

from bot.alerts.alerts import Kind
from bot.console.door import Action, Screen
from bot.console.headers import HEADERS
from bot.console.pages import environment
from bot.console.routes import table
from bot.console.snapshot import Snapshots
from bot.console.visit import Console
from bot.sandbox import Sandbox
from bot.schema import alert, login_link, session
from bot.staff import enrolment
from bot.staff.roles import Role, may
from messages.notices import notices
from messages.notices.notices import list_notices
from messages.schema import channel, notice, pacer
from messages.words.texts import templates
from voting import schema
from voting.audit import chain
from voting.ballots.election import Question
from voting.model import By
from voting.store.database import Database
from voting.verify.result import Asked, Post, Turnout, result_of
from voting.votes import cases

ROLE_OF: Final = {Role.OFFICER: "Gwen", Role.COMMS: "Carys", Role.SUPPORT: "Sam"}
UNHARMED: Final = frozenset({200, 303, 404, 409})  # let in; what the page then said is another test's
PATIENCE_SECONDS: Final = 15.0


@pytest.fixture
def engine_name(request: pytest.FixtureRequest) -> str:
    """SQLite, unless a test names its engines."""
    return str(getattr(request, "param", "sqlite"))


BOTH: Final = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"], indirect=True)


def routes(town: ConsoleHouse) -> tuple[list[Screen], list[Action]]:
    screens, actions = table(Console(town.house, town, environment(), Snapshots(town.house)))
    return list(screens), list(actions)


def everything(town: ConsoleHouse) -> list[Screen | Action]:
    screens, actions = routes(town)
    return [*screens, *actions]


def address(path: str) -> str:
    """Fill a route's places with something that is there, so that only the door decides."""
    values = {
        "notice_id:int": "3",
        "case_id:int": "1",
        "alert_id:int": "1",
        "staff_id:int": "4",
        "member_no:path": "0000007",
    }
    return re.sub(r"{([^}]+)}", lambda place: values.get(place[1], "0" * 24), path)


async def tries(visitor: Visitor, route: Screen | Action, **fields: object) -> int:
    path = f"/console{address(route.path)}"
    if isinstance(route, Action):
        data = {"csrf": visitor.csrf, **fields}
        return (
            await visitor.client.post(path, data={name: value for name, value in data.items() if value})
        ).status_code
    async with visitor.client.stream("GET", path) as answer:
        return answer.status_code


# -- who gets where ----------------------------------------------------------------------


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_gets_to_its_own_pages_and_to_no_other(town: ConsoleHouse, role: Role) -> None:
    wrong = {}
    async with town.visitor(ROLE_OF[role]) as visitor:
        screens, actions = routes(town)
        for route in [*screens, *(action for action in actions if action.path != "/logout")]:
            status = await tries(visitor, route)
            expected = status in UNHARMED if may(role, route.act) else status == 403
            if not expected:
                wrong[type(route).__name__, route.path] = status
    assert wrong == {}


@pytest.mark.parametrize("cookie", [None, "made-up", "x" * 5000], ids=["nothing", "made up", "long"])
async def test_nobody_without_a_session_gets_anywhere(town: ConsoleHouse, cookie: str | None) -> None:
    wrong = {}
    async with town.visitor() as visitor:
        if cookie is not None:
            visitor.client.headers["Cookie"] = f"ballotline_console={cookie}"
        for route in everything(town):
            status = await tries(visitor, route, csrf="x")
            if status != 401:
                wrong[type(route).__name__, route.path] = status
    assert wrong == {}


async def test_a_cookie_kept_from_before_the_logout_opens_nothing(town: ConsoleHouse) -> None:
    async with town.visitor("Gwen") as visitor:
        stolen, csrf = visitor.client.cookies["ballotline_console"], visitor.csrf
        left = await visitor.does("/logout")
        assert left.status_code == 200
        assert "ballotline_console" not in visitor.client.cookies
        visitor.client.headers["Cookie"] = f"ballotline_console={stolen}"
        found = {await tries(visitor, route, csrf=csrf) for route in everything(town)}
    assert found == {401}


@pytest.mark.parametrize("csrf", ["", "wrong", "ŵ"], ids=["missing", "wrong", "not ASCII"])
async def test_a_form_without_its_token_does_nothing(town: ConsoleHouse, csrf: str) -> None:
    async with town.database.reading() as connection:
        before = await connection.scalar(select(func.max(schema.chain.c.seq)))
    async with town.visitor("Gwen") as visitor:
        visitor.csrf = csrf
        found = {action.path: await tries(visitor, action) for action in routes(town)[1]}
        assert set(found.values()) == {403}, found
    async with town.database.reading() as connection:
        assert await connection.scalar(select(func.max(schema.chain.c.seq))) == before + 1  # the login alone


async def test_a_token_of_another_session_does_nothing(town: ConsoleHouse) -> None:
    async with town.visitor("Huw") as other, town.visitor("Gwen") as visitor:
        answer = await visitor.does("/cases/1/acknowledge", csrf=other.csrf)
    assert answer.status_code == 403
    assert "from another session" in answer.text


async def test_who_is_removed_is_out_at_once(town: ConsoleHouse) -> None:
    async with town.visitor("Sam") as sam, town.visitor("Gwen") as gwen:
        assert (await sam.looks("/cases")).status_code == 200
        assert (await gwen.does(f"/staff/{town.staff['Sam'].id}/remove")).status_code == 303
        assert (await sam.looks("/cases")).status_code == 401
        assert (await sam.does("/cases/1/acknowledge")).status_code == 401


async def test_a_new_role_holds_from_the_next_request(town: ConsoleHouse) -> None:
    async with town.visitor("Sam") as sam:
        assert (await sam.looks("/notices")).status_code == 403
        async with town.database.writing() as connection:
            by = By("Gwen", "chat", town.clock())
            token = await enrolment.invite_staff(connection, Role.COMMS, by=by)
            await enrolment.enrol(
                connection, token, user_id=town.staff["Sam"].user_id, called="Sam", language=None, now=town.clock()
            )
        assert (await sam.looks("/notices")).status_code == 200
        assert (await sam.looks("/cases")).status_code == 403


async def test_a_session_ends_after_twelve_hours(town: ConsoleHouse) -> None:
    async with town.visitor("Gwen") as visitor:
        town.clock.moment += timedelta(hours=12)
        assert (await visitor.looks("/")).status_code == 401


@pytest.mark.parametrize("family", ["alert", "alert_do"])
def test_every_kind_of_alert_has_its_words(family: str) -> None:
    begin = f"say.{family}."
    written = {key.removeprefix(begin) for key in templates("console", "en-GB") if key.startswith(begin)}
    assert written >= {kind.value for kind in Kind}


# -- coming in ---------------------------------------------------------------------------


async def test_a_login_link_works_once_and_looking_at_it_does_not_use_it_up(town: ConsoleHouse) -> None:
    link = await town.link("Carys")
    async with town.visitor() as preview, town.visitor() as carys, town.visitor() as thief:
        assert "Log in" in (await preview.looks(link)).text
        assert (await carys.does(link)).headers["location"] == "/console/"
        assert "Carys" in (await carys.looks("/")).text
        refused = await thief.does(link)
        assert refused.status_code == 409
        assert "used already or is too old" in refused.text
        assert (await thief.looks("/")).status_code == 401


@pytest.mark.parametrize("together", [True, False], ids=["a double click", "sent again"])
async def test_a_form_that_one_press_posts_twice_lets_in(town: ConsoleHouse, *, together: bool) -> None:
    link = await town.link("Carys")
    async with town.visitor() as carys, town.visitor() as thief:
        assert (await carys.looks(link)).status_code == 200
        if together:
            answers = await asyncio.gather(carys.does(link), carys.does(link))
        else:
            answers = [await carys.does(link), await carys.does(link)]
        assert [answer.status_code for answer in answers] == [303, 303]
        assert "Carys" in (await carys.looks("/")).text

        await thief.looks(link)
        assert (await thief.does(link)).status_code == 409
        assert (await thief.looks("/")).status_code == 401


async def test_a_link_is_used_again_only_by_its_browser_and_only_for_a_minute(town: ConsoleHouse) -> None:
    link, other = await town.link("Carys"), await town.link("Gwen")
    async with town.visitor() as carys, town.visitor() as bare:
        await carys.looks(link)
        cookie = dict(carys.client.cookies)["ballotline_login"]
        assert (await carys.does(link)).status_code == 303
        assert (await bare.does(other)).status_code == 303
        assert (await bare.does(other)).status_code == 409  # it was given no value
        assert (await carys.does(other)).status_code == 409  # another link
        await carys.looks(link)
        assert (await carys.does(link)).status_code == 303  # the button shown once more is the same browser's

        town.clock.moment += timedelta(minutes=1)
        assert (await carys.does(link)).status_code == 409
    async with town.database.reading() as connection:
        rows = (await connection.execute(select(login_link.c.token_hash))).scalars().all()
    assert len(rows) == 3
    assert all(cookie.encode() not in bytes(row) and link.encode() not in bytes(row) for row in rows)


async def test_who_was_removed_is_not_let_in_again_by_the_same_press(town: ConsoleHouse) -> None:
    link = await town.link("Carys")
    async with town.visitor() as carys:
        await carys.looks(link)
        assert (await carys.does(link)).status_code == 303
        async with town.database.writing() as connection:
            await enrolment.remove(connection, town.staff["Carys"].id, by=By("Gwen", "command line", town.clock()))
        assert (await carys.does(link)).status_code == 409


async def test_the_value_given_with_the_button_is_kept_from_scripts_and_other_sites(town: ConsoleHouse) -> None:
    async with town.visitor() as visitor:
        cookie = (await visitor.looks(await town.link("Gwen"))).headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/console/login", "Max-Age=600"} <= set(cookie.split("; "))


async def test_a_login_link_is_too_old_after_ten_minutes(town: ConsoleHouse) -> None:
    link = await town.link("Carys")
    town.clock.moment += timedelta(minutes=10)
    async with town.visitor() as visitor:
        assert (await visitor.does(link)).status_code == 409


async def test_another_site_cannot_log_somebody_in(town: ConsoleHouse) -> None:
    async with town.visitor() as visitor:
        visitor.client.headers["Sec-Fetch-Site"] = "cross-site"
        assert (await visitor.does(await town.link("Carys"))).status_code == 403
        assert not visitor.client.cookies


@pytest.mark.parametrize(
    ("public_url", "secure"), [("https://ballot.example", True), ("", False)], ids=["https", "this machine"]
)
async def test_the_cookie_is_kept_from_scripts_and_other_sites(
    database: Database, tmp_path: Path, public_url: str, secure: bool
) -> None:
    async with console_house(database, tmp_path, public_url=public_url) as town, town.visitor() as visitor:
        answer = await visitor.does(await town.link("Gwen"))
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/console", "Max-Age=43200"} <= set(cookie.split("; "))
    assert ("Secure" in cookie) is secure
    assert ("strict-transport-security" in answer.headers) is secure


async def test_the_table_of_sessions_does_not_hold_what_the_cookie_says(town: ConsoleHouse) -> None:
    async with town.visitor("Gwen") as visitor:
        token = visitor.client.cookies["ballotline_console"].encode()
    async with town.database.reading() as connection:
        rows = (await connection.execute(select(session))).all()
    assert rows
    assert all(token not in bytes(row.token_hash) for row in rows)


# -- what every answer carries -------------------------------------------------------------


async def test_every_answer_forbids_what_is_not_ours(town: ConsoleHouse) -> None:
    async with town.visitor("Gwen") as visitor:
        for path in ("/", "/nowhere", "/cases/999", "/notices/99999999999999999999", "/static/console.css", "/login/x"):
            answer = await visitor.looks(path)
            kept = {name: answer.headers.get(name) for name in HEADERS if name != "Cache-Control"}
            assert kept == {name: value for name, value in HEADERS.items() if name != "Cache-Control"}, path
            assert answer.headers["Cache-Control"] == (
                "no-store" if "static" not in path else "public, max-age=31536000, immutable"
            )


async def test_no_page_has_script_or_style_of_its_own_or_of_others(town: ConsoleHouse) -> None:
    async with town.visitor("Gwen") as visitor:
        for screen in routes(town)[0]:
            if screen.path in {"/live", "/turnout.svg"}:
                continue
            text = (await visitor.looks(address(screen.path))).text
            found = re.findall(
                r'style="|<style|\son\w+="|<script(?! src="/console/static/)|(?:src|href)="(?:https?:)?//[^"]*', text
            )
            assert found == [], screen.path


@BOTH
async def test_every_page_shows_itself_on_both_engines(town: ConsoleHouse) -> None:
    paths = (
        "/?x=1",
        "/alarms",
        "/turnout.svg",
        "/turnout.svg?dark=1&small=1",
        "/notices",
        "/notices?before=3",
        "/notices/new?kind=custom",
        "/notices/1",
        "/notices/1/report",
        "/notices/1/report?after=4",
        "/notices/1/report.csv",
        "/notices/2",
        "/notices/2/progress",
        "/notices/3",
        "/notices/4/edit",
        "/members?q=00000",
        "/members?q=07700900007",
        "/members/0000007",
        "/members/0000048",
        "/deliveries?member_no=0000010",
        "/window",
        "/packs",
        "/packs?after=40",
        "/cases",
        "/cases?state=open&before=3",
        "/cases/1",
        "/imports",
        "/staff",
        "/chain",
        "/chain?before=20",
        "/members?q=%27%20OR%201",
        "/cases?before=abc",
        "/notices/3/words",
    )
    async with town.visitor("Gwen") as visitor:
        found = {path: (await visitor.looks(path)).status_code for path in paths}
    assert {path for path, status in found.items() if status != 200} == {"/members?q=%27%20OR%201"}


async def test_what_people_wrote_stays_text(town: ConsoleHouse) -> None:
    hostile = '<img src=x onerror="alert(1)">'
    async with town.visitor("Gwen") as visitor:
        await visitor.does("/window", first_day="2022-08-01", last_day="2022-08-10", reason=hostile)
        page = await visitor.looks("/window")
        preview = await visitor.does(
            "/notices/preview", kind="custom", audience="all", **{"text_en-GB": hostile, "text_cy": hostile}
        )
    assert "<img src=x" not in page.text + preview.text
    assert "&lt;img src=x" in page.text
    assert "&lt;img src=x" in preview.text


async def test_no_page_about_a_member_knows_a_choice(town: ConsoleHouse) -> None:
    async with town.visitor("Gwen") as visitor:
        pages = [await visitor.looks(path) for path in ("/members/0000001", "/cases/1", "/chain", "/")]
    for option in options_of(town.electorate.poll):
        assert all(option not in page.text for page in pages)


# -- actions and refusals --------------------------------------------------------------------


async def test_a_case_is_acknowledged_assigned_and_settled_by_two(town: ConsoleHouse) -> None:
    async with town.visitor("Sam") as sam, town.visitor("Gwen") as gwen:
        assert (await sam.does("/cases/1/acknowledge")).status_code == 303
        version = await case_version(town, 1)
        assert (await sam.does("/cases/1/assign", to=town.staff["Gwen"].id, version=version)).status_code == 303
        late = await gwen.does("/cases/1/propose", outcome="explained", note="A slip.", version=version)
        assert late.status_code == 409
        assert "changed case 1 a moment ago" in late.text
        assert "A slip." in late.text  # what was typed is not lost
        await gwen.does("/cases/1/propose", outcome="explained", note="A slip.", version=version + 1)
        alone = await gwen.does("/cases/1/settle", version=version + 2)
        assert alone.status_code == 409
        assert "needs a second person" in alone.text
        assert (await sam.does("/cases/1/settle", version=version + 2)).status_code == 303
        assert "Settled" in (await sam.looks("/cases/1")).text
    async with town.database.reading() as connection:
        known = await cases.show_case(connection, 1)
        raised = (await connection.execute(select(alert).where(alert.c.case_id == 1))).one()
    assert (known.acknowledged_by, known.proposed_by, known.settled_by) == ("Sam", "Gwen", "Sam")
    assert (raised.acknowledged_by, raised.ended_at is not None) == ("Sam", True)
    assert town.wakes >= 4


async def test_a_text_from_a_sender_that_is_a_word_names_another_way_out(database: Database, tmp_path: Path) -> None:
    """STOP cannot be sent to it: the bot takes it instead, in drafts of the console as in the chat's."""
    async with AsyncExitStack() as stack:
        telegram = (await stack.enter_async_context(Sandbox())).telegram
        there = {"token": telegram.token, "telegram_api_url": telegram.api_url, "twilio_from": "BALLOT"}
        town = await stack.enter_async_context(console_house(database, tmp_path, **there))
        carys = await stack.enter_async_context(town.visitor("Carys"))
        made = await carys.does("/notices/new", kind="reminder", audience="all", then="submit")
        notice_id = int(made.headers["location"].rpartition("/")[2])
        async with town.database.reading() as connection:
            words = (await notices.show(connection, notice_id)).words.sms("en-GB")

    assert f"https://t.me/{telegram.bot_username}?start=sms" in words
    assert "STOP" not in words


async def test_a_notice_goes_from_draft_to_report(town: ConsoleHouse) -> None:
    async with town.visitor("Carys") as carys, town.visitor("Gwen") as gwen:
        made = await carys.does("/notices/new", kind="window_changed", audience="all", then="submit")
        path = made.headers["location"].removeprefix("/console")
        version = await notice_version(town, path)
        own = await carys.does(f"{path}/approve", version=version)
        assert own.status_code == 409
        assert "needs a second person" in own.text
        assert "Approve these words" not in (await carys.looks(path)).text
        assert "Approve these words" in (await gwen.looks(path)).text
        assert (await gwen.does(f"{path}/approve", version=version)).status_code == 303
        off = await carys.does(f"{path}/send", version=version)
        assert (off.status_code, "No channel is on" in off.text) == (409, True)
        assert "Approved by Gwen" in (await carys.looks(path)).text


async def test_two_at_one_notice_lose_nothing_and_hear_why(town: ConsoleHouse) -> None:
    words = {"kind": "custom", "audience": "all", "text_cy": "Un."}
    async with town.visitor("Carys") as carys, town.visitor("Gwen") as gwen:
        version = await notice_version(town, "/notices/4")
        first, second = await asyncio.gather(
            carys.does("/notices/4/edit", version=version, **words, **{"text_en-GB": "By Carys."}),
            gwen.does("/notices/4/edit", version=version, **words, **{"text_en-GB": "By Gwen."}),
        )
        assert sorted((first.status_code, second.status_code)) == [303, 409]
        loser, theirs = (first, "By Carys.") if first.status_code == 409 else (second, "By Gwen.")
        assert "was changed meanwhile" in loser.text
        assert theirs in loser.text
        stale = await gwen.does("/notices/4/cancel", version=version)
        assert stale.status_code == 409
        now = await notice_version(town, "/notices/4")
        cancel, submit = await asyncio.gather(
            gwen.does("/notices/4/cancel", version=now), carys.does("/notices/4/submit", version=now)
        )
        assert cancel.status_code == 303 or "meanwhile" in cancel.text
        assert submit.status_code == 303 or "ended" in submit.text


@BOTH
@pytest.mark.parametrize(
    ("one", "other", "served", "state"),
    [
        pytest.param(("Gwen", "approve"), ("Carys", "edit"), {"edit", "approve edit"}, "draft", id="approve, edit"),
        pytest.param(("Gwen", "approve"), ("Huw", "approve"), {"approve"}, "approved", id="approve twice"),
        pytest.param(
            ("Gwen", "approve"), ("Carys", "cancel"), {"cancel", "approve cancel"}, "canceled", id="approve, cancel"
        ),
        pytest.param(("Gwen", "edit"), ("Carys", "cancel"), {"edit", "cancel"}, None, id="edit, cancel"),
        pytest.param(("Gwen", "edit"), ("Carys", "edit"), {"edit"}, "draft", id="edit twice"),
        pytest.param(("Gwen", "cancel"), ("Carys", "cancel"), {"cancel cancel"}, "canceled", id="cancel twice"),
    ],
)
async def test_of_two_at_the_same_moment_each_is_served_or_hears_why(
    town: ConsoleHouse, one: tuple[str, str], other: tuple[str, str], served: set[str], state: str | None
) -> None:
    """What is true at the end is what one after the other would have made: an edit is never approved unread."""
    words = {"kind": "custom", "audience": "all", "text_cy": "Geiriau newydd."}
    version = await notice_version(town, "/notices/3")
    async with town.visitor(one[0]) as first, town.visitor(other[0]) as second:
        answers = await asyncio.gather(
            *(
                visitor.does(
                    f"/notices/3/{act}",
                    version=version,
                    **(words | {"text_en-GB": f"By {name}."} if act == "edit" else {}),
                )
                for visitor, (name, act) in ((first, one), (second, other))
            )
        )
    done = [who for who, answer in zip((one, other), answers, strict=True) if answer.status_code == 303]
    assert " ".join(sorted(act for _, act in done)) in served
    for answer in answers:
        if answer.status_code != 303:
            assert answer.status_code == 409
            assert re.search("was changed meanwhile|has ended|is approved", answer.text)
    async with town.database.reading() as connection:
        found = await notices.show(connection, 3)
        kinds = [entry.kind async for entry in chain.entries(connection)]
    assert found.state == (state or {"edit": "draft", "cancel": "canceled"}[done[0][1]])
    if found.state == "approved":
        assert found.approved_by == done[0][0]
    if found.state == "draft":
        editor = next(name for name, act in done if act == "edit")
        assert (found.author, found.content.texts["en-GB"], found.approved_by) == (editor, f"By {editor}.", None)
    assert kinds.count("notice_canceled") == (found.state == "canceled")


async def test_whose_name_looks_like_the_author_s_is_not_offered_to_approve(town: ConsoleHouse) -> None:
    async with town.database.writing() as connection:
        await connection.execute(update(notice).where(notice.c.id == 3).values(author="Gw\u0435n"))
    async with town.visitor("Gwen") as visitor:
        page = await visitor.looks("/notices/3")
        refused = await visitor.does("/notices/3/approve", version=await notice_version(town, "/notices/3"))

    assert "You wrote it, so somebody else has to read it" in page.text
    assert "Approve these words" not in page.text
    assert "needs a second person" in refused.text


async def test_a_time_that_comes_twice_asks_which_and_one_that_never_comes_is_refused(town: ConsoleHouse) -> None:
    typed = {"kind": "reminder", "audience": "all", "then": "keep"}
    async with town.visitor("Carys") as visitor:
        plain = await visitor.looks("/notices/new")
        twice = await visitor.does("/notices/new", send_at="2030-10-27T01:30", **typed)
        never = await visitor.does("/notices/new", send_at="2030-03-31T01:30", **typed)
        made = await visitor.does("/notices/new", send_at="2030-10-27T01:30", send_at_which="second", **typed)
        again = await visitor.looks(made.headers["location"].removeprefix("/console") + "/edit")
    assert "Which one?" not in plain.text + never.text
    assert "comes twice in Europe/London" in twice.text
    assert 'name="send_at_which" value="first"' in twice.text
    assert "never comes in Europe/London" in never.text
    assert 'name="send_at_which" value="second" checked' in again.text
    async with town.database.reading() as connection:
        found = await notices.show(connection, int(made.headers["location"].rpartition("/")[2]))
    assert found.content.send_at == datetime(2030, 10, 27, 1, 30, tzinfo=UTC)


async def test_the_preview_counts_segments_and_says_what_is_wrong(town: ConsoleHouse) -> None:
    async with town.visitor("Carys") as visitor:
        visitor.client.headers["HX-Request"] = "true"
        plain = await visitor.does(
            "/notices/preview", kind="custom", audience="all", **{"text_en-GB": "a" * 200, "text_cy": "ŵ" * 80}
        )
        wrong = await visitor.does("/notices/preview", kind="custom", audience="area")
    assert "<html" not in plain.text
    assert "<b>2 segments</b>" in plain.text
    assert "GSM-7" in plain.text
    assert wrong.status_code == 200
    assert "There is no audience called" in wrong.text.replace("&#39;", "'") or "no audience" in wrong.text


async def test_the_wish_for_texts_while_telegram_takes_nothing_is_shown_with_its_price(town: ConsoleHouse) -> None:
    """In the preview as one types, on the notice's page, and in the form when it is changed."""
    wish = {"kind": "reminder", "audience": "all", "texts_when_held": "yes"}
    async with town.visitor("Carys") as visitor:
        made = await visitor.does("/notices/new", **wish, then="submit")
        path = made.headers["location"].removeprefix("/console")
        page, form = await visitor.looks(path), await visitor.looks(f"{path}/edit")
        visitor.client.headers["HX-Request"] = "true"
        seen = await visitor.does("/notices/preview", **wish)
        without = await visitor.does("/notices/preview", kind="reminder", audience="all")

    async with town.database.reading() as connection:
        (found, *_) = await list_notices(connection)
    assert found.content.texts_when_held
    assert Decimal(found.cost_most) > Decimal(found.cost)
    assert "By text: at most" in page.text
    assert "more by text, at most" in seen.text
    assert "more by text, at most" not in without.text
    assert 'name="texts_when_held" value="yes" checked' in form.text


async def test_channels_that_went_off_by_mistake_come_back_by_one_act_of_an_officer(town: ConsoleHouse) -> None:
    """The page counts them first; who may not, may not; nothing comes back that nobody ticked."""
    span = {"channel": "telegram", "since": "2022-01-01T00:00", "until": "2023-01-01T00:00"}
    where = (channel.c.kind == "telegram", channel.c.state == "blocked", channel.c.reason == "blocked")
    async with town.database.writing() as connection:
        chats = select(channel.c.member_id).where(channel.c.kind == "telegram", channel.c.state == "on").limit(3)
        three = list((await connection.execute(chats)).scalars())
        off = {"state": "blocked", "reason": "blocked", "since": town.clock()}
        mine = channel.c.kind == "telegram", channel.c.member_id.in_(three)
        await connection.execute(update(channel).where(*mine).values(**off))
        count = await connection.scalar(select(func.count()).where(*where))
    async with town.visitor("Gwen") as visitor:
        page = await visitor.looks("/channels?" + "&".join(f"{name}={value}" for name, value in span.items()))
        nothing = await visitor.does("/channels", **span, reason="a proxy answered")
        done = await visitor.does("/channels", **span, error="blocked", reason="a proxy answered")
        after = await visitor.looks(done.headers["location"].removeprefix("/console"))
    async with town.visitor("Carys") as visitor:
        assert (await visitor.looks("/channels")).status_code == 403

    assert "the member blocked the bot" in page.text
    assert "The form is not complete" in nothing.text
    assert f"{count} are on again" in re.sub(r"<[^>]+>", "", after.text)
    async with town.database.reading() as connection:
        assert await connection.scalar(select(func.count()).where(*where)) == 0
        assert await connection.scalar(select(channel.c.state).where(*mine).limit(1)) == "on"


async def test_texts_held_for_a_day_go_again_by_one_act_of_an_officer(town: ConsoleHouse) -> None:
    async with town.database.writing() as connection:
        held = {"provider": "twilio", "beat": 1, "hold_until": town.clock() + timedelta(hours=20)}
        await connection.execute(delete(pacer).where(pacer.c.provider == "twilio"))
        await connection.execute(insert(pacer).values(held))
    async with town.visitor("Carys") as visitor:
        comms = await visitor.looks("/")
        assert (await visitor.does("/texts/resume", reason="raised")).status_code == 403
    async with town.visitor("Gwen") as visitor:
        before = await visitor.looks("/")
        done = await visitor.does("/texts/resume", reason="Twilio raised the limit")
        after = await visitor.looks("/")

    assert "Texts are held back" in comms.text
    assert ("Let texts go again" in comms.text, "Let texts go again" in before.text) == (False, True)
    assert done.status_code == 303
    assert "Texts are held back" not in after.text


async def test_the_report_names_everybody(town: ConsoleHouse) -> None:
    async with town.visitor("Carys") as visitor:
        answer = await visitor.looks("/notices/1/report.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 60
    assert {row["outcome"] for row in rows} == {"told", "unknown", "not_reached"}


async def test_a_pack_is_replaced_by_two(town: ConsoleHouse) -> None:
    async with town.visitor("Sam") as sam, town.visitor("Gwen") as gwen:
        assert (await sam.does("/packs/replace", member_no="0000041", reason="missing")).status_code == 303
        assert "Asked by Sam" in (await sam.looks("/packs")).text.split("Replacements")[0]
        own = await sam.does("/packs/approve", member_no="0000041")
        assert (own.status_code, "needs a second person" in own.text) == (409, True)
        assert (await gwen.does("/packs/approve", member_no="0000041")).status_code == 303
        assert "0000041" not in (await sam.looks("/packs")).text.split("Replacements")[0]  # a new pack comes
        voted = await sam.does("/packs/replace", member_no="0000001", reason="x")
        assert (voted.status_code, "has already voted" in voted.text) == (409, True)
        await sam.does("/packs/unlock", member_no="0000044")
        assert "Locked after wrong codes" not in (await sam.looks("/packs")).text


@pytest.mark.parametrize(
    "member_no",
    ["2019/0417", "A#1?b=2", "50%", "Môn 17", "N:17", "17.B", "A&B", "<b>", "x" * 64],
    ids=["slash", "hash and question", "per cent", "not ASCII", "colon", "dots", "and", "tags", "longest"],
)
async def test_a_member_is_found_and_shown_whatever_their_number(town: ConsoleHouse, member_no: str) -> None:
    async with town.database.writing() as connection:
        await connection.execute(
            update(schema.member).where(schema.member.c.member_no == "0000041").values(member_no=member_no)
        )
    async with town.visitor("Sam") as sam:
        found = await sam.looks("/members", params={"q": member_no}, follow_redirects=True)
        asked = await sam.does("/packs/replace", member_no=member_no, reason="lost", **{"from": "member"})
        shown = await sam.client.get(asked.headers["location"])

    for answer in (found, shown):
        assert (answer.status_code, f"<title>Member {escape(member_no)} " in answer.text) == (200, True)


@pytest.mark.parametrize("asked", ["0\0", "\U0010ffff", "\ud7ff", "'; --", "%"], ids=ascii)
async def test_a_search_for_nobody_s_number_says_so(town: ConsoleHouse, asked: str) -> None:
    async with town.visitor("Sam") as sam:
        answer = await sam.looks("/members", params={"q": asked})

    assert (answer.status_code, "not on the roll" in answer.text) == (404, True)


async def test_a_newer_window_overtakes_notices_about_the_old_one(town: ConsoleHouse) -> None:
    async with town.visitor("Carys") as carys:
        backwards = await carys.does("/window", first_day="2022-08-10", last_day="2022-08-01", reason="x")
        assert backwards.status_code == 409
        await carys.does("/notices/new", kind="window_changed", audience="all", then="submit")
        await carys.does("/window", first_day="2022-08-01", last_day="2022-08-12", reason="security")
        assert "Overtaken" in (await carys.looks("/notices")).text


async def test_the_duty_list_is_set_and_an_invitation_shown_without_a_bot_is_refused(town: ConsoleHouse) -> None:
    sam, huw = town.staff["Sam"].id, town.staff["Huw"].id
    async with town.visitor("Gwen") as gwen:
        await gwen.does("/staff/duty", **{f"place_{sam}": "2", f"place_{huw}": "1"})
        await gwen.does(f"/staff/{huw}/phone", phone="07700 900456")
        page = (await gwen.looks("/staff")).text
        assert "Huw is woken first" in page
        assert "then Sam" in page
        assert "+447700900456" in page
        refused = await gwen.does("/staff/invite", role="support")
        assert (refused.status_code, "Telegram is off" in refused.text) == (409, True)
        assert (await gwen.does(f"/staff/{town.staff['Gwen'].id}/remove")).status_code == 409


@BOTH
async def test_a_file_is_tried_reported_and_then_taken(town: ConsoleHouse) -> None:
    roll = "\n".join([HEADER, line("9000001"), line("9000001"), line("9000002", phone="020 7946 0000"), ""])
    async with town.visitor("Gwen") as gwen:
        path = await uploads(gwen, "roll", roll)
        page = await settled(gwen, path)
        assert "nothing was changed yet" in page
        assert "the member_no is already on line 2" in page
        async with town.database.reading() as connection:
            assert await connection.scalar(select(func.count()).select_from(schema.member)) == 60
        assert (await gwen.does(f"{path}/confirm")).status_code == 303
        assert "Taken" in await settled(gwen, path)
        assert (await gwen.does(f"{path}/confirm")).status_code == 409
        assert "9000001" in (await gwen.looks(f"{path}/report.csv")).text
    async with town.database.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(schema.member)) == 62
        kinds = [entry.kind async for entry in chain.entries(connection)]
    assert "roll_imported" in kinds


@BOTH
async def test_what_a_file_asks_is_confirmed_on_its_page(town: ConsoleHouse) -> None:
    """Pairs and sizes are shown; without each tick nothing is taken; what was accepted is on the chain."""
    news = [line(f"80000{n:02}", phone="") for n in range(10)]
    roll = "\n".join([HEADER, *news, line("008000001", phone=""), ""])
    async with town.visitor("Gwen") as gwen:
        path = await uploads(gwen, "roll", roll)
        page = await settled(gwen, path)
        assert "1 pair of numbers may be one person&#39;s each: 008000001 and 8000001" in page
        assert "11 members would be new on a roll of 60" in page
        assert "two different people" in page
        refused = await gwen.does(f"{path}/confirm", agree_new="yes")
        assert (refused.status_code, "your answer to what is asked" in refused.text) == (409, True)
        async with town.database.reading() as connection:
            assert await connection.scalar(select(func.count()).select_from(schema.member)) == 60
        assert (await gwen.does(f"{path}/confirm", agree_new="yes", agree_pairs="yes")).status_code == 303
        assert "Taken" in await settled(gwen, path)
    async with town.database.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(schema.member)) == 71
        entries = [entry async for entry in chain.entries(connection) if entry.kind == "roll_imported"]
    assert entries[-1].body["accepted"] == {"pairs": 1, "new": {"new": 11, "members": 60}}


@BOTH
async def test_many_lapse_by_a_file_that_is_tried_asked_about_and_then_taken(town: ConsoleHouse) -> None:
    """As `roll lapse --file`: a fall of over a tenth asks, strangers are reported, why is kept for staff."""
    async with town.database.reading() as connection:
        member = schema.member.c
        chosen = select(member.member_no).where(member.eligible).order_by(member.member_no).limit(10)
        leaving = list((await connection.execute(chosen)).scalars())
    async with town.visitor("Gwen") as gwen:
        path = await uploads(
            gwen, "lapse", "\n".join(["member_no", *leaving, "7777777", ""]), reason=" left\u200b in  August "
        )
        page = await settled(gwen, path)
        assert "nothing was changed yet" in page
        assert "not on the roll" in page
        assert "left in August" in (await gwen.looks(path)).text
        refused = await gwen.does(f"{path}/confirm")
        assert (refused.status_code, "your answer to what is asked" in refused.text) == (409, True)
        assert await lapsed(town) == []
        agreed = dict.fromkeys(re.findall(r'name="(agree_[a-z_]+)"', page), "yes")
        assert agreed
        assert (await gwen.does(f"{path}/confirm", **agreed)).status_code == 303
        assert "Taken" in await settled(gwen, path)
    assert await lapsed(town) == [(number, "left in August") for number in leaving]


async def test_a_file_of_members_who_lapse_needs_a_reason(town: ConsoleHouse) -> None:
    async with town.visitor("Gwen") as gwen:
        answer = await gwen.client.post(
            "/console/imports",
            data={"csrf": gwen.csrf, "kind": "lapse", "reason": "\u200b"},
            files={"file": ("left.csv", b"member_no\n0000001\n", "text/csv")},
        )
    assert answer.status_code == 409
    assert "why these members may not vote any more" in answer.text


async def test_what_is_not_a_roll_is_refused_in_words_and_discarded(town: ConsoleHouse, tmp_path: Path) -> None:
    async with town.visitor("Gwen") as gwen:
        path = await uploads(gwen, "roll", "not,a,roll\n1,2,3\n")
        assert "Not possible" in await settled(gwen, path)
        assert (await gwen.does(f"{path}/discard")).status_code == 303
        assert (await gwen.looks(path)).status_code == 409
        for strange in ("/imports/../../secrets", "/imports/%2e%2e", f"/imports/{'g' * 24}"):
            assert (await gwen.looks(strange)).status_code in {404, 409}
    assert list((tmp_path / "ballotline-uploads").iterdir()) == []


async def test_the_numbers_come_by_themselves_until_the_session_ends(town: ConsoleHouse) -> None:
    async with (
        town.visitor("Sam") as sam,
        town.visitor("Gwen") as gwen,
        asyncio.timeout(PATIENCE_SECONDS),
        sam.client.stream("GET", "/console/live") as stream,
    ):
        events = _events(stream)
        name, first = await anext(events)
        assert (name, first["voted"], first["alarms"]) == ("numbers", "30", "4")
        await gwen.does("/alerts/1/acknowledge")
        while "alarms" not in (news := (await anext(events))[1]):
            pass
        assert news["alarms"] == "3"
        await gwen.does(f"/staff/{town.staff['Sam'].id}/remove")
        while (await anext(events))[0] != "ended":
            pass


async def _events(stream: httpx.Response) -> AsyncIterator[tuple[str, dict[str, str]]]:
    name = ""
    async for text in stream.aiter_lines():
        if text.startswith("event: "):
            name = text.removeprefix("event: ")
        elif text.startswith("data: "):
            yield name, json.loads(text.removeprefix("data: "))


async def case_version(town: ConsoleHouse, case_id: int) -> int:
    async with town.database.reading() as connection:
        return (await cases.show_case(connection, case_id)).version


async def notice_version(town: ConsoleHouse, path: str) -> int:
    async with town.database.reading() as connection:
        return (await notices.show(connection, int(path.rpartition("/")[2]))).version


async def lapsed(town: ConsoleHouse) -> list[tuple[str, str]]:
    async with town.database.reading() as connection:
        member = schema.member.c
        found = select(member.member_no, member.lapsed_reason).where(member.lapsed_at.is_not(None))
        return [
            (row.member_no, row.lapsed_reason) for row in await connection.execute(found.order_by(member.member_no))
        ]


async def uploads(visitor: Visitor, kind: str, text: str, **more: str) -> str:
    answer = await visitor.client.post(
        "/console/imports",
        data={"csrf": visitor.csrf, "kind": kind, **more},
        files={"file": ("roll.csv", text.encode(), "text/csv")},
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].removeprefix("/console")


async def settled(visitor: Visitor, path: str) -> str:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while 'hx-trigger="every 1s"' in (page := (await visitor.looks(path)).text):  # noqa: ASYNC110 - over HTTP
            await asyncio.sleep(0.02)  # the file is tried by the server, in its own time
    return page


async def test_before_the_count_the_overview_knows_no_option(town: ConsoleHouse) -> None:
    async with town.visitor("Gwen") as gwen:
        page = (await gwen.looks("/")).text

    assert "Turnout" in page
    assert "Result" not in page
    assert not [name for name in options_of(town.electorate.poll) if name in page]


async def test_after_the_count_the_overview_shows_each_question(town: ConsoleHouse) -> None:
    leader, two = (
        Question("Who leads?", ("North", "South"), 1, 1),
        Question("Which <two>?", ("A", "B", "C"), 1, 2, True),
    )
    post, turnout = Post(2, 1, [[1, 1], [0, 2, 0, 0]]), Turnout(12, 0, 60)
    counted = result_of("leader-2022", [Asked(leader), Asked(two, seats=2)], [[6, 6], [1, 9, 4, 4]], post, turnout)
    async with town.database.writing() as connection:
        await connection.execute(insert(schema.result).values(only=1, body=counted, at=town.clock(), turnout=25))
    async with town.visitor("Gwen") as gwen:
        page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", (await gwen.looks("/")).text))

    assert "14 valid votes, turnout 23.33 %; with 1 rejected paper 25.00 %" in page
    assert "Who leads? Option Online By post Votes Of those who voted North 6 1 7 50.00 % South 6 1 7 50.00 %" in page
    assert "A tie: North, South have the same number of votes." in page
    assert "Which &lt;two&gt;?" in page
    assert "A (elected) 9 2 11 78.57 %" in page
    assert "Blank votes 1 0 1 7.14 % Members who voted 12 2 14" in page
    assert "A tie: B, C have the same number of votes for the last seats, and none of them is elected." in page
