"""The user's sparse checkout also applies to workspaces, and hides no change of an agent."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pex_tui.adapters.git.capture.user_snapshot import snapshot_uncommitted
from pex_tui.adapters.git.isolation.work_trees import WorkTrees
from pex_tui.adapters.git.isolation.workspace_repository import WorkspaceRepositories
from pex_tui.adapters.git.landing.gate_runner import GateOptions, GateRunner
from pex_tui.adapters.git.plumbing.ref_names import uncommitted_ref
from pex_tui.adapters.git.plumbing.repository import Repository, discover
from pex_tui.adapters.git.plumbing.stand_in_directory import stand_in_for
from pex_tui.adapters.git.workspaces.provider import GitWorkspaces
from pex_tui.adapters.git.workspaces.workspace_options import WorkspaceOptions
from pex_tui.core.model.ids import CommitId
from pex_tui.engine.ports import Captured
from pex_tui.engine.run_paths import RunPaths
from tests.adapters.git.conftest import (
    RUN,
    Bench,
    Project,
    git_in,
    key_of,
    reader,
    writer,
)

CONE = ("--cone", "src")
NO_CONE = ("--no-cone", "/src/", "!/src/two.py", "/docs/")
INSIDE = [".gitignore", "README.md", "src/one.py", "src/two.py"]


def files(path: Path) -> list[str]:
    """Return all files of a checkout, without git's own."""
    found = [file.relative_to(path) for file in path.rglob("*") if file.is_file()]
    return sorted(str(file) for file in found if file.parts[0] != ".git")


async def sparse_bench(project: Project, places: RunPaths, *patterns: str) -> Bench:
    """Workspaces as made by a run that begins now."""
    project.git("sparse-checkout", "set", *patterns)
    return await bench_of(project, places, "settings")


async def bench_of(project: Project, places: RunPaths, settings: str) -> Bench:
    """Return workspaces with the user's current settings."""
    found = await discover(project.path)
    repository = await stand_in_for(found, places.root.with_name(settings))
    identity = await repository.check_identity()
    workspaces = GitWorkspaces(repository, places, WorkspaceOptions(), identity)
    return Bench(project, repository, places, workspaces)


@pytest.fixture
async def cone(project: Project, places: RunPaths) -> Bench:
    """Workspaces of a user whose checkout has `src`, but not `docs` and `lib`."""
    project.commit({"lib/b.md": "b\n", "lib/c.md": "c\n"}, "library")
    return await sparse_bench(project, places, *CONE)


async def test_a_workspace_holds_the_files_of_the_cone(cone: Bench) -> None:
    cone.project.git("config", "--global", "index.sparse", "true")
    path = await cone.prepare(key_of(), writer())
    assert files(path) == files(cone.project.path) == INSIDE
    assert git_in(path, "status", "--porcelain") == ""
    assert git_in(path, "sparse-checkout", "list") == "src"
    assert await cone.workspaces.diff(key_of()) == ""
    assert await cone.capture(key_of()) == Captured(None)


async def test_a_workspace_holds_the_files_that_patterns_name(
    project: Project, places: RunPaths
) -> None:
    bench = await sparse_bench(project, places, *NO_CONE)
    path = await bench.prepare(key_of(), writer())
    assert files(path) == files(project.path) == ["docs/a.md", "src/one.py"]
    (path / "src" / "two.py").write_text("two = 22\n")
    (path / "docs" / "a.md").unlink()
    done = await bench.capture(key_of())
    assert done.files == ("docs/a.md", "src/two.py")


async def test_a_linked_worktree_has_patterns_of_its_own(
    project: Project, places: RunPaths, tmp_path: Path
) -> None:
    project.git("worktree", "add", "-q", "--detach", str(tmp_path / "other"))
    git_in(tmp_path / "other", "sparse-checkout", "set", "docs")
    whole = await bench_of(project, places, "settings")
    assert "docs/a.md" in files(await whole.prepare(key_of("a"), writer()))
    narrow = await bench_of(Project(tmp_path / "other"), places, "settings of the other")
    path = await narrow.prepare(key_of("b"), writer())
    assert files(path) == [".gitignore", "README.md", "docs/a.md"]


async def test_patterns_that_cannot_be_read_leave_the_whole_tree(
    project: Project, places: RunPaths
) -> None:
    project.git("config", "core.sparseCheckout", "true")
    bench = await bench_of(project, places, "settings")
    path = await bench.prepare(key_of(), writer())
    assert files(path) == [".gitignore", "README.md", "docs/a.md", "src/one.py", "src/two.py"]


async def test_work_outside_of_the_patterns_is_work(cone: Bench) -> None:
    path = await cone.prepare(key_of(), writer())
    (path / "docs").mkdir()
    (path / "docs" / "a.md").write_text("mine\n")
    (path / "lib").mkdir()
    (path / "lib" / "new.md").write_text("new\n")
    (path / "src" / "two.py").unlink()
    expected = ("docs/a.md", "lib/new.md", "src/two.py")
    text = await cone.workspaces.diff(key_of())
    assert [line for line in text.splitlines() if line.startswith("diff --git ")] == [
        f"diff --git a/{name} b/{name}" for name in expected
    ]
    seen = await cone.workspaces.change_set(key_of(), None)
    assert seen is not None
    assert seen.files == expected
    done = await cone.capture(key_of())
    assert done.files == expected
    assert cone.show(done.work, "docs/a.md") == "mine"
    assert cone.show(done.work, "lib/b.md") == "b"


def widens(path: Path) -> None:
    git_in(path, "sparse-checkout", "add", "docs")
    (path / "docs" / "a.md").write_text("mine\n")


def disables_and_changes(path: Path) -> None:
    git_in(path, "sparse-checkout", "disable")
    (path / "docs" / "a.md").write_text("mine\n")


def disables_and_deletes(path: Path) -> None:
    git_in(path, "sparse-checkout", "disable")
    shutil.rmtree(path / "docs")


def disables_and_has_git_delete(path: Path) -> None:
    git_in(path, "sparse-checkout", "disable")
    git_in(path, "rm", "-q", "docs/a.md")


def deletes_what_is_not_there(path: Path) -> None:
    git_in(path, "rm", "-q", "--sparse", "docs/a.md")


def merges(path: Path) -> None:
    tree = git_in(path, "rev-parse", "HEAD^{tree}")
    blob = git_in(path, "hash-object", "-w", "--stdin", stdin="theirs\n")
    docs = git_in(path, "mktree", stdin=f"100644 blob {blob}\ta.md\n")
    entries = git_in(path, "ls-tree", tree).splitlines()
    kept = [line for line in entries if not line.endswith("\tdocs")]
    made = git_in(path, "mktree", stdin="\n".join([*kept, f"040000 tree {docs}\tdocs", ""]))
    commit = git_in(path, "commit-tree", made, "-p", "HEAD", "-m", "theirs")
    git_in(path, "merge", "-q", commit)
    assert not (path / "docs").exists()


@pytest.mark.parametrize(
    "act",
    [
        widens,
        disables_and_changes,
        disables_and_deletes,
        disables_and_has_git_delete,
        deletes_what_is_not_there,
        merges,
    ],
)
async def test_what_an_agent_has_git_do_outside_is_work_and_stays_its_own(
    cone: Bench, act: Callable[[Path], None]
) -> None:
    path = await cone.prepare(key_of("a"), writer())
    act(path)
    text = await cone.workspaces.diff(key_of("a"))
    assert text.count("diff --git ") == 1
    done = await cone.capture(key_of("a"))
    assert done.files == ("docs/a.md",)
    assert await cone.prepare(key_of("b"), writer()) == path
    assert files(path) == INSIDE
    assert git_in(path, "status", "--porcelain") == ""
    assert await cone.capture(key_of("b")) == Captured(None)


def deletes_its_repository(path: Path) -> None:
    shutil.rmtree(path / ".git")


def makes_its_index_anew(path: Path) -> None:
    (path / ".git" / "index").unlink()
    git_in(path, "add", "-A")


def reads_its_index_anew(path: Path) -> None:
    (path / ".git" / "index").unlink()
    git_in(path, "read-tree", "HEAD")


def only_looks(path: Path) -> None:
    git_in(path, "sparse-checkout", "disable")
    git_in(path, "sparse-checkout", "set", "src")


def loses_our_index(path: Path) -> None:
    path.with_name(f"{path.name}.shadow").joinpath("index").unlink()


@pytest.mark.parametrize(
    "act",
    [
        deletes_its_repository,
        makes_its_index_anew,
        reads_its_index_anew,
        only_looks,
        loses_our_index,
    ],
)
async def test_what_is_left_out_never_looks_deleted(
    cone: Bench, act: Callable[[Path], None]
) -> None:
    path = await cone.prepare(key_of("a"), writer())
    act(path)
    (path / "src" / "one.py").write_text("one = 100\n")
    done = await cone.capture(key_of("a"))
    assert done.files == ("src/one.py",)
    assert await cone.prepare(key_of("b"), writer()) == path
    assert files(path) == INSIDE
    assert await cone.capture(key_of("b")) == Captured(None)


async def test_the_radar_forgets_files_that_came_and_went(cone: Bench) -> None:
    path = await cone.prepare(key_of(), writer())
    look = cone.workspaces.change_set
    first = await look(key_of(), None)
    git_in(path, "sparse-checkout", "disable")
    (path / "docs" / "a.md").write_text("mine\n")
    second = await look(key_of(), first)
    git_in(path, "checkout", "-q", "docs/a.md")
    git_in(path, "sparse-checkout", "set", "src")
    third = await look(key_of(), second)
    assert first is not None
    assert second is not None
    assert third is not None
    assert [first.files, second.files, third.files] == [(), ("docs/a.md",), ()]


async def test_the_same_workspace_follows_commits_and_patterns(
    cone: Bench, project: Project, places: RunPaths
) -> None:
    path = await cone.prepare(key_of("a"), writer())
    (path / "docs").mkdir()
    (path / "docs" / "a.md").write_text("left here\n")
    await cone.capture(key_of("a"))
    assert await cone.prepare(key_of("b"), writer(), "HEAD~1") == path
    assert files(path) == INSIDE
    await cone.capture(key_of("b"))

    project.git("sparse-checkout", "set", "docs")
    other = await bench_of(project, places, "second run")
    assert await other.prepare(key_of("c"), writer()) == path
    assert files(path) == [".gitignore", "README.md", "docs/a.md"]
    assert (path / "docs" / "a.md").read_text() == "a\n"
    (path / "src").mkdir()
    (path / "src" / "one.py").write_text("left here\n")
    await other.capture(key_of("c"))

    project.git("sparse-checkout", "disable")
    whole = await bench_of(project, places, "third run")
    assert await whole.prepare(key_of("d"), writer()) == path
    assert files(path) == files(project.path)
    assert git_in(path, "status", "--porcelain") == ""
    assert await whole.capture(key_of("d")) == Captured(None)

    project.git("sparse-checkout", "set", *NO_CONE)
    last = await bench_of(project, places, "fourth run")
    assert await last.prepare(key_of("e"), writer()) == path
    assert files(path) == ["docs/a.md", "src/one.py"]


async def test_a_reader_has_the_user_s_files_and_is_seen_outside_of_them(cone: Bench) -> None:
    path = await cone.prepare(key_of("a"), reader())
    assert files(path) == INSIDE
    assert await cone.capture(key_of("a"), reader()) == Captured(None)
    assert await cone.prepare(key_of("b"), reader()) == path
    (path / "docs").mkdir()
    (path / "docs" / "a.md").write_text("trespass\n")
    done = await cone.capture(key_of("b"), reader())
    assert done.trespass == ("docs/a.md",)


async def test_the_gate_checks_what_the_user_s_own_command_would_see(
    cone: Bench, places: RunPaths
) -> None:
    trees = WorkTrees(cone.repository, (), WorkspaceRepositories(cone.repository))
    options = GateOptions((("test", "-e", "src/one.py"), ("test", "!", "-e", "docs")))
    gate = GateRunner(cone.repository.git, trees, places, options)
    commit = CommitId(cone.project.git("rev-parse", "HEAD"))
    result = await gate.run(key_of(), commit)
    assert result.passed, result.output


async def test_uncommitted_work_outside_of_the_patterns_is_included(
    project: Project, repository: Repository
) -> None:
    project.git("sparse-checkout", "set", "--cone", "--sparse-index", "src")
    project.write("docs/a.md", "mine\n")
    commit = await snapshot_uncommitted(repository, uncommitted_ref(RUN))
    assert project.git("diff-tree", "-r", "--name-only", "HEAD", commit) == "docs/a.md"


async def test_work_outside_goes_on_in_the_next_attempt(cone: Bench) -> None:
    path = await cone.prepare(key_of("a"), writer())
    (path / "docs").mkdir()
    (path / "docs" / "a.md").write_text("half done\n")
    git_in(path, "rm", "-q", "--sparse", "lib/b.md")
    done = await cone.capture(key_of("a"))
    assert done.files == ("docs/a.md", "lib/b.md")
    assert done.work is not None
    head = CommitId(cone.project.git("rev-parse", "HEAD"))
    made = await cone.workspaces.prepare(key_of("b"), writer(), head, seed=done.work)
    assert (made.path / "docs" / "a.md").read_text() == "half done\n"
    again = await cone.capture(key_of("b"))
    assert again.files == done.files
