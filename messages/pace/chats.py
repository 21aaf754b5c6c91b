"""The pace of single chats: broadcasts reach each at most once a second, and one that was refused waits alone.

Pure; a time is the event loop's, and an argument.
"""

from typing import Final

SPACING_SECONDS: Final = 1.0  # Telegram: one message a second into one chat; for broadcasts only
CHATS_MAX: Final = 4096  # remembered before the old ones are swept
TOGETHER_SECONDS: Final = 2.0  # chats refused within so long of each other: the limit is the bot's, not theirs


class Chats:
    """What is known of the chats that were written to or refused just now."""

    def __init__(self) -> None:
        self._free_at: dict[str, float] = {}
        self._refused: dict[str, tuple[float, float]] = {}  # when it was refused last, and held until when

    def book(self, chat: str, now: float) -> float:
        """Book the next time of a broadcast into this chat, a second after the last; give the seconds until then."""
        if len(self._free_at) >= CHATS_MAX:
            self._free_at = {key: free_at for key, free_at in self._free_at.items() if free_at > now}
        free_at = max(now, self._free_at.get(chat, now))
        self._free_at[chat] = free_at + SPACING_SECONDS
        return free_at - now

    def held_for(self, chat: str, now: float) -> float:
        """Give the seconds for which nothing may go to this chat; 0.0 mostly."""
        return max(0.0, self._refused[chat][1] - now) if chat in self._refused else 0.0

    def refuse(self, chat: str, retry_after_seconds: float, now: float) -> bool:
        """Hold one chat after a 429; tell whether others were refused just now, so that the limit is the bot's."""
        others = any(at > now - TOGETHER_SECONDS for key, (at, _) in self._refused.items() if key != chat)
        if len(self._refused) >= CHATS_MAX:
            self._refused = {key: entry for key, entry in self._refused.items() if entry[1] > now}
        held_until = max(now + retry_after_seconds, self._refused.get(chat, (0.0, 0.0))[1])
        self._refused[chat] = (now, held_until)
        return others
