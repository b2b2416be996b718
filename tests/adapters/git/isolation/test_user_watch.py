"""Changes to the user's repository from a workspace are reported, and undone if that is safe."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pex_tui.adapters.git.isolation.user_watch import RepositorySnapshot, UserWatch
from pex_tui.core.model.ids import RunId
from tests.adapters.git.conftest import Bench, key_of, writer


async def intruded(bench: Bench, script: str) -> tuple[str, ...]:
    """Return the report after a task ran the script, with the user's folder in `$U`."""
    path = await bench.prepare(key_of("a"), writer())
    env = {"U": str(bench.project.path)}
    shell(path, script, env)
    (path / "new.txt").write_text("new\n")
    done = await bench.capture(key_of("a"))
    assert done.files == ("new.txt",)
    prefix = "In your repository, while a ran: "
    assert all(one.startswith(prefix) for one in done.intrusions)
    return tuple(one.removeprefix(prefix).removesuffix(".") for one in done.intrusions)


def shell(folder: Path, script: str, env: dict[str, str]) -> None:
    subprocess.run(
        ["sh", "-ec", script],
        cwd=folder,
        env={**os.environ, **env},
        check=True,
        capture_output=True,
    )


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ('git -C "$U" config core.bare true', "core.bare was set to true in .git/config"),
        ('git -C "$U" config core.hooksPath /evil', "core.hookspath was set to /evil"),
        ('git -C "$U" config core.worktree /tmp', "core.worktree was set to /tmp"),
        ('echo x > "$U/.git/config"', ".git/config was changed"),
        ('echo x > "$U/.git/hooks/pre-commit"', ".git/hooks/pre-commit was added"),
        ('rm "$U/.git/hooks/mine"', ".git/hooks/mine was removed"),
        ('git -C "$U" update-ref refs/heads/main HEAD~1', "the branch main was moved to"),
        ('git -C "$U" tag -f v1 HEAD~1', "the tag v1 was moved to"),
        ('echo /tmp > "$U/.git/objects/info/alternates"', ".git/objects/info/alternates was added"),
        ('git -C "$U" rev-parse HEAD > "$U/.git/shallow"', ".git/shallow was added"),
        ('git -C "$U" replace HEAD HEAD~1', "{head} was replaced by {parent} (git replace)"),
        ('echo nonsense > "$U/.git/HEAD"', ".git/HEAD was changed"),
        ('rm "$U/.git/HEAD"', ".git/HEAD was removed"),
    ],
)
async def test_what_no_person_does_is_undone_and_said(bench: Bench, script: str, said: str) -> None:
    project = bench.project
    project.git("tag", "v1")
    project.write(".git/hooks/mine", "mine\n").chmod(0o755)
    before = state(bench)
    head, parent = (project.git("rev-parse", one)[:10] for one in ("HEAD", "HEAD~1"))
    (told,) = await intruded(bench, script)
    assert told.startswith(said.format(head=head, parent=parent))
    assert "this was undone" in told
    assert state(bench) == before
    assert (project.path / ".git" / "hooks" / "mine").stat().st_mode & 0o111


def state(bench: Bench) -> dict[str, str]:
    """Return the user's files and refs that agents may not change."""
    git_dir = bench.project.path / ".git"
    files = ("config", "HEAD", "shallow", "hooks/*", "objects/info/alt*")
    paths = [path for name in files for path in git_dir.glob(name)]
    refs = bench.project.git("for-each-ref", "refs/heads", "refs/tags", "refs/replace")
    return {"refs": refs} | {path.name: path.read_text() for path in paths}


async def test_a_setting_that_may_be_the_user_s_is_said_and_stays(bench: Bench) -> None:
    script = 'git -C "$U" config filter.x.clean cat; echo x >> "$U/.git/info/exclude"'
    bench.project.git("config", "filter.x.clean", "sed")
    kept, changed = await intruded(bench, script)
    assert kept == "filter.x.clean was set to cat in .git/config; it was sed"
    place = changed.removeprefix(".git/info/exclude was changed; the old version is in ")
    assert "exclude" in Path(place).read_text()
    assert bench.project.git("config", "filter.x.clean") == "cat"


async def test_what_was_deleted_is_said_with_the_way_back_and_kept(bench: Bench) -> None:
    project = bench.project
    project.git("switch", "-q", "-c", "mine")
    commit = project.commit({"mine.txt": "mine"})
    project.git("switch", "-q", "main")
    project.write("README.md", "stashed\n")
    project.git("stash", "-q")
    stash = project.git("rev-parse", "stash@{0}")
    told = await intruded(bench, 'git -C "$U" branch -q -D mine; git -C "$U" stash clear')
    assert told == (
        f"the branch mine was deleted: `git branch mine {commit[:10]}` brings it back",
        f"a stash was dropped: `git stash store {stash[:10]}` brings it back",
    )
    project.git("reflog", "expire", "--expire=now", "--all")
    project.git("gc", "-q", "--prune=now")
    project.git("stash", "store", stash)
    project.git("branch", "mine", commit)
    assert project.git("show", "mine:mine.txt") == "mine"


async def test_a_branch_that_was_set_back_is_said_with_the_way_back_and_kept_each_time(
    bench: Bench,
) -> None:
    project = bench.project
    first = project.commit({"mine.txt": "mine"})
    back = 'git -C "$U" reset -q --hard HEAD~1'
    (told,) = await intruded(bench, back)
    ref = f"refs/pex/7f3a/_saved/heads/main-{first[:10]}"
    parent = project.git("rev-parse", "HEAD")
    assert told == (
        f"main was moved from {first[:10]} to {parent[:10]}; "
        f"`git branch main-before {first[:10]}` brings what it was back (kept as {ref})"
    )
    second = project.commit({"other.txt": "other"})
    path = await bench.prepare(key_of("b"), writer())
    shell(path, back, {"U": str(project.path)})
    await bench.capture(key_of("b"))
    project.git("reflog", "expire", "--expire=now", "--all")
    project.git("gc", "-q", "--prune=now")
    for commit, file in ((first, "mine.txt"), (second, "other.txt")):
        project.git("branch", f"main-{file}", commit[:10])
        assert project.git("show", f"main-{file}:{file}") == file.partition(".")[0]


async def test_another_branch_checked_out_and_lost_notes_are_said(bench: Bench) -> None:
    project = bench.project
    project.git("notes", "add", "-m", "mine")
    notes = project.git("rev-parse", "refs/notes/commits")
    project.git("branch", "mine")
    script = 'git -C "$U" switch -q mine; git -C "$U" update-ref -d refs/notes/commits'
    back = f"`git update-ref refs/notes/commits {notes[:10]}` brings it back"
    assert await intruded(bench, script) == (
        f"the ref refs/notes/commits was deleted: {back}",
        "HEAD was moved to mine: `git switch main` goes back",
    )


async def test_reflogs_that_were_removed_hold_up_no_landing(bench: Bench) -> None:
    (told,) = await intruded(bench, 'rm -r "$U/.git/logs"')
    assert told == ".git/logs/refs was removed; it was recreated, empty"
    bench.project.git("branch", "--create-reflog", "new")


async def test_what_is_done_while_the_watch_looks_is_told_the_next_time(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, moved = bench.project, UserWatch._moved
    project.git("branch", "mine")

    async def slowly(
        watch: UserWatch, run: RunId, before: RepositorySnapshot, now: RepositorySnapshot
    ) -> list[str]:
        told = await moved(watch, run, before, now)
        shell(project.path, "git branch -q -D mine", {})
        return told

    for name in ("a", "b"):
        await bench.prepare(key_of(name), writer())
    project.git("config", "x.y", "z")
    with monkeypatch.context() as patched:
        patched.setattr(UserWatch, "_moved", slowly)
        await bench.capture(key_of("a"))
    (told,) = (await bench.capture(key_of("b"))).intrusions
    assert "the branch mine was deleted" in told


async def test_what_the_user_does_meanwhile_is_not_told(bench: Bench) -> None:
    project = bench.project
    path = await bench.prepare(key_of("a"), writer())
    project.commit({"more.txt": "more"})
    project.git("branch", "new")
    project.git("tag", "v2")
    project.write("README.md", "stashed\n")
    project.git("stash", "-q")
    (path / "new.txt").write_text("new\n")
    assert (await bench.capture(key_of("a"))).intrusions == ()


async def test_what_happened_while_nothing_ran_is_not_told(bench: Bench) -> None:
    await intruded(bench, "true")
    bench.project.git("config", "core.hooksPath", "mine")
    bench.project.git("branch", "-q", "-f", "spare", "HEAD~1")
    path = await bench.prepare(key_of("b"), writer())
    (path / "new.txt").write_text("new\n")
    assert (await bench.capture(key_of("b"))).intrusions == ()


async def test_the_next_engine_knows_what_it_was_like(bench: Bench) -> None:
    await bench.prepare(key_of("a"), writer())
    bench.project.git("config", "core.bare", "true")
    bench.restart()
    (told,) = (await bench.capture(key_of("a"))).intrusions
    assert "core.bare was set to true" in told


async def test_objects_that_only_a_planted_alternate_lends_are_written(
    bench: Bench, tmp_path: Path
) -> None:
    lent = tmp_path / "hidden"
    script = (
        f"git init -q {lent}; printf 'new\\n' | git -C {lent} hash-object -w --stdin; "
        f'echo {lent}/.git/objects > "$U/.git/objects/info/alternates"'
    )
    await intruded(bench, script)
    shutil.rmtree(lent)
    bench.project.git("fsck", "--strict")
    assert bench.show(bench.refs()["refs/pex/7f3a/a/1"], "new.txt") == "new"


async def test_a_branch_moved_to_a_commit_that_we_keep_is_said_all_the_same(bench: Bench) -> None:
    project = bench.project
    project.git("update-ref", "refs/pex/7f3a/other/1-head", "HEAD~1")
    (told,) = await intruded(bench, 'git -C "$U" update-ref refs/heads/main HEAD~1')
    assert told.startswith("the branch main was moved to")


async def test_a_landing_is_no_intrusion(bench: Bench) -> None:
    project = bench.project
    project.git("update-ref", "refs/heads/pex/7f3a", project.git("rev-parse", "HEAD~1"))
    assert await intruded(bench, 'git -C "$U" update-ref refs/heads/main pex/7f3a') == ()
