"""Files, lines and manifest that an operator signed although they do not fit each other."""

from pathlib import Path
from typing import Any

import pytest
from made_bundle import UUID, Made
from made_edits import after, entry
from nacl.signing import SigningKey

from voting.verify import ballots
from voting.verify import format as form
from voting.verify.verify import verify

ARCHIVE = form.archive_name(UUID)
NOT_SIGNED = "is not the signature of manifest.json by this poll's signing key"
GARBAGE = {form.LINES: b"poll.json 1 nothing\n"}


def found(folder: Path) -> list[tuple[str, int | None, str]]:
    """What is wrong."""
    return [(one.file, one.line, one.what) for one in verify(folder).problems]


@pytest.mark.parametrize("name", [form.POSTAL, form.LINES, ARCHIVE])
def test_a_manifest_that_names_another_digest_is_found(tmp_path: Path, name: str) -> None:
    def edit(manifest: dict[str, Any]) -> None:
        manifest["files"][name]["sha256"] = "00" * 32

    assert found(Made(edit_manifest=edit).write(tmp_path / "bundle")) == [(name, None, "was changed")]


@pytest.mark.parametrize(
    ("field", "value"),
    [("stage", "tally"), ("poll", "another"), ("uuid", "Another1Another"), ("format", "x"), ("head", {}), ("more", 1)],
)
def test_a_manifest_that_says_something_else_is_found(tmp_path: Path, field: str, value: object) -> None:
    problems = found(Made(edit_manifest=lambda manifest: {**manifest, field: value}).write(tmp_path / "bundle"))

    assert problems
    assert {file for file, _, _ in problems} <= {form.MANIFEST, form.DECRYPTIONS, form.RESULT, form.PAGE, form.CHAIN}


@pytest.mark.parametrize("files", [{}, {form.POSTAL: {}}, {form.POSTAL: 3}])
def test_a_manifest_without_a_file_is_found(tmp_path: Path, files: dict[str, object]) -> None:
    made = Made(edit_manifest=lambda manifest: {**manifest, "files": files})

    assert found(made.write(tmp_path / "bundle"))[0][0] == form.MANIFEST


def test_lines_that_do_not_fit_are_found_though_they_are_signed(tmp_path: Path) -> None:
    made = Made(edit_files=lambda files: {**files, **GARBAGE})

    assert found(made.write(tmp_path / "bundle")) == [(form.LINES, 1, "was changed")]


def test_lines_that_are_none_do_not_hide_what_was_changed(tmp_path: Path) -> None:
    folder = Made(edit_files=lambda files: {**files, **GARBAGE}).write(tmp_path / "bundle")
    (folder / form.POSTAL).write_bytes(b"{}\n")

    assert found(folder)[0] == (form.LINES, 1, "is not a row of digests")


def test_a_last_line_without_its_line_feed_is_found(tmp_path: Path) -> None:
    made = Made(edit_files=lambda files: {**files, form.CHAIN: files[form.CHAIN][:-1]})

    assert found(made.write(tmp_path / "bundle"))[0] == (
        form.CHAIN,
        len(made.entries),
        "does not end with a line feed",
    )


def test_a_bundle_signed_by_somebody_else_is_found(tmp_path: Path) -> None:
    """Each file is right; only the signature is another's."""
    folder = Made().write(tmp_path / "bundle")
    signature = SigningKey(bytes(32)).sign(form.manifest_message((folder / form.MANIFEST).read_bytes())).signature
    (folder / form.SIGNATURE).write_bytes(signature.hex().encode() + b"\n")

    assert found(folder) == [(form.SIGNATURE, 1, NOT_SIGNED)]


@pytest.mark.parametrize("written", [b"nothing\n", b"\xff\n", b""])
def test_a_signature_that_is_none_is_found(tmp_path: Path, written: bytes) -> None:
    folder = Made().write(tmp_path / "bundle")
    (folder / form.SIGNATURE).write_bytes(written)

    assert found(folder) == [(form.SIGNATURE, 1, NOT_SIGNED)]


def test_an_entry_that_names_another_kind_in_its_body_is_none_of_that_kind(tmp_path: Path) -> None:
    """A careless reader would look for the words alone."""
    made = Made(edit_entries=after("votes_locked", entry("notice_sent", kind="votes_locked")))

    assert found(made.write(tmp_path / "bundle")) == []


def test_a_worker_finds_what_this_process_finds() -> None:
    made = Made()
    raw = [content for _, content in made.ballots] + [b"{}"]

    ballots.begin_worker(made.election.written)

    assert ballots.check_in_worker(raw) == ballots.check_batch(raw, made.election)
    assert [type(one) for one in ballots.check_in_worker(raw).credentials] == [bytes] * 8 + [str]
