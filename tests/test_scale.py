"""docs/scale.md says what the kept figures give, and names where each of them was measured."""

import json
import re
from pathlib import Path

import pytest

from tests.benchmarks import scale

PAGE = (Path(__file__).parent.parent / "docs" / "scale.md").read_text(encoding="utf-8")
FIGURES = json.loads(scale.KEPT.read_text(encoding="utf-8"))


def test_table_and_sources_are_what_the_kept_figures_give() -> None:
    shown = "\n".join(line for line in PAGE.splitlines() if line.startswith("|"))

    assert shown == scale.table(FIGURES)
    assert "\n".join(scale.sources(FIGURES)) in PAGE
    assert scale.written_into(PAGE, FIGURES) == PAGE


def test_a_figure_that_changes_changes_the_table_and_nothing_else() -> None:
    changed = {**FIGURES, "workers": {**FIGURES["workers"], "vote_ms": 2 * FIGURES["workers"]["vote_ms"]}}
    page = scale.written_into(PAGE, changed)

    assert scale.table(changed) != scale.table(FIGURES)
    assert scale.table(changed) in page
    assert page.replace(scale.table(changed), scale.table(FIGURES)) == PAGE


def test_the_sources_say_how_much_was_measured() -> None:
    changed = {**FIGURES, "tenfold": {**FIGURES["tenfold"], "members": 1_724_370, "ballots": 200_000, "load": 1.24}}

    assert "1,724,370 members, 200,000 ballots" in scale.sources(changed)[0]
    assert "load 1.2" in scale.sources(changed)[0]


def test_every_kept_part_is_named_on_the_page() -> None:
    assert [part for part in FIGURES if part not in PAGE] == []


def test_the_limits_of_providers_stand_with_their_source() -> None:
    for limit in (scale.TELEGRAM_FREE, scale.TELEGRAM_PAID, scale.SMS_ALPHANUMERIC, scale.SMS_LONG_NUMBER):
        assert re.search(rf"\b{limit:,} (messages?|segments?) a second[^.]*\(https://", PAGE), limit


@pytest.mark.parametrize(
    ("seconds", "said"), [(4.0, "4 seconds"), (412, "6.87 minutes"), (7_200, "2 hours"), (864_000, "10 days")]
)
def test_a_time_is_said_as_people_say_it(seconds: float, said: str) -> None:
    assert scale.span(seconds) == said


@pytest.mark.parametrize(("number", "said"), [(512, "512 bytes"), (3_677, "3.68 kB"), (2.57e10, "25.7 GB")])
def test_a_size_is_said_as_people_say_it(number: float, said: str) -> None:
    assert scale.size_of(number) == said


def test_figures_are_kept_only_when_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(scale, "KEPT", tmp_path / "scale.json")
    monkeypatch.setattr(scale, "PAGE", tmp_path / "scale.md")
    monkeypatch.setattr("os.getloadavg", lambda: (1.0, 2.0, 3.0))
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    scale.PAGE.write_text(PAGE, encoding="utf-8")
    monkeypatch.delenv("BENCH_KEEP", raising=False)
    scale.keep("workers", FIGURES["workers"])
    assert not scale.KEPT.exists()

    monkeypatch.setenv("BENCH_KEEP", "1")
    scale.keep("workers", {"vote_ms": 1.23456, "votes": 123_456})
    scale.keep("workers", FIGURES["workers"] | {"vote_ms": 3.0})
    scale.keep("votes", FIGURES["votes"])
    assert scale.PAGE.read_text(encoding="utf-8") == PAGE  # a part is missing yet

    scale.keep("tenfold", FIGURES["tenfold"])

    kept = json.loads(scale.KEPT.read_text(encoding="utf-8"))
    load = {"load": 3.0, "cores": 2.0}
    assert kept["workers"] == FIGURES["workers"] | {"vote_ms": 3.0} | load
    assert scale.PAGE.read_text(encoding="utf-8") == scale.written_into(PAGE, kept) != PAGE


def test_figures_are_kept_with_four_digits_and_numbers_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(scale, "KEPT", tmp_path / "scale.json")
    monkeypatch.setenv("BENCH_KEEP", "1")

    scale.keep("workers", {"vote_ms": 1.23456, "votes": 123_456})

    kept = json.loads(scale.KEPT.read_text(encoding="utf-8"))["workers"]
    assert (kept["vote_ms"], kept["votes"]) == (1.235, 123_456)
