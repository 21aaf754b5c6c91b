"""Canonical JSON: one spelling, and only what has one."""

from typing import Any

import pytest

from voting.audit.canonical import canonical_json, sha256_hex


def test_a_value_has_one_spelling() -> None:
    value = {"b": [1, True, None, ("x",)], "a": {"\u00e9": "\u00e9"}}

    assert canonical_json(value) == b'{"a":{"\xc3\xa9":"\xc3\xa9"},"b":[1,true,null,["x"]]}'


@pytest.mark.parametrize("value", [1.5, {"a": 1.5}, [b"x"], {1: "one"}, {"a": {None: 1}}])
def test_what_has_no_one_spelling_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="canonical JSON"):
        canonical_json(value)


def test_a_hash_is_written_in_64_digits() -> None:
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
