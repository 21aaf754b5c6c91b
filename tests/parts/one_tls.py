"""The certificates that a client trusts, read once in this process and not once by each client: it takes 20 ms."""

import ssl
from functools import cache

import httpx


@cache
def trusted() -> ssl.SSLContext:
    """Give what every client of ours may be made with, as its `verify`."""
    return httpx.create_ssl_context()
