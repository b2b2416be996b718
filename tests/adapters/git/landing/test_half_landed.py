"""An interrupted landing in the user's checkout is finished or undone, and nothing else changes."""

import asyncio
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from pex_tui.adapters.git.landing.half_landed import Landing, LandingNote
from pex_tui.adapters.git.plumbing.stand_in_directory import stand_in_for
from pex_tui.application.runs.composition import repair_landing_of
from pex_tui.core.model.ids import CommitId
from pex_tui.engine.ports import LandingError
from pex_tui.engine.run_paths import RunPaths
from tests.adapters.git.conftest import Project
from tests.adapters.git.landing_world import (
    LINES,
    RUN,
    Tree,
    World,
    edited,
    link,
    make_world,
    submodule,
)
from tests.waiting import until

NEW = edited(l1="new")


async def landed(project: Project, places: RunPaths) -> World:
    """A run that has landed changes of nine kinds on its own branch."""
    made = make_world(project, places)
    made.always_anew = True
    changed = dict.fromkeys(("a", "b", "c", "d"), LINES)
    made.rebase_onto({**changed, "gone": "g\n", "folder/x": "x\n", "swap": "file\n"})
    await made.lander.begin()
    after = dict.fromkeys(changed, NEW)
    files = {"added": "fresh\n", "deep/er": "fresh\n", "swap": None, "swap/y": "y\n"}
    added: Tree = {**files, "link": link("a"), "module": submodule("1" * 40)}
    await made.landed("t", {**after, **added, "gone": None, "folder/x": None, "folder": "f\n"})
    return made


@pytest.fixture
async def world(project: Project, places: RunPaths) -> World:
    return await landed(project, places)


def note(world: World) -> LandingNote:
    return LandingNote(world.places.root / "landing.json")


def cut_short(world: World, run: str = "") -> Path:
    """Leave what a killed git leaves: b is half written, c missing, d not begun."""
    root, git_dir = world.project.path, world.project.path / ".git"
    landing = Landing("refs/heads/main", world.base, world.tip(), str(root), str(git_dir), run)
    note(world).write(landing)
    world.project.write("a", NEW)
    world.project.write("b", NEW[:30])
    (root / "c").unlink()
    (root / "gone").unlink()
    (root / "folder/x").unlink()
    (root / "folder").rmdir()
    world.project.write("folder", "f\n")
    world.project.write("added", "fre")
    (root / "link").symlink_to("a")
    (root / "module").mkdir()
    (git_dir / "index.lock").write_bytes(b"DIRC")
    return root


def test_the_note_of_a_landing_is_read_as_it_was_written_in_a_folder_of_its_own(
    tmp_path: Path,
) -> None:
    landing = Landing("refs/heads/main", CommitId("1" * 40), CommitId("2" * 40), "/w", "/g", RUN)
    kept = LandingNote(tmp_path / "state" / "repository" / "landing.json")

    kept.write(landing)

    assert kept.read() == landing


async def test_it_is_undone_and_made_again(world: World) -> None:
    root = cut_short(world)
    world.project.write("mine.txt", "untracked")

    tip, _ = await world.lander.land_run("main")

    assert tip == world.tip() == world.git("rev-parse", "main")
    assert world.git("status", "--porcelain") == "?? mine.txt"
    assert (root / "b").read_text() == NEW
    assert (root / "folder").read_text() == "f\n"
    assert note(world).read() is None


@pytest.mark.parametrize("path", ["a", "b", "d"])
async def test_a_file_that_the_user_has_changed_since_is_theirs(world: World, path: str) -> None:
    root = cut_short(world)
    world.project.write(path, "theirs\n")

    with pytest.raises(LandingError, match=rf"Not committed in .*: {path}\. Commit or stash"):
        await world.lander.land_run("main")

    assert (root / path).read_text() == "theirs\n"
    assert world.git("status", "--porcelain") == f" M {path}"
    world.git("checkout", "-q", "--", path)
    assert (await world.lander.land_run("main"))[0] == world.tip()


async def test_a_link_that_the_user_has_put_in_a_files_place_is_theirs(world: World) -> None:
    root = cut_short(world)
    (root / "d").rename(root / "moved")
    (root / "d").symlink_to("moved")

    with pytest.raises(LandingError, match=r"Not committed in .*: d\. Commit or stash"):
        await world.lander.land_run("main")

    assert (root / "d").is_symlink()


async def test_an_untracked_file_of_the_users_that_stands_in_the_way_stays(world: World) -> None:
    root = cut_short(world)
    world.project.write("added", "theirs\n")

    with pytest.raises(LandingError, match=r"Not tracked by git in .*: added"):
        await world.lander.land_run("main")

    assert (root / "added").read_text() == "theirs\n"


async def test_what_only_lacks_its_branch_is_finished(world: World) -> None:
    cut_short(world)
    world.git("read-tree", "--reset", "-u", world.tip(), env={"GIT_INDEX_FILE": ".git/x"})
    (world.project.path / ".git" / "x").replace(world.project.path / ".git" / "index")
    world.project.write("d", f"{NEW}and theirs\n")

    tip, _ = await world.lander.land_run("main")

    assert tip == world.git("rev-parse", "main")
    assert world.git("status", "--porcelain") == " M d"


async def test_the_next_run_mends_it_by_the_settings_from_before_any_agent_ran(
    world: World, tmp_path: Path
) -> None:
    repository = replace(world.options.repository, stand_in=None)
    await stand_in_for(repository, world.places.settings(RUN))
    root, proof = cut_short(world, RUN), tmp_path / "proof"
    world.git("config", "filter.x.smudge", f"touch '{proof}'; cat")
    world.git("config", "filter.x.clean", f"touch '{proof}'; cat")
    (root / ".git" / "info" / "attributes").write_text("* filter=x\n")

    done = await repair_landing_of(repository, world.places)

    assert done == ("A landing on main had been cut short; your checkout is as it was before it.",)
    assert await repair_landing_of(repository, world.places) == ()
    assert not proof.exists()
    assert (root / "b").read_text() == LINES
    assert note(world).read() is None
    (root / ".git" / "info" / "attributes").unlink()
    assert world.git("status", "--porcelain") == ""


@pytest.mark.parametrize("to", [("-c", "elsewhere"), ("--detach",)], ids=["branch", "commit"])
async def test_what_the_user_has_mended_is_left_alone(world: World, to: tuple[str, ...]) -> None:
    cut_short(world)
    (world.project.path / ".git" / "index.lock").unlink()
    world.git("reset", "-q", "--hard")
    world.git("clean", "-qfd")
    world.git("switch", "-q", *to)
    world.project.write("a", "theirs\n")

    tip, _ = await world.lander.land_run("main")

    assert tip == world.git("rev-parse", "main")
    assert world.git("status", "--porcelain") == " M a"


async def test_the_index_lock_of_a_git_at_work_is_respected(world: World) -> None:
    cut_short(world)
    lock = world.project.path / ".git" / "index.lock"
    with lock.open("rb"), pytest.raises(LandingError, match=rf"git is at work.*pid {os.getpid()}"):
        await world.lander.land_run("main")
    assert lock.exists()


async def test_a_cancel_waits_for_git_and_never_cuts_it_short(world: World) -> None:
    marks = world.places.root / "marks"
    slow = f"sh -c 'echo x >> {marks}; sleep 0.1; cat'"
    world.git("config", "filter.slow.smudge", slow)
    world.git("config", "filter.slow.clean", "cat")
    (world.project.path / ".git" / "info" / "attributes").write_text("* filter=slow\n")
    world.start_again()

    landing = asyncio.create_task(world.lander.land_run("main"))
    await until(marks.exists)
    for _ in range(3):
        landing.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await landing

    assert CommitId(world.git("rev-parse", "main")) == world.tip()
    assert world.git("status", "--porcelain") == ""
    assert note(world).read() is None
