"""Settings as they stand in environments and .env files: what is taken, what is refused and under which name."""

from decimal import Decimal
from pathlib import Path

import pytest

from bot.settings import TELEGRAM_API, Settings, SettingsWrong, read_settings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with nothing set."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"BALLOTLINE_{name.upper()}", raising=False)
    return tmp_path


TAKEN = {
    "an address": ("PUBLIC_URL", "https://vote.example.org", "https://vote.example.org"),
    "an address with a slash at its end": ("PUBLIC_URL", "https://vote.example.org/", "https://vote.example.org"),
    "an address with a path": ("PUBLIC_URL", "https://example.org/vote/", "https://example.org/vote"),
    "an address in capitals": ("PUBLIC_URL", "HTTPS://vote.example.org", "HTTPS://vote.example.org"),
    "an address with a blank pasted along": ("PUBLIC_URL", " https://vote.example.org ", "https://vote.example.org"),
    "an empty address": ("PUBLIC_URL", "", ""),
    "an empty address that has a default": ("TELEGRAM_API_URL", "", TELEGRAM_API),
    "an empty number": ("HEADS_CHAT", "", None),
    "a group's number": ("HEADS_CHAT", "-1001234567890", -1001234567890),
    "an empty rate": ("SMS_RATE", "", Decimal(10)),
    "a slow rate": ("SMS_RATE", "0.25", Decimal("0.25")),
    "a level in small letters": ("LOG_LEVEL", "debug", "DEBUG"),
    "a format in capitals": ("LOG_FORMAT", "JSON", "json"),
    "an empty format": ("LOG_FORMAT", "", "text"),
    "all of the machine's addresses": ("LISTEN", "0.0.0.0:80", "0.0.0.0:80"),
    "an IPv6 address": ("LISTEN", "[::1]:8080", "[::1]:8080"),
    "a name": ("LISTEN", "localhost:8080", "localhost:8080"),
    "any port that is free": ("LISTEN", "127.0.0.1:0", "127.0.0.1:0"),
}

REFUSED = {
    "an address without a scheme": ("PUBLIC_URL", "vote.example.org"),
    "an address with one slash": ("PUBLIC_URL", "https:/vote.example.org"),
    "an address without a host": ("PUBLIC_URL", "https://"),
    "an address of another kind": ("TWILIO_API_URL", "ftp://example.org"),
    "an address with half of an IPv6 host": ("PUBLIC_URL", "https://[::1"),
    "a port alone": ("LISTEN", "8080"),
    "a host alone": ("LISTEN", "127.0.0.1"),
    "a colon without a host": ("LISTEN", ":8080"),
    "a port that is none": ("LISTEN", "127.0.0.1:65536"),
    "a port below nought": ("LISTEN", "127.0.0.1:-1"),
    "a port in words": ("LISTEN", "127.0.0.1:http"),
    "a port of a raised two": ("LISTEN", "127.0.0.1:²"),
    "a port in other digits": ("LISTEN", "127.0.0.1:٨٠٨٠"),
    "no rate": ("TELEGRAM_RATE", "0"),
    "a rate below nought": ("TELEGRAM_RATE", "-1"),
    "a rate that is no number": ("TELEGRAM_RATE", "nan"),
    "a rate without end": ("TELEGRAM_RATE", "inf"),
    "a rate with a comma": ("SMS_RATE", "0,5"),
    "a chat by name": ("HEADS_CHAT", "@ballot"),
    "a level that is none": ("LOG_LEVEL", "LOUD"),
    "a format that is none": ("LOG_FORMAT", "xml"),
}


@pytest.mark.parametrize(("name", "raw", "value"), TAKEN.values(), ids=TAKEN.keys())
def test_a_setting_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, raw: str, value: object) -> None:
    """From the environment, and the same from a .env file."""
    monkeypatch.setenv(f"BALLOTLINE_{name}", raw)
    assert getattr(read_settings(), name.lower()) == value

    monkeypatch.delenv(f"BALLOTLINE_{name}")
    (folder / ".env").write_text(f'BALLOTLINE_{name}="{raw}"\n', encoding="utf-8")
    assert getattr(read_settings(), name.lower()) == value


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("name", "raw"), REFUSED.values(), ids=REFUSED.keys())
def test_a_setting_that_cannot_be_used_is_refused_under_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, raw: str
) -> None:
    monkeypatch.setenv(f"BALLOTLINE_{name}", raw)

    with pytest.raises(SettingsWrong) as refused:
        read_settings()

    assert refused.value.facts["name"] == f"BALLOTLINE_{name}"


@pytest.mark.usefixtures("folder")
def test_a_refusal_never_says_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be a token in the wrong place."""
    monkeypatch.setenv("BALLOTLINE_HEADS_CHAT", "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw")

    with pytest.raises(SettingsWrong) as refused:
        read_settings()

    assert "AAHdq" not in str(refused.value)


TWILIO = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "t", "TWILIO_FROM": "+447700900001"}
CHANNELS = {
    "nothing set": ({}, set()),
    "a token": ({"TELEGRAM_TOKEN": "1:a"}, {"telegram"}),
    "an empty token": ({"TELEGRAM_TOKEN": ""}, set()),
    "a token of blanks": ({"TELEGRAM_TOKEN": "  "}, set()),
    "all of Twilio": (TWILIO, {"sms"}),
    "a messaging service instead of a number": (
        {**TWILIO, "TWILIO_FROM": "", "TWILIO_MESSAGING_SERVICE_SID": "MG1"},
        {"sms"},
    ),
    "Twilio without a sender": ({**TWILIO, "TWILIO_FROM": ""}, set()),
    "Twilio without its token": ({**TWILIO, "TWILIO_AUTH_TOKEN": ""}, set()),
    "Twilio without its account": ({**TWILIO, "TWILIO_ACCOUNT_SID": ""}, set()),
    "both": ({**TWILIO, "TELEGRAM_TOKEN": "1:a"}, {"sms", "telegram"}),
}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("given", "on"), CHANNELS.values(), ids=CHANNELS.keys())
def test_a_channel_is_on_when_all_that_it_needs_is_set(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], on: set[str]
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"BALLOTLINE_{name}", value)

    assert read_settings().channels_on == on


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [("127.0.0.1:8080", "127.0.0.1", 8080), ("[::1]:80", "::1", 80), ("localhost:0", "localhost", 0)],
    ids=["IPv4", "IPv6", "a name"],
)
def test_where_to_listen_is_a_host_and_a_port(
    monkeypatch: pytest.MonkeyPatch, listen: str, host: str, port: int
) -> None:
    monkeypatch.setenv("BALLOTLINE_LISTEN", listen)
    assert (read_settings().host, read_settings().port) == (host, port)


def test_the_environment_goes_before_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("BALLOTLINE_LOG_LEVEL=ERROR\nBALLOTLINE_SMS_RATE=3\nOTHER=1\n", encoding="utf-8")
    monkeypatch.setenv("BALLOTLINE_LOG_LEVEL", "DEBUG")

    assert (read_settings().log_level, read_settings().sms_rate) == ("DEBUG", Decimal(3))
