"""The headers of the voting page: nothing from elsewhere, nothing kept, and only Telegram's web client frames it."""

import re

import pytest

from bot.page.headers import frame_ancestors, page_headers


def test_nothing_unsafe_is_allowed_and_nothing_from_elsewhere() -> None:
    policy = page_headers(https=True)["Content-Security-Policy"]
    sources = dict(part.split(" ", 1) for part in policy.split("; "))

    assert "unsafe" not in policy
    assert sources.pop("frame-ancestors") == "https://web.telegram.org"
    assert set(sources.values()) == {"'self'", "'none'"}
    assert (sources["default-src"], sources["base-uri"], sources["form-action"]) == ("'none'", "'none'", "'none'")


def test_nothing_is_kept_told_or_set() -> None:
    headers = page_headers(https=True)

    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert re.fullmatch(r"max-age=\d{8}", headers["Strict-Transport-Security"])
    assert {"Set-Cookie", "X-Frame-Options"} & headers.keys() == set()


def test_over_http_nothing_is_promised_for_later() -> None:
    assert "Strict-Transport-Security" not in page_headers(https=False)


@pytest.mark.parametrize(
    ("api_url", "local"),
    [
        ("", []),
        ("https://api.telegram.org", []),
        ("https://127.0.0.1.example.org", []),
        ("http://127.0.0.1:8081", ["http://127.0.0.1:8081"]),
        ("http://localhost:8081/x", ["http://localhost:8081"]),
        ("http://[::1]:8081", ["http://[::1]:8081"]),
    ],
)
def test_the_local_phones_may_frame_it_only_where_telegram_is_on_this_machine(api_url: str, local: list[str]) -> None:
    assert frame_ancestors(api_url) == ["https://web.telegram.org", *local]
