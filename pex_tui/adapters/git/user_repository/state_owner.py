"""The repository that a state directory belongs to, by an id that both sides store.

The repository has the id in its common git directory, where it moves along. State directories of
0.1 have none: they belong to the repository that has the commits of their journal.
"""

import json
import os
import re
import secrets
import sqlite3
import subprocess
from contextlib import closing, suppress
from pathlib import Path

from msgspec import Struct, to_builtins

from pex_tui.adapters.git.plumbing.git_runner import environment
from pex_tui.adapters.git.plumbing.repository import Repository
from pex_tui.adapters.system.whole_file import write_whole
from pex_tui.core.model.run_refs import BRANCHES, ROOT

IDENTITY = "pex-tui-id"
OWNER = "repository.json"
_MOST_BASES = 20
_PATIENCE_SECONDS = 30.0


class Owner(Struct, frozen=True):
    """The repository of a state directory: its id, and its last known common git directory.

    The id is empty if the repository cannot store one.
    """

    identity: str
    place: str


def new_identity() -> str:
    """Return a new, unique id."""
    return secrets.token_hex(16)


def read_identity(common_dir: Path) -> str | None:
    """Return the id of a repository; None if there is none."""
    with suppress(OSError, UnicodeDecodeError):
        found = (common_dir / IDENTITY).read_text("ascii").strip()
        if re.fullmatch(r"[0-9a-f]{32}", found):
            return found
    return None


def write_identity(common_dir: Path, identity: str) -> bool:
    """Store the id in a repository; return False if it is not writable."""
    try:
        write_whole(common_dir / IDENTITY, f"{identity}\n".encode(), mode=0o644)
    except OSError:
        return False
    return True


def read_owner(folder: Path) -> Owner | None:
    """Return the owner of a state directory; None if it has no record (as in 0.1)."""
    try:
        fields = json.loads((folder / OWNER).read_bytes())
        return Owner(str(fields["identity"]), str(fields["place"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_owner(folder: Path, owner: Owner) -> None:
    """Record the owner of a state directory; raise OSError."""
    write_whole(folder / OWNER, json.dumps(to_builtins(owner)).encode())


def is_elsewhere(owner: Owner, common_dir: Path) -> bool:
    """Return whether the repository still exists at its last known place, which is not this one."""
    place = Path(owner.place)
    if read_identity(place) != owner.identity:
        return False
    return not place.samefile(common_dir)  # one folder may have two paths


def named_by_worktrees(common_dir: Path, home: Path) -> tuple[Path, ...]:
    """Return 0.1 state directories in which a moved repository has workspaces."""
    found = set()
    for link in sorted((common_dir / "worktrees").glob("*/gitdir")):
        with suppress(OSError):
            place = Path(os.fsdecode(link.read_bytes()).strip())
            if place.is_relative_to(home) and place != home:
                found.add(home / place.relative_to(home).parts[0])
    return tuple(folder for folder in sorted(found) if read_owner(folder) is None)


def knows_runs_of(folder: Path, repository: Repository) -> bool:
    """Return whether a state directory is the repository's although their ids do not link them."""
    owner = read_owner(folder)
    if not folder.is_dir() or (owner is not None and owner.place != str(repository.common_dir)):
        return False
    bases = _bases(folder / "journal.db")
    if not bases or (owner is not None and not owner.identity):
        return True
    git = ("git", f"--git-dir={repository.common_dir}")
    if _says(*git, "for-each-ref", "--count=1", ROOT, BRANCHES):
        return True
    # A clone has the same commits: they identify only a directory without an owner.
    return owner is None and any(
        _says(*git, "rev-parse", "--verify", "-q", f"{base}^{{commit}}") for base in bases
    )


def _bases(journal: Path) -> list[str]:
    """Return the start commits of the newest runs; empty if the journal has no runs."""
    if not journal.exists():
        return []
    with suppress(sqlite3.Error, OSError), closing(sqlite3.connect(journal, timeout=10)) as opened:
        rows = opened.execute(
            "SELECT json_extract(body, '$.base') FROM events WHERE kind = 'run_planned' "
            "ORDER BY at DESC LIMIT ?",
            (_MOST_BASES,),
        )
        return [str(base) for (base,) in rows]
    return []


def _says(*command: str) -> bool:
    with suppress(OSError, subprocess.TimeoutExpired):
        answer = subprocess.run(
            command,
            env=environment({}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
        return bool(answer.stdout.strip())
    return False
