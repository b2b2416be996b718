"""Sources of agent definitions: their addresses, and the choice of their files."""

import re
from collections.abc import Iterable

from msgspec import Struct

from pex_tui.errors import UserError

FOLDERS = (".claude/agents", "agents")
MOST_BYTES = 256 * 1024
MOST_FILES = 500

_GIT = "git+"
_URL = re.compile(r"(https?|ssh|git|file)://", re.IGNORECASE)
_SSH = re.compile(r"[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:(?!//)")  # git@host:owner/repository


class GitAddress(Struct, frozen=True):
    """A repository that git can fetch, and the requested commit or tag."""

    url: str
    revision: str | None


class SourceOrigin(Struct, frozen=True):
    """The origin of files; `commit` is None for files outside git.

    `tag` is the requested name if it was not a commit.
    """

    source: str
    commit: str | None = None
    tag: str = ""

    def __str__(self) -> str:
        """Return the source with its commit, as a user would write it."""
        return self.source if self.commit is None else f"{self.source}@{self.commit}"


class SourceFile(Struct, frozen=True):
    """A file of a source; `path` is relative to the source."""

    path: str
    content: bytes


class LeftOut(Struct, frozen=True):
    """A file that is not taken, and the reason."""

    path: str
    reason: str


class SourceFiles(Struct, frozen=True):
    """The files of a source."""

    origin: SourceOrigin
    files: tuple[SourceFile, ...]
    left_out: tuple[LeftOut, ...] = ()


def remote_address(text: str) -> GitAddress | None:
    """Return the repository named by `git+…`, a URL or `git@host:path`; None for a local path.

    Raises UserError for a URL with a password, which would be recorded.
    """
    address = text.removeprefix(_GIT)
    url = _URL.match(address)
    ssh = _SSH.match(address)
    if url is None and ssh is None:
        return None
    if url is not None:
        host, slash, path = address[url.end() :].partition("/")
        user, at, _ = host.rpartition("@")
        if at and (":" in user or url[1].lower().startswith("http")):
            raise UserError(
                "The address holds a user name or a password, which would be recorded. "
                "Leave it out, and let git's credential helper know it."
            )
        start = len(address) - len(path) if slash else len(address)
    else:
        start = ssh.end() if ssh is not None else 0
    place, revision = split_revision(address[start:])
    return GitAddress(address[:start] + place, revision)


def split_revision(text: str) -> tuple[str, str | None]:
    """Split a path at its last @; the revision is None without one."""
    place, at, revision = text.rpartition("@")
    return (place, revision or None) if at else (text, None)


def is_git_path(text: str) -> bool:
    """Return whether a local path is marked as a git repository."""
    return text.startswith(_GIT)


def without_mark(text: str) -> str:
    """Return the source without the mark of a git repository."""
    return text.removeprefix(_GIT)


def chosen(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the files of the first folder with definitions, without subfolders of the top.

    `paths` are relative, with forward slashes. Raises UserError for too many.
    """
    written = sorted(path for path in paths if path.endswith(".md"))
    for folder in FOLDERS:
        inside = tuple(path for path in written if path.startswith(f"{folder}/"))
        if inside:
            return _bounded(inside)
    return _bounded(tuple(path for path in written if "/" not in path))


def _bounded(paths: tuple[str, ...]) -> tuple[str, ...]:
    if len(paths) > MOST_FILES:
        raise UserError(
            f"The source holds {len(paths)} files, and {MOST_FILES} are read. Name a folder of it."
        )
    return paths
