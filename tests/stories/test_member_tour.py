"""All that a member can ask for in one conversation, in each language, by polling and by webhooks.

What is heard is looked up in the catalogue of the member's language: the longest piece of each text between its places.
"""

import html
import re
from pathlib import Path

import pytest
from town import Member, Town, Townsperson

from bot.sandbox import Message
from messages.words import texts
from messages.words.texts import text
from voting.store.database import Database

ENGLISH = re.compile(r"\b(your|you|the|this|and|have|with)\b")

pytestmark = pytest.mark.filterwarnings("ignore:.*PTB_TIMEDELTA:telegram.warnings.PTBDeprecationWarning")


def piece(key: str, language: str, domain: str = "member") -> str:
    """Give the longest piece of a text that is the same whatever it is filled with."""
    plain = html.unescape(re.sub(r"<[^>]+>", "", texts._catalogue(domain, language).gettext(key)))
    return max(re.split(r"\{[^}]*\}|\n", plain), key=len).strip()


class Guide:
    """Leads one person through the conversation in a language."""

    def __init__(self, person: Townsperson, language: str) -> None:
        self.person, self.language = person, language

    async def types(self, words: str, heard: str) -> Message:
        return await self.person.asks(self.person.types(words), piece(heard, self.language))

    async def presses(self, button: str, heard: str) -> Message:
        label = text("member", button, self.language) if button.startswith("button.") else button
        return await self.person.asks(self.person.presses(label), piece(heard, self.language))


@pytest.mark.parametrize("webhooks", [False, True], ids=["polling", "webhooks"])
@pytest.mark.parametrize(("name", "language", "code"), [("ada", "en-GB", "en"), ("sian", "cy", "cy")])
async def test_a_member_is_led_through_everything_in_their_language(
    database: Database, tmp_path: Path, name: str, language: str, code: str, *, webhooks: bool
) -> None:
    async with Town(database, tmp_path, webhooks=webhooks) as town:
        member, stranger = town.member(name, language_code=code), town.stranger(language_code=code)
        await arrives(town, member, Guide(member, language))
        await asks_around(Guide(member, language))
        await votes_after_a_change_of_mind(member, Guide(member, language))
        await tries_again(member, Guide(member, language))
        await is_refused(stranger, member, Guide(stranger, language))
        if webhooks:  # texts come no other way
            await member.phone.texts("STATUS")
            await member.phone.hears(piece("sms.status.voted", language, "notices"))

        assert await town.count("South Quay") == await town.locks() == 1
        case = await town.case_of(name)
        assert case is not None
        assert sorted(attempt.kind for attempt in case.attempts) == ["foreign", "repeat"]
        assert case.disputed_at is not None
        if language != "en-GB":
            for person in (member, stranger):
                assert [words for words in said_to(person, town) if ENGLISH.search(words)] == []


async def arrives(town: Town, member: Member, guide: Guide) -> None:
    link = f"https://t.me/{town.sandbox.telegram.bot_username}?start=pack"
    await member.asks(member.opens(link), piece("start.pack", guide.language))
    await guide.types("/status", "status.not_linked")
    await guide.types("/missing", "status.not_linked")
    await guide.presses("button.link", "link.ask")
    await guide.types("/help", "help.about")
    await guide.presses("button.call_staff", "help.noted_unlinked")
    await member.asks(member.shares_contact(phone=member.number), piece("link.done", guide.language))


async def asks_around(guide: Guide) -> None:
    await guide.types("/status", "status.title")
    await guide.types("/missing", "missing.early")
    await guide.types("/sms", "sms.on")
    await guide.presses("button.sms_off", "sms.off")
    await guide.presses("button.sms_on", "sms.on")
    await guide.types("/privacy", "privacy.about")
    await guide.presses("button.forget", "privacy.ask_forget")
    await guide.types("/language", "language.ask")
    await guide.types("hm", "start.not_understood")


async def votes_after_a_change_of_mind(member: Member, guide: Guide) -> None:
    await guide.types("/verify", "codes.ask_verify")
    await guide.types(f"{member.pack.pack_code[:-1]}0", "codes.problem.look_alike")
    await guide.types(member.pack.vote_code, "codes.vote_kept")
    good = await guide.types(member.pack.pack_code, "verify.good")
    assert member.pack.word in good.words
    await guide.types("/vote", "vote.rule")
    await guide.presses("button.understood", "codes.ask_vote")
    await guide.types(member.pack.pack_code, "codes.pack_found")
    await guide.types(member.pack.vote_code, "paper.ask")
    await guide.presses("button.not_now", "paper.put_aside")
    await guide.types("/vote", "codes.ask_vote")
    await guide.types(member.pack.codes, "paper.ask")
    await guide.presses("North Quay", "paper.chosen")
    await guide.presses("button.change", "paper.ask")
    await guide.presses("South Quay", "paper.chosen")
    await guide.presses("button.cast", "paper.locked")


async def tries_again(member: Member, guide: Guide) -> None:
    await guide.types("/status", "lock.online")
    await guide.types("/missing", "missing.voted")
    await guide.types("/vote", "vote.warning_again")
    await guide.types(member.pack.codes, "used.reported")


async def is_refused(stranger: Townsperson, member: Member, guide: Guide) -> None:
    await guide.types("/vote", "vote.rule")
    await guide.presses("button.understood", "codes.ask_vote")
    await guide.types(member.pack.codes, "used.warned_elsewhere")
    await guide.types(member.pack.codes, "used.reported")
    await guide.presses("button.theft", "theft.noted")


def said_to(person: Townsperson, town: Town) -> list[str]:
    """Give what the bot said to somebody, without the poll's own words."""
    heard = [message.words for message in person.chat.log if message.sender == "bot"]
    own = (town.poll.title, town.poll.named(town.poll.questions[0].text))
    return ["".join(re.split("|".join(map(re.escape, own)), words)) for words in heard]
