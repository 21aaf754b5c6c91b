"""How many requests an address may send in a minute; kept in memory, for a bounded number of addresses."""

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

REQUESTS_MAX: Final = 300  # a minute and address: a hall that votes together over one line stays below
ADDRESSES_MAX: Final = 10_000
SPAN: Final = timedelta(minutes=1)


class Rates:
    """Counts requests by address, in windows that begin with the first of them."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, tuple[datetime, int]] = OrderedDict()

    def wait_seconds(self, address: str, now: datetime) -> int:
        """Count a request; 0 if it may be served, else after how many seconds to come again."""
        began, count = self._counts.pop(address, (now, 0))
        if now - began >= SPAN:
            began, count = now, 0
        self._counts[address] = began, count + 1
        if len(self._counts) > ADDRESSES_MAX:
            self._counts.popitem(last=False)
        return 0 if count < REQUESTS_MAX else int((began + SPAN - now).total_seconds()) + 1
