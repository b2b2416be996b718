"""Everything that an attempt wrote is in its commit, kept elsewhere, or reported as not kept."""

import os
import shutil
from pathlib import Path

import pytest

from pex_tui.adapters.git.capture import snapshot
from pex_tui.adapters.git.capture import unlanded_files as unlanded
from pex_tui.adapters.git.capture.snapshot import Label, Snapshot
from pex_tui.adapters.git.maintenance.cleanup import Cleaner
from pex_tui.adapters.git.plumbing.shadow_index import ShadowIndex
from pex_tui.adapters.git.workspaces.workspace_options import WorkspaceOptions
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.unlanded import Unlanded, Why, told
from tests.adapters.git.conftest import RUN, Bench, git_in, key_of, reader, writer


def aside(bench: Bench, why: Why, task: str = "task") -> Path:
    """Return where the first attempt's files of one kind are kept."""
    return bench.places.attempt(RUN, key_of(task).task, 1) / "aside" / why


def put(root: Path, **files: str) -> None:
    """Write files; `__` in a name stands for a slash."""
    for name, content in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


async def test_ignored_output_is_kept_and_named(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    put(path, build__out="artefact", src__one_log="x", work="mine")
    (path / "src" / "one_log").rename(path / "src" / "one.log")
    done = await bench.capture(key_of())
    folder = aside(bench, Why.IGNORED)
    assert done.files == ("work",)
    assert done.unlanded == (Unlanded(Why.IGNORED, ("build/", "src/one.log"), 2, str(folder)),)
    assert (folder / "build" / "out").read_text() == "artefact"
    bench.restart()
    assert await bench.capture(key_of()) == done


async def test_ignored_output_alone_is_no_work_but_is_named(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    put(path, build__out="artefact")
    done = await bench.capture(key_of())
    assert done.work is None
    assert [one.paths for one in done.unlanded] == [("build/",)]


async def test_what_the_task_itself_made_ignored_is_named(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    put(path, sub__data="x", sub__more="y")
    (path / "sub" / ".gitignore").write_text("*\n")
    done = await bench.capture(key_of())
    assert done.work is None
    assert done.unlanded[0].paths == ("sub/",)


async def test_more_than_fits_is_named_as_not_kept(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unlanded, "MOST_IGNORED_BYTES", 10)
    path = await bench.prepare(key_of(), writer())
    put(path, build__out="0123456789ab", tiny="x")
    (path / "tiny").rename(path / "tiny.log")
    done = await bench.capture(key_of())
    assert done.unlanded == (
        Unlanded(Why.IGNORED, ("tiny.log",), 1, str(aside(bench, Why.IGNORED))),
        Unlanded(Why.IGNORED, ("build/",), 1, "", "12B, more than 10B"),
    )


async def test_caches_of_tools_are_nothing_to_name(bench: Bench) -> None:
    bench.project.commit({".gitignore": "*.log\nbuild/\n.env\ntarget/\nnode_modules/\n*.pyc\n"})
    path = await bench.prepare(key_of(), writer())
    put(path, node_modules__x__index="x", src____pycache____one="x", build__CACHEDIR="x")
    (path / "build" / "CACHEDIR").rename(path / "build" / "CACHEDIR.TAG")
    (path / "src" / "two.pyc").write_text("x")
    assert (await bench.capture(key_of())).unlanded == ()


async def test_what_lay_there_before_is_named_only_if_it_was_changed(bench: Bench) -> None:
    bench.project.write(".env", "SECRET=1\n")
    bench.project.write("build/made", "before\n")
    bench.project.write(".worktreeinclude", ".env\nbuild/\n")
    bench.project.commit({})
    bench.restart()
    path = await bench.prepare(key_of("a"), writer())
    assert (await bench.capture(key_of("a"))).unlanded == ()

    path = await bench.prepare(key_of("b"), writer())
    put(path, build__new="mine")
    (path / ".env").write_text("SECRET=2\n")
    (found,) = (await bench.capture(key_of("b"))).unlanded
    assert found.paths == (".env", "build/new")
    assert (aside(bench, Why.IGNORED, "b") / ".env").read_text() == "SECRET=2\n"


async def test_paths_that_outlive_a_reset_stay(bench: Bench) -> None:
    bench.restart(WorkspaceOptions(keep=("build",)))
    path = await bench.prepare(key_of("a"), writer())
    put(path, build__cached="x")
    assert (await bench.capture(key_of("a"))).unlanded == ()
    assert await bench.prepare(key_of("b"), writer()) == path
    assert (path / "build" / "cached").exists()


async def test_a_clone_is_kept_whole_and_named(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    for place in ("vendored", "third/party/two"):
        git_in(path, "clone", "-q", str(bench.project.path), place)
        (path / place / "README.md").write_text("edited\n")
    done = await bench.capture(key_of())
    assert done.work is None
    folder = aside(bench, Why.CLONE)
    assert done.unlanded == (Unlanded(Why.CLONE, ("third/", "vendored/"), 2, str(folder)),)
    assert (folder / "vendored" / "README.md").read_text() == "edited\n"
    assert git_in(folder / "third/party/two", "status", "--porcelain") == " M README.md"


async def test_a_clean_keeps_clones_and_not_what_is_ignored(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    git_in(path, "clone", "-q", str(bench.project.path), "vendored")
    await bench.capture(key_of())
    plan = await Cleaner(bench.repository, bench.places, [RUN]).plan()
    assert [kept.kept_because for kept in plan.kept] == [
        "it holds work that git can't store in this repository (*/*/aside)"
    ]


async def test_files_of_a_scaffold_are_work_and_its_history_is_kept(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    for name in ("app", "bare"):
        (path / name).mkdir()
        git_in(path / name, "init", "-q")
        (path / name / "main.py").write_text("x")
    git_in(path / "app", "add", "-A")
    git_in(path / "app", "commit", "-q", "-m", "its own")
    done = await bench.capture(key_of())
    folder = aside(bench, Why.HISTORY)
    assert done.files == ("app/main.py", "bare/main.py")
    assert done.unlanded == (Unlanded(Why.HISTORY, ("app/",), 1, str(folder)),)
    assert git_in(folder / "app", "--git-dir=.git", "log", "--format=%s") == "its own"


async def test_names_that_git_refuses_are_kept_and_named(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "git~1").write_text("mine")
    (path / "fine").write_text("x")
    done = await bench.capture(key_of())
    folder = aside(bench, Why.REFUSED)
    assert done.files == ("fine",)
    assert done.unlanded == (Unlanded(Why.REFUSED, ("git~1",), 1, str(folder)),)
    assert (folder / "git~1").read_text() == "mine"


async def test_what_lies_too_deep_for_a_path_is_kept_with_its_folder(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    below = os.open(path, os.O_RDONLY)
    for name in ("deep", *("d" * 40 for _ in range(110))):
        os.mkdir(name, dir_fd=below)
        parent, below = below, os.open(name, os.O_RDONLY, dir_fd=below)
        os.close(parent)
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=below))
    os.close(below)

    done = await bench.capture(key_of())

    folder = aside(bench, Why.REFUSED)
    assert done.unlanded == (Unlanded(Why.REFUSED, ("deep/",), 1, str(folder)),)
    assert (folder / "deep").is_dir()
    shutil.rmtree(folder / "deep")  # others remove by path


async def test_empty_folders_are_named_and_pipes_lose_nothing(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "logs" / "old").mkdir(parents=True)
    (path / "run").mkdir()
    os.mkfifo(path / "run" / "pipe")
    done = await bench.capture(key_of())
    assert done.unlanded == (Unlanded(Why.EMPTY, ("logs/", "run/"), 2),)


async def test_odd_names_and_links_land_as_they_are(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    names = ["a\nb", os.fsdecode(b"\xff\xfe"), "x" * 255, "Read", "READ", "-n", ":(top)"]
    for name in names:
        (path / name).write_text("x")
    (path / "dangling").symlink_to("nowhere")
    (path / "absolute").symlink_to("/etc/passwd")
    (path / "loop").symlink_to("loop")
    done = await bench.capture(key_of())
    assert sorted(done.files) == sorted([*names, "dangling", "absolute", "loop"])
    assert done.unlanded == ()


async def test_a_crash_between_moving_and_answering_loses_no_word(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await bench.prepare(key_of(), writer())
    put(path, build__out="artefact", work="mine")

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pex_tui.adapters.git.capture.capture.CaptureRecords.store", crash)
        with pytest.raises(KeyboardInterrupt):
            await bench.capture(key_of())
    bench.restart()
    done = await bench.capture(key_of())
    assert done.files == ("work",)
    assert [one.paths for one in done.unlanded] == [("build/",)]


async def test_a_readers_new_files_are_kept_named_and_seen_by_no_other(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), reader())
    other = await bench.prepare(key_of("b"), reader())
    put(path, notes="mine", build__out="ignored")
    assert other != path
    done = await bench.capture(key_of("a"), reader())
    ref = "refs/pex/7f3a/a/1-rescued"
    assert done.unlanded == (
        Unlanded(Why.READER, ("notes",), 1, ref),
        Unlanded(Why.IGNORED, ("build/",), 1, str(aside(bench, Why.IGNORED, "a"))),
    )
    assert bench.show(bench.refs()[ref], "notes") == "mine"
    for task in ("c", "d"):
        fresh = await bench.prepare(key_of(task), reader())
        assert not (fresh / "notes").exists()
        assert not (fresh / "build").exists()


async def test_a_readers_large_files_are_kept(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "HUGE_BYTES", 5)
    path = await bench.prepare(key_of(), reader())
    put(path, large="0123456789")
    done = await bench.capture(key_of(), reader())
    assert [Path(name).read_text() for name in done.left_out] == ["0123456789"]


async def test_a_tracked_file_that_became_a_pipe_is_named_as_it_lands_as_removed(
    bench: Bench,
) -> None:
    bench.project.commit({"pipe": "x", "gone": "y"})
    path = await bench.prepare(key_of(), writer())
    for name in ("pipe", "gone"):
        (path / name).unlink()
    os.mkfifo(path / "pipe")

    done = await bench.capture(key_of())

    assert done.files == ("gone", "pipe")
    assert done.unlanded == (Unlanded(Why.SPECIAL, ("pipe",), 1),)
    assert told(TaskId("task"), done.unlanded[0]) == (
        "task: pipe was replaced by a pipe, a socket or a device, so it lands as removed."
    )


async def test_what_a_task_made_unreadable_is_made_readable_and_is_work(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.project.commit({"known": "x"})
    path = await bench.prepare(key_of(), writer())
    put(path, closed__deep__file="1", shut="2", known="3")
    (path / "shut").chmod(0)
    (path / "known").chmod(0o040)
    for folder in ("closed/deep", "closed"):
        (path / folder).chmod(0)
    modes: dict[str, int] = {}

    async def staged(shadow: ShadowIndex, label: Label) -> Snapshot | None:
        for name in ("shut", "known", "closed", "closed/deep"):
            modes[name] = (shadow.root / name).stat().st_mode & 0o700
        return await commit(shadow, label)

    commit = snapshot._commit_staged
    monkeypatch.setattr(snapshot, "_commit_staged", staged)

    done = await bench.capture(key_of())

    assert done.files == ("closed/deep/file", "known", "shut")
    # Root can read everything, so this would prove nothing.
    assert modes == {"shut": 0o400, "known": 0o400, "closed": 0o700, "closed/deep": 0o700}


async def test_files_for_dependents_are_counted(bench: Bench) -> None:
    await bench.prepare(key_of(), writer())
    put(bench.places.outputs(RUN, key_of().task), one="1", deep__two="2")

    done = await bench.capture(key_of())

    assert (done.work, done.outputs) == (None, 2)
