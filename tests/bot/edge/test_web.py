"""The service's HTTP server: its address, and answers that do not wait."""

import socket

import pytest

from bot.edge.server import AddressWrong, PortTaken, bind


def test_an_answer_s_body_does_not_wait_for_its_headers_to_be_acknowledged() -> None:
    """Nagle's algorithm beside delayed acknowledgements costs 40 ms with every answer but a connection's first."""
    with bind("127.0.0.1", 0) as server, socket.create_connection(server.getsockname()), server.accept()[0] as taken:
        assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_an_address_that_is_taken_or_is_none_is_said_in_a_sentence() -> None:
    with bind("127.0.0.1", 0) as server, pytest.raises(PortTaken, match="in use already"):
        bind("127.0.0.1", server.getsockname()[1])
    with pytest.raises(AddressWrong, match=r"cannot listen on 192\.0\.2\.1:1"):
        bind("192.0.2.1", 1)
