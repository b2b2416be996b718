"""Locks that our git holds while it writes, and checks made once it has."""

import shutil
from pathlib import Path

import pytest

from pex_tui.engine.ports import LandingError
from pex_tui.engine.run_paths import RunPaths
from tests.adapters.git.conftest import Project
from tests.adapters.git.landing_world import BRANCH, World, make_world

_WRAPPER = """\
#!/bin/sh
for word; do
    case $word in {command})
        {script}
        break
    esac
done
exec {git} "$@"
"""


@pytest.fixture
async def world(project: Project, places: RunPaths) -> World:
    made = make_world(project, places)
    await made.lander.begin()
    return made


class Watch:
    """Runs a script whenever git is about to run a command."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._monkeypatch = monkeypatch

    def before(self, command: str, script: str) -> None:
        """Run the script from now on; `$git` is git itself."""
        git = shutil.which("git")
        assert git is not None
        self._folder.mkdir()
        wrapper = self._folder / "git"
        script = script.replace("$git", git)
        wrapper.write_text(_WRAPPER.format(command=command, script=script, git=git))
        wrapper.chmod(0o755)
        self._monkeypatch.setenv("PATH", str(self._folder), prepend=":")


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    return Watch(tmp_path / "bin", monkeypatch)


@pytest.mark.parametrize("command", ["update-ref", "merge"])
async def test_whatever_writes_refs_or_the_users_files_holds_the_landing_lock_itself(
    world: World, watch: Watch, command: str
) -> None:
    seen = world.places.root / "seen"
    watch.before(command, f"echo $(readlink /proc/$$/fd/*) >> '{seen}'")

    await world.landed("a", {"a": "a"})
    await world.lander.land_run("main")

    lock = str(world.places.root.resolve() / "landing.lock")
    assert {lock in held.split() for held in seen.read_text().splitlines()} == {True}


async def test_a_user_who_switches_branches_at_the_moment_of_landing_is_told(
    world: World, watch: Watch
) -> None:
    landed = await world.landed("a", {"a": "a"})
    world.git("branch", "other")
    watch.before("merge", "$git symbolic-ref HEAD refs/heads/other")

    with pytest.raises(LandingError, match="main was switched or moved by another program at the"):
        await world.lander.land_run("main")

    assert world.git("rev-parse", "main", BRANCH).split() == [world.base, landed]
