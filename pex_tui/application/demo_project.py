"""The sample project of `pex-tui demo`: a new, real repository with a plan."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from pex_tui.errors import UserError

_COMMITS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("A small shop, with tests", ("README.md", ".gitignore", "shop", "tests")),
    ("Tools that agents use", ("tools", "plan.yaml")),
)


def make_demo(sample: Path, directory: Path) -> Path:
    """Make the project in the directory and return its plan; `sample` is the shipped folder.

    Raises UserError if the directory is not empty or not writable.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise UserError(
                f"{directory} is not empty. Name another folder: pex-tui demo --dir DIR"
            )
        shutil.copytree(sample, directory, dirs_exist_ok=True)
        (directory / "gitignore").rename(directory / ".gitignore")
    except OSError as error:
        raise UserError(f"The sample can't be made in {directory}: {error.strerror}.") from error
    _git(directory, "init", "--quiet", "--initial-branch=main")
    _name_somebody(directory)
    for subject, paths in _COMMITS:
        _git(directory, "add", "--", *paths)
        _git(directory, "commit", "--quiet", "--no-verify", f"--message={subject}")
    return directory / "plan.yaml"


def _name_somebody(directory: Path) -> None:
    """Set a committer in the sample if the user has none: commits need one."""
    for key, fallback in (("user.name", "Demo"), ("user.email", "demo@example.org")):
        if not _git(directory, "config", "--default", "", "--get", key):
            _git(directory, "config", "--local", key, fallback)
    _git(directory, "config", "--local", "commit.gpgSign", "false")


def _git(directory: Path, *args: str) -> str:
    argv: Sequence[str] = ("git", "-C", str(directory), *args)
    ended = subprocess.run(argv, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise UserError(f"git {args[0]} failed in {directory}: {ended.stderr.strip()}")
    return ended.stdout.strip()
