"""What staff's words need: language, time zone, and what makes a button this chat's own."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.chat.buttons import gesture_button
from messages.words.dates import moment_text, time_text
from messages.words.texts import text

GESTURE_PREFIX = "s-"  # staff's gestures, told apart from members' before anything is looked up


@dataclass(frozen=True, slots=True)
class StaffPage:
    """One chat that staff read: somebody's own, or a group."""

    chat_id: int
    language: str
    timezone: str
    button_key: bytes
    now: datetime

    def moment(self, instant: datetime) -> str:
        """Write an instant: today by its time alone."""
        zone = ZoneInfo(self.timezone)
        if instant.astimezone(zone).date() == self.now.astimezone(zone).date():
            return time_text(instant, self.timezone, self.language)
        return moment_text(instant, self.timezone, self.language)

    def button(self, label_key: str, gesture: str, reference: object = "", /, **params: str | int) -> tuple[str, str]:
        """Make a button: its label from the catalogue, its payload for this chat."""
        return text("staff", label_key, self.language, **params), self.payload(gesture, reference)

    def payload(self, gesture: str, reference: object = "") -> str:
        """Make a payload that only this chat can send."""
        return gesture_button(self.button_key, self.chat_id, GESTURE_PREFIX + gesture, str(reference))
