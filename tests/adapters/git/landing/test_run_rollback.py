"""Rollbacks: the run's branch goes back, the user's branch gets reverts, or nothing changes."""

import pytest
from msgspec.structs import replace

from pex_tui.adapters.git.landing.run_rollback import RunRollback
from pex_tui.adapters.git.maintenance.runs_by_refs import find_runs
from pex_tui.core.model.ids import CommitId, TaskId
from pex_tui.core.undo_values import RollbackPlan
from pex_tui.engine.ports import LandingError
from pex_tui.engine.run_paths import RunPaths
from tests.adapters.git.conftest import Project
from tests.adapters.git.landing_world import BRANCH, LINES, RUN, World, edited, make_world

ONE, TWO, THREE = TaskId("one"), TaskId("two"), TaskId("three")
AT = 1_800_000_000


@pytest.fixture
async def world(project: Project, places: RunPaths) -> World:
    """A run of three landed tasks; the third changes what the first wrote."""
    made = make_world(project, places)
    made.rebase_onto({"src/lines.py": LINES, "gone.txt": "g\n"})
    await made.lander.begin()
    await made.land("one", made.work({"src/lines.py": edited(l1="first"), "gone.txt": None}))
    await made.land("two", made.work({"new.txt": "n\n"}))
    tip = made.git("rev-parse", BRANCH)
    await made.land("three", made.work({"src/lines.py": edited(l1="third")}, tip))
    return made


def at(world: World, ref: str) -> CommitId:
    return CommitId(world.git("rev-parse", ref))


def rollback(world: World, target: str | None = "main") -> RunRollback:
    know(world)
    return world.lander.rollback(target)


def know(world: World) -> None:
    """Let the journal know where the branch is."""
    world.options = replace(world.options, tip=at(world, BRANCH))


async def rolled_back(world: World, *tasks: TaskId) -> RollbackPlan:
    plan = await rollback(world).plan(tasks, AT)
    await rollback(world).perform(plan)
    know(world)
    return plan


def tree(world: World, commit: str) -> str:
    return world.git("rev-parse", f"{commit}^{{tree}}")


async def test_an_unlanded_run_goes_back_to_its_base_and_comes_back(world: World) -> None:
    before, main = at(world, BRANCH), at(world, "main")

    plan = await rolled_back(world)

    assert (plan.tasks, plan.target, plan.is_whole) == ((ONE, TWO, THREE), "", True)
    assert at(world, BRANCH) == world.base
    assert at(world, "main") == main
    assert await world.lander.guard() == ()
    assert await find_runs(world.options.git) == ()

    await rollback(world).undo(plan)

    assert at(world, BRANCH) == before
    assert [found.run for found in await find_runs(world.options.git)] == [RUN]


async def test_one_unlanded_task_is_reverted_on_top(world: World) -> None:
    before = at(world, BRANCH)

    plan = await rolled_back(world, TWO)

    assert world.git("rev-list", "--count", f"{before}..{BRANCH}") == "1"
    assert "new.txt" not in world.git("ls-tree", "-r", "--name-only", BRANCH)
    assert world.git("show", f"{BRANCH}:src/lines.py") == edited(l1="third").strip()
    (found,) = await find_runs(world.options.git)
    assert found.tasks == (ONE, THREE)

    await rollback(world).undo(plan)
    assert at(world, BRANCH) == before


async def test_a_task_that_others_build_on_is_refused_with_their_names(world: World) -> None:
    before = at(world, BRANCH)
    with pytest.raises(LandingError, match=r"lines\.py changed since by three.*7f3a one three"):
        await rollback(world).plan((ONE,), AT)
    assert at(world, BRANCH) == before

    plan = await rolled_back(world, ONE, THREE)
    assert plan.tasks == (ONE, THREE)
    assert world.git("diff", "--name-status", world.base, BRANCH) == "A\tnew.txt"


async def test_other_branches_that_keep_what_is_rolled_back_are_known(world: World) -> None:
    await world.lander.land_run("main")
    world.git("branch", "release", "main")
    world.git("branch", "old", world.base)

    plan = await rollback(world).plan((TWO,), AT)

    assert await rollback(world).other_branches(plan) == ("release",)
    world.git("branch", "-m", "main", "trunk")
    gone = await rollback(world, "main").plan((TWO,), AT)
    assert await rollback(world).other_branches(gone) == ("release", "trunk")


async def test_the_users_own_commit_in_the_way_is_named_and_no_task_is_blamed(
    world: World,
) -> None:
    await world.lander.land_run("main")
    world.project.write("new.txt", "mine\n")
    world.git("commit", "-qam", "My change")

    with pytest.raises(LandingError) as refused:
        await rollback(world).plan((TWO,), AT)

    mine, landing = at(world, "main")[:10], at(world, "main~2")[:10]
    assert str(refused.value) == (
        f"Task two can't be rolled back on main: new.txt changed since by {mine} My change. "
        f"Nothing was changed. Revert it by hand: `git revert {landing}`."
    )


async def test_the_advice_keeps_the_tasks_that_were_asked_for(world: World) -> None:
    with pytest.raises(LandingError, match=r"changed since by three.*7f3a one two three`"):
        await rollback(world).plan((ONE, TWO), AT)


async def test_a_landed_run_is_reverted_in_the_users_checkout(world: World) -> None:
    await world.lander.land_run("main")
    landed, base = at(world, "main"), world.base
    world.project.write("mine.txt", "untracked")

    plan = await rolled_back(world)

    assert plan.target == "main"
    assert tree(world, "main") == tree(world, base)
    assert at(world, "main~3") == landed
    assert world.git("status", "--porcelain") == "?? mine.txt"
    assert at(world, BRANCH) == base
    reverted = at(world, "main")
    _, words = await world.lander.land_run("main")
    assert "nothing to land" in words.lower()

    await rollback(world).perform(plan)  # again, as after a crash before it was journaled
    assert at(world, "main") == reverted

    await rollback(world).undo(plan)
    assert tree(world, "main") == tree(world, landed)
    assert at(world, BRANCH) == landed
    _, words = await world.lander.land_run("main")
    assert "holds all" in words
    back = at(world, "main")
    await rollback(world).undo(plan)
    assert at(world, "main") == back


async def test_a_replayed_run_is_reverted_and_a_rerun_lands_again(world: World) -> None:
    moved = world.commit(world.base, {"theirs.txt": "t\n"}, "theirs")
    world.git("update-ref", "refs/heads/main", moved)
    world.git("reset", "-q", "--hard")
    await world.lander.land_run("main")

    await rolled_back(world, TWO)

    assert "new.txt" not in world.git("ls-tree", "-r", "--name-only", "main")
    _, words = await world.lander.land_run("main")
    assert "holds all" in words
    again = world.work({"new.txt": "again\n"}, world.git("rev-parse", BRANCH))
    await world.land("two", again)
    await world.lander.land_run("main")
    assert world.git("show", "main:new.txt") == "again"
    told = await world.lander.guard()
    assert "1 commit came onto main" in told[0]  # the user's own
    assert not [line for line in told if "Revert" in line or "Do two" in line]


async def test_a_rollback_before_landing_is_not_landed(world: World) -> None:
    moved = world.commit(world.base, {"theirs.txt": "t\n"}, "theirs")
    world.git("update-ref", "refs/heads/main", moved)
    world.git("reset", "-q", "--hard")
    await rolled_back(world, TWO)

    _, words = await world.lander.land_run("main")

    assert "2 commits replayed" in words
    assert "new.txt" not in world.git("ls-tree", "-r", "--name-only", "main")


async def test_what_is_brought_back_after_its_rollback_has_landed_lands_once(world: World) -> None:
    plan = await rolled_back(world, TWO)
    _, words = await world.lander.land_run("main")
    assert "went forward by 4 commits" in words  # the rollback is one of them

    await rollback(world).undo(plan)
    know(world)

    assert "new.txt" not in world.git("ls-tree", "-r", "--name-only", "main")
    _, words = await world.lander.land_run("main")
    assert "1 commit replayed" in words
    assert world.git("show", "main:new.txt") == "n"
    assert tree(world, "main") == tree(world, BRANCH)
    _, words = await world.lander.land_run("main")
    assert "holds all" in words
    assert await world.lander.guard() == ()  # the rollback on main is no stranger


async def test_rollbacks_brought_back_in_the_order_they_were_made_land_whole(world: World) -> None:
    first = await rolled_back(world, TWO)
    await world.lander.land_run("main")
    second = await rolled_back(world)

    await rollback(world).undo(second)
    know(world)
    await rollback(world).undo(first)
    know(world)
    await world.lander.land_run("main")

    assert tree(world, "main") == tree(world, BRANCH)
    assert world.git("show", "main:new.txt") == "n"


async def test_what_the_user_has_in_the_way_is_named_and_nothing_changes(world: World) -> None:
    await world.lander.land_run("main")
    main, branch = at(world, "main"), at(world, BRANCH)
    world.project.write("src/lines.py", "mine\n")

    with pytest.raises(LandingError, match=r"Not committed in .*src/lines\.py.*pex-tui rollback"):
        await rollback(world).plan((), AT)

    assert (at(world, "main"), at(world, BRANCH)) == (main, branch)
    assert (world.project.path / "src/lines.py").read_text() == "mine\n"


async def test_a_young_index_lock_of_another_program_is_left_to_it(world: World) -> None:
    await world.lander.land_run("main")
    plan = await rollback(world).plan((), AT)
    main, lock = at(world, "main"), world.project.path / ".git" / "index.lock"
    lock.touch()

    with pytest.raises(LandingError, match=r"index\.lock was made just now.*pex-tui rollback"):
        await rollback(world).perform(plan)

    assert lock.exists()
    assert at(world, "main") == main
    lock.unlink()
    await rollback(world).perform(plan)
    assert tree(world, "main") == tree(world, world.base)


async def test_what_has_not_landed_is_not_rolled_back(world: World) -> None:
    with pytest.raises(LandingError, match=r"four has not landed.*Landed: one, two, three"):
        await rollback(world).plan((TaskId("four"),), AT)
    await rolled_back(world)
    with pytest.raises(LandingError, match="Nothing of run 7f3a is landed now"):
        await rollback(world).plan((), AT)
