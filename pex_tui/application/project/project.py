"""The project of a command: repository, state directory, settings, agents."""

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from pex_tui.adapters.git.plumbing.repository import Repository, discover
from pex_tui.adapters.git.plumbing.stand_in_directory import stand_in_for
from pex_tui.adapters.git.user_repository.state_directory import state_directory
from pex_tui.adapters.library.library import AgentFolder, Library, agent_folders, load_library
from pex_tui.adapters.storage.journal import SqliteJournal
from pex_tui.adapters.storage.journal_file import JournalError
from pex_tui.core.model.ids import RunId
from pex_tui.core.model.run_rules import MOST_SLOTS
from pex_tui.engine.run_paths import RunPaths
from pex_tui.errors import UserError
from pex_tui.resources import shipped
from pex_tui.settings.load import Settings, config_home, load_settings

if TYPE_CHECKING:
    pass


class Project(Struct, frozen=True, dict=True):
    """A repository as a command finds it; `environ` is the user's environment."""

    repository: Repository
    settings: Settings
    overrides: tuple[str, ...]
    environ: Mapping[str, str]

    @cached_property
    def places(self) -> RunPaths:
        """The places of runs; created on first use. Raises UserError if they are not writable."""
        return RunPaths(state_directory(self.repository))

    @cached_property
    def library(self) -> Library:
        """All agent definitions."""
        return load_library(library_folders(self.repository.top_level, self.environ))

    def open_journal(self) -> SqliteJournal:
        """Open the journal; raise UserError if it is unusable."""
        try:
            return SqliteJournal(self.places.journal)
        except JournalError as error:
            raise UserError(str(error)) from error


async def pinned(project: Project, run: RunId) -> Project:
    """Return the project with git's settings from before any agent of the run ran.

    Raises UserError if they are unreadable.
    """
    folder = project.places.settings(run)
    return replace(project, repository=await stand_in_for(project.repository, folder))


def library_folders(repo_top: Path | None, environ: Mapping[str, str]) -> tuple[AgentFolder, ...]:
    """Return the folders of agent definitions, most specific first.

    Raises UserError if ours are missing.
    """
    home = Path(environ.get("HOME") or Path.home())
    return agent_folders(repo_top, home, config_home(environ), shipped("config") / "agents")


def check_slots(slots: int | None) -> None:
    """Raise UserError for an invalid number of slots."""
    if slots is not None and not 1 <= slots <= MOST_SLOTS:
        raise UserError(f"--slots {slots}: a run has 1 to {MOST_SLOTS} slots.")


async def open_project(path: Path, overrides: Sequence[str] = ()) -> Project:
    """Open the project at a path; raise UserError if that is impossible."""
    environ = dict(os.environ)
    repository = await discover(path)
    settings = load_settings(repository.top_level, overrides, environ)
    return Project(repository, settings, tuple(overrides), environ)
