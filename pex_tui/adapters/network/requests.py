"""Requests to a proxy, as far as it has to understand them."""

import base64
import hmac
import socket
from typing import NamedTuple
from urllib.parse import urlsplit

from pex_tui.core.allowed_hosts import normalized

_MOST_HEAD_BYTES = 1 << 16
_PARTS_OF_A_REQUEST_LINE = 3
_LAST_PORT = 65535
_HTTP_PORT = 80
_HOP_BY_HOP = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization"})


class BadRequestError(Exception):
    """Input of a client that is no request to a proxy."""


class ProxyRequest(NamedTuple):
    """A request for a connection to `host` and `port`.

    `forwarded` is what the server gets first: nothing for a tunnel.
    """

    host: str
    port: int
    is_tunnel: bool
    forwarded: bytes
    authorization: str

    def is_by(self, token: str) -> bool:
        """Return whether the client knows the token."""
        return hmac.compare_digest(self.authorization.encode(), basic(token).encode())


def basic(token: str) -> str:
    """Return the value of a header that authorizes with a token."""
    return "Basic " + base64.b64encode(f"pex:{token}".encode()).decode()


def read_request(client: socket.socket) -> ProxyRequest | None:
    """Read a request's head; return None if the client sent nothing.

    Raises BadRequestError, OSError.
    """
    head, rest = read_head(client)
    if not head:
        return None
    first, *headers = head.split(b"\r\n")
    parts = first.split(b" ")
    if len(parts) != _PARTS_OF_A_REQUEST_LINE:
        raise BadRequestError
    method, target, version = parts
    authorization = ""
    kept: list[bytes] = []
    for line in headers:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"proxy-authorization":
            authorization = value.strip().decode("latin-1")
        if name.strip().lower() not in _HOP_BY_HOP:
            kept.append(line)
    if method == b"CONNECT":
        host, port = _address(target.decode("latin-1"), None)
        return ProxyRequest(host, port, True, rest, authorization)
    try:
        url = urlsplit(target.decode("latin-1"))
    except ValueError as error:  # half an IPv6 address
        raise BadRequestError from error
    if url.scheme != "http" or not url.netloc:
        raise BadRequestError
    host, port = _address(url.netloc.rpartition("@")[2], _HTTP_PORT)
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    # One request a connection: the next may be for a host that is not permitted.
    lines = [b" ".join((method, path.encode("latin-1"), version)), *kept, b"Connection: close"]
    return ProxyRequest(host, port, False, b"\r\n".join(lines) + b"\r\n\r\n" + rest, authorization)


def read_head(peer: socket.socket) -> tuple[bytes, bytes]:
    """Return the lines before the first empty one, and what was read after it.

    Both are empty if the peer sent nothing. Raises BadRequestError for a head that does not end.
    """
    received = b""
    while b"\r\n\r\n" not in received:
        if len(received) > _MOST_HEAD_BYTES:
            raise BadRequestError
        chunk = peer.recv(_MOST_HEAD_BYTES)
        if not chunk:
            if received:
                raise BadRequestError
            return b"", b""
        received += chunk
    head, _, rest = received.partition(b"\r\n\r\n")
    return head, rest


def _address(text: str, default: int | None) -> tuple[str, int]:
    """Return the host and port of `host:port`; raise BadRequestError."""
    host, colon, port = text.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = text, ""
    try:
        number = int(port) if port.isascii() and port.isdigit() else default
        if number is None or not 0 < number <= _LAST_PORT:
            raise BadRequestError
        return normalized(host), number
    except ValueError as error:
        raise BadRequestError from error
