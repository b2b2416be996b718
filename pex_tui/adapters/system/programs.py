"""Programs for tasks: find one by name, and offer `pex-tui` to every agent."""

import os
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from pex_tui.adapters.system.whole_file import write_whole

PROGRAM = "pex-tui"


def program_finder(repo_top: Path, search_path: str) -> Callable[[str], str | None]:
    """Return a function from a program's name to its path, None if it cannot be executed.

    `search_path` is the PATH of tasks, before the folder of `offer_program`.
    """

    def find(program: str) -> str | None:
        if "/" not in program:
            found = shutil.which(program, path=search_path)
            return PROGRAM if found is None and program == PROGRAM else found
        path = repo_top / program  # an absolute path stays itself
        return str(path) if path.is_file() and os.access(path, os.X_OK) else None

    return find


def offer_program(folder: Path) -> None:
    """Put a `pex-tui` into the folder that is this version, limited to locks; raise OSError.

    Python must not search the agent's own folder for it: that may hold another version.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = (
        '#!/bin/sh\ncase "$1" in lock) shift;;\n'
        f'*) echo "{PROGRAM}: agents can only use {PROGRAM} lock NAME -- COMMAND" >&2\n'
        "   exit 6;;\nesac\n"
        f'exec {shlex.quote(sys.executable)} -P -m pex_tui lock "$@"\n'
    )
    place = folder / PROGRAM
    if place.is_file() and place.read_text("utf-8", "surrogateescape") == text:
        return
    write_whole(place, text.encode("utf-8", "surrogateescape"), sync=False, mode=0o755)
