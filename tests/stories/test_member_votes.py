"""Stories of voting: from /vote to the receipt, and every way back to it."""

import pytest
from town import Town

pytestmark = pytest.mark.filterwarnings("ignore:.*PTB_TIMEDELTA:telegram.warnings.PTBDeprecationWarning")


async def test_a_member_reads_the_rule_gives_both_codes_chooses_and_gets_a_receipt(town: Town) -> None:
    ada = town.member("ada")

    receipt = await ada.votes("North Quay")

    lock = await town.lock_of("ada")
    assert lock is not None
    assert lock.receipt == receipt
    assert await town.count("North Quay") == 1
