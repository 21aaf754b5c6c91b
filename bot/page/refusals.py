"""What is refused on the page only. The page gets a key and a sentence for each: see `refused`.

Exception
└── PageRefusal
    ├── RequestWrong   not a question that the page asks
    ├── TooLarge       larger than a ballot can be
    ├── InitDataWrong  Telegram did not sign it for our bot, or too long ago
    ├── RuleUnread     the rule changed since the page was loaded
    ├── AddressHeld    too many wrong codes came from this address today
    └── Busy           too many questions came from this address in this minute
"""


class PageRefusal(Exception):  # noqa: N818 - a refusal is named after the fact
    """The page's question is refused."""


class RequestWrong(PageRefusal):
    """The page and the service do not understand each other; `field` is where."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class TooLarge(PageRefusal):
    """This is larger than a ballot can be."""


class InitDataWrong(PageRefusal):
    """Telegram did not sign this page for our bot, or too long ago."""


class RuleUnread(PageRefusal):
    """The rule changed; it is to be read once more."""


class AddressHeld(PageRefusal):
    """Too many wrong codes came from this address today."""


class Busy(PageRefusal):
    """Too many questions came from this address; it may come again in `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds
