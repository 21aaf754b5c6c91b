"""What words need to become a message in one chat: the poll, the language, the key of the chat's buttons."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from bot.chat.buttons import PaperPress, gesture_button, paper_button
from messages.channels.channels import MINI_APP, Buttons
from messages.words.dates import moment_text, time_text
from messages.words.texts import text
from voting.model import Poll

GESTURE_PREFIX: Final = "s-"  # of staff's gestures, told apart from members' before anything is looked up


class Reader(StrEnum):
    """Who reads a page; also the domain of its texts."""

    MEMBER = "member"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Page:
    """One chat as its reader sees it: a member's, somebody's on the staff, or a staff group.

    `app_url`: the voting page, where Telegram can open it; else empty.
    """

    reader: Reader
    poll: Poll
    chat_id: int
    language: str
    button_key: bytes
    now: datetime
    app_url: str = ""

    def moment(self, instant: datetime) -> str:
        """Write an instant; to staff, one of today by its time alone."""
        zone = ZoneInfo(self.poll.timezone)
        if self.reader is Reader.STAFF and instant.astimezone(zone).date() == self.now.astimezone(zone).date():
            return time_text(instant, self.poll.timezone, self.language)
        return moment_text(instant, self.poll.timezone, self.language)

    def button(self, label_key: str, gesture: str, reference: object = "", /, **params: str | int) -> tuple[str, str]:
        """Make a button: its label from the reader's catalogue, its payload for this chat."""
        return text(self.reader, label_key, self.language, **params), self.payload(gesture, reference)

    @property
    def app_rows(self) -> Buttons:
        """Give the row whose button opens the voting page inside Telegram; none where it cannot."""
        label = text("member", "button.page", self.language)
        return (((label, MINI_APP + self.app_url),),) if self.app_url else ()

    def payload(self, gesture: str, reference: object = "") -> str:
        """Make a payload that only this chat can send."""
        prefix = GESTURE_PREFIX if self.reader is Reader.STAFF else ""
        return gesture_button(self.button_key, self.chat_id, prefix + gesture, str(reference))

    def paper(self, press: PaperPress) -> str:
        """Make a payload of a voting paper in this chat."""
        return paper_button(self.button_key, self.chat_id, press)
