"""The only reader of the environment: settings, each with its bound and what it is for.

Every field is `BALLOTLINE_` and its name in capitals, from the environment or a `.env` file in the working folder. One
that is empty there counts as not set.
"""

from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from voting.refusals import StaffRefusal

TELEGRAM_API: Final = "https://api.telegram.org"
TWILIO_API: Final = "https://api.twilio.com"
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class SettingsWrong(StaffRefusal):
    """The setting {name} is wrong: {problem}."""


class Settings(BaseSettings):
    """What a machine is told; `ballotline doctor` explains each."""

    model_config = SettingsConfigDict(
        env_prefix="BALLOTLINE_",
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        str_strip_whitespace=True,
    )

    database_url: Annotated[str, Field(description="where the poll is kept")] = "sqlite+aiosqlite:///ballotline.db"
    secrets_file: Annotated[Path, Field(description="keys that never enter the database")] = Path("ballotline.secrets")
    telegram_token: Annotated[SecretStr | None, Field(description="from @BotFather; without it Telegram is off")] = None
    telegram_api_url: Annotated[str, Field(description="up to, not including, /bot<token>")] = TELEGRAM_API
    telegram_rate: Annotated[float, Field(gt=0, le=1000, description="messages per second in all")] = 28.0
    telegram_webhook_secret: Annotated[
        SecretStr | None, Field(description="what Telegram sends along; made by `init` when not set")
    ] = None
    twilio_account_sid: Annotated[str | None, Field(description="without it SMS is off")] = None
    twilio_auth_token: Annotated[SecretStr | None, Field(description="also checks Twilio's signatures")] = None
    twilio_from: Annotated[str | None, Field(description="the number or name that SMS come from")] = None
    twilio_messaging_service_sid: Annotated[str | None, Field(description="instead of a number")] = None
    twilio_api_url: Annotated[str, Field(description="Twilio's address")] = TWILIO_API
    sms_rate: Annotated[Decimal, Field(gt=0, le=1000, description="SMS segments per second")] = Decimal(10)
    public_url: Annotated[
        str, Field(description="https address of this service; empty: Telegram is polled, no webhooks")
    ] = ""
    listen: Annotated[str, Field(description="host:port the service listens on")] = "127.0.0.1:8080"
    trusted_proxies: Annotated[
        str,
        Field(
            description="addresses, with commas, whose X-Forwarded-For and X-Forwarded-Proto are believed; empty: none"
        ),
    ] = ""
    heads_chat: Annotated[int | None, Field(description="Telegram chat that gets the chain's head every hour")] = None
    log_level: Annotated[str, Field(description="DEBUG, INFO, WARNING or ERROR")] = "INFO"
    log_format: Annotated[str, Field(description="text for people, json: one object a line")] = "text"

    @field_validator("telegram_api_url", "twilio_api_url", "public_url")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.hostname):
            raise ValueError("it must begin with https:// and name a host")
        return value.rstrip("/")

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        host, colon, port = value.rpartition(":")
        if not (host and colon and port.isascii() and port.isdigit() and int(port) < 2**16):
            raise ValueError("it must look like 127.0.0.1:8080")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies(cls, value: str) -> str:
        for name in filter(None, map(str.strip, value.split(","))):
            ip_address(name)
        return value

    @field_validator("log_level")
    @classmethod
    def _level(cls, value: str) -> str:
        if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("it must be DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @field_validator("log_format")
    @classmethod
    def _format(cls, value: str) -> str:
        if value.lower() not in {"text", "json"}:
            raise ValueError("it must be text or json")
        return value.lower()

    @property
    def json_lines(self) -> bool:
        """Whether a log line is one JSON object."""
        return self.log_format == "json"

    @property
    def proxy_unnamed(self) -> bool:
        """Whether all who ask come through a proxy on this machine that is not named: they would count as one."""
        host = self.listen.rpartition(":")[0]
        here = host == "localhost" or host.startswith("127.")
        return here and self.public_url.startswith("https://") and not self.trusted_addresses

    @property
    def trusted_addresses(self) -> frozenset[str]:
        """Give the proxies whose word about a client's address is believed."""
        return frozenset(filter(None, map(str.strip, self.trusted_proxies.split(","))))

    @property
    def telegram_on(self) -> bool:
        """Whether Telegram can be used."""
        return self.telegram_token is not None and bool(self.telegram_token.get_secret_value())

    @property
    def sms_on(self) -> bool:
        """Whether SMS can be sent."""
        sender = self.twilio_from or self.twilio_messaging_service_sid
        return bool(self.twilio_account_sid and self.twilio_auth_token and sender)

    @property
    def channels_on(self) -> frozenset[str]:
        """The channels that can be used, by the names that messages/ knows them by."""
        switched = (("telegram", self.telegram_on), ("sms", self.sms_on))
        return frozenset(name for name, is_on in switched if is_on)

    @property
    def app_url(self) -> str:
        """The voting page where Telegram can open it: by https, or played on this machine; else empty."""
        public, telegram = urlsplit(self.public_url), urlsplit(self.telegram_api_url)
        is_local = public.hostname in LOOPBACK and telegram.hostname in LOOPBACK
        return f"{self.public_url}/vote" if public.scheme == "https" or is_local else ""

    @property
    def host(self) -> str:
        """Where to listen."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """Where to listen."""
        return int(self.listen.rpartition(":")[2])


class LogFormat(BaseSettings):
    """The log's format alone, known also where another setting is wrong."""

    model_config = Settings.model_config

    log_format: str = "text"


def wants_json() -> bool:
    """Tell whether log lines are to be JSON, whatever else the settings say."""
    return LogFormat().log_format.lower() == "json"


class _Terminal(BaseSettings):
    """What a terminal says of its language, by the names that every program knows."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    lc_all: str = ""
    lc_messages: str = ""
    lang: str = ""
    language: str = ""


def terminal_languages() -> tuple[str, ...]:
    """Give the languages a terminal asks for, the dearest first; none for a terminal that speaks no language."""
    told = _Terminal()
    locale = told.lc_all or told.lc_messages or told.lang
    plain = locale.partition(".")[0].partition("@")[0]
    return () if plain in {"", "C", "POSIX"} else (*filter(None, told.language.split(":")), plain)


def read_settings() -> Settings:
    """Read the environment; SettingsWrong names the first setting that cannot be used."""
    try:
        return Settings()
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        name = "BALLOTLINE_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsWrong(name=name, problem=str(first["msg"]).removeprefix("Value error, ")) from None
