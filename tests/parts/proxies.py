"""nginx and Caddy as deploy/ configures them, on loopback over TLS: only ports and the certificate are others."""

import asyncio
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from shell import ROOT
from town import free_port

DEPLOY = ROOT / "deploy"
NAME = "vote.example.org"
CLIENT = "127.0.0.2"  # whoever asks: not the address that the proxy comes from
GET_IT = {
    "nginx": "apt-get install nginx-light",
    "caddy": "apt-get install caddy",
    "openssl": "apt-get install openssl",
}
START_SECONDS = 20.0
NGINX = """
daemon off;
user root;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@dataclass(frozen=True)
class Proxy:
    """One that runs; `session` asks it by its name, from CLIENT."""

    url: str
    session: aiohttp.ClientSession


def program(name: str) -> str:
    """Give where a program is, or skip the test and say how to get it."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"{name} is not on this machine: {GET_IT[name]}")
    return found


def replaced(content: str, *pairs: tuple[str, str]) -> str:
    """Replace each, which must be there."""
    for old, new in pairs:
        assert old in content, old
        content = content.replace(old, new)
    return content


@asynccontextmanager
async def in_front(kind: str, folder: Path, service_port: int) -> AsyncIterator[Proxy]:
    """Run a proxy in front of a service on this machine."""
    where, plain, port = program(kind), free_port(), free_port()
    cert, key = await asyncio.to_thread(certificate, folder)
    command = (_nginx if kind == "nginx" else _caddy)(where, folder, (plain, port, service_port), (cert, key))
    child = await asyncio.create_subprocess_exec(
        *command, env={"HOME": str(folder), "PATH": "/usr/bin:/bin"}, stderr=asyncio.subprocess.PIPE
    )
    try:
        context = ssl.create_default_context(cafile=str(cert))
        connector = aiohttp.TCPConnector(ssl=context, resolver=_Here(), local_addr=(CLIENT, 0))
        async with aiohttp.ClientSession(connector=connector) as session:
            await _listens(port, child)
            yield Proxy(f"https://{NAME}:{port}", session)
    finally:
        if child.returncode is None:
            child.terminate()
        await child.communicate()


class _Here(aiohttp.abc.AbstractResolver):
    """Every name is this machine."""

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[aiohttp.abc.ResolveResult]:
        assert family in {0, socket.AF_INET}
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        """Nothing is open."""


def certificate(folder: Path, name: str = NAME) -> tuple[Path, Path]:
    """Make a certificate for a name, signed by itself, and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([program("openssl"), *words, *subject], check=True, capture_output=True, timeout=60)
    return cert, key


def _nginx(where: str, folder: Path, ports: tuple[int, int, int], files: tuple[Path, Path]) -> list[str]:
    plain, port, service = ports
    site = replaced(
        (DEPLOY / "nginx.conf").read_text(encoding="utf-8"),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ssl http2;", f"listen 127.0.0.1:{port} ssl http2;"),
        ("/etc/letsencrypt/live/vote.example.org/fullchain.pem", str(files[0])),
        ("/etc/letsencrypt/live/vote.example.org/privkey.pem", str(files[1])),
        ("/var/log/nginx/error.log", str(folder / "site.log")),
        ("server 127.0.0.1:8080;", f"server 127.0.0.1:{service};"),
    )
    (folder / "site.conf").write_text(site, encoding="utf-8")
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder), encoding="utf-8")
    return [where, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]


def _caddy(where: str, folder: Path, ports: tuple[int, int, int], files: tuple[Path, Path]) -> list[str]:
    _, port, service = ports
    content = replaced(
        (DEPLOY / "Caddyfile").read_text(encoding="utf-8"),
        ("{\n\tservers {", "{\n\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n\tservers {"),
        (f"\n{NAME} {{\n", f"\nhttps://{NAME}:{port} {{\n\ttls {files[0]} {files[1]}\n"),
        ("reverse_proxy 127.0.0.1:8080", f"reverse_proxy 127.0.0.1:{service}"),
        ("reverse_proxy @stream 127.0.0.1:8080", f"reverse_proxy @stream 127.0.0.1:{service}"),
    )
    (folder / "Caddyfile").write_text(content, encoding="utf-8")
    return [where, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


async def _listens(port: int, child: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            assert child.returncode is None, (await child.communicate())[1].decode()
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)  # another program's doing
            else:
                writer.close()
                return
