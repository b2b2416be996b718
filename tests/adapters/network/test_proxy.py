"""The proxy of a task, with real sockets on loopback."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from pex_tui.adapters.network.proxy import Proxy, proxy_environment
from pex_tui.adapters.network.refused_log import REFUSED_LOG
from pex_tui.adapters.network.requests import basic
from pex_tui.core.network_rules import NetworkRules

TOKEN = "t0ken"  # noqa: S105  # a test's
PATIENCE = 60.0
Handler = Callable[[socket.socket], None]


def echo(peer: socket.socket) -> None:
    """Send back what comes, and an end for an end."""
    while chunk := peer.recv(1 << 16):
        peer.sendall(chunk)
    peer.shutdown(socket.SHUT_WR)


def web(peer: socket.socket) -> None:
    """Answer a request with the bytes that it consisted of."""
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = peer.recv(1 << 16)
        if not chunk:
            return
        received += chunk
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(received)
    peer.sendall(answer + received)


@contextmanager
def serving(handle: Handler) -> Iterator[int]:
    """Serve connections on a port of 127.0.0.1."""

    def accept() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=served, args=(peer,), daemon=True).start()

    def served(peer: socket.socket) -> None:
        with peer:
            handle(peer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxying(folder: Path, rules: NetworkRules) -> Iterator[Callable[[], socket.socket]]:
    """Serve as a proxy; yield what connects to it."""
    with ExitStack() as opened, socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = Proxy(listener, rules, folder, TOKEN)
        proxy.start()

        def connect() -> socket.socket:
            client = opened.enter_context(socket.create_connection(listener.getsockname()))
            client.settimeout(PATIENCE)
            return client

        yield connect
        proxy.close()


def ask(client: socket.socket, first: str, *headers: str, token: str = TOKEN) -> str:
    """Send a request; return the head of the answer and what came with it."""
    lines = [first, f"Proxy-Authorization: {basic(token)}", *headers, "", ""]
    client.sendall("\r\n".join(lines).encode())
    return received(client)


def received(client: socket.socket) -> str:
    text = b""
    while b"\r\n\r\n" not in text:
        chunk = client.recv(1 << 16)
        if not chunk:
            break
        text += chunk
    return text.decode()


def rest(client: socket.socket) -> bytes:
    text = b""
    while chunk := client.recv(1 << 16):
        text += chunk
    return text


def test_a_permitted_host_is_reached_through_a_tunnel(tmp_path: Path) -> None:
    rules = NetworkRules(allow=("127.0.0.1",))
    with serving(echo) as port, proxying(tmp_path, rules) as connect:
        client = connect()
        assert " 200 " in ask(client, f"CONNECT 127.0.0.1:{port} HTTP/1.1")
        client.sendall(b"x" * 1_000_000)
        client.shutdown(socket.SHUT_WR)
        assert rest(client) == b"x" * 1_000_000
    assert not (tmp_path / REFUSED_LOG).exists()


def test_plain_http_is_forwarded_as_one_request(tmp_path: Path) -> None:
    rules = NetworkRules(allow=("localhost", "127.0.0.1"))
    with serving(web) as port, proxying(tmp_path, rules) as connect:
        client = connect()
        first = f"GET http://user:pw@127.0.0.1:{port}/a?b=c HTTP/1.1"
        text = ask(client, first, "Host: x", "Proxy-Connection: keep-alive")
        text += rest(client).decode()
    assert "GET /a?b=c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" in text
    assert "authorization" not in text.lower()


def test_other_hosts_are_refused_and_each_is_noted_once(tmp_path: Path) -> None:
    with serving(echo) as port, proxying(tmp_path, NetworkRules(allow=("a.example",))) as connect:
        for _ in range(3):
            answer = ask(connect(), f"CONNECT 127.0.0.1:{port} HTTP/1.1")
            assert answer.startswith("HTTP/1.1 403 ")
            assert f"may not reach 127.0.0.1:{port} (safety.network.allow)" in answer
        assert " 403 " in ask(connect(), "GET http://evil.example/ HTTP/1.1")
    noted = (tmp_path / REFUSED_LOG).read_text().splitlines()
    assert noted == [f"127.0.0.1:{port}", "evil.example:80"]


def test_a_name_that_leads_to_this_machine_is_refused(tmp_path: Path) -> None:
    with serving(echo) as port, proxying(tmp_path, NetworkRules(allow=("local*",))) as connect:
        assert " 403 " in ask(connect(), f"CONNECT localhost:{port} HTTP/1.1")


def test_another_tasks_token_opens_nothing(tmp_path: Path) -> None:
    with serving(echo) as port, proxying(tmp_path, NetworkRules(allow=("*",))) as connect:
        assert " 407 " in ask(connect(), f"CONNECT 127.0.0.1:{port} HTTP/1.1", token="other")  # noqa: S106
        client = connect()
        client.sendall(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n".encode())
        assert " 407 " in received(client)


@pytest.mark.parametrize(
    "request_line",
    [
        "GET / HTTP/1.1",
        "GET https://127.0.0.1/ HTTP/1.1",
        "GET http://[::1/ HTTP/1.1",
        "CONNECT 127.0.0.1 HTTP/1.1",
        "CONNECT 127.0.0.1:0 HTTP/1.1",
        "CONNECT 127.0.0.1:٤٤٣ HTTP/1.1",
        "CONNECT a b:443 HTTP/1.1",
        "CONNECT a#.b:443 HTTP/1.1",
        "nonsense",
    ],
)
def test_what_is_no_request_for_a_host_is_refused(tmp_path: Path, request_line: str) -> None:
    with proxying(tmp_path, NetworkRules(allow=("*",))) as connect:
        assert " 400 " in ask(connect(), request_line)


def test_a_head_without_end_is_refused(tmp_path: Path) -> None:
    with proxying(tmp_path, NetworkRules(allow=("*",))) as connect:
        client = connect()
        client.sendall(b"GET " + b"x" * 200_000)
        client.shutdown(socket.SHUT_WR)
        assert received(client).startswith("HTTP/1.1 400 ")


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    with serving(echo) as port:
        pass
    with proxying(tmp_path, NetworkRules(allow=("*",))) as connect:
        assert " 502 " in ask(connect(), f"CONNECT 127.0.0.1:{port} HTTP/1.1")


def test_the_users_own_proxy_is_gone_through(tmp_path: Path) -> None:
    asked: list[str] = []

    def upstream(peer: socket.socket) -> None:
        asked.append(received(peer))
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        echo(peer)

    with serving(upstream) as port:
        rules = NetworkRules(("*.example",), None, f"127.0.0.1:{port}", "Basic abc")
        with proxying(tmp_path, rules) as connect:
            client = connect()
            assert " 200 " in ask(client, "CONNECT a.example:443 HTTP/1.1")
            client.sendall(b"hello")
            assert client.recv(10) == b"hello"
            assert " 403 " in ask(connect(), "CONNECT b.other:443 HTTP/1.1")
    assert "CONNECT a.example:443 HTTP/1.1" in asked[0]
    assert "Proxy-Authorization: Basic abc" in asked[0]


def test_direct_domains_go_past_the_users_proxy() -> None:
    rules = NetworkRules(("*",), None, "proxy:1", "", ("corp.example",))
    assert rules.reaches_directly("git.corp.example")
    assert rules.reaches_directly("corp.example")
    assert not rules.reaches_directly("evilcorp.example")


def test_a_limited_rate_still_moves_everything(tmp_path: Path) -> None:
    rules = NetworkRules(allow=("127.0.0.1",), rate=4 << 20)
    with serving(echo) as port, proxying(tmp_path, rules) as connect:
        client = connect()
        ask(client, f"CONNECT 127.0.0.1:{port} HTTP/1.1")
        client.sendall(b"y" * 300_000)
        client.shutdown(socket.SHUT_WR)
        assert rest(client) == b"y" * 300_000


def test_programs_find_the_proxy_by_their_environment() -> None:
    found = proxy_environment(8080, TOKEN)
    assert found["HTTPS_PROXY"] == found["http_proxy"] == f"http://pex:{TOKEN}@127.0.0.1:8080"
    assert "127.0.0.1" in found["NO_PROXY"]
