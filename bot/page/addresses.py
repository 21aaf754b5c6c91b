"""Where a request came from: one address, hashed; of IPv6 a whole /64, for one house has so many."""

from collections.abc import Collection
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

from voting.codes.hashing import keyed_hash

FORWARDED_MAX: Final = 20  # proxies in a row
_DOMAIN: Final = b"ballotline page address 1"
_NAME_CHARACTERS: Final = 24


def client_of(peer: str, forwarded: str, trusted: Collection[str]) -> str:
    """Give the client's address: the peer's, or, behind proxies that are trusted, the last that none of them is."""
    address = peer
    for hop in reversed(forwarded.split(",")[-FORWARDED_MAX:]):
        if address not in trusted or not (name := hop.strip()):
            break
        address = name
    return address


def came_by_http(peer: str, said: str, trusted: Collection[str]) -> bool:
    """Tell whether a trusted proxy says that somebody came by plain http; nobody else's word counts."""
    return peer in trusted and said.rpartition(",")[2].strip().lower() == "http"


def network_of(address: str) -> str:
    """Give an IPv4 address as it is, the /64 of an IPv6 address, and anything else as one."""
    try:
        read = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(read, IPv6Address):
        if read.ipv4_mapped is not None:
            return str(read.ipv4_mapped)
        return str(IPv6Network((read, 64), strict=False))
    return str(read)


def hashed(key: bytes, network: str) -> str:
    """Name a network for the database, which so holds no address."""
    return keyed_hash(key, _DOMAIN, network.encode()).hex()[:_NAME_CHARACTERS]
