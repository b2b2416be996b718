"""Git commands of agents stay in their workspaces, and lose none of their work."""

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from pex_tui.adapters.git.isolation.agent_refs import read_agent_refs
from pex_tui.adapters.git.plumbing.git_settings import GitSetting, config_text
from pex_tui.adapters.git.plumbing.repository import discover
from pex_tui.core.model.unlanded import Unlanded, Why
from tests.adapters.git.conftest import (
    Bench,
    Project,
    git_in,
    key_of,
    reader,
    with_stand_in,
    writer,
)

STATE = ("config", "packed-refs", "info/exclude", "HEAD", "logs/refs/stash")


def of_the_user(project: Project) -> dict[str, bytes | str]:
    """Return the parts of the user's repository that no task may change."""
    git_dir = project.path / ".git"
    files = {name: (git_dir / name).read_bytes() for name in STATE if (git_dir / name).exists()}
    hooks = ",".join(sorted(path.name for path in (git_dir / "hooks").iterdir()))
    return {**files, "hooks": hooks, "refs": refs_of(project)}


def refs_of(project: Project) -> str:
    lines = project.git("for-each-ref").split("\n")
    return "\n".join(line for line in lines if "refs/pex/" not in line)


@pytest.mark.parametrize(
    "script",
    [
        "git update-ref refs/heads/main HEAD~1; git branch -D mine; git tag -d v1",
        "git stash list; git stash drop; git stash clear; git update-ref -d refs/stash",
        'GIT_DIR=$(git rev-parse --absolute-git-dir) git init; git init --bare "$PWD/.git"',
        "git config core.hooksPath /evil; git config user.name Smith; git config core.bare true",
        "d=$(git rev-parse --git-common-dir); echo x > $d/hooks/pre-commit; echo x > $d/config",
        'echo "*.txt" >> "$(git rev-parse --git-common-dir)/info/exclude"',
        "git gc -q --prune=now; git reflog expire --expire=now --all; git repack -adq; git prune",
        "git remote remove origin; git worktree add -q x; git worktree remove x; rm -rf .git",
    ],
)
async def test_the_user_s_repository_is_as_it_was(bench: Bench, script: str) -> None:
    project = bench.project
    project.git("branch", "mine", "HEAD~1")
    project.git("tag", "v1")
    project.git("remote", "add", "origin", "../upstream")
    project.write("README.md", "stashed\n")
    project.git("stash", "-q")
    before = of_the_user(project)
    path = await bench.prepare(key_of("a"), writer())
    sh(path, script)
    (path / "new.txt").write_text("new")
    done = await bench.capture(key_of("a"))
    assert done.files == ("new.txt",)
    assert of_the_user(project) == before
    assert bench.worktrees()[0] == str(project.path)
    following = await bench.prepare(key_of("b"), writer())
    assert git_in(following, "status", "--porcelain", "--ignored") == ""
    assert git_in(following, "stash", "list") == ""
    assert git_in(following, "config", "user.name") == "Ada Lovelace"
    assert git_in(following, "rev-parse", "refs/heads/mine") == project.git("rev-parse", "HEAD~1")
    project.git("fsck", "--strict")


def sh(path: Path, script: str) -> None:
    subprocess.run(["sh", "-c", script], cwd=path, check=False, capture_output=True)


async def test_the_user_s_repository_is_seen_as_it_was(bench: Bench, tmp_path: Path) -> None:
    project = bench.project
    git_in(tmp_path, "clone", "-q", "--bare", str(project.path), "up.git")
    project.git("remote", "add", "origin", "../up.git")
    project.git("fetch", "-q", "origin")
    project.git("remote", "set-head", "origin", "main")
    project.git("branch", "-q", "--set-upstream-to=origin/main")
    project.git("tag", "-a", "v1", "-m", "one")
    project.git("config", "user.name", "Local Name")
    project.git("config", "url.https://mirror.example/.insteadOf", "https://example.org/")
    project.git("config", "lfs.storage", "big")
    hook = project.write(".git/hooks/pre-commit", "#!/bin/sh\ntouch hooked.log\n")
    hook.chmod(hook.stat().st_mode | stat.S_IXUSR)
    await start_again(bench)
    path = await bench.prepare(key_of(), writer())
    for question in (
        ("branch", "-r"),
        ("tag", "-n"),
        ("rev-parse", "v1^{}", "origin/HEAD", "main"),
        ("config", "user.name"),
        ("config", "branch.main.merge"),
        ("ls-remote", "--get-url", "https://example.org/x"),
    ):
        assert git_in(path, *question) == project.git(*question)
    assert git_in(path, "config", "lfs.storage") == str(project.path / ".git" / "big")
    git_in(path, "fetch", "-q", "origin")
    (path / "README.md").write_text("mine\n")
    git_in(path, "commit", "-q", "-a", "-m", "mine")
    assert (path / "hooked.log").exists()
    assert git_in(path, "log", "-1", "--format=%an") == "Local Name"


async def start_again(bench: Bench) -> None:
    """Let a run begin with git's current settings."""
    folder = bench.repository.stand_in
    assert folder is not None
    shutil.rmtree(folder)
    bench.repository = with_stand_in(bench.repository, bench.places)
    bench.restart()


async def test_a_stash_that_was_left_is_kept_and_said(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "src" / "one.py").write_text("first\n")
    git_in(path, "stash", "-q")
    (path / "src" / "two.py").write_text("second\n")
    (path / "new.txt").write_text("untracked\n")
    git_in(path, "stash", "-q", "-u")
    done = await bench.capture(key_of())
    ref = "refs/pex/7f3a/task/1-stash"
    assert done.work is None
    assert done.unlanded == (
        Unlanded(Why.STASH, ("src/two.py",), 1, f"{ref}/1"),
        Unlanded(Why.STASH, ("src/one.py",), 1, f"{ref}/2"),
    )
    bench.project.git("gc", "-q", "--prune=now")
    bench.project.git("stash", "apply", f"{ref}/1")
    assert (bench.project.path / "new.txt").read_text() == "untracked\n"
    assert bench.project.git("stash", "list") == ""


async def test_a_stash_that_was_taken_out_again_is_no_loss(bench: Bench) -> None:
    path = await bench.prepare(key_of(), writer())
    (path / "src" / "one.py").write_text("changed\n")
    git_in(path, "stash", "-q")
    git_in(path, "stash", "pop", "-q")
    done = await bench.capture(key_of())
    assert (done.files, done.unlanded) == (("src/one.py",), ())


async def test_commits_that_were_left_are_kept_and_said(bench: Bench) -> None:
    start = bench.project.git("rev-parse", "HEAD")
    path = await bench.prepare(key_of(), writer())
    git_in(path, "switch", "-q", "-c", "side/work")
    (path / "side.txt").write_text("side\n")
    git_in(path, "add", "side.txt")
    git_in(path, "commit", "-q", "-m", "side")
    side = git_in(path, "rev-parse", "HEAD")
    git_in(path, "switch", "-q", "--detach", start)
    git_in(path, "commit", "-q", "--allow-empty", "-m", "first words")
    git_in(path, "commit", "-q", "--allow-empty", "--amend", "-m", "amended")
    loose = git_in(path, "rev-parse", "HEAD")
    git_in(path, "switch", "-q", "--detach", start)
    done = await bench.capture(key_of())
    left = "refs/pex/7f3a/task/1-left"
    assert bench.refs() == {f"{left}/side/work": side, f"{left}/{loose[:10]}": loose}
    assert {(one.why, one.kept) for one in done.unlanded} == {
        (Why.LEFT, f"{left}/side/work"),
        (Why.LEFT, f"{left}/{loose[:10]}"),
    }
    assert bench.show(side, "side.txt") == "side"


async def test_what_was_fetched_is_not_the_agent_s(bench: Bench, tmp_path: Path) -> None:
    git_in(tmp_path, "clone", "-q", str(bench.project.path), "other")
    git_in(tmp_path / "other", "commit", "-q", "--allow-empty", "-m", "theirs")
    bench.project.git("remote", "add", "origin", str(tmp_path / "other"))
    await start_again(bench)
    path = await bench.prepare(key_of(), writer())
    git_in(path, "fetch", "-q", "origin")
    git_in(path, "checkout", "-q", "origin/main")
    git_in(path, "checkout", "-q", bench.project.git("rev-parse", "HEAD"))
    assert (await bench.capture(key_of())).unlanded == ()
    assert bench.refs() == {}


async def test_a_reader_s_stash_is_kept_too(bench: Bench) -> None:
    path = await bench.prepare(key_of(), reader())
    (path / "README.md").write_text("read\n")
    git_in(path, "stash", "-q")
    done = await bench.capture(key_of(), reader())
    assert [one.why for one in done.unlanded] == [Why.STASH]
    assert list(bench.refs()) == ["refs/pex/7f3a/task/1-stash/1"]


async def test_objects_that_only_a_planted_alternate_has_are_copied(
    bench: Bench, tmp_path: Path
) -> None:
    git_in(tmp_path, "init", "-q", "hidden")
    path = await bench.prepare(key_of(), writer())
    (path / "new.txt").write_text("hidden\n")
    git_in(tmp_path / "hidden", "hash-object", "-w", str(path / "new.txt"))
    with (path / ".git" / "objects" / "info" / "alternates").open("a") as alternates:
        alternates.write(f"{tmp_path / 'hidden' / '.git' / 'objects'}\n")
    git_in(path, "add", "new.txt")
    git_in(path, "commit", "-q", "-m", "mine")
    done = await bench.capture(key_of())
    shutil.rmtree(tmp_path / "hidden")
    shutil.rmtree(path)
    bench.project.git("fsck", "--strict")
    assert bench.show(done.work, "new.txt") == "hidden"
    assert bench.show(bench.refs()["refs/pex/7f3a/task/1-head"], "new.txt") == "hidden"


@pytest.mark.parametrize("level", ["--local", "--global"])
async def test_filters_and_drivers_planted_in_the_user_s_files_never_run_in_ours(
    bench: Bench, tmp_path: Path, level: str
) -> None:
    project, proof = bench.project, tmp_path / "sprung"
    trap = f"touch '{proof}'; cat"
    path = await bench.prepare(key_of("a"), writer())
    (tmp_path / "attributes").write_text("* filter=x diff=x merge=x\n")
    for name, text in (
        ("filter.x.clean", trap),
        ("filter.x.smudge", trap),
        ("filter.x.process", trap),
        ("diff.x.textconv", trap),
        ("merge.x.driver", trap),
        ("core.attributesFile", str(tmp_path / "attributes")),
        ("core.excludesFile", str(tmp_path / "attributes")),
        ("core.fsmonitor", trap),
        ("core.worktree", str(tmp_path)),
    ):
        project.git("config", level, name, text)
    project.write(".git/info/attributes", "* filter=x\n")
    project.write(".git/info/exclude", "*\n")
    (path / "new.txt").write_text("new")
    (path / "src" / "one.py").write_text("changed\n")
    await bench.workspaces.diff(key_of("a"))
    done = await bench.capture(key_of("a"))
    bench.restart()
    await bench.prepare(key_of("b"), writer(), done.work or "")
    assert done.files == ("new.txt", "src/one.py")
    assert not proof.exists()


async def test_a_reset_never_reaches_the_user_s_files(bench: Bench) -> None:
    project = bench.project
    project.git("config", "extensions.worktreeConfig", "true")
    project.git("config", "--worktree", "core.worktree", str(project.path))
    project.write("README.md", "not committed\n")
    await start_again(bench)
    path = await bench.prepare(key_of(), writer())
    (path / "README.md").write_text("agent\n")
    assert git_in(path, "rev-parse", "--show-toplevel") == str(path)
    git_in(path, "reset", "-q", "--hard")
    git_in(path, "clean", "-fdxq")
    assert (project.path / "README.md").read_text() == "not committed\n"
    assert await bench.capture(key_of()) == await bench.capture(key_of())


async def test_the_modules_of_submodules_are_there_without_a_network(
    bench: Bench, tmp_path: Path
) -> None:
    project = bench.project
    git_in(tmp_path, "clone", "-q", str(project.path), "library")
    project.git("submodule", "--quiet", "add", str(tmp_path / "library"), "lib/deep")
    project.git("commit", "-q", "-m", "with a submodule")
    (tmp_path / "library").rename(tmp_path / "away")
    path = await bench.prepare(key_of(), writer())
    git_in(path, "submodule", "--quiet", "update", "--init")
    assert (path / "lib" / "deep" / "README.md").read_text() == "# Sample\n"
    assert git_in(path, "status", "--porcelain") == ""


def test_odd_values_survive_in_a_configuration(tmp_path: Path) -> None:
    odd = (
        GitSetting('remote.a "b" \\c.url', 'x;y # z "q" \\ \t tab'),
        GitSetting("core.pager", "one\ntwo "),
        GitSetting("some.flag", None),
        GitSetting("some.empty", ""),
    )
    (tmp_path / "config").write_text(config_text(odd))
    told = git_in(tmp_path, "config", "-z", "--list", "-f", "config")
    assert told.split("\0")[:-1] == [
        one.key if one.text is None else f"{one.key}\n{one.text}" for one in odd
    ]


def test_hostile_refs_are_read_as_text(tmp_path: Path) -> None:
    oid = "1" * 40
    (tmp_path / "refs" / "heads").mkdir(parents=True)
    (tmp_path / "refs" / "heads" / "good").write_text(f"{oid}\n")
    (tmp_path / "refs" / "heads" / "bad").write_text("$(touch x)\n")
    (tmp_path / "refs" / "heads" / "link").symlink_to("/etc/passwd")
    (tmp_path / "packed-refs").write_bytes(b"# pack\n" + oid.encode() + b" refs/tags/\xff\n^x\n")
    (tmp_path / "HEAD").write_text("ref: refs/heads/good\n")
    (tmp_path / "logs").write_text("no folder")
    found = read_agent_refs(tmp_path)
    assert (found.head, found.branch) == (oid, "good")
    assert sorted(found.refs) == ["refs/heads/good", "refs/tags/\udcff"]
    assert read_agent_refs(tmp_path / "nowhere").refs == {}


async def test_a_repository_that_was_moved_gets_a_new_stand_in(
    bench: Bench, tmp_path: Path
) -> None:
    head = bench.project.git("rev-parse", "HEAD")
    bench.project.path.rename(tmp_path / "moved")
    moved = await discover(tmp_path / "moved")
    found = with_stand_in(moved, bench.places)
    assert await found.git.text("rev-parse", "HEAD") == head
