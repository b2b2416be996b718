"""An attempt whose network is limited reaches what it may, and nothing past its proxy."""

import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from pex_tui.adapters.sandbox.landlock import PORT_ABI, abi
from pex_tui.adapters.sandbox.policy import Grant
from pex_tui.core.model.sandbox import Sandbox, Tier
from pex_tui.core.network_rules import NetworkRules
from tests.adapters.network.test_proxy import serving, web
from tests.adapters.process.runs import Attempts
from tests.adapters.sandbox.house import BOTH, House

PROGRAM = """
import socket, sys, urllib.request
port = int(sys.argv[1])
for url in (f"http://127.0.0.1:{port}/", "http://evil.example/"):
    try:
        print(urllib.request.urlopen(urllib.request.Request(url), timeout=60).status)
    except OSError as error:
        print(error)
try:
    socket.create_connection(("127.0.0.1", port), 60)
    print("reached past it")
except OSError as error:
    print(error.strerror)
"""
RULES = NetworkRules(allow=("127.0.0.1",))


async def lines(attempts: Attempts, sandbox: Sandbox | None) -> list[str]:
    """Return what the program prints in a limited network."""
    with serving(web) as port:
        argv = (sys.executable, "-I", "-S", "-c", PROGRAM, str(port))
        # urllib would not use a proxy for this machine
        script = f'NO_PROXY= no_proxy= exec {" ".join(map(repr, argv[:4]))} "$@"'
        launch = attempts.launch("one", "sh", "-c", script, "sh", PROGRAM, str(port))
        await attempts.runner.start(replace(launch, sandbox=sandbox, network=RULES))
        await attempts.runner.wait(launch.key)
    return attempts.output("one").decode().splitlines()


@pytest.mark.parametrize("tier", BOTH)
async def test_a_sandbox_leaves_no_way_past_the_proxy(
    attempts: Attempts, tmp_path: Path, tier: Tier
) -> None:
    if tier is Tier.LANDLOCK and abi() < PORT_ABI:
        pytest.skip("this kernel's Landlock holds no ports; Linux 6.7 does")
    told: list[str] = []
    attempts.runner.say = told.append
    house = House(tmp_path / "house", tier)
    house.checkout.mkdir()
    (house.checkout / ".git").mkdir()
    found = await lines(attempts, house.sandbox(grant=Grant(writes=(attempts.work,))))

    past = {Tier.BWRAP: "Connection refused", Tier.LANDLOCK: "Permission denied"}
    assert found == ["200", "HTTP Error 403: Forbidden", past[tier]]
    assert told == ["one was kept from evil.example:80 (safety.network.allow)."]


async def test_without_a_sandbox_the_proxy_is_what_programs_are_told_of(attempts: Attempts) -> None:
    assert await lines(attempts, None) == ["200", "HTTP Error 403: Forbidden", "reached past it"]
