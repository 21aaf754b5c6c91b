"""What staff say of the group they write in: that alerts go there, and which language it reads."""

from bot.chat.said import Said
from bot.schema import staff_group
from bot.staff import languages
from bot.staff.roles import Act
from bot.staff_chat.visit import StaffVisit
from messages.words.texts import html_text, text
from voting.audit import chain
from voting.store.inserts import insert_into


async def on_here(visiting: StaffVisit) -> None:
    """Make this group, or this topic of it, the place where alerts go; `/here off` ends that."""
    if visiting.private:
        await visiting.say(Said(html_text("staff", "here.private", visiting.language)))
        return
    off = visiting.words.casefold() == "off"
    async with visiting.desk.acting(visiting.user_id, Act.SET_GROUP) as acting:
        values = {
            "topic_id": visiting.topic_id,
            "title": visiting.title,
            "set_by": acting.staff.name,
            "set_at": acting.now,
            "removed_at": acting.now if off else None,
        }
        statement = insert_into(acting.connection, staff_group).values(chat_id=visiting.chat_id, **values)
        await acting.connection.execute(statement.on_conflict_do_update(index_elements=["chat_id"], set_=values))
        await chain.append(acting.connection, "staff_group_set", {"on": not off}, by=acting.by)
    await visiting.say(Said(html_text("staff", "here.off" if off else "here.on", visiting.language_here)))


async def on_language(visiting: StaffVisit) -> None:
    """Offer the poll's languages for the group, each in its own words."""
    rows = tuple(
        ((text("words", "language.name", tag), visiting.page.payload("grouplang", tag)),)
        for tag in languages.spoken(visiting.poll)
    )
    await visiting.say(Said(html_text("staff", "group.language_ask", visiting.language_here), rows))


async def on_set_language(visiting: StaffVisit) -> None:
    """Speak the language chosen in the group; what was shown before changes when there is news of it."""
    language = languages.fitting(visiting.reference, visiting.poll)
    async with visiting.desk.acting(visiting.user_id, Act.SEE_STAFF) as acting:
        await languages.choose_for_group(acting.connection, visiting.chat_id, language)
    visiting.language_here = language
    await visiting.replace(Said(html_text("staff", "group.language_set", language, name=visiting.staff.name)))
