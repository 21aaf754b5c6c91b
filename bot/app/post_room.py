"""Where each row of the inbox goes: to the chat's handlers, to the answers of text messages, to the ledger."""

from dataclasses import dataclass

from bot.alerts import alerts, hooks
from bot.chat.context import BotApplication
from bot.edge import telegram
from bot.edge.links import vote_url
from bot.house import House
from bot.inbox.inbox import Claimed, Unreadable
from bot.member.desk import MemberDesk
from bot.member_chat import sms
from messages.channels import bad_answers
from messages.ledger.callbacks import read_report
from messages.postman.postman import Postman


@dataclass(frozen=True, slots=True)
class PostRoom:
    """Gives each inbox row to whom it is for; `application` is None when Telegram is off."""

    house: House
    application: BotApplication | None
    member_desk: MemberDesk
    postman: Postman

    async def handle(self, row: Claimed) -> None:
        """Handle one row; repeatable. Unreadable, PutOff."""
        if not row.payload:
            raise Unreadable("sealed")
        if row.source == "telegram" and self.application is not None:
            await telegram.process(self.application, row)
        elif row.source == "twilio_inbound":
            bot_url = self.application.bot.link if self.application is not None else ""
            now = self.house.clock()
            page_url, on_news = vote_url(self.house.settings), hooks.on_text_news
            await sms.on_sms(self.house.database, row, now=now, bot_url=bot_url, page_url=page_url, on_news=on_news)
            self.postman.wake()
        elif row.source == "twilio_status":
            await self._status(row)

    async def failed(self, row: Claimed, problem: Exception) -> None:
        """Tell staff of a row that could not be handled, and whoever waits for an answer."""
        unreadable = isinstance(problem, Unreadable)
        kind = alerts.Kind.UNREADABLE if unreadable else alerts.Kind.INBOX_FAILED
        if unreadable:
            bad_answers.note(row.source, "update")
        facts = {"source": row.source, "row": row.id, "number": row.key}
        async with self.house.database.writing() as connection:
            await alerts.raise_alert(connection, kind, f"inbox:{row.id}", facts, self.house.clock())
        if self.application is not None:
            await self.member_desk.apologise(row)

    async def _status(self, row: Claimed) -> None:
        fields = row.payload
        sid = fields.get("MessageSid") or fields["SmsSid"]
        report = read_report(sid, fields["MessageStatus"], fields.get("ErrorCode"), fields.get("delivery"))
        async with self.house.database.writing() as connection:
            await self.postman.record_status(connection, report, self.house.clock())
