"""The words a text message can be: each of both languages, however it is typed, and which Twilio answers itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages.words.keywords import (
    TWILIO_HELP,
    TWILIO_START,
    TWILIO_STOP,
    Keyword,
    answered_by_twilio,
    keyword_language,
    keyword_of,
)

TWILIOS = TWILIO_STOP | TWILIO_START | TWILIO_HELP

# What the two languages have, written out once more: a word that is lost here is a STOP that is not heard.
WORDS = {
    (Keyword.STOP, "en-GB"): "STOP STOPALL UNSUBSCRIBE CANCEL END QUIT REVOKE OPTOUT",
    (Keyword.START, "en-GB"): "START YES UNSTOP",
    (Keyword.HELP, "en-GB"): "HELP INFO",
    (Keyword.STATUS, "en-GB"): "STATUS",
    (Keyword.STOP, "cy"): "STOPIO STOPIWCH ATAL DIWEDD CANSLO",
    (Keyword.START, "cy"): "DECHRAU DECHREUWCH AILDDECHRAU",
    (Keyword.HELP, "cy"): "CYMORTH GWYBODAETH",
    (Keyword.STATUS, "cy"): "STATWS",
}
EVERY = [(word, keyword, language) for (keyword, language), words in WORDS.items() for word in words.split()]


@pytest.mark.parametrize(("word", "keyword", "language"), EVERY, ids=[word for word, _, _ in EVERY])
def test_every_keyword_means_what_it_says_in_its_language(word: str, keyword: Keyword, language: str) -> None:
    assert keyword_of(word) is keyword
    assert keyword_language(word) == language
    assert answered_by_twilio(word) is (word in TWILIOS)


def test_no_word_means_two_things() -> None:
    """A Welsh word that is an English one of another meaning would stop somebody who asked for help."""
    assert len({word for word, _, _ in EVERY}) == len(EVERY)


noise = st.text(" .,!?'\"-\n\t\u2019\u201c\u00a0()", max_size=4)
typed = st.sampled_from([str.lower, str.upper, str.title, str.swapcase])


@given(st.sampled_from(EVERY), typed, noise, noise)
def test_case_spaces_and_punctuation_around_a_keyword_do_not_matter(
    entry: tuple[str, Keyword, str], write: st.SearchStrategy[str], before: str, after: str
) -> None:
    word, keyword, language = entry
    body = before + write(word) + after

    assert keyword_of(body) is keyword
    assert keyword_language(body) == language


@given(st.sampled_from(EVERY), st.sampled_from("abcxyz0189éŵ中"))
def test_a_word_with_one_more_letter_is_another_word(entry: tuple[str, Keyword, str], letter: str) -> None:
    body = entry[0] + letter
    known = {word for word, _, _ in EVERY}

    assert (keyword_of(body) is None) == (body.upper() not in known)


@given(st.text())
def test_only_a_keyword_has_a_language(body: str) -> None:
    assert keyword_language(body) is None or keyword_of(body) is not None


@given(st.text())
def test_whatever_twilio_answers_is_a_keyword_of_ours_too(body: str) -> None:
    """It stops the number there: we must have heard of it."""
    if answered_by_twilio(body):
        assert keyword_of(body) in {Keyword.STOP, Keyword.START, Keyword.HELP}


SENTENCES = {
    "a wish with a keyword in it": "please stop",
    "a keyword and a reason": "STOP I have voted already by post",
    "a question": "what is the status of my pack?",
    "the end of a sentence": "in the end",
    "a member number": "M000123",
    "a code": "4F7K-22QX",
    "a name": "Stopes",
    "a picture": "🛑",
    "yes and a reason": "yes please",
    "Welsh in a sentence": "peidiwch â stopio",
    "only punctuation": "...!",
    "only spaces": " \n\t",
}


@pytest.mark.parametrize("body", SENTENCES.values(), ids=SENTENCES.keys())
def test_a_sentence_is_no_keyword(body: str) -> None:
    """Somebody who writes a sentence gets help; nobody is stopped by a word they used."""
    assert keyword_of(body) is None
    assert not answered_by_twilio(body)
