"""List the agent library, show one agent, check definitions, or add some."""

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from msgspec.structs import replace

from pex_tui.adapters.git.plumbing.repository import RepositoryError, discover
from pex_tui.adapters.library.checks import check_folders, check_paths
from pex_tui.adapters.library.library import AgentFolder, load_library
from pex_tui.adapters.library.store import recorded
from pex_tui.adapters.system.programs import program_finder
from pex_tui.application.project.command_context import Options, await_command
from pex_tui.application.project.project import library_folders
from pex_tui.cli.actions.agents_add import BAD, add_agents
from pex_tui.cli.output.agents import (
    WIDTH,
    agents_as_objects,
    render_agent,
    render_agents,
    render_findings,
)
from pex_tui.core.sanitize import clean
from pex_tui.errors import UserError
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from pex_tui.planning.agent_definitions.source_address import SourceOrigin
from pex_tui.planning.agent_definitions.source_offer import digest
from pex_tui.planning.fields.validation_text import nearest
from pex_tui.reports.json_text import json_text
from pex_tui.settings.load import load_settings


def agents(options: Options) -> int:
    """List the library, show one agent, check definitions, or add some."""
    return await_command(_agents(options))


async def _agents(options: Options) -> int:
    top = await _repository_top(options)
    folders = library_folders(top, os.environ)
    if options.action == "add":
        return await add_agents(options, folders, top)
    return _ACTIONS[options.action](options, folders, top)


async def _repository_top(options: Options) -> Path | None:
    """Return the repository that the command runs in, None outside of one.

    Raises RepositoryError if a named repository is unusable.
    """
    named: Path | None = getattr(options, "repo", None)
    try:
        return (await discover(named or Path.cwd())).top_level
    except RepositoryError:
        if named is not None:
            raise
        return None


def _list(options: Options, folders: tuple[AgentFolder, ...], top: Path | None) -> int:
    library = load_library(folders)
    agents = _as_run_here(library.agents.values(), options, top)
    if options.json:
        sys.stdout.write(json_text(agents_as_objects(agents), indent=2) + "\n")
    else:
        columns = shutil.get_terminal_size((WIDTH, 24)).columns
        sys.stdout.write(render_agents(agents, columns))
    sys.stdout.flush()
    for problem in library.problems:
        sys.stderr.write(f"! {problem}\n")
    return 0


def _show(options: Options, folders: tuple[AgentFolder, ...], top: Path | None) -> int:
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
    (first,) = _as_run_here(found[:1], options, top)
    sys.stdout.write(render_agent(first, found[1:], _origin(first, folders)))
    return 0


def _as_run_here(
    agents: Iterable[AgentDefinition], options: Options, top: Path | None
) -> list[AgentDefinition]:
    """Return the agents with the runners that the configuration and this machine give them."""
    runners = load_settings(top, getattr(options, "set", []), os.environ).runners
    find_program = program_finder(top or Path.cwd(), os.environ.get("PATH", os.defpath))
    found = ((agent, runners.find(agent, find_program)) for agent in agents)
    return [
        agent if isinstance(runner, str) else replace(agent, prefers=runner.name)
        for agent, runner in found
    ]


def _origin(agent: AgentDefinition, folders: tuple[AgentFolder, ...]) -> str:
    """Return the definition's source from its lock file, and whether it was changed since."""
    folder = next(folder.path for folder in folders if folder.layer == agent.layer)
    path = Path(agent.path)
    entry = recorded(folder, path)
    if entry is None:
        return ""
    changed = "" if digest(path.read_bytes()) == entry.sha256 else ", changed since"
    return f"{SourceOrigin(entry.source, entry.commit)}{changed}"


def _check(options: Options, folders: tuple[AgentFolder, ...], top: Path | None) -> int:
    del top
    checked = check_paths(options.paths) if options.paths else check_folders(folders)
    sys.stdout.write(render_findings(checked))
    sys.stdout.flush()
    if any(finding.is_error for file in checked for finding in file.findings):
        sys.stderr.write("Fix the errors: the library leaves out such definitions.\n")
        return BAD
    return 0


_ACTIONS: Mapping[str, Callable[[Options, tuple[AgentFolder, ...], Path | None], int]] = {
    "list": _list,
    "show": _show,
    "check": _check,
}
