"""An HTTP proxy for the processes of one task: permitted hosts only, at a limited rate.

It runs in threads of the shim, so that it outlives the engine and ends with the task.
"""

import os
import select
import socket
import threading
from contextlib import suppress
from pathlib import Path

from pex_tui.adapters.network.refused_log import REFUSED_LOG
from pex_tui.adapters.network.requests import (
    BadRequestError,
    ProxyRequest,
    read_head,
    read_request,
)
from pex_tui.adapters.network.token_bucket import TokenBucket
from pex_tui.core.allowed_hosts import AllowedHosts, HostPattern
from pex_tui.core.network_rules import NetworkRules

_HEAD_SECONDS = 30.0
_CONNECT_SECONDS = 20.0
_DRAIN_SECONDS = 2.0
_DRAIN_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 16
_MOST_CONNECTIONS = 256
_MOST_REFUSED = 1000
_BACKLOG = 128


class Proxy:
    """Serves a listening socket until it is closed; clients must know the `token`."""

    def __init__(
        self, listener: socket.socket, rules: NetworkRules, folder: Path, token: str
    ) -> None:
        self._listener = listener
        self._rules = rules
        self._token = token
        self._hosts = AllowedHosts(tuple(map(HostPattern.parse, rules.allow)))
        self._bucket = None if rules.rate is None else TokenBucket(rules.rate)
        self._log = folder / REFUSED_LOG
        self._refused: set[tuple[str, int]] = set()
        self._writing = threading.Lock()
        self._room = threading.BoundedSemaphore(_MOST_CONNECTIONS)

    def start(self) -> None:
        """Serve in the background."""
        self._listener.listen(_BACKLOG)
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def close(self) -> None:
        """Accept no more connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._room.acquire()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            with suppress(OSError), client:
                client.settimeout(_HEAD_SECONDS)
                self._answer(client)
        finally:
            self._room.release()

    def _answer(self, client: socket.socket) -> None:
        """Serve a connection to its end; raise OSError."""
        try:
            request = read_request(client)
        except BadRequestError:
            _refuse(client, "400 Bad Request", "This is a proxy for HTTP.")
            return
        if request is None:
            return
        if not request.is_by(self._token):
            _refuse(
                client,
                "407 Proxy Authentication Required",
                "This proxy belongs to another task.",
                'Proxy-Authenticate: Basic realm="pex-tui"',
            )
            return
        try:
            server = self._connected(request)
        except _NotAllowedError:
            self._note(request)
            where = f"{request.host}:{request.port}"
            why = f"This task may not reach {where} (safety.network.allow)."
            _refuse(client, "403 Forbidden", why)
            return
        except (OSError, BadRequestError) as error:
            why = f"{request.host}:{request.port} can't be reached: {error or 'no answer'}."
            _refuse(client, "502 Bad Gateway", why)
            return
        with server:
            if request.is_tunnel:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            if request.forwarded:
                self._pay(len(request.forwarded))
                server.sendall(request.forwarded)
            self._relay(client, server)

    def _connected(self, request: ProxyRequest) -> socket.socket:
        """Connect to the server; raise _NotAllowedError, BadRequestError or OSError."""
        if not self._hosts.permit(request.host, request.port):
            raise _NotAllowedError
        if self._rules.upstream and not self._rules.reaches_directly(request.host):
            return self._through_upstream(request)
        found = socket.getaddrinfo(request.host, request.port, type=socket.SOCK_STREAM)
        failure: OSError = OSError("it has no address")
        for family, kind, protocol, _, address in found:
            if not self._hosts.permit_address(request.host, request.port, str(address[0])):
                raise _NotAllowedError
            server = socket.socket(family, kind, protocol)
            try:
                server.settimeout(_CONNECT_SECONDS)
                server.connect(address)
            except OSError as error:
                server.close()
                failure = error
            else:
                return server
        raise failure

    def _through_upstream(self, request: ProxyRequest) -> socket.socket:
        """Have the upstream proxy connect to the server; raise BadRequestError or OSError."""
        host, _, port = self._rules.upstream.rpartition(":")
        server = socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS)
        try:
            target = f"[{request.host}]" if ":" in request.host else request.host
            lines = [f"CONNECT {target}:{request.port} HTTP/1.1", f"Host: {target}:{request.port}"]
            if self._rules.upstream_authorization:
                lines.append(f"Proxy-Authorization: {self._rules.upstream_authorization}")
            server.sendall("\r\n".join((*lines, "", "")).encode("latin-1"))
            status = read_head(server)[0].partition(b"\r\n")[0].decode("latin-1")
        except (OSError, BadRequestError):
            server.close()
            raise
        if status.split(" ")[1:2] == ["200"]:
            return server
        server.close()
        raise OSError(f"the proxy {self._rules.upstream} answers {status or 'nothing'}")

    def _relay(self, client: socket.socket, server: socket.socket) -> None:
        """Move bytes both ways until both sides have ended; raise OSError."""
        others = {client: server, server: client}
        for peer in others:
            peer.settimeout(None)
        most = _CHUNK_BYTES if self._bucket is None else self._bucket.most_bytes
        while others:
            for peer in select.select(list(others), [], [])[0]:
                chunk = peer.recv(most)
                other = server if peer is client else client
                if chunk:
                    self._pay(len(chunk))
                    other.sendall(chunk)
                    continue
                del others[peer]
                with suppress(OSError):  # it has ended as well
                    other.shutdown(socket.SHUT_WR)

    def _pay(self, count: int) -> None:
        if self._bucket is not None:
            self._bucket.take(count)

    def _note(self, request: ProxyRequest) -> None:
        """Log a host when it is refused for the first time."""
        where = (request.host, request.port)
        with self._writing:
            if where in self._refused or len(self._refused) >= _MOST_REFUSED:
                return
            self._refused.add(where)
            with suppress(OSError):
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
                log = os.open(self._log, flags, 0o600)
                try:
                    os.write(log, f"{request.host}:{request.port}\n".encode())
                finally:
                    os.close(log)


class _NotAllowedError(Exception):
    """The task may not reach the host."""


def proxy_environment(port: int, token: str) -> dict[str, str]:
    """Return the variables by which programs find the proxy."""
    url = f"http://pex:{token}@127.0.0.1:{port}"
    here = "localhost,127.0.0.1,::1"
    return {
        **dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"), url),
        **dict.fromkeys(("ALL_PROXY", "all_proxy"), url),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), here),
        "NODE_USE_ENV_PROXY": "1",
    }


def _refuse(client: socket.socket, status: str, why: str, *headers: str) -> None:
    body = f"pex-tui: {why}\n".encode()
    lines = [
        f"HTTP/1.1 {status}",
        *headers,
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    client.sendall("\r\n".join((*lines, "", "")).encode() + body)
    # A socket that is closed with unread bytes takes its answer back.
    client.shutdown(socket.SHUT_WR)
    client.settimeout(_DRAIN_SECONDS)
    left = _DRAIN_BYTES
    while left > 0 and (chunk := client.recv(_CHUNK_BYTES)):
        left -= len(chunk)
