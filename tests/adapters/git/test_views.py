"""Shared checkouts for readers: one a commit, watched, replaced when damaged."""

import asyncio
import shutil
import time

import pytest

from pex_tui.adapters.git.shadow import Shadow
from pex_tui.adapters.git.touches import Touches
from pex_tui.engine.ports import Captured
from tests.adapters.git.conftest import Bench, git_in, key_of, reader


async def test_readers_share_one_checkout(bench: Bench) -> None:
    keys = [key_of(f"t{number}") for number in range(20)]
    paths = await asyncio.gather(*(bench.prepare(key, reader()) for key in keys))
    assert set(paths) == {bench.places.views / "1"}
    assert len(bench.worktrees()) == 2
    assert git_in(paths[0], "log", "--oneline").count("\n") == 1
    answers = await asyncio.gather(*(bench.capture(key, reader()) for key in keys))
    assert set(answers) == {Captured(None)}
    assert all(bench.workspaces.path(key) is None for key in keys)


async def test_commits_have_checkouts_of_their_own(bench: Bench) -> None:
    new = await bench.prepare(key_of("a"), reader(), "HEAD")
    old = await bench.prepare(key_of("b"), reader(), "HEAD~1")
    assert (new / "src").exists()
    assert not (old / "src").exists()


async def test_caches_are_no_trespass_and_tracked_changes_are(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), reader())
    await bench.prepare(key_of("b"), reader())
    (path / "build").mkdir()
    (path / "cache.txt").write_text("untracked")
    assert await bench.capture(key_of("a"), reader()) == Captured(None)
    (path / "src" / "one.py").write_text("changed\n")
    damaged = Captured(None, trespass=("src/one.py",))
    assert await bench.capture(key_of("b"), reader()) == damaged
    assert await bench.capture(key_of("b"), reader()) == damaged
    assert bench.show(bench.refs()["refs/pex/7f3a/b/1-rescued"], "src/one.py") == "changed"


async def test_what_a_reader_leaves_is_kept_and_the_next_one_never_sees_it(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), reader())
    (path / "src" / "leftover.txt").write_text("mine")
    assert await bench.capture(key_of("a"), reader()) == Captured(None)

    after = await bench.prepare(key_of("b"), reader())

    assert not (after / "src" / "leftover.txt").exists()
    kept = bench.refs()["refs/pex/7f3a/a/1-rescued"]
    assert bench.show(kept, "src/leftover.txt") == "mine"


async def test_leftovers_are_kept_by_the_last_one_to_leave(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), reader())
    assert await bench.prepare(key_of("b"), reader()) == path
    (path / "leftover.txt").write_text("of one of them")
    assert await bench.capture(key_of("a"), reader()) == Captured(None)
    assert await bench.capture(key_of("b"), reader()) == Captured(None)

    assert "refs/pex/7f3a/a/1-rescued" not in bench.refs()
    kept = bench.refs()["refs/pex/7f3a/b/1-rescued"]
    assert bench.show(kept, "leftover.txt") == "of one of them"


@pytest.mark.parametrize("name", ["__pycache__", ".pytest_cache", "ignored"])
async def test_a_tools_cache_costs_no_new_checkout(bench: Bench, name: str) -> None:
    path = await bench.prepare(key_of("a"), reader())
    (path / "src" / ".gitignore").write_text("ignored\n.gitignore\n")
    (path / "src" / name).mkdir()
    (path / "src" / name / "file").write_text("cached")
    await bench.capture(key_of("a"), reader())

    assert await bench.prepare(key_of("b"), reader()) == path


async def test_staged_committed_and_hidden_changes_are_trespass(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), reader())
    (path / "src" / "one.py").write_text("one = 7\n")
    git_in(path, "commit", "-q", "-a", "-m", "sneaky")
    (path / "README.md").write_text("sneaky\n")
    git_in(path, "update-index", "--assume-unchanged", "README.md")
    answer = await bench.capture(key_of("a"), reader())
    assert answer.trespass == ("README.md", "src/one.py")


async def test_a_damaged_checkout_is_not_given_to_later_readers(bench: Bench) -> None:
    damaged = await bench.prepare(key_of("a"), reader())
    await bench.prepare(key_of("b"), reader())
    (damaged / "README.md").unlink()
    assert (await bench.capture(key_of("a"), reader())).trespass == ("README.md",)
    fresh = await bench.prepare(key_of("c"), reader())
    assert fresh != damaged
    assert (fresh / "README.md").exists()
    assert not (damaged / "README.md").exists()  # b still reads there
    assert (await bench.capture(key_of("b"), reader())).trespass == ("README.md",)
    assert await bench.capture(key_of("c"), reader()) == Captured(None)


async def test_a_damaged_checkout_that_nobody_uses_is_restored(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), reader())
    (path / "README.md").unlink()
    (path / "cache").write_text("x")
    await bench.capture(key_of("a"), reader())
    assert await bench.prepare(key_of("b"), reader()) == path
    assert (path / "README.md").exists()
    assert not (path / "cache").exists()


async def test_a_deleted_checkout_is_made_anew(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), reader())
    shutil.rmtree(path)
    fresh = await bench.prepare(key_of("b"), reader())
    assert (fresh / "README.md").exists()
    assert fresh != path
    assert (await bench.capture(key_of("a"), reader())).trespass == (".",)
    assert await bench.capture(key_of("b"), reader()) == Captured(None)


async def test_only_a_few_unused_checkouts_stay(bench: Bench) -> None:
    for number in range(8):
        commit = bench.project.commit({"number": str(number)})
        path = await bench.prepare(key_of(f"t{number}"), reader(), commit)
        assert (path / "number").read_text() == str(number)
        await bench.capture(key_of(f"t{number}"), reader())
    assert len(bench.worktrees()) == 1 + 3


async def test_one_look_answers_all_who_asked_before_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [key_of(f"t{number}") for number in range(50)]
    await asyncio.gather(*(bench.prepare(key, reader()) for key in keys))
    looks = 0
    changes = Touches.changes

    async def counted(self: Touches, shadow: Shadow) -> tuple[str, ...]:
        nonlocal looks
        looks += 1
        return await changes(self, shadow)

    monkeypatch.setattr(Touches, "changes", counted)
    await asyncio.gather(*(bench.capture(key, reader()) for key in keys))
    assert 1 <= looks <= 2


async def test_a_change_made_after_a_look_began_is_seen_by_the_next(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), reader())
    await bench.prepare(key_of("b"), reader())

    async def late() -> Captured:
        await asyncio.sleep(0)
        (path / "README.md").write_text("late\n")
        return await bench.capture(key_of("b"), reader())

    _, answer = await asyncio.gather(bench.capture(key_of("a"), reader()), late())
    assert answer.trespass == ("README.md",)


async def test_preparing_a_reader_costs_next_to_nothing(bench: Bench) -> None:
    await bench.prepare(key_of("first"), reader())
    commit = await bench.repository.head()
    began = time.perf_counter()
    for number in range(200):
        await bench.workspaces.prepare(key_of(f"t{number}"), reader(), commit)
    assert (time.perf_counter() - began) / 200 < 0.002


async def test_another_engine_finds_who_reads_where(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), reader())
    await bench.restart()
    assert bench.workspaces.path(key_of("a")) == path
    assert await bench.prepare(key_of("a"), reader()) == path
    assert await bench.prepare(key_of("b"), reader()) == path
    (path / "README.md").write_text("x")
    await bench.restart()
    assert await bench.prepare(key_of("c"), reader()) != path
    assert (await bench.capture(key_of("a"), reader())).trespass == ("README.md",)


async def test_another_engine_trusts_no_checkout_that_nobody_uses(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), reader())
    await bench.capture(key_of("a"), reader())
    (path / "README.md").write_text("x")
    (path / "leftover").write_text("x")
    await bench.restart()
    assert await bench.prepare(key_of("b"), reader()) == path
    assert git_in(path, "status", "--porcelain") == ""
