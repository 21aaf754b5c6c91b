"""The secrets file: what is written is read again, for its owner only, never over another; anything less is missing."""

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from voting import secrets_file
from voting.refusals import SecretsMissing


def test_what_is_saved_is_what_is_loaded_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "ballotline.secrets"
    secrets = secrets_file.make()

    secrets_file.save(path, secrets)

    loaded = secrets_file.load(path)
    assert loaded == secrets
    assert loaded.hours.words == secrets.hours.words
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    """With other keys no code that was posted could ever be checked again."""
    path = tmp_path / "ballotline.secrets"
    first = secrets_file.make()
    secrets_file.save(path, first)

    with pytest.raises(FileExistsError):
        secrets_file.save(path, secrets_file.make())

    assert secrets_file.load(path) == first


def test_every_key_is_another_and_none_is_shown() -> None:
    one, two = secrets_file.make(), secrets_file.make()
    keys = [getattr(made, name) for made in (one, two) for name in secrets_file.Secrets.__slots__]

    assert len(set(keys)) == len(keys)
    assert one.verify_key not in keys
    assert repr(one).startswith("<")


def whole(**changes: Any) -> dict[str, Any]:
    """Give the fields of a file that is whole, but for these; None leaves one out."""
    key = base64.b64encode(bytes(32)).decode()
    other = {"webhook_secret": "x", "hours": {"hour": 438288, "key": key}}
    fields = dict.fromkeys(secrets_file.Secrets.__slots__, key) | other | changes
    return {name: value for name, value in fields.items() if value is not None}


BROKEN = {
    "no file": None,
    "an empty file": "",
    "not JSON": "code_key: x",
    "a list": "[]",
    "letters that are no key": json.dumps(whole(code_key="***")),
    "a number for a key": json.dumps(whole(code_key=5)),
    "a key left out": json.dumps(whole(signing_key=None)),
    "a key nobody knows": json.dumps(whole(other="AAAA")),
    "no webhook secret": json.dumps(whole(webhook_secret=None)),
    "no hour": json.dumps(whole(hours=None)),
    "an hour without its key": json.dumps(whole(hours={"hour": 438288})),
    "a key of no hour": json.dumps(whole(hours={"hour": "438288", "key": base64.b64encode(bytes(32)).decode()})),
    "a key of an hour that cannot be": json.dumps(
        whole(hours={"hour": -1, "key": base64.b64encode(bytes(32)).decode()})
    ),
    "an hour's key cut off": json.dumps(whole(hours={"hour": 438288, "key": base64.b64encode(bytes(31)).decode()})),
    "letters beyond ASCII": json.dumps(whole()) + "é",
}


@pytest.mark.parametrize("words", BROKEN.values(), ids=BROKEN)
def test_a_file_that_is_not_whole_is_missing_and_named(tmp_path: Path, words: str | None) -> None:
    path = tmp_path / "ballotline.secrets"
    if words is not None:
        path.write_text(words, encoding="utf-8")

    with pytest.raises(SecretsMissing, match=r"ballotline\.secrets"):
        secrets_file.load(path)


def test_a_whole_file_is_loaded(tmp_path: Path) -> None:
    """What the broken ones above are broken copies of."""
    path = tmp_path / "ballotline.secrets"
    path.write_text(json.dumps(whole()), encoding="ascii")

    assert secrets_file.load(path).code_key == bytes(32)
