"""`pex-tui agents [list|show|check]`: the agent library."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from pex_tui.adapters.agent_checks import check_folders, check_paths
from pex_tui.adapters.git.repository import RepositoryError, discover
from pex_tui.adapters.library import AgentFolder, load_library
from pex_tui.core.text import clean
from pex_tui.errors import UserError
from pex_tui.headless.agents import (
    WIDTH,
    agents_as_objects,
    render_agent,
    render_agents,
    render_findings,
)
from pex_tui.planning.wording import nearest
from pex_tui.wiring.ground import library_folders
from pex_tui.wiring.hosting import Options, await_command

BAD = 2


def main(options: Options) -> int:
    """List the library, show one agent, or check definitions."""
    return await_command(_agents(options))


async def _agents(options: Options) -> int:
    top = await _repository_top(options)
    return _ACTIONS[options.action](options, library_folders(top, os.environ))


async def _repository_top(options: Options) -> Path | None:
    """The top of the repository that the command stands in, None outside of one.

    Raises RepositoryError when a repository was named and can't be used.
    """
    named: Path | None = getattr(options, "repo", None)
    try:
        return (await discover(named or Path.cwd())).top_level
    except RepositoryError:
        if named is not None:
            raise
        return None


def _list(options: Options, folders: tuple[AgentFolder, ...]) -> int:
    library = load_library(folders)
    if options.json:
        objects = agents_as_objects(library.agents.values())
        sys.stdout.write(json.dumps(objects, indent=2) + "\n")
    else:
        columns = shutil.get_terminal_size((WIDTH, 24)).columns
        sys.stdout.write(render_agents(library.agents.values(), columns))
    sys.stdout.flush()
    for problem in library.problems:
        sys.stderr.write(f"! {problem}\n")
    return 0


def _show(options: Options, folders: tuple[AgentFolder, ...]) -> int:
    library = load_library(folders)
    found = library.all_named(options.name)
    if not found:
        raise UserError(
            f'There is no agent "{clean(options.name, 80)}". '
            f"{nearest(options.name, library.agents)} `pex-tui agents` lists them.".replace(
                "  ", " "
            ),
            problems=tuple(
                problem for problem in library.problems if f"/{options.name}.md:" in problem
            ),
        )
    sys.stdout.write(render_agent(found[0], found[1:]))
    return 0


def _check(options: Options, folders: tuple[AgentFolder, ...]) -> int:
    checked = check_paths(options.paths) if options.paths else check_folders(folders)
    sys.stdout.write(render_findings(checked))
    sys.stdout.flush()
    if any(finding.is_error for file in checked for finding in file.findings):
        sys.stderr.write("Mend what is an error: such a definition is left out of the library.\n")
        return BAD
    return 0


_ACTIONS: Mapping[str, Callable[[Options, tuple[AgentFolder, ...]], int]] = {
    "list": _list,
    "show": _show,
    "check": _check,
}
