"""The `.env` file: what is put in is read back as it was, and nothing else in it changes."""

from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.env_file import AlreadySet, ValueUnwritable, keep


@given(value=st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1))
def test_a_value_is_read_back_as_it_was_or_refused(value: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("env") / ".env"

    try:
        keep(file, {"A": value})
    except ValueUnwritable:
        assert "${" in value
        assert not file.exists()
    else:
        assert dotenv_values(file)["A"] == value


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "A=new\n"),
        ("B=1", "B=1\nA=new\n"),
        ("# A=old\nAA=2\n", "# A=old\nAA=2\nA=new\n"),
        ("A=\nB=1\n", "A=new\nB=1\n"),
        ("export A =\nB='x y'\n", "A=new\nB='x y'\n"),
        ("A\nB=1\n", "A=new\nB=1\n"),
    ],
    ids=["nothing", "no line end", "a remark and a longer name", "empty", "exported", "a bare name"],
)
def test_other_lines_stay_and_an_empty_one_is_filled_in(tmp_path: Path, before: str, after: str) -> None:
    file = tmp_path / ".env"
    file.write_text(before, encoding="utf-8")
    file.chmod(0o644)

    keep(file, {"A": "new"})

    assert file.read_text(encoding="utf-8") == after
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_line_that_says_something_is_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("A=old\n", encoding="utf-8")

    with pytest.raises(AlreadySet, match="already sets A"):
        keep(file, {"B": "1", "A": "new"})

    assert file.read_text(encoding="utf-8") == "A=old\n"


def test_a_value_with_a_dollar_name_is_refused(tmp_path: Path) -> None:
    """Whoever reads the file would put a variable there."""
    with pytest.raises(ValueUnwritable, match="the environment instead"):
        keep(tmp_path / ".env", {"A": "pass${HOME}word"})
