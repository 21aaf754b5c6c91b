"""A count in a process of its own that is ended with kill -9 in the middle of a step: `counting_process.py told.json`.

It dies when the named function of a module ends for the n-th time; without a name it counts to the end.
"""

import asyncio
import importlib
import inspect
import json
import os
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from voting import secrets_file
from voting.audit.signer import Signer
from voting.count import count as counting
from voting.model import By
from voting.store.database import Database


def die_in(module: str, name: str, nth: int) -> None:
    """Have the function end this process when it ends for the n-th time."""
    home: Any = importlib.import_module(module)
    real, calls = getattr(home, name), []

    def called() -> None:
        calls.append(name)
        if len(calls) == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    async def later(*words: Any, **named: Any) -> Any:
        answer = await real(*words, **named)
        called()
        return answer

    def now(*words: Any, **named: Any) -> Any:
        answer = real(*words, **named)
        called()
        return answer

    setattr(home, name, later if inspect.iscoroutinefunction(real) else now)


async def main(told: dict[str, Any]) -> None:
    """Count, or finish, as told."""
    secrets = secrets_file.load(Path(told["secrets"]))
    database = Database(told["database_url"], Signer.beside(secrets, Path(told["secrets"])))
    work = counting.count if told["step"] == "count" else counting.finish
    files = [Path(file) for file in told["files"]]
    by = By("Gwen", "command line", datetime.fromisoformat(told["now"]))
    await work(database, files, Path(told["out"]), secrets=secrets, by=by)
    await database.close()


if __name__ == "__main__":
    asked = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    if asked["dies_in"]:
        die_in(*asked["dies_in"])
    asyncio.run(main(asked))
