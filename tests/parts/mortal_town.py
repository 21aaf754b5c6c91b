"""A town whose service is a process of its own: `ballotline run`, as an operator starts it, to be watched or killed."""

import asyncio
import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
from forked import Forked, reader_of
from sqlalchemy import func, select
from town import PUBLIC_URL, Town, free_port

from bot.schema import inbox
from voting import secrets_file
from voting.store.database import Database

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 120.0


class MortalTown(Town):
    """The town; `texts`: with Twilio too. `processes`: how many workers.

    `may_say`: the one error that it may log; `may_complain`: it may log any, and must end in order all the same.
    """

    def __init__(
        self,
        database: Database,
        folder: Path,
        database_url: str,
        *,
        texts: bool = False,
        processes: int = 1,
        may_say: str | None = None,
        may_complain: bool = False,
        **named: Any,
    ) -> None:
        super().__init__(database, folder, **named)
        self.database_url, self.texts, self.may_say = database_url, texts, may_say
        self.processes, self.may_complain = processes, may_complain
        self._child: Forked | None = None
        self._said: asyncio.Task[bytes] | None = None

    async def starts(self, port: int | None = None) -> None:
        self.port = port or free_port()
        if self.webhooks:
            local = f"http://127.0.0.1:{self.port}"
            self.sandbox.telegram.public_url[PUBLIC_URL] = local
            self.sandbox.twilio.public_url[PUBLIC_URL] = local
            self.sandbox.twilio.inbound_url = f"{PUBLIC_URL}/twilio/inbound"
        secrets = self.folder / "ballotline.secrets"
        if not await asyncio.to_thread(secrets.exists):
            secrets_file.save(secrets, self.secrets)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BALLOTLINE_")}
        told = {f"BALLOTLINE_{name}": value for name, value in self._told().items()}
        ours, its = os.pipe()
        self._child = Forked(
            *("-m", "bot.cli", "run", "--processes", str(self.processes)),
            cwd=self.folder,
            env=kept | told | {"PYTHONPATH": str(ROOT)},
            stderr=its,
        )
        os.close(its)
        said = await reader_of(ours)
        line = await said.readline()
        self._said = asyncio.create_task(said.read())
        assert b"Ballotline is running" in line, line + await self._said

    def _told(self) -> dict[str, str]:
        settings = self.settings
        assert settings.telegram_token is not None
        assert settings.twilio_auth_token is not None
        told = {
            "DATABASE_URL": self.database_url,
            "SECRETS_FILE": str(self.folder / "ballotline.secrets"),
            "TELEGRAM_TOKEN": settings.telegram_token.get_secret_value(),
            "TELEGRAM_API_URL": settings.telegram_api_url,
            "TELEGRAM_RATE": "1000",
            "LISTEN": settings.listen,
            "PUBLIC_URL": settings.public_url,
            "TRUSTED_PROXIES": settings.trusted_proxies,
            "LOG_LEVEL": "ERROR",
        }
        if self.texts:
            told |= {
                "TWILIO_ACCOUNT_SID": str(settings.twilio_account_sid),
                "TWILIO_AUTH_TOKEN": settings.twilio_auth_token.get_secret_value(),
                "TWILIO_FROM": str(settings.twilio_from),
                "TWILIO_API_URL": str(settings.twilio_api_url),
                "SMS_RATE": "1000",
            }
        return told

    async def dies(self) -> None:
        """End the process with kill -9."""
        assert self._child is not None
        self._child.kill()
        await self._ended()

    async def stops(self) -> None:
        assert self._child is not None
        if self.running:
            self._child.terminate()
            code, said = await self._ended()
            assert code == 0, said
            wrong = [line for line in said.decode().splitlines() if self.may_say is None or self.may_say not in line]
            assert self.may_complain or wrong == [], wrong

    async def _ended(self) -> tuple[int, bytes]:
        assert self._child is not None
        assert self._said is not None
        return await asyncio.to_thread(self._child.wait), await self._said

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    async def settles(self, seconds: float = PATIENCE_SECONDS) -> None:
        async with asyncio.timeout(seconds):
            while self.sandbox.telegram.pending or await self._waiting():  # noqa: ASYNC110 - another process's doing
                await asyncio.sleep(0.05)

    async def _waiting(self) -> int:
        async with self.database.reading() as connection:
            waiting = select(func.count()).where(inbox.c.state.not_in(("done", "failed")))
            return int(await connection.scalar(waiting) or 0)

    async def until_attempts(self, count: int) -> None:
        """Wait for an attempt to be committed."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await self.attempts() < count:  # noqa: ASYNC110 - another process's doing
                await asyncio.sleep(0.005)

    async def workers(self) -> dict[str, int]:
        """Give the process numbers of the workers that /metrics names."""
        async with aiohttp.ClientSession(self.url) as client, client.get("/metrics") as answer:
            lines = (await answer.text()).splitlines()
        found = (re.match(r'ballotline_worker_process\{worker="(\d+)"\} (\S+)', line) for line in lines)
        return {match[1]: int(float(match[2])) for match in found if match}

    async def until_workers(self, awaited: Callable[[dict[str, int]], bool]) -> dict[str, int]:
        """Wait until the workers are as awaited, and give them."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                with suppress(aiohttp.ClientConnectionError):  # whoever had taken the question was killed
                    if awaited(found := await self.workers()):
                        return found
                await asyncio.sleep(0.05)

    async def measured(self, name: str, label: str) -> float:
        """Add up in /metrics what has a name and a label."""
        async with aiohttp.ClientSession(self.url) as client, client.get("/metrics") as answer:
            lines = (await answer.text()).splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"{name}{{") and label in line)
