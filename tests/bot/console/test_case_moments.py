"""A case as the console tells it: a chat is a chat, and the voting page is the voting page."""

from datetime import UTC, datetime

import pytest

from bot.console.cases import kind_of, moments
from bot.console.speech import Speech
from messages.words.texts import templates
from voting.votes.cases import AttemptRow, Case

NOW = datetime(2022, 8, 20, 12, 0, tzinfo=UTC)


def case_of(first: str | None, attempt: AttemptRow) -> Case:
    how = "online" if first else "post"
    nothing = dict.fromkeys(
        (
            "acknowledged_by",
            "acknowledged_at",
            "assigned_to",
            "outcome",
            "note",
            "proposed_by",
            "proposed_at",
            "settled_by",
            "settled_at",
            "disputed_at",
        )
    )
    return Case(
        id=1,
        member_id=1,
        member_no="0000001",
        state="open",
        version=1,
        opened_at=NOW,
        locked_how=how,
        locked_at=NOW,
        locked_chat=first,
        attempts=(attempt,),
        **nothing,  # type: ignore[arg-type] # each is None
    )


@pytest.mark.parametrize(
    ("first", "tried", "locked", "where"),
    [
        ("telegram:1", "telegram:1", "online, in a chat", "From the same chat as the vote."),
        ("telegram:1", "telegram:2", "online, in a chat", "From another chat than the vote."),
        ("page:a", "page:a", "online, on the voting page", "From the voting page, in the same browser as the vote."),
        ("page:a", "page:b", "online, on the voting page", "From the voting page, in another browser than the vote."),
        ("page:a", "telegram:2", "online, on the voting page", "From a chat; the vote came from the voting page."),
        ("telegram:1", "page:b", "online, in a chat", "From the voting page; the vote came from a chat."),
        (None, "page:b", "by post", "From the voting page; the vote had come by post."),
        (None, "telegram:2", "by post", "From a chat; the vote had come by post."),
        ("page:a", None, "online, on the voting page", "On paper; the envelope stays unopened."),
    ],
)
def test_a_case_names_the_page_where_it_was_the_page(
    first: str | None, tried: str | None, locked: str, where: str
) -> None:
    told = list(moments(case_of(first, AttemptRow(1, "foreign", NOW, tried)), Speech("en-GB", NOW)))

    assert told[0].words == f"The vote was locked {locked}"
    assert told[1].detail == where


@pytest.mark.parametrize("kind", ["repeat", "foreign", "online_after_post"])
def test_every_class_of_attempt_has_words_for_the_page(kind: str) -> None:
    on_page = AttemptRow(1, kind, NOW, "page:b")

    assert kind_of(on_page) == f"{kind}_page"
    assert {f"say.attempt.{kind}", f"say.attempt.{kind}_page"} <= templates("console", "en-GB").keys()
    assert kind_of(AttemptRow(1, kind, NOW, "telegram:1")) == kind
