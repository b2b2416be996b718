"""A task's gateway: its proxy, and what its program is told of it."""

import os
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pex_tui.adapters.network.enter import PORT, enter_argv
from pex_tui.adapters.network.proxy import Proxy, proxy_environment
from pex_tui.core.network_rules import NetworkRules

_HERE = "127.0.0.1"
_TOKEN_BYTES = 16
_OWN_PORT, _OWN_PORTS = "PEX_PORT", 10


class Gateway:
    """Opens before the program starts and serves until it is closed.

    With `is_apart`, the program is to run behind `prefix`, in a network of its own that has no
    other way out; else it shares this machine's network, and `port` is where the proxy listens.
    """

    def __init__(self, rules: NetworkRules, folder: Path, *, is_apart: bool) -> None:
        """Open the proxy's socket; raise OSError or ValueError (a pattern of a newer version)."""
        self._rules = rules
        self._folder = folder
        self._token = os.urandom(_TOKEN_BYTES).hex()
        self._proxy: Proxy | None = None
        self._listener: socket.socket | None = None
        self._ours: socket.socket | None = None
        self._theirs: socket.socket | None = None
        self.port = PORT
        if is_apart:
            self._ours, self._theirs = socket.socketpair()
        else:
            self._listener = socket.create_server((_HERE, 0))
            self.port = int(self._listener.getsockname()[1])

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the program."""
        return proxy_environment(self.port, self._token)

    @property
    def prefix(self) -> tuple[str, ...]:
        """The command that opens the gateway from inside; what follows it is run."""
        return () if self._theirs is None else enter_argv(self._theirs.fileno())

    @property
    def descriptors(self) -> tuple[int, ...]:
        """The descriptors that the program has to inherit."""
        return () if self._theirs is None else (self._theirs.fileno(),)

    def ports(self, env: Mapping[str, str]) -> tuple[int, ...]:
        """Return the ports that a program with that environment connects to: ours and its own."""
        first = int(env.get(_OWN_PORT, 0))
        return (self.port, *(range(first, first + _OWN_PORTS) if first else ()))

    def started(self) -> None:
        """Serve in the background; threads are started only now, once the program is."""
        if self._listener is not None:
            self._serve(self._listener)
        if self._theirs is not None:
            self._theirs.close()
            self._theirs = None
            threading.Thread(target=self._receive, name="gateway", daemon=True).start()

    def close(self) -> None:
        """Serve no more connections."""
        for peer in (self._listener, self._ours, self._theirs, self._proxy):
            if peer is not None:
                with suppress(OSError):
                    peer.close()

    def _receive(self) -> None:
        """Serve the socket that the program's side hands over; it hands over none if it fails."""
        if self._ours is None:
            return
        with suppress(OSError):
            _, descriptors, _, _ = socket.recv_fds(self._ours, 1, 1)
            for descriptor in descriptors:
                self._serve(socket.socket(fileno=descriptor))
        self._ours.close()

    def _serve(self, listener: socket.socket) -> None:
        self._proxy = Proxy(listener, self._rules, self._folder, self._token)
        self._proxy.start()
