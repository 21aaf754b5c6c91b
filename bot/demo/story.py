"""The story: a ballot from the roll to the verified result. Every step is done for real and checked."""

import asyncio
import csv
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import func, select

from bot.demo import poll_files
from bot.demo.ballot import VIA, Ballot, StoryClock
from bot.demo.ending import Ending
from bot.demo.page_voter import PageVoter, bare
from bot.demo.roll import ADA, BEDWYR, CARYS, FARAH, Role, write_roll
from bot.demo.stage import Stage
from bot.edge.links import link, vote_url
from bot.sandbox import Person, Sandbox
from bot.staff import enrolment
from bot.staff.roles import Role as StaffRole
from messages.notices import notices
from messages.notices.model import Content
from messages.notices.preview import preview
from messages.notices.reports import report
from messages.notices.sending import send
from messages.schema import delivery
from messages.window_move import move_window
from voting import schema
from voting.codes import codes
from voting.model import By
from voting.packs import packs
from voting.poll import polls
from voting.post import scans
from voting.votes.cast import Cast
from voting.votes.checks import Checks
from voting.votes.right_codes import Purpose

PATIENCE_SECONDS: Final = 20.0
OTHERS: Final = 60  # members who vote off-stage before the picture is drawn
PAPERS: Final = (2, 5)  # that come by post, for either option; Farah's is among them


@dataclass
class Story:
    """Plays on a ballot and writes the transcript."""

    ballot: Ballot
    stage: Stage
    clock: StoryClock
    people: dict[str, Person] = field(default_factory=dict)
    shares: list[Path] = field(default_factory=list)
    mark: str = ""  # Ada's
    page_mark: str = ""  # Carys's

    @property
    def sandbox(self) -> Sandbox:
        """Give the local providers."""
        return self.ballot.sandbox

    async def play(self) -> None:
        """Play every scene; StoryBroken, AssertionError or a refusal when one goes wrong."""
        self.clock.put(datetime(2022, 8, 1, 9, 0, tzinfo=UTC))
        await self._sets_up()
        await self._staff_enrol()
        await self._members_come()
        self.clock.put(datetime(2022, 8, 2, 17, 0, tzinfo=UTC))
        await self._packs_are_late()
        await self._rule_changes()
        self.clock.put(datetime(2022, 8, 5, 8, 0, tzinfo=UTC))
        await self._packs_leave()
        self.clock.put(datetime(2022, 8, 8, 18, 30, tzinfo=UTC))
        await self._ada_votes()
        await self._carys_votes_on_the_page()
        await self._a_paper_arrives()
        await self._ada_tries_again()
        await self._a_stranger_has_the_letter()
        await self._turnout()
        self.clock.put(datetime(2022, 9, 2, 16, 5, tzinfo=UTC))
        await Ending(self.ballot, self.stage, self.shares, self.mark, OTHERS + 2, PAPERS, self.page_mark).play()

    # -- before the poll -----------------------------------------------------------------

    async def _sets_up(self) -> None:
        self.stage.scene("A poll, its key, its roll, its packs")
        folder = self.ballot.folder
        self.stage.command("init poll.toml")
        poll = await self.ballot.init(poll_files.write_story_poll(folder / "poll.toml"), "Gwen")
        options = " or ".join(poll.names_of(poll.questions[0]))
        self.stage.fact(f"{poll.title}: {options}; packs should arrive 1-5 August")
        self.stage.command("keys create --trustees 3 --threshold 2 --out shares")
        self.shares = self.ballot.write_shares()
        self.stage.check(len(self.shares) == 3, "three trustees hold a share each")  # noqa: PLR2004 - trustees
        self.stage.fact("three trustees hold a share each; any two of them decrypt the sums, the service cannot")
        self.stage.command("roll import roll.csv")
        report = await self.ballot.import_roll(write_roll(folder / "roll.csv"), "Gwen")
        counts = report.counts()
        self.stage.fact(", ".join(f"{name} {number}" for name, number in counts.items()))
        for row in report.rows[:6]:
            self.stage.fact(f"  line {row.line} {row.level}: {row.reason}")
        self.stage.check(counts["rejected"] == 2, "two bad rows are rejected, the good ones are taken")  # noqa: PLR2004
        self.stage.command("packs issue --print-file print.csv")
        issued = await self.ballot.issue_packs("Gwen")
        self.stage.check(issued.packs >= 200, "everybody who may vote has a pack")  # noqa: PLR2004 - the roll
        self.stage.fact(f"{issued.packs} packs; the codes exist in the print file only")
        self.stage.command("poll open")
        await self.ballot.open("Gwen")
        await self.ballot.starts()
        self.stage.fact("the service runs: bot, text messages, console")

    async def _staff_enrol(self) -> None:
        self.stage.scene("Staff enrol with one-time links")
        for name, role in (("Gwen", StaffRole.OFFICER), ("Huw", StaffRole.COMMS), ("Nia", StaffRole.SUPPORT)):
            await self.enrol(name, role)
        self.stage.fact("Gwen is an officer, Huw writes the notices, Nia helps members")

    async def enrol(self, name: str, role: StaffRole) -> Person:
        """Invite somebody and let them open the link."""
        person = self.people.get(name) or self.sandbox.telegram.person(name=name, language_code="en")
        self.people[name] = person
        self.sandbox.show(person, role="staff")
        async with self.ballot.database.writing() as connection:
            token = await enrolment.invite_staff(connection, role, by=By("setup", VIA, self.clock()), name=name)
        self.stage.command(f"staff invite --role {role}")
        await person.opens(link(self.sandbox.telegram.bot_username, f"staff_{token}"))
        heard = await person.hears(str(role), timeout_seconds=PATIENCE_SECONDS)
        self.stage.hears(name, "telegram", first_lines(heard.words, 1))
        return person

    async def _members_come(self) -> None:
        self.stage.scene("Members find the bot")
        for role in (ADA, BEDWYR, FARAH):
            person = self.member(role)
            await person.types("/start")
            await person.hears("The leader ballot", timeout_seconds=PATIENCE_SECONDS)
            await person.shares_contact(phone=role.phone)
            self.stage.says(
                first_name(role), "shares her own number" if role is not BEDWYR else "shares his own number"
            )
            linked = await person.hears(role.member_no, timeout_seconds=PATIENCE_SECONDS)
            self.stage.hears(first_name(role), "telegram", first_lines(linked.words, 1))
        carys = self.sandbox.telegram.person(name=CARYS.name, language_code="en", phone=CARYS.phone)
        self.people[CARYS.name] = carys
        self.sandbox.show(carys, role="member", member_no=CARYS.member_no, phone=CARYS.phone)
        self.stage.fact("Carys has no Telegram; she will hear by text message, like most of the others")

    def member(self, role: Role) -> Person:
        """Give a member of the cast a phone."""
        if role.name not in self.people:
            code = "cy" if role.language == "cy" else "en"
            person = self.sandbox.telegram.person(name=role.name, language_code=code, phone=role.phone)
            self.people[role.name] = person
            self.sandbox.show(person, role="member", member_no=role.member_no, phone=role.phone)
        return self.people[role.name]

    # -- delay ---------------------------------------------------------------------------

    async def _packs_are_late(self) -> None:
        self.stage.scene("Security advice: the packs are delayed")
        await self._tell("pack_delayed", "all")
        ada, carys = self.people[ADA.name], self.sandbox.twilio.phone(CARYS.phone)
        heard = await ada.hears("running late", timeout_seconds=PATIENCE_SECONDS)
        self.stage.hears("Ada", "telegram", heard.words)
        self.stage.hears("Carys", "sms", (await carys.hears("late", timeout_seconds=PATIENCE_SECONDS)).body)
        self.stage.command('window set 2022-08-01 2022-08-10 --reason "added security"')
        async with self.ballot.database.writing() as connection:
            days = date(2022, 8, 1), date(2022, 8, 10)
            await move_window(connection, *days, "added security", by=By("Gwen", VIA, self.clock()))
        self.stage.fact("version 2 of the delivery window; what was still queued with the old dates is stopped")
        await self._tell("window_changed", "all")
        bedwyr = await self.people[BEDWYR.name].hears("1–10 Awst 2022", timeout_seconds=PATIENCE_SECONDS)
        self.stage.hears("Bedwyr", "telegram", bedwyr.words)
        sms = await carys.hears("1-10 August 2022", timeout_seconds=PATIENCE_SECONDS)
        self.stage.hears("Carys", "sms", sms.body)
        self.stage.check(sms.segments == 1, "the dates fit one text message")

    async def _rule_changes(self) -> None:
        self.stage.scene("The rule changes: one vote, and trying twice is an offence")
        self.stage.command("poll rule poll.toml")
        async with self.ballot.database.writing() as connection:
            await polls.change_rule(connection, poll_files.RULE_AFTER, by=By("Gwen", VIA, self.clock()))
        await self._tell("rule_changed", "all")
        heard = await self.people[ADA.name].hears("second time is an offence", timeout_seconds=PATIENCE_SECONDS)
        self.stage.hears("Ada", "telegram", heard.words)
        await self._tell("reminder", "not_voted")
        carys = self.sandbox.twilio.phone(CARYS.phone)
        self.stage.hears("Carys", "sms", carys.inbox[-1].body)

    async def _tell(self, kind: str, audience: str) -> None:
        """Draft, approve by another, send, and see everybody told or listed."""
        database, now = self.ballot.database, self.clock()
        self.stage.command(f"notice draft {kind} --audience {audience} --as Huw")
        async with database.writing() as connection:
            drafted = await notices.draft(
                connection, Content(kind, audience), ways=self.ballot.ways, by=By("Huw", VIA, now)
            )
            seen = await preview(connection, drafted, now=now)
            await notices.submit(connection, drafted.id, by=By("Huw", VIA, now))
        reached = seen.audience
        self.stage.fact(
            f"{seen.members} members: {reached['telegram']} by Telegram, {reached['sms']} by text message, "
            f"{reached['skipped']} cannot be reached; {seen.cost} {seen.currency}"
        )
        self.stage.command(f"notice approve {drafted.id} --as Gwen; notice send {drafted.id}")
        async with database.writing() as connection:
            await notices.approve(connection, drafted.id, by=By("Gwen", VIA, now))
            await send(connection, drafted.id, by=By("Gwen", VIA, now))
        assert self.ballot.service is not None
        self.ballot.service.postman.wake()
        told = await self._sent(drafted.id)
        self.stage.fact(f"told {told}; the others are listed as not reached, each with the reason")

    async def _sent(self, notice_id: int) -> int:
        """Wait until the ledger has nothing more to send of a notice; give how many were told."""
        moving = select(func.count()).where(
            delivery.c.notice_id == notice_id, delivery.c.state.in_(("ready", "sending", "unknown"))
        )
        async with asyncio.timeout(60):
            while True:
                async with self.ballot.database.reading() as connection:
                    if not await connection.scalar(moving):
                        return (await report(connection, notice_id)).outcomes["told"]
                await asyncio.sleep(0.1)

    # -- the packs, the vote -------------------------------------------------------------

    async def _packs_leave(self) -> None:
        self.stage.scene("The packs leave the printer")
        self.stage.command("packs update pack-events.csv")
        dispatched = await self.dispatch_packs(date(2022, 8, 4))
        self.stage.fact(f"{dispatched} packs dispatched; letters are on the phones' desks now")

    async def dispatch_packs(self, day: date) -> int:
        """Take in that every pack left on `day`, and put the letters through the doors; give how many."""
        path = self.ballot.folder / "pack-events.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["member_no", "event", "on"])
            writer.writerows([number, "dispatched", day.isoformat()] for number in self.ballot.letters)
        now = self.ballot.clock()
        done = await packs.update_events(self.ballot.database, path, self.ballot.house.secrets, by=By("Gwen", VIA, now))
        self.deliver_letters()
        return done.added + done.changed

    async def link_members(self) -> None:
        """Let the members of the cast share their numbers with a poll that does not know them yet."""
        for role in (ADA, BEDWYR, FARAH):
            person = self.people[role.name]
            await person.types("/start")
            await person.shares_contact(phone=role.phone)
            await person.hears(role.member_no, timeout_seconds=PATIENCE_SECONDS)

    def deliver_letters(self) -> None:
        """Put every letter through its door: the page shows it beside the phone."""
        for role in (ADA, BEDWYR, CARYS, FARAH):
            self.sandbox.deliver_letter(
                {
                    **self.ballot.letters[role.member_no],
                    "title": self.ballot.title,
                    "user_id": self.people[role.name].id,
                    "rule": poll_files.RULE_AFTER[role.language],
                }
            )

    async def _ada_votes(self) -> None:
        self.stage.scene("Ada has her pack")
        ada, letter = self.people[ADA.name], self.ballot.letters[ADA.member_no]
        await self._ada_says("/status")
        heard = await ada.hears(f"Member {ADA.member_no}", timeout_seconds=PATIENCE_SECONDS)
        self.stage.hears("Ada", "telegram", first_lines(heard.words, 6))
        self.stage.check("between 1 and 10 August" in heard.words, "the status names the new dates")
        await self._ada_says("/verify")
        await ada.hears("check your codes", timeout_seconds=PATIENCE_SECONDS)
        await ada.types(f"{slip(letter['pack_code'])} {letter['vote_code']}")
        self.stage.says("Ada", "types her codes, with a slip in one")
        heard = await ada.hears("does not count against you", timeout_seconds=PATIENCE_SECONDS)
        self.stage.hears("Ada", "telegram", first_lines(heard.words, 2))
        await ada.types(f"{letter['pack_code']} {letter['vote_code']}")
        self.stage.says("Ada", "types them again, right; the message is deleted at once")
        heard = await ada.hears("Your codes are good", timeout_seconds=PATIENCE_SECONDS)
        self.stage.hears("Ada", "telegram", first_lines(heard.words, 3))
        self.stage.check(letter["word"] in heard.words, "the bot shows the word printed in the letter")
        await self._ada_says("/vote")
        await ada.hears("Before you vote", timeout_seconds=PATIENCE_SECONDS)
        await ada.presses("I understand")
        self.stage.says("Ada", "[I understand]")
        await ada.hears("type the pack code", timeout_seconds=PATIENCE_SECONDS)
        await ada.types(letter["pack_code"])
        heard = await ada.hears("The word printed in it is", timeout_seconds=PATIENCE_SECONDS)
        self.stage.hears("Ada", "telegram", first_lines(heard.words, 2))
        await ada.types(letter["vote_code"])
        await ada.hears("This is your voting paper", timeout_seconds=PATIENCE_SECONDS)
        await ada.presses("Rowan Ellis")
        self.stage.says("Ada", "[one of the two names]")
        await ada.hears("You chose", timeout_seconds=PATIENCE_SECONDS)
        await ada.presses("Cast my vote")
        self.stage.says("Ada", "[Cast my vote]")
        heard = await ada.hears("Your vote is locked", timeout_seconds=PATIENCE_SECONDS)
        self.stage.hears("Ada", "telegram", first_lines(heard.words, 3))
        self.stage.check("Rowan" not in heard.words, "the choice does not stay in the chat")
        self.mark = mark_in(heard.words)
        self.stage.fact("the receipt is the mark of her sealed ballot: it names the ballot, not what is in it")
        chat = " ".join(message.words for message in ada.messages)
        self.stage.check(
            letter["vote_code"] not in chat and letter["pack_code"] not in chat, "no code stays in the chat"
        )
        await ada.resends_last_press()
        self.stage.fact("her phone sends the press once more, as phones do: the same receipt, and nobody is accused")
        await self._nobody_is_accused()

    async def _ada_says(self, words: str) -> None:
        self.stage.says("Ada", words)
        await self.people[ADA.name].types(words)

    async def _nobody_is_accused(self) -> None:
        async with self.ballot.database.reading() as connection:
            attempts = await connection.scalar(select(func.count()).select_from(schema.attempt))
        self.stage.check(attempts == 0, "a client's retry is not an attempt")

    async def _carys_votes_on_the_page(self) -> None:
        self.stage.scene("Carys votes on the voting page")
        letter = self.ballot.letters[CARYS.member_no]
        self.stage.says("Carys", "scans her letter; the page opens in her phone's browser, no Telegram needed")
        voter = PageVoter(vote_url(self.ballot.house.settings), letter["pack_code"], letter["vote_code"])
        self.page_mark = await voter.votes(1, letter["word"])
        self.stage.says("Carys", "reads the rule, sees the word of her letter, gives the vote code, chooses, casts")
        self.stage.hears("Carys", "page", f"Your vote is locked\nReceipt: {self.page_mark}")
        sent = b"".join(voter.sent).decode()
        self.stage.check(bare(letter["vote_code"]) not in sent, "the vote code never leaves her phone")
        self.stage.fact("her phone sealed, proved and signed the ballot: the service saw neither choice nor vote code")
        await self._nobody_is_accused()

    async def _a_paper_arrives(self) -> None:
        self.stage.scene("Farah's paper arrives by post")
        self.stage.command("postal import postal.csv")
        await self._papers_arrive("postal.csv", [self.ballot.letters[FARAH.member_no]])
        farah = self.people[FARAH.name]
        await farah.types("/status")
        heard = await farah.hears("came by post", timeout_seconds=PATIENCE_SECONDS)
        self.stage.hears("Farah", "telegram", first_lines(heard.words, 4))
        self.stage.check("came by post" in heard.words, "post and online are one lock")

    async def _papers_arrive(self, name: str, letters: list[dict[str, str]]) -> None:
        """Take in papers that were scanned today."""
        path, today = self.ballot.folder / name, self.clock().date().isoformat()
        lines = [f"{letter['pack_code']},{today},received\n" for letter in letters]
        path.write_text("".join(["pack_code,received_at,status\n", *lines]), encoding="utf-8")
        await scans.import_postal(
            self.ballot.database, path, self.ballot.house.secrets, by=By("Gwen", VIA, self.clock())
        )

    # -- after the lock ------------------------------------------------------------------

    async def _ada_tries_again(self) -> None:
        self.stage.scene("Ada tries a second time")
        ada, nia = self.people[ADA.name], self.people["Nia"]
        letter = self.ballot.letters[ADA.member_no]
        await self._ada_says("/vote")
        heard = await ada.hears("recorded and reported", timeout_seconds=PATIENCE_SECONDS)
        self.stage.hears("Ada", "telegram", heard.words)
        await ada.presses("Another member")
        await ada.hears("Before you vote", timeout_seconds=PATIENCE_SECONDS)
        await ada.presses("I understand")
        await ada.hears("type the pack code", timeout_seconds=PATIENCE_SECONDS)
        await ada.types(f"{letter['pack_code']} {letter['vote_code']}")
        self.stage.says("Ada", "gives her own codes again")
        heard = await ada.hears("first vote stands", timeout_seconds=PATIENCE_SECONDS)
        self.stage.hears("Ada", "telegram", first_lines(heard.words, 3))
        alert = await nia.hears(ADA.member_no, timeout_seconds=PATIENCE_SECONDS)
        self.stage.hears("Nia", "telegram", alert.words)
        await nia.presses("Acknowledge")
        self.stage.says("Nia", "[Acknowledge]")
        seen = await self.people["Gwen"].hears("Nia", timeout_seconds=PATIENCE_SECONDS)
        self.stage.hears("Gwen", "telegram", last_lines(seen.words, 2))

    async def _a_stranger_has_the_letter(self) -> None:
        self.stage.scene("A stranger has Ada's letter")
        stranger = self.sandbox.telegram.person(name="Stranger", language_code="en")
        self.people["Stranger"] = stranger
        self.sandbox.show(stranger, role="stranger")
        letter = self.ballot.letters[ADA.member_no]
        await stranger.types("/vote")
        await stranger.hears("Before you vote", timeout_seconds=PATIENCE_SECONDS)
        await stranger.presses("I understand")
        await stranger.hears("type the pack code", timeout_seconds=PATIENCE_SECONDS)
        await stranger.types(f"{letter['pack_code']} {letter['vote_code']}")
        self.stage.says("Stranger", "types the codes from the letter")
        heard = await stranger.hears("somebody else's letter", timeout_seconds=PATIENCE_SECONDS)
        self.stage.hears("Stranger", "telegram", first_lines(heard.words, 3))
        self.stage.fact("it could be the wrong letter at the same table: told so, and nobody is accused")
        await stranger.types(f"{letter['pack_code']} {letter['vote_code']}")
        self.stage.says("Stranger", "types them again")
        heard = await stranger.hears("the staff can see it", timeout_seconds=PATIENCE_SECONDS)
        self.stage.hears("Stranger", "telegram", first_lines(heard.words, 3))
        alert = await self.people["Nia"].hears("used from another account", timeout_seconds=PATIENCE_SECONDS)
        self.stage.hears("Nia", "telegram", first_lines(alert.words, 4))
        async with self.ballot.database.reading() as connection:
            locks = await connection.scalar(select(func.count()).select_from(schema.lock))
            cases = await connection.scalar(select(func.count()).select_from(schema.case))
        self.stage.check((locks, cases) == (3, 1), "three locks stand, and both attempts are in one case")

    async def _turnout(self) -> None:
        self.stage.scene("The others vote; Gwen asks for the turnout")
        for day, first in ((9, 0), (10, OTHERS // 3), (11, 2 * OTHERS // 3)):
            self.clock.put(datetime(2022, 8, day, 10, 0, tzinfo=UTC))
            await self.others_vote(first, OTHERS // 3)
        self.clock.put(datetime(2022, 8, 12, 8, 0, tzinfo=UTC))
        others = self._others()[OTHERS : OTHERS + sum(PAPERS) - 1]
        await self._papers_arrive("postal-2.csv", others)
        self.stage.fact(
            f"{OTHERS} more members vote in the days that follow, and {len(others)} papers come (not shown)"
        )
        gwen = self.people["Gwen"]
        self.stage.says("Gwen", "/turnout")
        before = sum(message.photo is not None for message in gwen.messages)
        await gwen.types("/turnout")
        await gwen.hears("", timeout_seconds=PATIENCE_SECONDS)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while sum(message.photo is not None for message in gwen.messages) == before:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        photo = next(message for message in reversed(gwen.messages) if message.photo is not None)
        self.stage.check(photo.photo and photo.photo.startswith(b"\x89PNG"), "the turnout comes as a picture")
        self.stage.hears("Gwen", "telegram", f"(a picture) {photo.words}")

    async def others_vote(self, first: int, number: int) -> None:
        """Let members off-stage vote through the same checks and the same clerk."""
        service, now = self.ballot.service, self.clock()
        assert service is not None
        checks = Checks(self.ballot.database, self.ballot.house.secrets)
        chosen = self._others()
        async with self.ballot.database.reading() as connection:
            poll = await polls.load(connection)

        async def one(place: int) -> None:
            letter = chosen[place]
            chat = f"telegram:{10_000_000 + place}"
            given = codes.parse(f"{letter['pack_code']} {letter['vote_code']}", poll.id).codes
            pack, vote = sorted(given, key=lambda code: code.kind != codes.Kind.PACK)
            good = await checks.both_codes(
                pack.canonical,
                vote.canonical,
                chat=chat,
                purpose=Purpose.VOTE,
                flow=f"demo{place}",
                warned=False,
                now=now,
            )
            assert good.intent is not None
            first_option = place % 5 <= 2  # noqa: PLR2004 - 3 to 2
            choices = ((int(first_option), int(not first_option)),)
            await service.clerk.cast(Cast(good.intent.id, chat, poll.rule_version, choices), now)

        await asyncio.gather(*(one(place) for place in range(first, first + number)))

    def _others(self) -> list[dict[str, str]]:
        """Give the letters of everybody whom the story does not follow."""
        cast = {role.member_no for role in (ADA, BEDWYR, CARYS, FARAH)}
        return [letter for number, letter in self.ballot.letters.items() if number not in cast]


def slip(code: str) -> str:
    """Mistype a code: one letter is another."""
    return code[:-1] + ("B" if code[-1] != "B" else "C")


def mark_in(words: str) -> str:
    """Give the mark that a message shows on its line of the receipt."""
    line = next(line for line in words.splitlines() if line.startswith("Receipt: "))
    return line.removeprefix("Receipt: ").strip()


def first_name(role: Role) -> str:
    """Give the name the transcript uses."""
    return role.name.split()[0]


def first_lines(words: str, number: int) -> str:
    """Shorten a message for the transcript."""
    return "\n".join([line for line in words.splitlines() if line.strip()][:number])


def last_lines(words: str, number: int) -> str:
    """Give the end of a message."""
    return "\n".join([line for line in words.splitlines() if line.strip()][-number:])
