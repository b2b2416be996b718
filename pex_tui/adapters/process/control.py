"""The shim's end of its control socket: orders in, yes or no out."""

import os
import selectors
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from pex_tui.adapters.process.keepers import PeerGoneError, own_keeper, peer_keeper
from pex_tui.adapters.process.messages import Order
from pex_tui.adapters.system.private_folder import make_private

YES = b"yes\n"
NO = b"no\n"
_LINE_LIMIT = 4096
_CHUNK = 1 << 16

Obey = Callable[[Order, bytes], bool]


class ControlSocket:
    """A listening Unix socket; every complete order is obeyed once and answered.

    An order whose sender died before its last byte is dropped, so none is ever half obeyed.
    Connections from attempts' processes, of this shim and of others, are closed.
    """

    def __init__(self, selector: selectors.BaseSelector, path: Path, obey: Obey) -> None:
        self._selector = selector
        self._path = path
        self._obey = obey
        self._buffers: dict[socket.socket, bytearray] = {}
        self._listener: socket.socket | None = None

    def open(self) -> None:
        """Listen, again if the socket's file was removed; raise OSError."""
        self._close_listener()
        make_private(self._path.parent)
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.setblocking(False)
        listener.bind(os.fspath(self._path))
        listener.listen()
        self._listener = listener
        self._selector.register(listener, selectors.EVENT_READ, self._accept)

    def close(self) -> None:
        """Stop listening and remove the socket's file."""
        self._close_listener()
        for connection in list(self._buffers):
            self._drop(connection)
        with suppress(OSError):
            self._path.unlink()

    def _close_listener(self) -> None:
        if self._listener is not None:
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = None

    def _accept(self) -> None:
        with suppress(OSError):
            if self._listener is not None:
                connection, _ = self._listener.accept()
                if not _may_order(connection):
                    connection.close()
                    return
                connection.setblocking(False)
                self._buffers[connection] = bytearray()
                self._selector.register(
                    connection, selectors.EVENT_READ, partial(self._read, connection)
                )

    def _read(self, connection: socket.socket) -> None:
        buffer = self._buffers[connection]
        try:
            chunk = connection.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        buffer += chunk
        try:
            while self._obey_next(connection, buffer):
                pass
        except (ValueError, OSError):  # not an order, or no client left to answer
            chunk = b""
        if not chunk:
            self._drop(connection)

    def _obey_next(self, connection: socket.socket, buffer: bytearray) -> bool:
        """Obey the first order of the buffer if it is complete."""
        end = buffer.find(b"\n", 0, _LINE_LIMIT)
        if end < 0:
            if len(buffer) >= _LINE_LIMIT:
                raise ValueError("not an order")
            return False
        order = Order.decode(bytes(buffer[:end]))
        rest = end + 1 + order.size
        if len(buffer) < rest:
            return False
        text = bytes(buffer[end + 1 : rest])
        del buffer[:rest]
        connection.send(YES if self._obey(order, text) else NO)
        return True

    def _drop(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        del self._buffers[connection]
        connection.close()


def _may_order(connection: socket.socket) -> bool:
    """Return whether the peer is an engine: like this process, it is in no attempt."""
    try:
        return peer_keeper(connection) == own_keeper()
    except (PeerGoneError, OSError):
        return False
