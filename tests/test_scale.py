"""docs/scale.md says what the kept figures give, and names where each of them was measured."""

import json
import re
from pathlib import Path

import pytest

from tests.benchmarks import scale

PAGE = (Path(__file__).parent.parent / "docs" / "scale.md").read_text(encoding="utf-8")
FIGURES = json.loads(scale.KEPT.read_text(encoding="utf-8"))


def test_the_table_is_what_the_kept_figures_give() -> None:
    shown = "\n".join(line for line in PAGE.splitlines() if line.startswith("|"))

    assert shown == scale.table(FIGURES)


def test_a_figure_that_changes_changes_the_table() -> None:
    changed = {**FIGURES, "workers": {**FIGURES["workers"], "vote_ms": 2 * FIGURES["workers"]["vote_ms"]}}

    assert scale.table(changed) != scale.table(FIGURES)


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
    monkeypatch.delenv("BENCH_KEEP", raising=False)
    scale.keep("workers", {"vote_ms": 1.0})
    assert not scale.KEPT.exists()

    monkeypatch.setenv("BENCH_KEEP", "1")
    scale.keep("workers", {"vote_ms": 1.23456})
    scale.keep("tenfold", {"packs_ms": 2.0})
    scale.keep("workers", {"vote_ms": 3.0})

    assert json.loads(scale.KEPT.read_text(encoding="utf-8")) == {
        "tenfold": {"packs_ms": 2.0},
        "workers": {"vote_ms": 3.0},
    }
