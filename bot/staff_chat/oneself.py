"""What staff ask for themselves: to be enrolled, who one is, duty, the console, and to leave what was begun."""

from typing import Final

from telegram import Update
from telegram.ext import ApplicationHandlerStop

from bot.alerts import alerts
from bot.chat import posting
from bot.chat.context import Context
from bot.chat.said import Said, plainly
from bot.staff import drafts, enrolment, login_links
from bot.staff.desk import StaffDesk
from bot.staff.enrolment import PREFIX
from bot.staff.roles import Act
from bot.staff_chat.visit import StaffVisit
from bot.staff_chat.words import duty_said, staff_said
from messages.words.refusal_words import refusal_text
from messages.words.texts import fit_language, html_text, text
from voting.refusals import Refusal

LOGIN_PATH: Final = "/console/login/"


async def on_enrol(desk: StaffDesk, update: Update, context: Context) -> None:
    """Take an invitation's link; whoever cannot use it is told so and no more."""
    user, message = update.effective_user, update.effective_message
    assert user is not None  # a private chat
    assert message is not None
    token = (message.text or "").split()[1].removeprefix(PREFIX)
    language = fit_language(user.language_code)
    try:
        async with desk.house.database.writing() as connection:
            staff = await enrolment.enrol(
                connection,
                token,
                user_id=user.id,
                called=user.full_name,
                language=user.language_code,
                now=desk.now(),
            )
    except Refusal as refusal:
        await posting.send(context.bot, plainly(refusal_text(refusal, language, "UTC")), user.id)
        raise ApplicationHandlerStop from None
    role = text("staff", f"role.{staff.role}", staff.language)
    words = html_text("staff", "staff.enrolled", staff.language, name=staff.name, role=role)
    await posting.send(context.bot, Said(words), user.id)
    raise ApplicationHandlerStop


async def on_staff(visiting: StaffVisit) -> None:
    """Say who one is, what one can do, who is on duty."""
    async with visiting.desk.looking(visiting.user_id, Act.SEE_STAFF) as looking:
        duty = await enrolment.on_duty(looking.connection)
        waiting = len(await alerts.open_alerts(looking.connection))
        said = staff_said(visiting.page, looking.staff, duty, waiting)
    await visiting.say(said)


async def on_duty(visiting: StaffVisit) -> None:
    """Go on or off duty; without a word, say who is."""
    wish = (visiting.reference or visiting.words).casefold()
    async with visiting.desk.acting(visiting.user_id, Act.GO_ON_DUTY) as acting:
        staff = acting.staff
        if wish in ("on", "off"):
            staff = await enrolment.set_duty(acting.connection, staff.id, on=wish == "on", by=acting.by)
        said = duty_said(visiting.page, staff, await enrolment.on_duty(acting.connection))
    if visiting.query is not None:
        await visiting.toast()
    await visiting.say(said)


async def on_console(visiting: StaffVisit) -> None:
    """Give a link that opens the console once; to the person alone."""
    settings = visiting.desk.house.settings
    async with visiting.desk.acting(visiting.user_id, Act.OPEN_CONSOLE) as acting:
        secrets = visiting.desk.house.secrets
        token = await login_links.make_login_link(acting.connection, secrets, acting.staff.id, acting.now)
    url = (settings.public_url or f"http://{settings.listen}") + LOGIN_PATH + token
    words = html_text("staff", "console.link", visiting.language, url=url)
    await visiting.say_privately(Said(words, secret=True))


async def on_cancel(visiting: StaffVisit) -> None:
    """Leave whatever was begun."""
    async with visiting.desk.house.database.writing() as connection:
        await drafts.clear(connection, visiting.user_id)
    await visiting.replace(Said(html_text("staff", "draft.canceled", visiting.language)))
