"""Whether a command's program exists: in the repository for a path, on the PATH for a name."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path


def program_finder(repo_top: Path, search_path: str) -> Callable[[str], str | None]:
    """A function from a program's name to where it is, or None if it can't be run.

    `search_path` is the PATH that tasks will have.
    """

    def find(program: str) -> str | None:
        if "/" not in program:
            return shutil.which(program, path=search_path)
        path = repo_top / program  # an absolute path stays itself
        return str(path) if path.is_file() and os.access(path, os.X_OK) else None

    return find
