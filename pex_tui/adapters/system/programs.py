"""The programs of tasks: whether one exists, and the one that every agent is offered."""

import os
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from pex_tui.adapters.system.whole_file import write_whole

PROGRAM = "pex-tui"


def program_finder(repo_top: Path, search_path: str) -> Callable[[str], str | None]:
    """A function from a program's name to where it is, or None if it can't be run.

    `search_path` is the PATH that tasks will have, before the folder of `offer_program`.
    """

    def find(program: str) -> str | None:
        if "/" not in program:
            found = shutil.which(program, path=search_path)
            return PROGRAM if found is None and program == PROGRAM else found
        path = repo_top / program  # an absolute path stays itself
        return str(path) if path.is_file() and os.access(path, os.X_OK) else None

    return find


def offer_program(folder: Path) -> None:
    """Put a `pex-tui` that is this very one, but can only lock, into the folder; raise OSError.

    Python is told not to look into the agent's own folder for it: that may hold another.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = (
        '#!/bin/sh\ncase "$1" in lock) shift;;\n'
        f'*) echo "{PROGRAM}: inside an agent there is only {PROGRAM} lock NAME -- COMMAND" >&2\n'
        "   exit 6;;\nesac\n"
        f'exec {shlex.quote(sys.executable)} -P -m pex_tui lock "$@"\n'
    )
    place = folder / PROGRAM
    if place.is_file() and place.read_text("utf-8", "surrogateescape") == text:
        return
    write_whole(place, text.encode("utf-8", "surrogateescape"), sync=False, mode=0o755)
