"""The user's repository: discovery, checks, and the facts that a run needs at its start."""

import os
import re
import shutil
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from pex_tui.adapters.git.plumbing.git_runner import (
    NO_OTHER_SETTINGS,
    Git,
    GitError,
    ask_git,
)
from pex_tui.core.model.ids import CommitId
from pex_tui.core.sanitize import clean
from pex_tui.errors import UserError

OLDEST_GIT = (2, 39)


class RepositoryError(UserError):
    """The reason a run cannot start in this repository, and the next step."""


class Identity(Struct, frozen=True):
    """The committer, by git's configuration at the start of the run.

    Agents may rewrite the configuration later; with `environment`, git does not read it again.
    """

    author_name: str
    author_email: str
    committer_name: str
    committer_email: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables that make git commit as this person."""
        return {
            "GIT_AUTHOR_NAME": self.author_name,
            "GIT_AUTHOR_EMAIL": self.author_email,
            "GIT_COMMITTER_NAME": self.committer_name,
            "GIT_COMMITTER_EMAIL": self.committer_email,
        }


class UncommittedChanges(Struct, frozen=True):
    """Uncommitted work in the user's checkout: changed tracked paths and untracked entries.

    An untracked folder counts once.
    """

    tracked: tuple[str, ...]
    untracked: int

    def __bool__(self) -> bool:
        """Return whether anything is uncommitted."""
        return bool(self.tracked or self.untracked)

    @property
    def summary(self) -> str:
        """Describe the work: "2 changed files, 1 untracked"; empty if everything is committed."""
        parts = []
        if self.tracked:
            plural = "" if len(self.tracked) == 1 else "s"
            parts.append(f"{len(self.tracked)} changed file{plural}")
        if self.untracked:
            parts.append(f"{self.untracked} untracked")
        return ", ".join(parts)


class Repository(Struct, frozen=True):
    """The user's checkout and its repository; all paths absolute, symbolic links resolved.

    `git_dir` belongs to the checkout, `common_dir` to the repository: they differ in a linked
    worktree. With a `stand_in`, git uses the settings stored there.
    """

    top_level: Path
    git_dir: Path
    common_dir: Path
    stand_in: Path | None = None

    @property
    def name(self) -> str:
        """The repository's name: that of its folder, the same in all of its worktrees."""
        folder = self.common_dir
        return folder.parent.name if folder.name == ".git" else folder.name.removesuffix(".git")

    @property
    def git(self) -> Git:
        """Git on the repository itself, without a work tree."""
        if self.stand_in is None:
            return Git(self.common_dir)
        return Git(self.stand_in, env=NO_OTHER_SETTINGS)

    @property
    def checkout(self) -> Git:
        """Git on the user's checkout."""
        git = Git(self.git_dir, self.top_level)
        if self.stand_in is None:
            return git
        return replace(git, env={**NO_OTHER_SETTINGS, "GIT_COMMON_DIR": str(self.stand_in)})

    async def head(self) -> CommitId:
        """Return the commit that is checked out; raise RepositoryError if there is none yet."""
        commit = await self._commit("HEAD")
        if commit is None:
            raise RepositoryError(
                f"{shown_path(self.top_level)} has no commit yet. "
                "Make one (`git add -A && git commit`), then run again. "
                "`pex-tui demo` needs none."
            )
        return commit

    async def resolve_commit(self, base: str | None) -> CommitId:
        """Return the commit that `base` names, HEAD for None; raise RepositoryError."""
        if base is None or base == "HEAD":
            return await self.head()
        commit = await self._commit(base)
        if commit is None:
            await self.head()  # a repository without commits has a message of its own
            raise RepositoryError(
                f"base {clean(base)!r} names no commit in {shown_path(self.top_level)}. "
                "`git branch -a` lists the branches; correct `base` in the plan."
            )
        return commit

    async def current_branch(self) -> str | None:
        """Return the branch that is checked out ("main"); None with a detached HEAD."""
        answer = await self.checkout.run("symbolic-ref", "-q", "HEAD", ok=(0, 1))
        return answer.text.removeprefix("refs/heads/") or None

    async def dirty(self) -> UncommittedChanges:
        """Return what is uncommitted in the user's checkout."""
        answer = await self.checkout.run(
            *("status", "--porcelain=v1", "-z", "--untracked-files=normal"),
            *("--no-renames", "--ignore-submodules=dirty"),
        )
        entries = [entry for entry in os.fsdecode(answer.stdout).split("\0") if entry]
        tracked = tuple(entry[3:] for entry in entries if not entry.startswith("??"))
        return UncommittedChanges(tracked, len(entries) - len(tracked))

    async def check_identity(self) -> Identity:
        """Return the committer; raise RepositoryError if git's configuration names none."""
        people = [await self._person(role) for role in ("AUTHOR", "COMMITTER")]
        (author_name, author_email), (committer_name, committer_email) = people
        return Identity(author_name, author_email, committer_name, committer_email)

    async def _person(self, role: str) -> tuple[str, str]:
        answer = await self.checkout.run(
            *("-c", "user.useConfigOnly=true", "var", f"GIT_{role}_IDENT"), ok=(0, 1, 128)
        )
        found = re.fullmatch(r"(.*) <(.*)> \d+ [+-]\d+", answer.text, re.DOTALL)
        if found is None or not found[1]:
            raise RepositoryError(
                "git does not know who you are, and tasks that write need commits. Run "
                '`git config --global user.name "Your Name"` and '
                "`git config --global user.email you@example.org`, then run again."
            )
        return found[1], found[2]

    async def _commit(self, name: str) -> CommitId | None:
        answer = await self.checkout.run(
            *("rev-parse", "-q", "--verify", "--end-of-options", f"{name}^{{commit}}"),
            ok=(0, 1, 128),
        )
        return CommitId(answer.text) if answer.status == 0 else None


async def discover(path: Path) -> Repository:
    """Find the repository around `path`.

    Raises RepositoryError if there is none, or it is unusable.
    """
    _check_folder(path)
    await git_version()
    try:
        answer = await ask_git(path, "rev-parse", "--is-bare-repository", "--is-inside-work-tree")
    except GitError as error:
        raise RepositoryError(_why_not_found(path, error)) from None
    is_bare, is_inside = answer.text.split("\n")
    if is_bare == "true":
        raise RepositoryError(
            f"{shown_path(path)} is a bare repository, which has no files to work on. "
            "Clone it, then run there."
        )
    if is_inside != "true":
        raise RepositoryError(f"{shown_path(path)} is inside a .git folder. Run in the checkout.")
    return Repository(*await _places(path))


async def _places(path: Path) -> list[Path]:
    """Return the top level, the git directory and the common directory."""
    options = ("--show-toplevel", "--absolute-git-dir", "--git-common-dir")
    ask = ("rev-parse", "--path-format=absolute")
    told = (await ask_git(path, *ask, *options)).stdout.splitlines(keepends=True)
    if len(told) != len(options):  # a path with a line break
        told = [(await ask_git(path, *ask, option)).stdout for option in options]
    return [_path(line) for line in told]


def _path(line: bytes) -> Path:
    return Path(os.fsdecode(line.removesuffix(b"\n"))).resolve()


def _check_folder(path: Path) -> None:
    if not path.is_dir():
        raise RepositoryError(f"{shown_path(path)}: there is no such folder. Check the path.")
    if shutil.which("git") is None:
        raise RepositoryError("git was not found. Install git 2.39 or newer, then run again.")


async def git_version() -> str:
    """Return the version of git; raise RepositoryError if it is too old."""
    words = (await ask_git(Path(os.sep), "version")).text
    found = re.search(r"(\d+)\.(\d+)[.\d]*", words)
    version = found[0] if found else clean(words)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_GIT:
        raise RepositoryError(f"git {version} is too old. Install git 2.39 or newer.")
    return version


def _why_not_found(path: Path, error: GitError) -> str:
    if "dubious ownership" in error.stderr:
        return (
            f"{shown_path(path)} belongs to another user, so git won't work there. If you trust "
            f"it: `git config --global --add safe.directory {shown_path(path)}`."
        )
    if "not a git repository" in error.stderr:
        return (
            f"{shown_path(path)} is not in a git repository. Run `git init` there, or change "
            "folder; `pex-tui demo` needs none."
        )
    return f"git can't read the repository at {shown_path(path)}: {clean(str(error))}"


def shown_path(path: Path) -> str:
    """Return a path as shown to a person."""
    return clean(os.fsencode(path).decode("utf-8", "replace"))
