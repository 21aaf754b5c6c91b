"""Every refusal of the page's questions: its key, its status and its sentence in each language."""

import pytest
from page_server import NOW, poll_of

from bot.page.refusals import AddressHeld, Busy, RequestWrong
from bot.page.refused import EXPECTED, KEYS, come_again_seconds, refused
from messages.words.texts import languages, templates
from voting.ballots.refusals import ProofWrong
from voting.model import How
from voting.refusals import AlreadyVoted, ChatLockedOut, NotEligible, PollNotOpen
from voting.store.together import TooMany

POLL = poll_of()
WRITTEN = {  # INTERFACE, section HTTP
    "unknown_pack_code",
    "wrong_vote_code",
    "pack_void",
    "pack_locked_out",
    "session_locked_out",
    "too_many",
    "rule_unread",
    "poll_not_open",
    "not_eligible",
    "already_voted",
    "unknown_intent",
    "ballot_wrong",
    "init_data_wrong",
    "request_wrong",
}


def test_the_keys_are_those_of_the_interface_and_each_has_its_sentence() -> None:
    said = {key.split(".")[1] for key in templates("page", "en-GB") if key.startswith("refusal.")}

    assert {key for _, key in KEYS.values()} == WRITTEN
    assert said == WRITTEN
    assert all(400 <= status < 500 for status, _ in KEYS.values())


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize(
    ("problem", "key"),
    [
        (ProofWrong("answers[0]"), "ballot_wrong"),
        (ChatLockedOut(), "session_locked_out"),
        (AddressHeld(), "session_locked_out"),
        (NotEligible(reason="lapsed"), "not_eligible"),
        (PollNotOpen(opens_at=POLL.opens_at, closes_at=POLL.closes_at), "poll_not_open"),
        (AlreadyVoted(how=How.POST, at=NOW), "already_voted"),
        (AlreadyVoted(how=How.ONLINE, at=NOW), "already_voted"),
        (RequestWrong(field="proof"), "request_wrong"),
        (TooMany("votes"), "too_many"),
    ],
)
def test_a_refusal_is_one_sentence_or_few_with_nothing_left_open(language: str, problem: Exception, key: str) -> None:
    answer = refused(problem, POLL, language)

    assert isinstance(problem, EXPECTED)
    assert answer.key == key
    assert answer.words.endswith(".")
    assert "{" not in answer.words


def test_a_vote_before_is_said_with_its_way_and_time() -> None:
    by_post, online = (refused(AlreadyVoted(how=how, at=NOW), POLL, "en-GB").words for how in (How.POST, How.ONLINE))

    assert "came by post and was taken in at 1:00 pm on Saturday 20 August 2022 (BST)" in by_post
    assert "was locked online at 1:00 pm" in online


def test_who_is_too_many_is_told_when_to_come_again() -> None:
    assert come_again_seconds(Busy(seconds=42)) == 42
    assert come_again_seconds(TooMany("votes")) == 5
