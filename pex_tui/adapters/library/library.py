"""The agent library: definitions in Claude Code's format from four folders, the first one wins."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from pex_tui.core.model.ids import AgentName
from pex_tui.core.sanitize import clean
from pex_tui.errors import UserError
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from pex_tui.planning.agent_definitions.definition_file import BrokenDefinitionError, parse_agent
from pex_tui.textfiles import read_regular_file


class AgentFolder(Struct, frozen=True):
    """A folder of definitions, and its name in the library."""

    layer: str
    path: Path


class Library(Struct, frozen=True):
    """The definitions in force by name, and one line for each unusable one.

    `hidden` are valid definitions that one of the same name takes precedence over, most specific
    first.
    """

    agents: Mapping[AgentName, AgentDefinition]
    problems: tuple[str, ...] = ()
    hidden: tuple[AgentDefinition, ...] = ()

    def all_named(self, name: str) -> tuple[AgentDefinition, ...]:
        """Return every definition of that name, the one in force first."""
        first = self.agents.get(AgentName(name))
        behind = tuple(agent for agent in self.hidden if agent.name == name)
        return behind if first is None else (first, *behind)


def agent_folders(
    repo_top: Path | None, home: Path, config_home: Path, shipped: Path
) -> tuple[AgentFolder, ...]:
    """Return the folders of definitions, most specific first.

    `config_home` is the user's configuration folder of pex-tui, `shipped` the folder in the wheel.
    """
    folders = [
        AgentFolder("user", home / ".claude" / "agents"),
        AgentFolder("configuration", config_home / "agents"),
        AgentFolder("shipped", shipped),
    ]
    if repo_top is not None:
        folders.insert(0, AgentFolder("repository", repo_top / ".claude" / "agents"))
    return tuple(folders)


def load_library(folders: Iterable[AgentFolder]) -> Library:
    """Load all definitions; a broken one is reported and does not hide another of its name."""
    agents: dict[AgentName, AgentDefinition] = {}
    hidden: list[AgentDefinition] = []
    problems: list[str] = []
    for folder in folders:
        for path in _definitions(folder, problems):
            agent = _load(path, folder.layer, problems)
            if agent is None:
                continue
            same = agents.setdefault(agent.name, agent)
            if same is agent:
                continue
            hidden.append(agent)
            if same.layer == agent.layer:
                problems.append(
                    clean(f'{path}: the agent "{agent.name}" is defined in {same.path} already.')
                )
    return Library(agents, tuple(problems), tuple(hidden))


def definition_files(folder: Path) -> list[Path]:
    """Return the files of a folder that may be definitions, in order; raises OSError."""
    return sorted(folder.rglob("*.md")) if folder.is_dir() else []


def _definitions(folder: AgentFolder, problems: list[str]) -> list[Path]:
    try:
        return definition_files(folder.path)
    except OSError as error:
        problems.append(clean(f"{folder.path}: the folder can't be read: {error.strerror}."))
        return []


def _load(path: Path, layer: str, problems: list[str]) -> AgentDefinition | None:
    try:
        text = read_regular_file(path, "agent definition")
        return parse_agent(text, path.stem, layer=layer, path=str(path))
    except UserError as error:
        problems.append(clean(error.message))
    except BrokenDefinitionError as error:
        problems += [clean(f"{path}:{problem.line}: {problem.text}") for problem in error.problems]
    return None
