"""A program that reaches hosts through its gateway, and none past it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pex_tui.adapters.network.gateway import Gateway
from pex_tui.adapters.network.refused_log import REFUSED_LOG
from pex_tui.core.network_rules import NetworkRules
from tests.adapters.network.test_proxy import serving, web

BWRAP = shutil.which("bwrap")
FETCH = """
import sys, urllib.request
for url in sys.argv[1:]:
    try:
        print(urllib.request.urlopen(url, timeout=60).status)
    except OSError as error:
        print(error)
"""
PAST_IT = """
import socket, sys
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), 60)
    print("reached")
except OSError as error:
    print(error.strerror)
"""


def outcome(gateway: Gateway, argv: tuple[str, ...]) -> list[str]:
    """Run the program behind the gateway, in its own network if it has one; return its lines."""
    apart = (str(BWRAP), "--bind", "/", "/", "--dev", "/dev", "--unshare-net", "--")
    process = subprocess.Popen(  # the test's own program
        (*(apart if gateway.prefix else ()), *gateway.prefix, *argv),
        env={**os.environ, **gateway.environment, "NO_PROXY": "", "no_proxy": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        pass_fds=gateway.descriptors,
    )
    gateway.started()
    output, _ = process.communicate()
    gateway.close()
    return output.splitlines()


def gateway(folder: Path, *, is_apart: bool) -> Gateway:
    if is_apart and BWRAP is None:
        pytest.skip("bubblewrap is not installed")
    return Gateway(NetworkRules(allow=("127.0.0.1",)), folder, is_apart=is_apart)


@pytest.mark.parametrize("is_apart", [True, False])
def test_a_program_reaches_permitted_hosts_only(tmp_path: Path, is_apart: bool) -> None:
    with serving(web) as port:
        fetch = (sys.executable, "-c", FETCH, f"http://127.0.0.1:{port}/", "http://evil.example/")
        lines = outcome(gateway(tmp_path, is_apart=is_apart), fetch)
    assert lines == ["200", "HTTP Error 403: Forbidden"]
    assert (tmp_path / REFUSED_LOG).read_text() == "evil.example:80\n"


def test_in_a_network_of_its_own_there_is_no_way_past_the_gateway(tmp_path: Path) -> None:
    with serving(web) as port:
        past_it = (sys.executable, "-c", PAST_IT, str(port))
        assert outcome(gateway(tmp_path, is_apart=True), past_it) == ["Connection refused"]
        assert outcome(gateway(tmp_path, is_apart=False), past_it) == ["reached"]


def test_a_program_that_cannot_be_started_behind_it_says_so(tmp_path: Path) -> None:
    lines = outcome(gateway(tmp_path, is_apart=True), ("/nothing/here",))
    assert lines == ['cannot start "/nothing/here": No such file or directory']
