"""The `.env` file: lines are added or filled in, all others stay as they are; whole, and for its owner only."""

import re
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values

from voting.kept_file import turn_at
from voting.refusals import StaffRefusal


class ValueUnwritable(StaffRefusal):
    """The value of {name} cannot be written in a .env file; set it in the environment instead."""


class AlreadySet(StaffRefusal):
    """The file {file} already sets {name}; change it there by hand."""


def keep(file: Path, values: Mapping[str, str]) -> None:
    """Set these names in the file; one that stands there empty is filled in. Blocks. ValueUnwritable, AlreadySet."""
    with turn_at(file) as replace:
        content = file.read_text(encoding="utf-8") if file.exists() else ""
        for name, value in values.items():
            content = _with(content, name, value, file)
        read = dotenv_values(stream=StringIO(content))
        for name, value in values.items():
            if read.get(name) != value:
                raise ValueUnwritable(name=name)
        replace(content.encode())


def _with(content: str, name: str, value: str, file: Path) -> str:
    if dotenv_values(stream=StringIO(content)).get(name):
        raise AlreadySet(file=str(file), name=name)
    line = f"{name}={_quoted(value)}"
    standing = re.compile(rf"^[ \t]*(?:export[ \t]+)?{re.escape(name)}[ \t]*(?:=[^\n]*)?$", re.MULTILINE)
    if standing.search(content):
        return standing.sub(lambda _: line, content)
    return content + ("" if not content or content.endswith("\n") else "\n") + line + "\n"


def _quoted(value: str) -> str:
    """Quote what a shell or python-dotenv would read otherwise."""
    if re.fullmatch(r"[A-Za-z0-9_:/@.,+%-]*", value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
