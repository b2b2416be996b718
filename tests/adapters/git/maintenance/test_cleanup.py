"""`clean`: what it removes, and what it refuses to remove."""

import fcntl
from contextlib import suppress
from pathlib import Path

import pytest

from pex_tui.adapters.git.maintenance.cleanup import Cleaner
from pex_tui.adapters.git.maintenance.undo_log import UndoLog
from pex_tui.core.model.ids import CommitId, RunId, TaskId
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.cleaning import CleanPlan, LeftoverKind
from tests.adapters.git.conftest import RUN, Bench, git_in, key_of, reader, writer


def cleaner(bench: Bench, *runs: str, force: bool = False) -> Cleaner:
    finished = [RunId(run) for run in runs or (RUN,)]
    return Cleaner(bench.repository, bench.places, finished, force=force)


def reasons(plan: CleanPlan) -> dict[str, str]:
    return {removal.name: removal.kept_because for removal in plan.kept}


async def work(bench: Bench, task: str, name: str = "new") -> CommitId:
    """Return a task's captured work: one new file."""
    path = await bench.prepare(key_of(task), writer())
    (path / name).write_text(name)
    done = await bench.capture(key_of(task))
    assert done.work is not None
    return done.work


def land(bench: Bench, task: str, work: str) -> str:
    """Land the work on the integration branch, as the lander does."""
    project = bench.project
    branch = f"refs/heads/pex/{RUN}"
    tree = project.git("rev-parse", f"{work}^{{tree}}")
    message = f"Do {task}\n\nPex-Run: {RUN}\nPex-Task: {task}\nPex-Agent: command\n"
    commit = project.git("commit-tree", tree, "-p", f"{work}^", "-m", message)
    project.git("update-ref", branch, commit)
    return commit


async def forget_all(bench: Bench) -> None:
    """Drop what the undo log keeps."""
    log = UndoLog(bench.repository.git, bench.places)
    await log.drop(log.entries())
    with suppress(FileNotFoundError):
        bench.places.undo.rmdir()


def nothing_is_left(bench: Bench) -> None:
    assert bench.worktrees() == [str(bench.project.path)]
    assert bench.project.git("for-each-ref", "refs/pex", "refs/heads/pex") == ""
    assert not (bench.project.path / ".git" / "worktrees").exists()
    assert not list(bench.project.path.glob(".git/**/*.lock"))
    assert list(bench.places.root.iterdir()) == []


async def test_what_has_landed_is_removed(bench: Bench) -> None:
    landed = land(bench, "a", await work(bench, "a"))
    await bench.prepare(key_of("r"), reader())
    await bench.capture(key_of("r"), reader())
    bench.project.git("merge", "-q", "--ff-only", landed)
    plan = await cleaner(bench).plan()
    assert plan.kept == ()
    assert {(removal.kind, Path(removal.name).name) for removal in plan.removals} == {
        (LeftoverKind.REF, "1"),
        (LeftoverKind.BRANCH, RUN),
        (LeftoverKind.WORKTREE, "1"),
        (LeftoverKind.FOLDER, RUN),
    }
    assert plan.size_bytes > 0
    assert (await cleaner(bench).perform(plan)).rescued == ()
    await forget_all(bench)
    nothing_is_left(bench)
    bench.project.git("fsck", "--strict")


async def test_what_was_replayed_elsewhere_has_landed(bench: Bench) -> None:
    landed = land(bench, "a", await work(bench, "a"))
    bench.project.commit({"moved": "on"})
    bench.project.git("cherry-pick", landed)
    plan = await cleaner(bench).plan()
    assert plan.kept == ()


async def test_unlanded_work_stays_and_says_why(bench: Bench) -> None:
    land(bench, "a", await work(bench, "a"))
    failed = await work(bench, "b", "other")
    plan = await cleaner(bench).plan()
    assert reasons(plan) == {
        f"refs/pex/{RUN}/a/1": "this work has not landed",
        f"refs/pex/{RUN}/b/1": "this work has not landed",
        f"refs/heads/pex/{RUN}": "this work has not landed",
        str(bench.places.run(RUN)): "this work has not landed",
    }
    await cleaner(bench).perform(plan)
    assert bench.worktrees() == [str(bench.project.path)]
    assert bench.refs()[f"refs/pex/{RUN}/b/1"] == failed
    assert bench.places.run(RUN).exists()


async def test_force_removes_all_of_it(bench: Bench) -> None:
    land(bench, "a", await work(bench, "a"))
    path = await bench.prepare(key_of("b"), writer())
    (path / "half").write_text("done")
    forced = cleaner(bench, force=True)
    plan = await forced.plan()
    assert plan.kept == ()
    await forced.perform(plan)
    await forget_all(bench)
    nothing_is_left(bench)


async def test_what_force_removes_can_be_recovered(bench: Bench) -> None:
    landed = land(bench, "a", await work(bench, "a"))
    path = await bench.prepare(key_of("b"), writer())
    (path / "half").write_text("done")
    before = bench.refs()
    forced = cleaner(bench, force=True)

    (entry,) = (await forced.perform(await forced.plan())).entries

    assert not [ref for ref in bench.refs() if not ref.startswith("refs/pex/_undo/")]
    assert not bench.places.run(RunId(RUN)).exists()
    bench.project.git("gc", "-q", "--prune=now")
    log = UndoLog(bench.repository.git, bench.places)
    assert log.entries() == [entry]
    assert entry.size_bytes > 0
    restored = await log.restore_refs(entry)
    log.restore_files(entry)
    assert f"refs/heads/pex/{RUN}" in restored
    assert bench.project.git("rev-parse", f"pex/{RUN}") == landed
    assert bench.show(bench.refs()[f"refs/pex/{RUN}/b/1-rescued"], "half") == "done"
    assert before.items() <= bench.refs().items()
    assert bench.places.run(RunId(RUN)).is_dir()


async def test_nothing_is_recovered_over_what_exists(bench: Bench) -> None:
    land(bench, "a", await work(bench, "a"))
    forced = cleaner(bench, force=True)
    (entry,) = (await forced.perform(await forced.plan())).entries
    branch = f"refs/heads/pex/{RUN}"
    bench.project.git("update-ref", branch, "HEAD")
    bench.places.run(RunId(RUN)).mkdir(parents=True)
    log = UndoLog(bench.repository.git, bench.places)

    restored = await log.restore_refs(entry)

    assert f"{branch}-recovered-{entry.id}" in restored
    assert branch not in restored
    assert bench.project.git("rev-parse", branch) == bench.project.git("rev-parse", "HEAD")
    (folder,) = log.restore_files(entry)
    assert folder == bench.places.run(RunId(RUN)).with_name(f"{RUN}.recovered-{entry.id}")


async def test_entries_of_the_undo_log_expire_after_thirty_days(bench: Bench) -> None:
    land(bench, "a", await work(bench, "a"))
    forced = cleaner(bench, force=True)
    (entry,) = (await forced.perform(await forced.plan())).entries
    log = UndoLog(bench.repository.git, bench.places)

    assert log.expired(entry.at + 29 * 86400) == []
    await log.drop(log.expired(entry.at + 30 * 86400))

    assert log.entries() == []
    assert bench.project.git("for-each-ref", "refs/pex") == ""


async def test_work_that_the_branch_has_already_is_no_loss(bench: Bench) -> None:
    await work(bench, "a", "same")
    bench.project.commit({"same": "same"})
    assert (await cleaner(bench).plan()).kept == ()


async def test_uncommitted_work_in_a_worktree_is_put_under_a_ref_first(bench: Bench) -> None:
    path = await bench.prepare(key_of("a"), writer())
    git_in(path, "commit", "-q", "--allow-empty", "-m", "mine")
    tip = git_in(path, "rev-parse", "HEAD")
    (path / "half").write_text("done")
    plan = await cleaner(bench).plan()
    rescued = f"refs/pex/{RUN}/a/1-rescued"
    assert (await cleaner(bench).perform(plan)).rescued == (rescued,)
    assert bench.show(bench.refs()[rescued], "half") == "done"
    assert bench.refs()[f"refs/pex/{RUN}/a/1-head"] == tip
    assert bench.worktrees() == [str(bench.project.path)]


async def test_other_runs_keep_what_is_theirs(bench: Bench) -> None:
    other = AttemptKey(RunId("9999"), TaskId("x"), 1)
    path = await bench.prepare(other, writer())
    view = await bench.prepare(AttemptKey(RunId("9999"), TaskId("y"), 1), reader())
    (path / "half").write_text("done")
    await work(bench, "a")
    plan = await cleaner(bench, force=True).plan()
    assert reasons(plan) == {
        str(path): "run 9999 has work in it",
        str(view): "run 9999 has work in it",
    }
    await cleaner(bench, force=True).perform(plan)
    assert len(bench.worktrees()) == 3
    bench.restart()
    assert (await bench.capture(other)).files == ("half",)


async def test_a_branch_that_is_checked_out_stays(bench: Bench) -> None:
    land(bench, "a", await work(bench, "a"))
    bench.project.git("checkout", "-q", f"pex/{RUN}")
    plan = await cleaner(bench, force=True).plan()
    assert reasons(plan)[f"refs/heads/pex/{RUN}"].startswith("it is checked out in ")


async def test_worktrees_that_nobody_recorded_are_removed_too(bench: Bench) -> None:
    gate = bench.places.root / "gate"
    bench.project.git("worktree", "add", "-q", "--lock", "--detach", str(gate))
    path = await bench.prepare(key_of("a"), writer())
    Path(f"{path}.json").unlink()
    (bench.places.root / "landing.lock").touch()
    plan = await cleaner(bench).plan()
    await cleaner(bench).perform(plan)
    nothing_is_left(bench)


async def test_worktrees_used_since_stay_for_the_next_run(bench: Bench) -> None:
    await work(bench, "a")
    await bench.prepare(key_of("r"), reader())
    await bench.capture(key_of("r"), reader())
    key = key_of("b")
    busy = await bench.prepare(key, writer())
    finished = [RUN]
    before = Path(f"{busy}.json").stat().st_mtime - 3600
    early = Cleaner(bench.repository, bench.places, finished, force=True, idle_since=before)
    trees = [one.name for one in (await early.plan()).removals if one.kind is LeftoverKind.WORKTREE]
    assert trees == [str(busy)]
    late = Cleaner(bench.repository, bench.places, finished, force=True, idle_since=before + 7200)
    assert sum(one.kind is LeftoverKind.WORKTREE for one in (await late.plan()).removals) == 2


async def test_a_lock_that_is_held_stays(bench: Bench) -> None:
    await work(bench, "a")
    forced = cleaner(bench, force=True)
    for name in ("launcher.lock", "landing.lock"):
        (bench.places.root / name).touch()
    with (bench.places.root / "launcher.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        await forced.perform(await forced.plan())
        left = {path.name for path in bench.places.root.iterdir()}
        assert left == {"launcher.lock", "undo"}
    await forget_all(bench)
    await forced.perform(await forced.plan())
    nothing_is_left(bench)


async def test_the_user_s_own_worktrees_stay(bench: Bench, tmp_path: Path) -> None:
    bench.project.git("worktree", "add", "-q", "--detach", str(tmp_path / "mine"))
    await work(bench, "a")
    forced = cleaner(bench, force=True)
    await forced.perform(await forced.plan())
    assert bench.worktrees() == [str(bench.project.path), str(tmp_path / "mine")]


@pytest.mark.parametrize("force", [False, True])
async def test_with_nothing_to_clean_nothing_happens(bench: Bench, force: bool) -> None:
    plan = await cleaner(bench, force=force).plan()
    assert plan == CleanPlan()
    assert (await cleaner(bench, force=force).perform(plan)).entries == ()
