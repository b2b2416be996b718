"""Repositories that an agent made inside its workspace: which of their files are the task's work.

Git would record each as a submodule that exists nowhere else. Therefore: a submodule that the agent
added properly stays one; a repository without a remote is a scaffold (`git init` by a generator),
and its files are work; a clone or a worktree is foreign content and not part of the work.
"""

import os
from pathlib import Path

from msgspec import Struct, field

from pex_tui.adapters.git.plumbing.git_runner import Git, GitError


class NestedWork(Struct, frozen=True):
    """The work in nested repositories: its paths, and the scaffolds that contain it."""

    paths: list[str] = field(default_factory=list)
    scaffolds: list[str] = field(default_factory=list)


async def nested_work(git: Git, root: Path, nested: tuple[str, ...]) -> NestedWork:
    """Return the work in the nested repositories, its paths relative to `root`; raise GitError."""
    if not nested:
        return NestedWork()
    submodules = await _declared_submodules(git, root)
    paths = [path for path in nested if path in submodules]
    scaffolds = [path for path in nested if path not in submodules and _is_scaffold(root / path)]
    files = [name for folder in scaffolds for name in _files(root, folder)]
    return NestedWork(paths + await _not_ignored(git, files), scaffolds)


def histories(root: Path, scaffolds: list[str]) -> list[str]:
    """Return the git directories of the scaffolds that have commits."""
    found = [f"{folder}/.git" for folder in scaffolds]
    return [path for path in found if _holds_commits(root / path)]


def _holds_commits(git_dir: Path) -> bool:
    if (git_dir / "packed-refs").exists() or (git_dir / "reftable").exists():
        return True
    return any(path.is_file() for path in (git_dir / "refs").rglob("*"))


async def _declared_submodules(git: Git, root: Path) -> set[str]:
    if not (root / ".gitmodules").is_file():
        return set()
    command = ("config", "-z", "-f", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$")
    try:
        answer = await git.run(*command, ok=(0, 1))
    except GitError:
        return set()  # a `.gitmodules` that git cannot read declares nothing
    entries = os.fsdecode(answer.stdout).split("\0")
    return {entry.partition("\n")[2] for entry in entries if entry}


def _is_scaffold(folder: Path) -> bool:
    dot_git = folder / ".git"
    if dot_git.is_symlink() or not dot_git.is_dir():
        return False
    try:
        return b"[remote " not in (dot_git / "config").read_bytes()
    except OSError:
        return True


def _files(root: Path, folder: str) -> list[str]:
    found = []
    for parent, folders, names in os.walk(root / folder):
        folders[:] = [name for name in folders if name != ".git"]
        links = [name for name in folders if Path(parent, name).is_symlink()]
        here = [name for name in names if name != ".git"]
        found += [str(Path(parent, name).relative_to(root)) for name in here + links]
    return found


async def _not_ignored(git: Git, paths: list[str]) -> list[str]:
    if not paths:
        return []
    answer = await git.run(
        *("check-ignore", "-z", "--stdin", "--no-index"),
        stdin=os.fsencode("".join(f"{path}\0" for path in paths)),
        ok=(0, 1),
    )
    ignored = set(os.fsdecode(answer.stdout).split("\0"))
    return [path for path in paths if path not in ignored]
