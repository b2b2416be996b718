"""A check of the gate is confined as tasks are: its variables, its files and its network."""

import asyncio
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from pex_tui.adapters.git.plumbing import bounded_command
from pex_tui.adapters.git.plumbing.bounded_command import Bounds, run_check
from pex_tui.adapters.limits.tiers import cgroup_name
from pex_tui.adapters.limits.values import LimitRequest
from pex_tui.adapters.process import confined_command
from pex_tui.adapters.process.confined_command import Confinement
from pex_tui.core.model.sandbox import Tier
from pex_tui.core.network_rules import NetworkRules
from pex_tui.engine.attempt import Limits
from tests.adapters.network.test_gateway import FETCH
from tests.adapters.network.test_proxy import serving, web
from tests.adapters.sandbox.house import BOTH, House
from tests.faults.test_limits import BASE, BOMB, FILLER, HOG, TIERS
from tests.first_commits import Repositories
from tests.waiting import until

ENGINE = """
import asyncio, os, sys, time
from pathlib import Path
from pex_tui.adapters.git.plumbing.bounded_command import Bounds, run_check
from pex_tui.adapters.process.confined_command import Confinement
from pex_tui.adapters.sandbox.policy import SandboxPolicy
from pex_tui.adapters.sandbox.tiers import tiers
from pex_tui.core.model.sandbox import Tier

root, workspace, env = Path(sys.argv[1]), Path(sys.argv[2]), dict(os.environ)
sandboxes = SandboxPolicy(
    tier=Tier(sys.argv[3]), program=tiers().bwrap, environ=env, state=root / "state",
    writable=(), needed=(), temporary=root / "tmp",
)
bounds = Bounds(time.monotonic() + 60, "60 s", 1 << 20)
script = "touch begun; sleep 60"
with (root / "output").open("w+b") as out:
    confinement = Confinement(env, (), sandboxes)
    asyncio.run(run_check(("sh", "-c", script), workspace, {}, out, bounds, confinement))
"""


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


async def test_what_starts_a_check_in_a_scope_gives_it_no_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace := tmp_path / "workspace").mkdir()
    runtime = {"XDG_RUNTIME_DIR": "/run/user/7"}
    script = 'test "$XDG_RUNTIME_DIR" = /run/user/7 && INVOCATION_ID=9 exec "$@"'
    needs = ("sh", "-c", script, "sh")
    monkeypatch.setattr(confined_command, "scope_prefix", lambda: needs)
    monkeypatch.setattr(confined_command, "scope_environment", lambda: runtime)
    told = ("sh", "-c", 'echo "[$XDG_RUNTIME_DIR$INVOCATION_ID]"')
    bare = Confinement({"PATH": os.environ["PATH"]})

    assert await check(bare, workspace, *told) == ("", ["[]"])
    assert (await check(bare, workspace, *told, XDG_RUNTIME_DIR="/mine"))[1] == ["[/mine]"]


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


@pytest.mark.parametrize("polls", TIERS)
async def test_a_memory_hog_is_ended_at_its_limit(tmp_path: Path, *, polls: bool) -> None:
    held = Confinement(limits=Limits(memory_bytes=96 << 20, polls=polls))

    failure, _ = await check(held, folder(tmp_path), sys.executable, "-I", "-S", "-c", HOG)

    tier = "best effort, polling" if polls else "hard, "
    assert failure.startswith(f"It was over its memory limit: 96M ({tier}")
    assert failure.endswith(", so it was ended (thread_pool.memory_per_agent).")


@pytest.mark.skipif(BASE is None, reason="no cgroup is writable here")
async def test_what_the_machine_had_no_memory_for_is_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_command, "_ROOM_SECONDS", (0.0, 0.0))
    assert BASE is not None
    (container := BASE.cgroup(name := cgroup_name(os.getpid(), "around"))).create()
    container.hold(LimitRequest(memory_bytes=48 << 20))
    joins = [f"open('{at / name / 'cgroup.procs'}', 'w').write('0')" for at in BASE.folders]
    tries = "import os, sys\nprint('try', flush=True)\nopen('tries', 'a').write('x')"
    stop = "if os.path.getsize('tries') == int(sys.argv[1]): sys.exit()"
    script = "\n".join((tries, stop, *joins, HOG))
    held = Confinement(limits=Limits(polls=True))

    for most, told in ((3, ""), (9, "It was killed by the kernel because the machine ran out of")):
        workspace = folder(tmp_path / str(most))
        argv = (sys.executable, "-I", "-S", "-c", script, str(most))
        failure, lines = await check(held, workspace, *argv)
        assert (failure.startswith(told), bool(failure)) == (True, bool(told))
        assert lines.count("try") == 3
    container.remove()


@pytest.mark.parametrize("polls", TIERS)
async def test_a_fork_bomb_is_ended_with_all_that_it_started(house: House, *, polls: bool) -> None:
    held = Confinement(house.env, (), house.policy(), limits=Limits(processes=40, polls=polls))

    failure, _ = await check(held, house.workspace, sys.executable, "-I", "-S", "-c", BOMB)

    assert failure.startswith("It was over its limit of processes: 40 (")
    assert failure.endswith(", so it was ended (thread_pool.processes_per_agent).")
    assert not in_folder(house.workspace)


async def test_a_disk_filler_is_ended_at_its_limit(tmp_path: Path) -> None:
    held = Confinement(limits=Limits(disk_bytes=16 << 20))

    failure, _ = await check(held, folder(tmp_path), sys.executable, "-I", "-S", "-c", FILLER)

    assert failure.startswith("It was over its disk limit: 16M (")


async def test_a_check_ends_as_its_program_and_with_what_that_left(tmp_path: Path) -> None:
    place = folder(tmp_path)
    script = "(setsid sleep 60 &) ; kill -TERM $$"

    failure, _ = await check(Confinement(), place, "sh", "-c", script)

    assert failure == "Ended by SIGTERM."
    assert not in_folder(place)


async def test_a_check_and_its_temporary_folders_go_with_a_killed_engine(house: House) -> None:
    where = (str(house.root), str(house.workspace), house.tier.value)
    engine = await asyncio.create_subprocess_exec(sys.executable, "-c", ENGINE, *where)
    begun, temporary = house.workspace / "begun", house.root / "tmp"
    try:
        await until(begun.exists)
        assert any(temporary.iterdir())
    finally:
        engine.kill()
        await engine.wait()

    await until(lambda: not in_folder(house.workspace) and not any(temporary.iterdir()))


def folder(root: Path) -> Path:
    """Return a new workspace."""
    (made := root / "workspace").mkdir(parents=True)
    return made


def in_folder(place: Path) -> list[psutil.Process]:
    """Return the processes whose working directory is the workspace."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.cwd() == str(place):
                found.append(process)
    return found
