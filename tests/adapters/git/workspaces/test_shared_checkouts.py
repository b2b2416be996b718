"""Checkouts for readers: exclusive, watched, reused if unchanged."""

import asyncio
import shutil

import pytest

from pex_tui.adapters.git.workspaces.worktree_provisioner import WorktreeProvisioner
from pex_tui.engine.ports import Captured
from tests.adapters.git.conftest import Bench, git_in, key_of, reader


async def test_each_reader_has_its_own_checkout_and_the_next_one_takes_it_over(
    bench: Bench,
) -> None:
    keys = [key_of(f"t{number}") for number in range(4)]
    paths = await asyncio.gather(*(bench.prepare(key, reader()) for key in keys))
    assert len(set(paths)) == len(keys)
    assert git_in(paths[0], "log", "--oneline").count("\n") == 1
    answers = await asyncio.gather(*(bench.capture(key, reader()) for key in keys))
    assert set(answers) == {Captured(None)}
    assert all(bench.workspaces.path(key) is None for key in keys)
    assert await bench.prepare(key_of("after"), reader()) in paths


async def test_commits_have_checkouts_of_their_own(bench: Bench) -> None:
    new = await bench.prepare(key_of("a"), reader(), "HEAD")
    old = await bench.prepare(key_of("b"), reader(), "HEAD~1")
    assert (new / "src").exists()
    assert not (old / "src").exists()


async def test_caches_are_no_trespass_and_tracked_changes_are(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), reader())
    (path / "build").mkdir()
    (path / "__pycache__").mkdir()
    (path / "__pycache__" / "one.pyc").write_text("a tool's")
    assert await bench.capture(key_of("a"), reader()) == Captured(None)
    assert await bench.prepare(key_of("b"), reader()) == path
    (path / "src" / "one.py").write_text("changed\n")
    damaged = await bench.capture(key_of("b"), reader())
    assert damaged.trespass == ("src/one.py",)
    assert await bench.capture(key_of("b"), reader()) == damaged
    assert bench.show(bench.refs()["refs/pex/7f3a/b/1-rescued"], "src/one.py") == "changed"


async def test_what_a_reader_leaves_is_kept_and_the_next_one_never_sees_it(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), reader())
    (path / "src" / "leftover.txt").write_text("mine")
    assert (await bench.capture(key_of("a"), reader())).unlanded

    after = await bench.prepare(key_of("b"), reader())

    assert not (after / "src" / "leftover.txt").exists()
    kept = bench.refs()["refs/pex/7f3a/a/1-rescued"]
    assert bench.show(kept, "src/leftover.txt") == "mine"


@pytest.mark.parametrize("name", ["__pycache__", ".pytest_cache"])
async def test_a_tools_cache_costs_no_new_checkout(bench: Bench, name: str) -> None:
    path = await bench.prepare(key_of("a"), reader())
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
    assert (await bench.capture(key_of("a"), reader())).trespass == (".",)
    assert await bench.capture(key_of("b"), reader()) == Captured(None)


async def test_only_a_few_unused_checkouts_stay(bench: Bench) -> None:
    for number in range(8):
        commit = bench.project.commit({"number": str(number)})
        path = await bench.prepare(key_of(f"t{number}"), reader(), commit)
        assert (path / "number").read_text() == str(number)
        await bench.capture(key_of(f"t{number}"), reader())
    assert len(bench.worktrees()) == 1 + 3


async def test_a_checkout_that_nobody_changed_is_not_prepared_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await bench.prepare(key_of("first"), reader())
    await bench.capture(key_of("first"), reader())

    async def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(WorktreeProvisioner, "renew", never)
    assert await bench.prepare(key_of("next"), reader()) == path


async def test_another_engine_finds_who_reads_where(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), reader())
    bench.restart()
    assert bench.workspaces.path(key_of("a")) == path
    assert await bench.prepare(key_of("a"), reader()) == path
    assert await bench.prepare(key_of("b"), reader()) != path
    (path / "README.md").write_text("x")
    bench.restart()
    assert await bench.prepare(key_of("c"), reader()) != path
    assert (await bench.capture(key_of("a"), reader())).trespass == ("README.md",)


async def test_another_engine_trusts_no_checkout_that_nobody_uses(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), reader())
    await bench.capture(key_of("a"), reader())
    (path / "README.md").write_text("x")
    (path / "leftover").write_text("x")
    bench.restart()
    assert await bench.prepare(key_of("b"), reader()) == path
    assert git_in(path, "status", "--porcelain") == ""
