"""Whether what members write reaches us: what the poller, or a look at the webhook, last heard from Telegram."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Final

from telegram import WebhookInfo
from telegram.error import Conflict, InvalidToken, TelegramError

SILENCE_MAX_SECONDS: Final = 60.0
REFUSED_SECONDS: Final = 5.0  # a process that is just ending may poll for a moment more
RIVAL_SECONDS: Final = 60.0  # two who poll are both heard now and then: only a minute without a conflict ends it

CONFLICT: Final = "conflict"  # somebody else polls, or has set a webhook of their own
TOKEN: Final = "token"  # noqa: S105 - the reason's name: the token was refused
WEBHOOK: Final = "webhook"  # Telegram cannot hand over what it holds
SILENT: Final = "silent"

_REFUSED: Final = ((Conflict, CONFLICT), (InvalidToken, TOKEN))


@dataclass(frozen=True, slots=True)
class _Refused:
    """Why Telegram refuses, since when, and when it did last."""

    why: str
    since: float
    last: float


@dataclass(slots=True)
class Hearing:
    """When Telegram last answered as it should, and why not since; by this process's monotonic clock."""

    clock: Callable[[], float] = monotonic
    _heard_at: float = field(init=False)
    _ever: bool = False
    _refused: _Refused | None = None
    _error_at: datetime | None = None  # of the webhook, as Telegram says
    _listens: bool = True
    _told: str | None = None  # the trouble of the process that listens

    def __post_init__(self) -> None:
        self._heard_at = self.clock()

    def heard(self) -> None:
        """Note that Telegram answered."""
        self._heard_at, self._ever = self.clock(), True
        refused = self._refused
        if refused is not None and (refused.why != CONFLICT or self._heard_at - refused.last >= RIVAL_SECONDS):
            self._refused = None

    def not_heard(self, problem: TelegramError) -> None:
        """Note a failure. One that gives no reason only counts as silence, which is reported when it lasts too long."""
        why = next((why for kind, why in _REFUSED if isinstance(problem, kind)), None)
        if why is not None:
            self._refuse(why)

    def looked(self, info: WebhookInfo, wanted: str) -> None:
        """Note what Telegram says of the webhook, whose URL should be `wanted`."""
        known, self._error_at = self._error_at, info.last_error_date
        failing = info.pending_update_count > 0 and info.last_error_date not in (None, known)
        if info.url != wanted:
            self._refuse(CONFLICT)
        elif failing:
            self._refuse(WEBHOOK)
        else:
            self.heard()

    @property
    def listens(self) -> bool:
        """Whether this process is the one that listens; can be set. It begins with a full minute of patience."""
        return self._listens

    @listens.setter
    def listens(self, value: bool) -> None:
        if value and not self._listens:
            self._heard_at, self._refused = self.clock(), None
        self._listens = value

    def told(self, trouble: str | None) -> None:
        """Note the trouble of the process that listens instead of this one."""
        self._told = trouble

    @property
    def silence_seconds(self) -> float:
        """How long ago Telegram answered."""
        return self.clock() - self._heard_at if self._listens else 0.0

    @property
    def trouble(self) -> str | None:
        """The problem that staff must hear of; None when there is none."""
        if not self._listens:
            return self._told
        refused = self._refused
        if refused is not None:
            until = self.clock() if self._heard_at <= refused.last else refused.last
            if until - refused.since >= REFUSED_SECONDS:
                return refused.why
        return SILENT if self.silence_seconds >= SILENCE_MAX_SECONDS else None

    @property
    def well(self) -> bool:
        """Whether Telegram answered this process, and refuses nothing."""
        return self._ever and self._refused is None and self.trouble is None

    def _refuse(self, why: str) -> None:
        now = self.clock()
        since = self._refused.since if self._refused is not None and self._refused.why == why else now
        self._refused = _Refused(why, since, now)
