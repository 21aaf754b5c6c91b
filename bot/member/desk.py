"""The desk for members' requests: voting, codes, papers, linking, reports and privacy in one place."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from bot.inbox.inbox import Claimed
from bot.member import callers
from bot.member.answers import Locked
from bot.member.callers import Caller, Callers
from bot.member.code_desk import CodeDesk
from bot.member.linking import Linking
from bot.member.paper_desk import PaperDesk
from bot.member.privacy import Privacy
from bot.member.requests import OnReport, Requests, report_to_nobody
from bot.member.vote_desk import VoteDesk
from messages.ledger.planning import plan_message
from messages.pace.pacer import Lane
from messages.reach import TELEGRAM
from voting.secrets_file import Secrets
from voting.store.database import Database
from voting.votes.checks import Checks
from voting.votes.clerk import Clerk

VOTE_LOCKED: Final = "vote_locked"  # the purpose of a receipt sent as a message of its own
SORRY: Final = "sorry"  # the purpose of an apology for a message that could not be dealt with


class MemberDesk:
    """All that members can ask.

    `sms`: whether text messages can be sent. `on_report` tells staff; `wake` says that a message was planned.
    `app_url`: the voting page, where Telegram can open it.
    """

    def __init__(
        self,
        database: Database,
        secrets: Secrets,
        clerk: Clerk,
        checks: Checks,
        *,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        on_report: OnReport = report_to_nobody,
        sms: bool = True,
        app_url: str = "",
    ) -> None:
        self.button_key = secrets.button_key
        self.sms = sms
        self.app_url = app_url
        self.wake = wake
        self._callers = Callers(database)
        self.votes = VoteDesk(database, self._callers)
        self.codes = CodeDesk(database, self._callers, checks, secrets.hours, secrets.code_key)
        self.papers = PaperDesk(database, self._callers, clerk, secrets.code_key)
        self.linking = Linking(database, secrets, sms)
        self.requests = Requests(database, on_report)
        self.privacy = Privacy(database)
        self._database = database
        self._clock = clock

    def now(self) -> datetime:
        """Give the time."""
        return self._clock()

    async def receive(self, user_id: int, language_code: str | None, received_at: datetime | None) -> Caller:
        """Say who asks. What they ask counts from when it was received, or from now. NoPoll."""
        return await self._callers.receive(user_id, language_code, received_at or self._clock())

    async def send_receipt_later(self, caller: Caller, locked: Locked) -> None:
        """Plan the receipt as a message of its own, once, because it may not have been shown."""
        async with self._database.writing() as connection:
            await plan_message(
                connection,
                purpose=VOTE_LOCKED,
                facts={"receipt": locked.receipt, "at": locked.at.isoformat(), "timezone": caller.poll.timezone},
                channel=TELEGRAM,
                address=str(caller.chat.user_id),
                language=caller.language,
                occasion=f"receipt:{locked.intent_id}",
                lane=Lane.CHAT,
                now=caller.now,
            )
        self.wake()

    async def apologise(self, row: Claimed) -> None:
        """Tell the person whose update was given up, once; a group or a text message gets no apology."""
        provider, _, user_id = row.queue.partition(":")
        if provider != TELEGRAM or not user_id.isdigit():
            return
        async with self._database.writing() as connection:
            asker = await callers.receive(connection, int(user_id), None, self._clock())
            await plan_message(
                connection,
                purpose=SORRY,
                facts={},
                channel=TELEGRAM,
                address=user_id,
                language=asker.language,
                occasion=f"sorry:{row.id}",
                lane=Lane.CHAT,
                now=asker.now,
            )
        self.wake()
