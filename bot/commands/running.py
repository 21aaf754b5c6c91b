"""What `run` and each of its workers do first: settings, logs, and one sentence when the service cannot run."""

import structlog

from bot import logs
from bot.app.place import Place
from bot.commands.terminal import run
from bot.settings import read_settings, wants_json
from voting.refusals import Fault, Refusal

log = structlog.get_logger()


def run_here(place: Place | None, processes: int = 1) -> None:
    """Run the service in this process, as a worker at its `place`, or as the supervisor of several processes."""
    json_lines = wants_json()
    logs.configure("INFO", json_lines=json_lines)
    try:
        settings = read_settings()
        logs.configure(settings.log_level, json_lines=json_lines)
        if processes > 1:
            from bot.commands.supervising import supervise

            code = run(supervise(settings, processes))
        else:
            from bot.commands.serving import serve

            code = run(serve(settings, place))
    except* (Refusal, Fault, OSError) as several:
        first = _first(several)
        if not json_lines:
            raise first from None
        log.critical("the service ends: it cannot run", why=str(first))
        code = 1
    if code:
        raise SystemExit(code)


def _first(several: BaseExceptionGroup[BaseException]) -> BaseException:
    first = several.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
