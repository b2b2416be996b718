"""`pex-tui land`: the user's branch gets what the run landed, or nothing of the user's changes."""

import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from pex_tui.adapters.git.landing.gate_runner import GateOptions
from pex_tui.adapters.git.landing.lander import LANDING_LOCK, GitLander
from pex_tui.adapters.git.plumbing.filesystem import remove_tree
from pex_tui.adapters.git.plumbing.ref_writer import Refs
from pex_tui.core.model.ids import CommitId
from pex_tui.core.model.plan import GatePolicy
from pex_tui.engine.ports import LandingError
from pex_tui.engine.run_paths import RunPaths
from tests.adapters.git.conftest import Project, git_in
from tests.adapters.git.landing_world import BRANCH, LINES, RUN, World, edited, make_world


@pytest.fixture
async def world(project: Project, places: RunPaths) -> World:
    made = make_world(project, places)
    made.rebase_onto({"src/lines.py": LINES, "gone.txt": "g\n", "d/tracked": "t\n"})
    await made.lander.begin()
    first, second = (
        made.work({"src/lines.py": edited(l1="first"), "new.txt": "n\n", "gone.txt": None}),
        made.work({"src/lines.py": edited(l20="second")}),
    )
    await made.land("one", first)
    await made.land("two", second)
    return made


def main(world: World) -> CommitId:
    return CommitId(world.git("rev-parse", "main"))


def snapshot(world: World) -> tuple[str, str, dict[str, bytes]]:
    """Return the user's branch, index and files."""
    root = world.project.path
    files = {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(root).parts
    }
    return main(world), world.git("ls-files", "-s"), files


async def refused(world: World, words: str, target: str = "main", *, passing: bool = False) -> None:
    """Assert that landing is refused in these words, with no changes.

    `passing` if it may succeed later.
    """
    before = snapshot(world)
    with pytest.raises(LandingError, match=words) as caught:
        await world.lander.land_run(target)
    assert caught.value.passing is passing
    assert snapshot(world) == before


async def test_where_the_user_signs_it_is_said_that_what_landed_is_not_signed(
    world: World,
) -> None:
    old = main(world)
    world.git("config", "commit.gpgSign", "true")
    world.start_again()
    _, words = await world.lander.land_run("main")
    assert words.endswith(
        f" They are not signed: `git rebase -S --force-rebase {old[:10]}` signs them."
    )


async def test_the_users_checkout_goes_forward_with_its_branch(world: World) -> None:
    world.project.write("untracked.txt", "mine")
    world.project.write("x.log", "ignored")

    tip, words = await world.lander.land_run("main")

    assert (tip, main(world)) == (world.tip(), world.tip())
    assert words == f"main went forward by 2 commits to {tip[:10]}."
    assert world.git("status", "--porcelain") == "?? untracked.txt"
    assert (world.project.path / "new.txt").read_text() == "n\n"
    assert not (world.project.path / "gone.txt").exists()
    assert (world.project.path / "x.log").read_text() == "ignored"


async def test_landing_again_says_that_all_is_there(world: World) -> None:
    tip, _ = await world.lander.land_run("main")

    assert await world.lander.land_run("main") == (tip, "main holds all that the run has landed.")


async def test_what_lands_later_follows(world: World) -> None:
    await world.lander.land_run("main")
    await world.landed("three", {"three.txt": "3\n"})

    tip, words = await world.lander.land_run("refs/heads/main")

    assert words == f"main went forward by 1 commit to {tip[:10]}."
    assert (world.project.path / "three.txt").exists()


async def test_a_run_that_landed_nothing_says_so(project: Project, places: RunPaths) -> None:
    world = make_world(project, places)
    await world.lander.begin()

    assert await world.lander.land_run("main") == (
        world.base,
        f"There is nothing to land: {BRANCH} is where it began.",
    )


async def test_a_branch_that_is_checked_out_nowhere_just_moves(world: World) -> None:
    world.git("switch", "-q", "-c", "elsewhere")
    world.project.write("README.md", "dirty, but elsewhere")

    tip, _ = await world.lander.land_run("main")

    assert main(world) == tip
    assert world.git("rev-parse", "elsewhere") == world.base
    assert world.git("status", "--porcelain") == " M README.md"


CHANGES: dict[str, Callable[[Project], object]] = {
    "an edit of a file that lands": lambda user: user.write("src/lines.py", "mine\n"),
    "an edit of another file": lambda user: user.write("README.md", "mine\n"),
    "a staged file": lambda user: (user.write("new.txt", "mine"), user.git("add", "new.txt")),
    "a deletion": lambda user: (user.path / "d" / "tracked").unlink(),
    "a mode": lambda user: (user.path / "README.md").chmod(0o755),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_uncommitted_changes_are_in_the_way(world: World, name: str) -> None:
    CHANGES[name](world.project)

    await refused(
        world,
        rf"Not committed in .*my project: .*\. Commit or stash them, then `pex-tui land {RUN}`",
    )


async def test_an_untracked_file_in_the_way_is_named(world: World) -> None:
    world.project.write("new.txt", "mine\n")

    await refused(world, r"Not tracked by git in .*: new\.txt\. Move, commit or stash them")


async def test_an_ignored_file_in_the_way_is_named_and_kept(world: World) -> None:
    await world.landed("log", {"run.log": "theirs\n"})
    world.project.write("run.log", "mine\n")

    await refused(world, r"Not tracked by git in .*: run\.log\.")


async def test_an_untracked_folder_in_the_way_is_named(world: World) -> None:
    world.project.write("new.txt/mine", "mine\n")

    await refused(world, r"Not tracked by git in .*: new\.txt\.")


@pytest.mark.parametrize("name", ["mine", "mine.log"])
async def test_what_lies_in_a_folder_that_a_file_replaces_is_kept(world: World, name: str) -> None:
    await world.landed("flat", {"d/tracked": None, "d": "a file now\n"})
    world.project.write(f"d/{name}", "mine\n")

    await refused(world, r"Not tracked by git in .*: d\.")


async def test_a_file_or_link_where_a_folder_lands_is_named(world: World, tmp_path: Path) -> None:
    await world.landed("deep", {"pkg/mod.py": "m\n", "lib/mod.py": "m\n"})
    world.project.write("pkg", "mine\n")
    (world.project.path / "lib").symlink_to(tmp_path)

    await refused(world, r"Not tracked by git in .*: lib, pkg\.")


async def test_a_tracked_folder_becomes_a_file_when_nothing_else_is_in_it(world: World) -> None:
    await world.landed("flat", {"d/tracked": None, "d": "a file now\n"})

    await world.lander.land_run("main")

    assert (world.project.path / "d").read_text() == "a file now\n"
    assert world.git("status", "--porcelain") == ""


async def test_a_checkout_in_another_worktree_is_refused_by_name(
    world: World, tmp_path: Path
) -> None:
    world.git("switch", "-q", "-c", "elsewhere")
    world.git("worktree", "add", "-q", str(tmp_path / "other"), "main")

    await refused(world, r"main is checked out in .*/other\. There, run `git merge pex/7f3a`")


async def test_a_user_in_a_linked_worktree_lands_there(world: World, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    world.git("worktree", "add", "-q", "-b", "topic", str(linked), "main")
    git_dir = world.project.path.resolve() / ".git" / "worktrees" / "linked"
    checkout = world.options.checkout.at(linked.resolve(), git_dir)

    tip, _ = await GitLander(replace(world.options, checkout=checkout)).land_run("topic")

    assert git_in(linked, "rev-parse", "HEAD") == tip
    assert git_in(linked, "status", "--porcelain") == ""
    assert main(world) == world.base


@pytest.mark.parametrize(
    ("commands", "words"),
    [
        ((("merge", "-q", "--no-commit", "--no-ff", "side"),), "A merge is in progress in"),
        ((("rebase", "-q", "--exec", "false", "HEAD~1"),), "A rebase of main is in progress in"),
    ],
)
async def test_half_done_work_of_the_users_is_not_disturbed(
    world: World, commands: tuple[tuple[str, ...], ...], words: str
) -> None:
    side = world.commit(world.base, {"side": "s\n"})
    world.git("branch", "side", side)
    for command in commands:
        with suppress(subprocess.CalledProcessError):  # the rebase is meant to stop
            world.git(*command)

    await refused(world, words)


async def test_a_lock_in_the_users_checkout_stops_the_landing(world: World) -> None:
    (world.project.path / ".git" / "index.lock").touch()

    await refused(world, r"my project/\.git/index\.lock was made just now", passing=True)


async def test_a_branch_that_is_gone_is_said_with_the_cure(world: World) -> None:
    world.git("switch", "-q", "--detach")
    world.git("branch", "-q", "-D", "main")

    with pytest.raises(LandingError, match=r"branch main is gone\. `git branch main pex/7f3a`"):
        await world.lander.land_run("main")


async def test_commits_are_replayed_onto_a_branch_that_moved(world: World) -> None:
    mine = world.project.commit({"mine.txt": "m\n", "src/lines.py": edited(l10="mine")}, "Mine")

    tip, words = await world.lander.land_run("main")

    assert words == f"main had moved; 2 commits replayed onto it, up to {tip[:10]}."
    assert main(world) == tip
    assert world.commits_on("main") == ["Mine", "Do one", "Do two"]
    assert world.git("rev-parse", f"{tip}~2") == mine
    expected = edited(l1="first", l10="mine", l20="second")
    assert (world.project.path / "src/lines.py").read_text() == expected
    assert world.git("status", "--porcelain") == ""
    assert "Pex-Task: two" in world.git("log", "-1", "--format=%B", "main")
    assert world.git("log", "-1", "--format=%an %at", "main") == world.git(
        "log", "-1", "--format=%an %at", BRANCH
    )
    world.fsck()


async def test_commits_on_the_branch_that_are_not_the_run_s_are_named_one_a_line(
    world: World,
) -> None:
    mine = world.project.commit({"mine.txt": "m\n"}, "Mine")
    forged = world.project.commit({"f": "f\n"}, f"Sneak in\n\nPex-Run: {RUN}\nPex-Task: ten\n")
    lander = world.lander

    await lander.land_run("main")

    author = world.git("log", "-1", "--format=%an", mine)
    assert await lander.guard() == (
        "2 commits came onto main since the run began, not by the run itself:",
        f"{forged[:10]} Sneak in ({author})",
        f"{mine[:10]} Mine ({author})",
    )
    assert await lander.guard() == ()


async def test_of_many_commits_on_the_branch_the_newest_are_named_and_how_to_list_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pex_tui.adapters.git.landing.foreign_commits._MOST_NAMED", 1)
    *_, newest = [world.project.commit({name: "m\n"}, f"Add {name}") for name in ("x", "y", "z")]
    lander = world.lander

    await lander.land_run("main")

    _, named, rest = await lander.guard()
    assert named.startswith(f"{newest[:10]} Add z (")
    assert rest == f"and 2 more: `git log {world.base[:10]}..{newest[:10]}`"


async def test_commits_that_only_say_that_they_are_the_run_s_are_named_though_nothing_lands(
    world: World,
) -> None:
    for task in ("one", "two"):
        message = f"Fake\n\nPex-Run: {RUN}\nPex-Task: {task}\n"
        world.project.commit({task: "f\n"}, message)
    lander = world.lander

    _, words = await lander.land_run("main")

    assert words == "main holds all that the run has landed."
    assert (await lander.guard())[0].startswith("2 commits came onto main since the run began")


async def test_what_an_earlier_landing_put_on_the_branch_is_no_stranger(world: World) -> None:
    mine = world.project.commit({"mine.txt": "m\n"}, "Mine")
    await world.lander.land_run("main")
    await world.landed("three", {"three.txt": "3\n"})
    lander = world.lander

    await lander.land_run("main")

    head, *named = await lander.guard()
    assert head.startswith("1 commit came onto main")
    assert [line.split()[0] for line in named] == [mine[:10]]


async def test_a_branch_that_nobody_else_moved_names_nobody(world: World) -> None:
    lander = world.lander
    await lander.land_run("main")
    assert await lander.guard() == ()


async def test_replaying_again_finds_everything_there_even_if_edited_since(world: World) -> None:
    world.project.commit({"mine.txt": "m\n"})
    await world.lander.land_run("main")
    last = world.project.commit({"src/lines.py": edited(l1="edited since")})

    assert await world.lander.land_run("main") == (last, "main holds all that the run has landed.")

    await world.landed("three", {"three.txt": "3\n"})
    _, words = await world.lander.land_run("main")
    assert words.startswith("main had moved; 1 commit replayed")


async def test_a_change_that_the_user_made_as_well_is_left_out(world: World) -> None:
    world.project.commit({"src/lines.py": edited(l20="second")}, "Mine")

    await world.lander.land_run("main")

    assert world.commits_on("main") == ["Mine", "Do one"]


async def test_a_branch_that_was_set_back_gets_the_runs_commits_only(world: World) -> None:
    world.git("reset", "-q", "--hard", f"{world.base}~1")
    world.project.commit({"src/lines.py": LINES, "gone.txt": "g\n"}, "Other base")

    await world.lander.land_run("main")

    subjects = world.git("log", "--format=%s", "-3", "main").splitlines()
    assert subjects == ["Do two", "Do one", "Other base"]


async def test_a_conflict_with_the_users_commits_names_the_task_and_the_way_out(
    world: World,
) -> None:
    world.project.commit({"src/lines.py": edited(l20="mine")})

    await refused(
        world,
        r"main has moved, and task two's commit \w{10} does not apply to it: src/lines\.py\. "
        r"Nothing was changed\. Merge by hand: `git switch main`, then `git merge pex/7f3a`",
    )


async def test_a_conflict_with_the_users_commits_is_resolved_automatically_if_the_gate_passes(
    world: World,
) -> None:
    world.project.commit({"src/lines.py": edited(l20="second\nand mine")})
    gateless = world.options
    world.options = replace(gateless, silent=("superset",))
    await refused(world, r"task two's commit \w{10} does not apply to it")
    world.options = replace(world.options, gate=GateOptions((("false",),)))
    await refused(
        world,
        r"with it\. Resolved by rule \(src/lines\.py: superset\), they fail the gate: false",
    )
    world.options = replace(world.options, gate=GateOptions((("true",),)))

    _, words = await world.lander.land_run("main")

    assert words.endswith("were resolved by rule, and the gate passed: src/lines.py: superset.")
    assert world.commits_on("main") == ["change", "Do one"]
    lines = (world.project.path / "src/lines.py").read_text()
    assert lines == edited(l1="first", l20="second\nand mine")


async def test_a_replay_passes_the_gate_or_nothing_is_changed(world: World) -> None:
    world.project.commit({"mine.txt": "m\n"})
    before = snapshot(world)

    with pytest.raises(LandingError, match=r"the gate fails on the run's commits there: sh -c"):
        await world.with_gate(("sh", "-c", "! test -f mine.txt")).land_run("main")
    assert snapshot(world) == before

    await world.with_gate(("sh", "-c", "test -f mine.txt && test -f new.txt")).land_run("main")
    assert world.commits_on("main") == ["change", "Do one", "Do two"]


async def test_a_gate_that_is_red_on_the_target_as_well_may_be_off(world: World) -> None:
    world.project.commit({"mine.txt": "m\n"})
    gate = replace(world.options.gate, verify=(("false",),))

    lander = GitLander(replace(world.options, gate=gate, gate_policy=GatePolicy.OFF))
    _, words = await lander.land_run("main")

    assert words.endswith("The gate fails on main as well; `gate: off` lands without it.")


async def test_what_is_in_the_way_is_said_before_the_gate_takes_its_time(world: World) -> None:
    world.project.commit({"mine.txt": "m\n"})
    world.project.write("new.txt", "mine")

    with pytest.raises(LandingError, match="Not tracked by git"):
        await world.with_gate(("false",)).land_run("main")


async def test_a_user_who_commits_while_the_gate_runs_gets_a_second_replay(world: World) -> None:
    world.project.commit({"mine.txt": "m\n"}, "Mine")
    root = world.project.path
    script = (
        f"test -f late.txt || {{ cd '{root}' && echo l > late.txt && git add late.txt && "
        "git commit -q -m Late; }"
    )

    await world.with_gate(("sh", "-c", script)).land_run("main")

    assert world.commits_on("main") == ["Mine", "Late", "Do one", "Do two"]
    assert world.git("status", "--porcelain") == ""


async def test_hooks_and_merge_options_of_the_user_have_no_say(world: World) -> None:
    proof = world.places.root / "hooked"
    for name in ("post-merge", "pre-merge-commit", "post-checkout", "reference-transaction"):
        hook = world.project.write(f".git/hooks/{name}", f"#!/bin/sh\ntouch '{proof}'\nexit 1\n")
        hook.chmod(0o755)
    world.git("config", "branch.main.mergeOptions", "--squash --no-ff")
    world.git("config", "merge.autoStash", "true")

    tip, _ = await world.lander.land_run("main")

    assert main(world) == tip
    assert not proof.exists()


async def test_hostile_names_reach_no_terminal(world: World) -> None:
    name = "\x1b[31mred\n"
    await world.landed("red", {name: "r\n"})
    world.project.write(name, "mine")

    with pytest.raises(LandingError) as caught:
        await world.lander.land_run("main")

    assert str(caught.value).isprintable()


async def test_markers_that_an_earlier_version_landed_are_not_brought_to_the_branch(
    world: World,
) -> None:
    text = "<<<<<<< a\nx\n=======\ny\n>>>>>>> b\n"
    landed = world.commit(world.base, {"a.txt": text})
    world.git("update-ref", f"refs/heads/{BRANCH}", landed)
    world.options = replace(world.options, tip=landed)

    with pytest.raises(LandingError, match=r"markers are left in a\.txt"):
        await world.lander.land_run("main")

    assert world.git("rev-parse", "main") == world.base


async def test_a_refusal_that_does_not_pass_is_not_retried(world: World) -> None:
    world.project.git("switch", "-q", "-c", "other")
    world.git("update-ref", "-d", "refs/heads/main")
    world.git("update-ref", "refs/heads/main/sub", world.base)
    refs = Refs(world.options.git, world.places.root / LANDING_LOCK)
    async with refs.locked() as descriptor:
        with pytest.raises(LandingError, match="cannot") as caught:
            await refs.write("refs/heads/main", world.base, None, descriptor, "lands")
    assert caught.value.passing is False


async def test_settings_that_were_removed_are_named_with_the_way_out(world: World) -> None:
    remove_tree(world.options.git.git_dir)
    with pytest.raises(LandingError, match=r"settings in .* was removed.*pex-tui resume") as caught:
        await world.lander.land_run("main")
    assert caught.value.passing is False


async def test_a_person_s_earlier_resolution_is_kept_beside_the_later_one(world: World) -> None:
    refs = Refs(world.options.git, world.places.root / LANDING_LOCK)
    ref = f"refs/pex/{RUN}/one/1-settled"
    first, second = world.work({"a": "1\n"}), world.work({"a": "2\n"})
    for commit in (first, second, second):
        await refs.replace(ref, commit)
    assert world.git("rev-parse", ref) == second
    assert world.git("rev-parse", f"{ref}-{first[:10]}") == first
