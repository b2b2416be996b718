"""An attempt's changes so far, read while it is live."""

import asyncio
import os
from pathlib import Path

import pytest

from pex_tui.adapters.git.capture import capture as capturing
from pex_tui.adapters.git.capture import live_diff
from pex_tui.adapters.git.capture.live_diff import MOST_BYTES
from pex_tui.adapters.git.capture.snapshot import Extras
from pex_tui.adapters.git.maintenance.cleanup import Cleaner
from pex_tui.adapters.git.plumbing.git_runner import GitError
from pex_tui.adapters.git.plumbing.shadow_index import ShadowIndex
from tests.adapters.git.conftest import RUN, Bench, Project, git_in, key_of, reader, writer


async def diff(bench: Bench, task: str = "task") -> str:
    return await bench.workspaces.diff(key_of(task))


def names(text: str) -> list[str]:
    """Return the paths of a diff, from its headers."""
    return [
        line.rpartition(" b/")[2].rstrip('"')
        for line in text.splitlines()
        if line.startswith("diff --git ")
    ]


async def test_nothing_changed_is_an_empty_diff(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    assert await diff(bench) == ""
    os.utime(path / "README.md")
    assert await diff(bench) == ""


async def test_changed_removed_and_new_files_are_in_it_and_ignored_ones_are_not(
    bench: Bench,
) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "src" / "one.py").write_text("one = 111\n")
    (path / "src" / "two.py").unlink()
    (path / "src" / "three.py").write_text("three = 3\n")
    (path / "run.sh").symlink_to("src/three.py")
    (path / "trace.log").write_text("ignored\n")
    text = await diff(bench)
    assert names(text) == ["run.sh", "src/one.py", "src/three.py", "src/two.py"]
    assert "-one = 1\n+one = 111\n" in text
    assert "new file mode 120000" in text
    assert "deleted file mode 100644" in text
    assert "--- /dev/null\n+++ b/src/three.py\n@@ -0,0 +1 @@\n+three = 3\n" in text


async def test_commits_and_the_index_of_the_agent_change_nothing_about_it(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "new.txt").write_text("new\n")
    (path / "README.md").write_text("mine\n")
    before = await diff(bench)
    git_in(path, "add", "-A")
    git_in(path, "commit", "-q", "-m", "mine")
    git_in(path, "update-index", "--assume-unchanged", "README.md")
    kept = (path / ".git" / "index").read_bytes()
    assert await diff(bench) == before
    assert (path / ".git" / "index").read_bytes() == kept
    assert names(before) == ["README.md", "new.txt"]


async def test_files_that_the_agent_left_out_of_its_checkout_are_not_deleted(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    git_in(path, "sparse-checkout", "set", "--no-cone", "/src/")
    (path / "src" / "one.py").write_text("changed\n")
    assert not (path / "docs").exists()
    assert names(await diff(bench)) == ["src/one.py"]


async def test_binary_files_are_said_to_differ(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "picture").write_bytes(b"\0\1\2")
    assert "Binary files /dev/null and b/picture differ" in await diff(bench)


async def test_types_that_git_does_not_know_are_never_opened(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "README.md").unlink()
    os.mkfifo(path / "README.md")
    os.mkfifo(path / "pipe")
    (path / "src" / "two.py").unlink()
    (path / "src" / "two.py").mkdir()
    (path / "src" / "two.py" / "inner").write_text("deep\n")
    assert names(await diff(bench)) == ["README.md", "src/two.py", "src/two.py/inner"]


async def test_a_file_that_goes_while_git_looks_is_no_failure(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "brief").write_text("brief\n")
    (path / "stays").write_text("stays\n")
    put = ShadowIndex.put

    async def put_late(self: ShadowIndex, *args: object) -> None:
        (path / "brief").unlink(missing_ok=True)
        await put(self, *args)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(ShadowIndex, "put", put_late)
    assert names(await diff(bench)) == ["stays"]


async def test_a_long_diff_is_cut_and_says_so(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    for number in range(6):
        (path / f"{number}.txt").write_text("0123456789 ü\n" * 60_000)
    text = await diff(bench)
    assert text.endswith("\n… cut at 2 MB\n")
    assert MOST_BYTES - 10 < len(text.encode()) < MOST_BYTES + 40


async def test_the_user_s_way_to_show_a_diff_plays_no_part(
    bench: Bench, project: Project, tmp_path: Path
) -> None:
    for name, setting in {
        "diff.external": str(tmp_path / "missing"),
        "diff.noprefix": "true",
        "diff.mnemonicPrefix": "true",
        "color.ui": "always",
    }.items():
        project.git("config", "--global", name, setting)
    path = await bench.prepare(key_of(), writer())
    (path / "README.md").write_text("mine\n")
    assert (await diff(bench)).startswith("diff --git a/README.md b/README.md\nindex ")


async def test_looking_stores_nothing_and_leaves_the_capture_as_it_was(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "new.txt").write_text("new\n")
    (path / "README.md").write_text("mine\n")
    objects = bench.project.git("count-objects")
    shadow = Path(f"{path}.shadow")
    (shadow / "index.lock").touch()  # as during a capture
    assert names(await diff(bench)) == ["README.md", "new.txt"]
    assert bench.project.git("count-objects") == objects
    assert (shadow / "index.lock").exists()
    done = await bench.capture(key_of())
    assert done.files == ("README.md", "new.txt")


async def test_readers_the_captured_and_the_unknown_have_none(bench: Bench) -> None:
    view = await bench.prepare(key_of("reads"), reader())
    (view / "README.md").write_text("trespass\n")
    path = await bench.prepare(key_of(), writer())
    (path / "new.txt").write_text("new\n")
    assert await diff(bench, "reads") == ""
    assert await diff(bench, "unknown") == ""
    await bench.capture(key_of())
    assert await diff(bench) == ""


async def test_the_workspace_of_another_attempt_is_never_shown(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await bench.prepare(key_of("a"), writer())
    (path / "secret.txt").write_text("of a\n")
    diff_of = live_diff.diff_of

    async def slow(shadow: ShadowIndex, extras: Extras) -> str:
        found = await diff_of(shadow, extras)
        await bench.capture(key_of("a"))
        assert await bench.prepare(key_of("b"), writer()) == path
        return found

    monkeypatch.setattr(capturing, "diff_of", slow)
    assert await diff(bench, "a") == ""


async def test_looks_and_captures_side_by_side_lose_nothing(bench: Bench) -> None:
    for attempt in range(1, 6):
        path = await bench.prepare(key_of(attempt=attempt), writer())
        (path / "src" / "one.py").write_text(f"one = {attempt}{attempt}\n")
        (path / "new.txt").write_text("new\n")
        key = key_of(attempt=attempt)
        looks = asyncio.gather(*(bench.workspaces.diff(key) for _ in range(3)))
        done, texts = await asyncio.gather(bench.capture(key), looks)
        assert done.files == ("new.txt", "src/one.py")
        assert all(text == "" or "new.txt" in text for text in texts)
    bench.project.git("fsck", "--strict")


async def test_a_shadow_without_an_index_is_no_hindrance(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "README.md").write_text("mine\n")
    Path(f"{path}.shadow", "index").unlink()
    assert names(await diff(bench)) == ["README.md"]


async def test_what_git_can_t_tell_is_said(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "README.md").write_text("mine\n")

    async def fails(*_: object) -> None:
        raise GitError(("diff",), 128, "fatal: \x1b[31mbad object")

    monkeypatch.setattr(capturing, "diff_of", fails)
    text = await diff(bench)
    assert text.startswith("… git can't tell what has changed: fatal: ")
    assert "\x1b" not in text


async def test_the_copy_goes_with_the_workspace(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    await diff(bench)
    assert Path(f"{path}.glance").is_dir()
    cleaner = Cleaner(bench.repository, bench.places, [RUN], force=True)
    await cleaner.perform(await cleaner.plan())
    assert list(bench.places.root.iterdir()) == []
