"""Bundles made up to break whoever reads them: findings, never a traceback, never more memory than a little."""

import json
import os
import random
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_bundle import UUID, Made, signed

from voting.verify import format as form
from voting.verify.reading import Wrong, parse, printable, shown, written
from voting.verify.verify import Asked, verify

JSON = (form.CHAIN, form.HEADS, form.POLL, form.PAPER, form.POSTAL, form.MANIFEST, form.DECRYPTIONS)
ARCHIVE = form.archive_name(UUID)
FILES = Made().files()
VALUES = [
    None, True, -1, 0, 2**63, 10**400, 0.5, float("nan"), "", "x", "\x00", "\ud800", [], {}, [[]], [None], {"": {}},
    "9" * 5000, ["x"] * 3,
]  # fmt: skip


def raw_json(value: object) -> bytes:
    """JSON that may hold what ours never does."""
    return json.dumps(value).encode()


def resigned(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files with lines, manifest and signature that fit, as far as they can."""
    for name in (form.LINES, form.MANIFEST, form.SIGNATURE):
        files.pop(name, None)
    try:
        return signed(files, form.RESULTED)
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
    ):  # heads or poll are no JSON of ours any more
        return {**FILES, **files}


def verified(folder: Path, files: dict[str, bytes]) -> None:
    """Insist that it does not pass, and that whatever is said can be shown."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / form.ARCHIVES).mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)

    report = verify(folder, asked=Asked(receipt="2345-6789-ABCD-EFGH", key="x", poll="y"))

    assert not report.ok
    for said in (*map(str, report.problems), *(check.detail for check in report.checks)):
        said.encode()
        assert said == printable(said)


@pytest.mark.parametrize("name", [form.POLL, form.POSTAL, form.RESULT])
@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_a_value_of_any_kind_in_a_json_file(tmp_path: Path, name: str, value: object) -> None:
    whole = json.loads(FILES[name])
    for field in random.Random(name).sample([*whole, "more"], 3):
        content = (json.dumps({**whole, field: value}, indent=1, sort_keys=True, ensure_ascii=True) + "\n").encode()
        verified(tmp_path / "bundle", resigned({**FILES, name: content}))


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_a_value_of_any_kind_in_any_entry(tmp_path: Path, value: object) -> None:
    """Signed by the operator: what the body holds is theirs to choose."""
    kinds = {entry["kind"]: entry["body"] for entry in Made().story}
    picked = random.Random(repr(value))
    for kind in picked.sample(sorted(kinds), 4):
        for field in [*kinds[kind]][:4] or ["more"]:

            def edit(entries: list[dict[str, object]], kind: str = kind, field: str = field) -> None:
                for entry in entries:
                    if entry["kind"] == kind:
                        entry["body"][field] = value  # type: ignore[index]

            try:
                files = Made(edit_entries=edit).files()
            except (ValueError, TypeError, KeyError, AttributeError):  # no bundle can be made of it at all
                continue
            report = _report(tmp_path / "bundle", files)
            assert all(str(problem).encode() for problem in report.problems)


def _report(folder: Path, files: dict[str, bytes]):  # noqa: ANN202 - verify's
    shutil.rmtree(folder, ignore_errors=True)
    (folder / form.ARCHIVES).mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return verify(folder)


@given(st.sampled_from(sorted(FILES)), st.binary(max_size=300), st.floats(0, 1))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes_anywhere_and_signed_again(tmp_path: Path, name: str, junk: bytes, place: float) -> None:
    content = FILES[name]
    at = int(place * len(content))
    if content[at : at + len(junk)] == junk or name == form.README:
        return
    changed = {**FILES, name: content[:at] + junk + content[at + len(junk) :]}

    verified(tmp_path / "bundle", resigned(changed))


@pytest.mark.parametrize(
    "line",
    [b"[" * 100_000, b"{" * 100_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000, b"\xff", b"9" * 10_000, b"NaN", b""],
    ids=["lists", "objects", "nested", "no UTF-8", "a number", "no number", "nothing"],
)
@pytest.mark.parametrize(
    "name", [form.CHAIN, form.HEADS, form.POLL, form.PAPER, form.POSTAL, form.MANIFEST, form.DECRYPTIONS]
)
def test_what_is_hardly_json(tmp_path: Path, name: str, line: bytes) -> None:
    verified(tmp_path / "bundle", resigned({**FILES, name: line + b"\n"}))


def test_a_huge_bundle_takes_little_memory(tmp_path: Path) -> None:
    """Files of 128 MiB each, most of it holes."""
    folder = Made().write(tmp_path / "bundle")
    for name in (form.CHAIN, form.CREDENTIALS, form.HEADS, ARCHIVE, form.RESULT, form.PAGE, form.SIGNATURE):
        os.truncate(folder / name, 1 << 27)
    script = f"""if True:
        import resource, sys
        from pathlib import Path
        from voting.verify.verify import verify
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert not verify(Path({str(folder)!r})).ok
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    ran = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=300)

    assert int(ran.stdout) < 64 * 1024  # KiB
    assert resource.getpagesize() > 0


def test_quoted_text_never_controls_a_terminal_on_any_python() -> None:
    assert printable("a\x1b[2Jb\x00\x9b\u202e\u2066\ud800\u2028z") == "a?[2Jb??????z"
    assert printable("Siân \U0001f4e6 \U0001fae8 \u0378 \u200d") == "Siân \U0001f4e6 \U0001fae8 \u0378 \u200d"
    assert shown(b"x" * 100) == f"'{'x' * 60}...'"
    assert len(printable("x" * 10_000)) == 500
    assert str(Wrong("a\nb", 3, "is \x07 wrong", member="m\t", byte=4)) == "a?b, line 3, m?, byte 4: is ? wrong"


def test_what_cannot_be_written_is_nothing() -> None:
    assert written(form.canonical, {"a": "\ud800"}) == b""
    with pytest.raises(Wrong, match="is not a JSON object"):
        parse(b"[]", "x")
