"""Codes: no slip goes unnoticed, whatever is typed by way of a code is read, and no word is taken for one."""

import itertools
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voting.codes.codes import (
    ALPHABET,
    LOOK_ALIKES,
    CheckRule,
    Code,
    Kind,
    Parsed,
    Problem,
    Reason,
    contains_code,
    generate,
    hash_pack,
    hash_wrong,
    parse,
    printed,
    redact,
    same,
)
from voting.codes.format import LABELS, VALUES, issuable, right

POLL = "leader-2022"
# Drawn once and printed: codes in letters must stay right in every later version.
PACK, VOTE = "VK475JSUE", "ES2G2H74GVKQ"
BOTH = (Code(Kind.PACK, PACK), Code(Kind.VOTE, VOTE))
KEY = bytes(range(32))

kinds = pytest.mark.parametrize("kind", list(Kind))
any_kind = st.sampled_from(list(Kind))
poll_ids = st.text(min_size=1, max_size=20)


@st.composite
def codes_of(draw: st.DrawFn, poll_id: str = POLL) -> Code:
    kind = draw(any_kind)
    seed = draw(st.integers(0, 2**32))
    return Code(kind, generate(kind, poll_id, random=random.Random(seed).randrange))


# ---- format


@kinds
def test_a_code_is_of_its_length_over_the_alphabet_and_right_in_its_poll(kind: Kind) -> None:
    for _ in range(200):
        code = generate(kind, POLL)
        assert len(code) == {Kind.PACK: 9, Kind.VOTE: 12}[kind]
        assert set(code) <= set(ALPHABET)
        assert right(kind, code, POLL)


def test_the_alphabet_has_nothing_that_looks_like_something_else() -> None:
    assert len(ALPHABET) == len(set(ALPHABET)) == 31
    assert not set(ALPHABET) & set("01OIL")
    assert set(LOOK_ALIKES) == set("01OIL")
    assert set("".join(LOOK_ALIKES.values())) <= set(ALPHABET)


def test_codes_are_printed_in_three_groups() -> None:
    assert printed(Kind.PACK, PACK) == "VK4-75J-SUE"
    assert printed(Kind.VOTE, VOTE) == "ES2G-2H74-GVKQ"


def test_no_code_is_drawn_twice_in_ten_thousand() -> None:
    assert len({generate(Kind.PACK, POLL) for _ in range(10_000)}) == 10_000


@kinds
@settings(deadline=None)
@given(poll_ids)
def test_every_single_slip_and_every_swap_of_two_characters_breaks_the_check(kind: Kind, poll_id: str) -> None:
    """The rule is a weighted sum, so it is enough that no error of value 1 to 30 leaves the sum as it was."""
    weights = CheckRule.for_poll(poll_id, kind).weights

    assert len(weights) == kind.length
    assert all(weight * error % 31 for weight in weights for error in range(1, 31))
    assert all((a - b) * error % 31 for a, b in itertools.combinations(weights, 2) for error in range(1, 31))


@settings(deadline=None, max_examples=30)  # 279 or 372 readings in each
@given(codes_of())
def test_a_single_wrong_character_is_a_slip_and_never_a_wrong_code(code: Code) -> None:
    for at, char in itertools.product(range(code.kind.length), ALPHABET):
        typed = code.canonical[:at] + char + code.canonical[at + 1 :]
        read = parse(printed(code.kind, typed), POLL)
        assert read == (
            Parsed((code,), None) if typed == code.canonical else Parsed((), Problem(Reason.CHECK_FAILED, code.kind))
        )


@settings(deadline=None)
@given(codes_of())
def test_two_swapped_characters_are_a_slip(code: Code) -> None:
    for a, b in itertools.combinations(range(code.kind.length), 2):
        swapped = list(code.canonical)
        swapped[a], swapped[b] = swapped[b], swapped[a]
        assert right(code.kind, "".join(swapped), POLL) == (swapped[a] == swapped[b])


@kinds
def test_a_code_of_another_poll_is_noticed_as_often_as_one_character_can(kind: Kind) -> None:
    passed = sum(right(kind, generate(kind, f"poll-{n}"), POLL) for n in range(3_000))

    assert passed / 3_000 == pytest.approx(1 / 31, abs=0.015)


def test_the_two_codes_follow_different_rules() -> None:
    pack, vote = (CheckRule.for_poll(POLL, kind) for kind in Kind)

    assert pack.weights != vote.weights[: len(pack.weights)]


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("234567892", id="digits only: a number"),
        pytest.param("2345E6789", id="scientific notation"),
        pytest.param("2345D6789", id="scientific notation of Fortran and LibreOffice"),
        pytest.param("234567AM", id="a time of day"),
        pytest.param("2345678P", id="a time of day, short"),
        pytest.param("22MAR2X22", id="a date"),
        pytest.param("KTRUE2345", id="a truth value"),
        pytest.param("ABCDEFGHJ", id="letters only: a word"),
        pytest.param("ABCDEFGH2", id="a word with one slip in it"),
        pytest.param("23SEX45KM", id="offensive"),
        pytest.param("23K53XKM4", id="offensive in digits"),
        pytest.param("23PACK45M", id="a word typed around codes"),
    ],
)
def test_a_code_that_a_spreadsheet_or_a_reader_would_trip_over_is_never_issued(code: str) -> None:
    assert not issuable(code)


def test_a_code_that_cannot_be_issued_is_drawn_again() -> None:
    seven = iter([5] * 8 + [VALUES[char] for char in PACK])

    assert generate(Kind.PACK, POLL, random=lambda _: next(seven)) == PACK


def test_a_right_sum_over_a_code_that_was_never_issued_is_a_slip() -> None:
    never = CheckRule.for_poll(POLL, Kind.PACK).complete("23PACK45")

    assert parse(never, POLL).problem == Problem(Reason.CHECK_FAILED, Kind.PACK)


def test_no_label_can_be_part_of_an_issued_code() -> None:
    assert not any(issuable(f"23{label}45XY") for label in LABELS if len(label) > 2 and set(label) <= set(ALPHABET))


# ---- reading


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("VK4-75J-SUE\nES2G-2H74-GVKQ", id="as printed, two lines"),
        pytest.param("VK475JSUE ES2G2H74GVKQ", id="no dashes"),
        pytest.param("VK475JSUEES2G2H74GVKQ", id="run together"),
        pytest.param("vk4 75j sue  es2g 2h74 gvkq", id="small letters in groups on one line"),
        pytest.param("vk4 75j sue es2g 2h74 gvkq", id="one space between all groups"),
        pytest.param("v k 4 7 5 j s u e e s 2 g 2 h 7 4 g v k q", id="spelled out"),
        pytest.param("VK4‐75J‑SUE – ES2G—2H74−GVKQ", id="every dash there is"),
        pytest.param("VK4 - 75J - SUE, ES2G - 2H74 - GVKQ", id="spaces around dashes"),
        pytest.param("VK4.75J.SUE / ES2G_2H74_GVKQ", id="dots and underscores"),
        pytest.param("VK4\n75J\nSUE\nES2G\n2H74\nGVKQ", id="a line per group"),
        pytest.param("VK4,75J,SUE,ES2G,2H74,GVKQ", id="commas"),
        pytest.param("Pack code: VK4-75J-SUE. Vote code: ES2G-2H74-GVKQ.", id="labelled"),
        pytest.param("my pack code is VK4 75J SUE and the vote code is ES2G 2H74 GVKQ", id="a sentence"),
        pytest.param("Fy nghod pecyn yw VK4-75J-SUE, cod pleidlais ES2G-2H74-GVKQ, diolch", id="in Welsh"),
        pytest.param("code-VK4-75J-SUE code_ES2G-2H74-GVKQ", id="labels joined on"),
        pytest.param("(VK4-75J-SUE) [ES2G-2H74-GVKQ]!", id="brackets"),
        pytest.param("“VK4-75J-SUE” ‘ES2G-2H74-GVKQ’", id="quotes"),
        pytest.param("ＶＫ４－７５Ｊ－ＳＵＥ　ＥＳ２Ｇ－２Ｈ７４－ＧＶＫＱ", id="full width"),
        pytest.param("VK4\u200b-75J-\u200bSUE\u00a0ES2G\u00ad-2H74-GVKQ\ufeff", id="invisible characters"),
        pytest.param("VК4-75J-SUЕ ES2G-2Н74-GVKQ", id="Cyrillic twins"),
        pytest.param("VK47 5JSUE\nES 2G2 H74 GVKQ", id="groups of their own making"),
        pytest.param("VK4-75J-SUE/ES2G-2H74-GVKQ", id="a slash between"),
        pytest.param("VK475JSUE, here is ES2 G2H 74G VKQ", id="a vote code in threes"),
        pytest.param("hi could you please take VK47 5JS UE for me and also ES2G2H 74GVKQ cheers", id="deep in a chat"),
        pytest.param("my VK4-75J-SUE my ES2G-2H74-GVKQ", id="a label between"),
        pytest.param("1. VK4-75J-SUE\n2. ES2G-2H74-GVKQ", id="a numbered list"),
        pytest.param("VK4-75J-SUE VK4-75J-SUE ES2G-2H74-GVKQ", id="one of them twice"),
    ],
)
def test_both_codes_are_read_from_one_message(text: str) -> None:
    assert parse(text, POLL) == Parsed(BOTH, None)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("ES2G-2H74-GVKQ VK4-75J-SUE", id="as printed"),
        pytest.param("ES2G2H74GVKQVK475JSUE", id="run together"),
        pytest.param("es2g 2h74 gvkq vk4 75j sue", id="in groups"),
        pytest.param("e s 2 g 2 h 7 4 g v k q v k 4 7 5 j s u e", id="spelled out"),
    ],
)
def test_the_codes_may_come_the_other_way_round(text: str) -> None:
    assert parse(text, POLL) == Parsed(BOTH[::-1], None)


def test_one_code_alone_is_read_and_the_other_is_not_made_up() -> None:
    pack, vote = parse("VK4-75J-SUE", POLL), parse("ES2G-2H74-GVKQ", POLL)

    assert (pack.pack, pack.vote, pack.problem) == (PACK, None, None)
    assert (vote.pack, vote.vote, vote.problem) == (None, VOTE, None)


@pytest.mark.parametrize(
    ("text", "reason", "kind", "characters"),
    [
        pytest.param("", Reason.EMPTY, None, "", id="nothing"),
        pytest.param(" \n\t", Reason.EMPTY, None, "", id="blanks"),
        pytest.param("👍", Reason.NOT_A_CODE, None, "", id="an emoji"),
        pytest.param("hello, where is my pack?", Reason.NOT_A_CODE, None, "", id="a question"),
        pytest.param("my code", Reason.NOT_A_CODE, None, "", id="labels alone"),
        pytest.param("how are you", Reason.NOT_A_CODE, None, "", id="words of three"),
        pytest.param("does this work", Reason.NOT_A_CODE, None, "", id="words of four"),
        pytest.param("BEAUTIFUL transparency", Reason.NOT_A_CODE, None, "", id="words as long as codes"),
        pytest.param("I am at it as we go on to it", Reason.NOT_A_CODE, None, "", id="short words"),
        pytest.param("see you at 2pm on the 3rd", Reason.NOT_A_CODE, None, "", id="a time and a day"),
        pytest.param("07700 900123", Reason.NOT_A_CODE, None, "", id="a telephone number"),
        pytest.param("234 567 892", Reason.NOT_A_CODE, None, "", id="digits as long as a code"),
        pytest.param("22 August 2022", Reason.NOT_A_CODE, None, "", id="a date"),
        pytest.param("2022-08-22", Reason.NOT_A_CODE, None, "", id="a date in figures"),
        pytest.param("SW1A 2AA", Reason.NOT_A_CODE, None, "", id="a postcode"),
        pytest.param("22 High Street, Cardiff CF10 3AT", Reason.NOT_A_CODE, None, "", id="an address"),
        pytest.param("I had covid-19", Reason.NOT_A_CODE, None, "", id="a word with a number"),
        pytest.param("https://example.org/a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5", Reason.NOT_A_CODE, None, "", id="a link"),
        pytest.param("VK4-75J-SU2", Reason.CHECK_FAILED, Kind.PACK, "", id="pack code, a slip"),
        pytest.param("vk4 75j su2", Reason.CHECK_FAILED, Kind.PACK, "", id="pack code in groups, a slip"),
        pytest.param("ES2G2H74GVK2", Reason.CHECK_FAILED, Kind.VOTE, "", id="vote code, a slip"),
        pytest.param(
            "hi my code is VK4 75J SU2 can you look", Reason.CHECK_FAILED, Kind.PACK, "", id="a slip in words"
        ),
        pytest.param("ABC-DEF-GHJ", Reason.CHECK_FAILED, Kind.PACK, "", id="the example in the letter"),
        pytest.param("ABC 234 DEF", Reason.CHECK_FAILED, Kind.PACK, "", id="a group of digits alone"),
        pytest.param("V K 4 7 5 J S U 2", Reason.CHECK_FAILED, Kind.PACK, "", id="spelled out, a slip"),
        pytest.param("VK475JSU2ES2G2H74GVK2", Reason.CHECK_FAILED, None, "", id="a slip in both, run together"),
        pytest.param("VK4-7OJ-SUE", Reason.BAD_CHARACTER, Kind.PACK, "O", id="the letter O"),
        pytest.param("VK4-70J-SUE", Reason.BAD_CHARACTER, Kind.PACK, "0", id="the digit 0"),
        pytest.param("ES2G-2H7I-1VKI", Reason.BAD_CHARACTER, Kind.VOTE, "I1", id="each named once"),
        pytest.param("ÉS2G-2H74-GVKQ", Reason.BAD_CHARACTER, Kind.VOTE, "É", id="an accent"),
        pytest.param("VK4-75J-SU", Reason.TOO_SHORT, Kind.PACK, "", id="pack code, one missing"),
        pytest.param("ARE-6T2-RWA", Reason.CHECK_FAILED, Kind.PACK, "", id="a group turned into a word"),
        pytest.param("VK4-75J", Reason.TOO_SHORT, None, "", id="a group missing"),
        pytest.param("ES2G-2H74-GVK", Reason.TOO_SHORT, Kind.VOTE, "", id="vote code, one missing"),
        pytest.param("VK475JSUES2G2H74GVKQ", Reason.TOO_SHORT, None, "", id="both run together, one missing"),
        pytest.param("VK4-75J-SUE2", Reason.TOO_LONG, Kind.PACK, "", id="pack code, one too many"),
        pytest.param("ES2G-2H74-GVKQ2", Reason.TOO_LONG, Kind.VOTE, "", id="vote code, one too many"),
        pytest.param("ES2G-2H74-GVKQ-222", Reason.TOO_LONG, None, "", id="vote code, a group too many"),
        pytest.param("VK4-75J-SUO2", Reason.TOO_LONG, Kind.PACK, "O", id="too many, and the letter O"),
    ],
)
def test_what_is_wrong_is_named(text: str, reason: Reason, kind: Kind | None, characters: str) -> None:
    assert parse(text, POLL) == Parsed((), Problem(reason, kind, characters))


@pytest.mark.parametrize(
    ("text", "code", "problem"),
    [
        pytest.param("VK4-75J-SUE\nES2G-2H74-GVK2", BOTH[0], Problem(Reason.CHECK_FAILED, Kind.VOTE), id="two lines"),
        pytest.param("vk4 75j su2 es2g 2h74 gvkq", BOTH[1], Problem(Reason.CHECK_FAILED, Kind.PACK), id="in groups"),
        pytest.param("VK475JSUEES2G2H74GVK2", BOTH[0], Problem(Reason.CHECK_FAILED, Kind.VOTE), id="run together"),
        pytest.param("ES2G2H74GVKQVK475JSU2", BOTH[1], Problem(Reason.CHECK_FAILED, Kind.PACK), id="together, swapped"),
        pytest.param("VK475JSUE ES2G2H74GV", BOTH[0], Problem(Reason.TOO_SHORT, Kind.VOTE), id="the second too short"),
        pytest.param(
            "VK475JSUE ES2G2H74GVKO", BOTH[0], Problem(Reason.BAD_CHARACTER, Kind.VOTE, "O"), id="the letter O"
        ),
    ],
)
def test_the_right_code_is_kept_beside_a_mistyped_one(text: str, code: Code, problem: Problem) -> None:
    assert parse(text, POLL) == Parsed((code,), problem)


def test_both_codes_run_together_with_two_ways_to_be_half_right_are_not_guessed_at() -> None:
    """Either the first nine are a pack code or the last nine are: which one was meant cannot be told."""
    middle = next(
        text
        for text in (f"{a}{b}{c}" for a, b, c in itertools.product(ALPHABET, repeat=3))
        if not right(Kind.VOTE, PACK + text, POLL) and not right(Kind.VOTE, text + PACK, POLL)
    )

    assert parse(PACK + middle + PACK, POLL) == Parsed((), Problem(Reason.CHECK_FAILED))


def test_codes_of_several_packs_are_all_given() -> None:
    draw = random.Random(7).randrange
    packs = [generate(Kind.PACK, POLL, random=draw) for _ in range(6)]

    read = parse("  ".join(printed(Kind.PACK, code) for code in packs), POLL)

    assert read == Parsed(tuple(Code(Kind.PACK, code) for code in packs), None)


def test_a_very_long_message_is_read_only_as_far_as_a_message_goes() -> None:
    assert parse("x " * 2_048 + printed(Kind.PACK, PACK), POLL).codes == ()


def test_a_group_of_their_own_making_may_spell_a_label() -> None:
    code = next(text for a in ALPHABET if right(Kind.PACK, text := f"5DFY22NX{a}", POLL))

    assert parse(f"my code is {code[:2]} {code[2:4]} {code[4:]} thanks", POLL).pack == code


@settings(deadline=None)
@given(codes_of(), st.data())
def test_a_code_is_read_however_it_is_cut_and_whatever_the_case(code: Code, data: st.DataObject) -> None:
    gaps = [data.draw(st.sampled_from(["", "", "", " ", "-", "–", "  ", "\n", "."])) for _ in code.canonical]
    cases = [data.draw(st.sampled_from([str.upper, str.lower])) for _ in code.canonical]
    typed = "".join(case(char) + gap for char, gap, case in zip(code.canonical, gaps, cases, strict=True))

    assert parse(typed, POLL) == Parsed((code,), None)


@settings(deadline=None)
@given(st.text())
def test_anything_at_all_can_be_typed(text: str) -> None:
    read = parse(text, POLL)

    assert all(right(code.kind, code.canonical, POLL) for code in read.codes)
    assert bool(read.codes) or read.problem is not None
    assert isinstance(contains_code(text), bool)
    assert redact(redact(text)) == redact(text)


@settings(deadline=None)
@given(st.lists(st.from_regex(r"[a-z]{1,10}", fullmatch=True)))
def test_words_without_a_digit_are_never_a_code(words: list[str]) -> None:
    assert parse(" ".join(words), POLL).codes == ()
    assert not contains_code(" ".join(words))


def test_a_code_does_not_show_itself_in_a_traceback() -> None:
    assert PACK not in repr(parse(PACK, POLL))


# ---- keeping codes out of chats and logs


@settings(deadline=None)
@given(codes_of(), st.sampled_from(["{}", "my code: {}", "code={}", '{{"text": "{}"}}', "{} thanks", "({})."]))
def test_a_printed_code_is_found_and_taken_out_of_any_line(code: Code, line: str) -> None:
    said = line.format(printed(code.kind, code.canonical))

    assert contains_code(said)
    assert redact(said) == line.format("[code]")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param("nothing here", "nothing here", id="no code"),
        pytest.param("2026-11-23T03:36:54.123Z got VK475JSUE", "2026-11-23T03:36:54.123Z got [code]", id="a log line"),
        pytest.param("pack VK4-75J-SUE, vote ES2G-2H74-GVKQ", "pack [code], vote [code]", id="both"),
        pytest.param("VK4 75J SUE", "[code]", id="in groups"),
        pytest.param("v k 4 7 5 j s u e", "[code]", id="spelled out"),
        pytest.param("VK4-75J-SUO", "[code]", id="mistyped"),
        pytest.param("mail VK4-75J-SUE to ann, ES2G-2H74-GVKQ to bob", "mail [code] to ann, [code] to bob", id="two"),
        pytest.param("550e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-446655440000", id="a UUID"),
        pytest.param("a" * 8 + "1" * 56, "a" * 8 + "1" * 56, id="a digest"),
        pytest.param("call 07700900123 at 14:30", "call 07700900123 at 14:30", id="a number and a time"),
    ],
)
def test_redaction_takes_codes_and_leaves_what_a_log_needs(text: str, left: str) -> None:
    assert redact(text) == left


# ---- hashes


def test_the_hashes_are_what_they_were_when_the_codes_were_printed() -> None:
    """A change of these orphans every pack in the post."""
    pack = hash_pack(KEY, POLL, PACK)

    assert pack.hex() == "11add8a51bed2e408d36b2ed4c66cded2df7f3e8d1fc194f4ce9aa6316c4c81d"


def test_a_hash_depends_on_all_that_goes_into_it() -> None:
    pack, other = hash_pack(KEY, POLL, PACK), bytes(32)
    hashes = [
        pack,
        hash_pack(other, POLL, PACK),
        hash_pack(KEY, "other", PACK),
        hash_pack(KEY, POLL, VOTE),
        hash_pack(KEY, POLL + "V", PACK[1:]),  # the parts do not run together
        hash_wrong(KEY, POLL, pack),
        hash_wrong(KEY, POLL, other),
        hash_wrong(other, POLL, pack),
        hash_wrong(KEY, "other", pack),
    ]

    assert len(set(hashes)) == len(hashes)
    assert {len(digest) for digest in hashes} == {32}


def test_two_hashes_are_compared_whole() -> None:
    digest = hash_pack(KEY, POLL, PACK)

    assert same(digest, bytes(digest))
    assert not same(digest, digest[:-1] + bytes([digest[-1] ^ 1]))
    assert not same(digest, digest[:-1])


def test_a_printed_code_has_the_shape_of_the_letter() -> None:
    assert re.fullmatch(r"(?:[2-9A-HJKMNP-Z]{3}-){2}[2-9A-HJKMNP-Z]{3}", printed(Kind.PACK, generate(Kind.PACK, POLL)))
