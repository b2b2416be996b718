"""The control socket: complete orders are obeyed once, anything else is dropped."""

import selectors
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pex_tui.adapters.process.control import NO, YES, ControlSocket
from pex_tui.adapters.process.messages import Order
from tests.waiting import PATIENCE_SECONDS


class Shim:
    """A stand-in for a shim, which records orders and refuses to pause."""

    def __init__(self, path: Path) -> None:
        self.obeyed: list[tuple[Order, bytes]] = []
        self.selector = selectors.DefaultSelector()
        self.control = ControlSocket(self.selector, path, self.obey)
        self.path = path

    def obey(self, order: Order, text: bytes) -> bool:
        self.obeyed.append((order, text))
        return order.verb != "pause"

    def serve(self) -> None:
        while ready := self.selector.select(0.02):
            for key, _ in ready:
                key.data()

    def connect(self) -> socket.socket:
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(PATIENCE_SECONDS)
        client.connect(str(self.path))
        return client


@pytest.fixture
def shim() -> Iterator[Shim]:
    with TemporaryDirectory(prefix="pex-") as folder:
        made = Shim(Path(folder) / "s.sock")
        made.control.open()
        yield made
        made.control.close()
        made.selector.close()


def test_orders_are_answered_one_by_one(shim: Shim) -> None:
    with shim.connect() as client:
        client.sendall(Order("stop", 2.5).encode() + Order("pause").encode())
        shim.serve()
        assert client.recv(100) == YES + NO
    assert shim.obeyed == [(Order("stop", 2.5), b""), (Order("pause"), b"")]


def test_an_order_that_comes_in_pieces_is_obeyed_once_whole(shim: Shim) -> None:
    wire = Order("send", size=5).encode() + b"a\nb\0c"
    with shim.connect() as client:
        for byte in wire[:-1]:
            client.sendall(bytes([byte]))
        shim.serve()
        assert shim.obeyed == []
        client.sendall(wire[-1:])
        shim.serve()
        assert client.recv(100) == YES
    assert shim.obeyed == [(Order("send", size=5), b"a\nb\0c")]


def test_an_order_whose_sender_died_halfway_is_forgotten(shim: Shim) -> None:
    with shim.connect() as client:
        client.sendall(Order("send", size=5).encode() + b"abcd")
    shim.serve()
    assert shim.obeyed == []


@pytest.mark.parametrize(
    "nonsense",
    [
        b"hello\n",
        b"{}\n",
        b"[]\n",
        b'{"verb": "send", "grace_seconds": 0, "size": -1}\n',
        b"x" * 9000,
    ],
)
def test_nonsense_is_hung_up_on(shim: Shim, nonsense: bytes) -> None:
    with shim.connect() as client:
        client.sendall(nonsense)
        shim.serve()
        with suppress(ConnectionResetError):
            assert client.recv(100) == b""
    assert shim.obeyed == []


def test_a_sender_that_leaves_at_once_is_still_obeyed(shim: Shim) -> None:
    with shim.connect() as client:
        client.sendall(Order("stop", 1.0).encode())
    shim.serve()
    assert shim.obeyed == [(Order("stop", 1.0), b"")]


def test_a_socket_that_was_removed_is_made_anew(shim: Shim) -> None:
    shim.path.unlink()
    shim.control.open()
    with shim.connect() as client:
        client.sendall(Order("resume").encode())
        shim.serve()
        assert client.recv(100) == YES
