"""Logs that can be shown to anybody: one line of JSON or plain words, with codes and tokens taken out.

Libraries that log whole requests, updates or SQL parameters at DEBUG are held at WARNING whatever the level asked
for: httpx logs URLs with the bot's token, telegram logs texts, aiosqlite logs every parameter.
"""

import logging
import re
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor

from voting.codes.codes import redact

TALKATIVE: Final = (
    "aiohttp",
    "aiosqlite",
    "alembic",
    "asyncpg",
    "httpcore",
    "httpx",
    "matplotlib",
    "multipart",
    "python_multipart",
    "sqlalchemy",
    "telegram",
    "twilio",
    "urllib3",
    "uvicorn.access",
    "voting.store.postgres",  # a pool of connections names its logger after its class
)
SECRET_NAMES: Final = re.compile(
    r"token|secret|password|code|option|choice|text|body|payload|authorization", re.IGNORECASE
)
BOT_TOKEN: Final = re.compile(r"\b\d{5,}:[A-Za-z0-9_-]{20,}")
TOKEN_IN_PATH: Final = re.compile(r"/bot[^/\s]+")
MAX_CHARACTERS: Final = 4_000


def scrub(value: str) -> str:
    """Take tokens and anything like a code out of a line."""
    return redact(TOKEN_IN_PATH.sub("/bot[token]", BOT_TOKEN.sub("[token]", value)))[:MAX_CHARACTERS]


def _scrub_event(_logger: object, _method: str, event: EventDict) -> EventDict:
    clean: dict[str, Any] = {}
    for name, value in event.items():
        if name not in {"event", "exception", "level", "timestamp", "logger"} and SECRET_NAMES.search(name):
            clean[name] = "[hidden]"
        elif isinstance(value, str) and name not in {"timestamp", "level", "logger"}:
            clean[name] = scrub(value)
        else:
            clean[name] = value
    return clean


def configure(level: str, *, json_lines: bool) -> None:
    """Send our log and the libraries' through the same scrubbing to standard error."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, _scrub_event, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: Processor = (
        structlog.processors.JSONRenderer() if json_lines else structlog.dev.ConsoleRenderer(colors=False)
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _scrub_event, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    quieten_libraries()


def quieten_libraries() -> None:
    """Hold the libraries that log whole requests or texts at WARNING."""
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
