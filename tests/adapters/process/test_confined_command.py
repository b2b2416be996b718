"""A check of the gate is confined as tasks are: its variables, its files and its network."""

import os
import sys
import time
from pathlib import Path

import pytest

from pex_tui.adapters.git.plumbing.bounded_command import Bounds, run_check
from pex_tui.adapters.process.confined_command import Confinement
from pex_tui.core.model.sandbox import Tier
from pex_tui.core.network_rules import NetworkRules
from tests.adapters.network.test_gateway import FETCH
from tests.adapters.network.test_proxy import serving, web
from tests.adapters.sandbox.house import BOTH, House
from tests.first_commits import Repositories


@pytest.fixture(params=BOTH)
def house(request: pytest.FixtureRequest, tmp_path: Path, repositories: Repositories) -> House:
    repositories.make(tmp_path / "repo", (("init", {"a.txt": "one\n"}),))
    return House(tmp_path, request.param)


async def check(
    confinement: Confinement, folder: Path, *argv: str, **env: str
) -> tuple[str, list[str]]:
    """Return why the command failed, or nothing, and the lines that it printed."""
    bounds = Bounds(time.monotonic() + 60, "60 s", 1 << 20)
    with (folder.parent / "output").open("w+b") as output:
        failure = await run_check(argv, folder, env, output, bounds, confinement)
        output.seek(0)
        return failure, output.read().decode().splitlines()


async def test_secrets_are_passed_only_if_they_are_named(tmp_path: Path) -> None:
    (workspace := tmp_path / "workspace").mkdir()
    user = {
        "PATH": os.environ["PATH"],
        "API_TOKEN": "t",
        "DATABASE_URL": "d",
        "GIT_DIR": "/nowhere",
    }
    script = 'echo "$API_TOKEN|$DATABASE_URL|$GIT_DIR|$PEX_RUN|$PWD"'

    bare = Confinement(user)
    assert (await check(bare, workspace, "sh", "-c", script, PEX_RUN="7f3a"))[1] == [
        f"|||7f3a|{workspace}"
    ]
    named = Confinement(user, ("API_TOKEN", "DATA*", "GIT_DIR"))
    assert (await check(named, workspace, "sh", "-c", script, PEX_RUN="7f3a"))[1] == [
        f"t|d||7f3a|{workspace}"
    ]


def test_a_variable_that_the_output_asks_for_is_named() -> None:
    user = {"PATH": "/bin", "API_TOKEN": "t", "DATABASE_URL": "d", "HOSTS": "h"}

    told = Confinement(user).withheld("KeyError: 'DATABASE_URL'\nno $PATH, no MY_API_TOKEN")
    assert told == " DATABASE_URL is set, but not passed on: name it in safety.env_pass."
    told = Confinement(user).withheld("API_TOKEN, DATABASE_URL")
    assert told.endswith(
        "API_TOKEN, DATABASE_URL are set, but not passed on: name them in safety.env_pass."
    )
    assert Confinement(user, ("DATABASE_URL",)).withheld("DATABASE_URL") == ""


@pytest.mark.parametrize("tier", [*BOTH, None])
async def test_a_check_reaches_permitted_hosts_only(tmp_path: Path, tier: Tier | None) -> None:
    house = House(tmp_path, tier or Tier.LANDLOCK)
    sandboxes = None if tier is None else house.policy()
    rules = NetworkRules(allow=("127.0.0.1",))
    confinement = Confinement(house.env, (), sandboxes, rules)

    with serving(web) as port:
        urls = (f"http://127.0.0.1:{port}/", "http://evil.example/")
        there = ("env", "NO_PROXY=", "no_proxy=", sys.executable)  # it is this machine
        fetch = (*there, "-c", FETCH + "sys.exit(3)", *urls)
        failure, lines = await check(confinement, house.workspace, *fetch)

    assert lines == ["200", "HTTP Error 403: Forbidden"]
    assert failure == "Exit code 3. It was kept from evil.example:80 (safety.network.allow)."


async def test_a_check_can_change_only_its_folder(house: House) -> None:
    outside = house.root / "outside"
    confinement = Confinement(house.env, sandboxes=house.policy())

    await check(confinement, house.workspace, "sh", "-c", f"echo x > in; echo x > '{outside}'")

    assert (house.workspace / "in").exists()
    assert not outside.exists()
