"""Check the files of agent definitions: all of the library, or those that a user names."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec.structs import replace

from pex_tui.adapters.library.library import AgentFolder, definition_files
from pex_tui.core.model.ids import AgentName
from pex_tui.core.sanitize import clean
from pex_tui.errors import UserError
from pex_tui.planning.agent_definitions.definition_checks import (
    CheckedDefinition,
    CheckedFile,
    DefinitionFinding,
    check_definition,
)
from pex_tui.textfiles import read_regular_file

_PLACE = re.compile(r":(\d+): |: ")


def check_folders(folders: Iterable[AgentFolder]) -> tuple[CheckedFile, ...]:
    """Check each definition of these folders; a name may occur once in each folder."""
    return tuple(file for folder in folders for file in _check_folder(folder.path))


def check_paths(paths: Iterable[Path]) -> tuple[CheckedFile, ...]:
    """Check files and folders named by a user; raises UserError for a path that does not exist."""
    checked: list[CheckedFile] = []
    for path in paths:
        if path.is_dir():
            checked += _check_folder(path)
        elif path.exists():
            checked.append(CheckedFile(str(path), _check_file(path).findings))
        else:
            raise UserError(f"{clean(str(path))}: there is no such file or folder. Check the path.")
    return tuple(checked)


def _check_folder(folder: Path) -> Iterator[CheckedFile]:
    taken: dict[AgentName, Path] = {}
    try:
        files = definition_files(folder)
    except OSError as error:
        text = f"the folder can't be read: {error.strerror}."
        yield CheckedFile(str(folder), (DefinitionFinding(1, text, is_error=True),))
        return
    for path in files:
        checked = _check_file(path)
        if checked.agent is not None:
            first = taken.setdefault(checked.agent.name, path)
            if first is not path:
                text = f'the agent "{checked.agent.name}" is defined in {first} already. Keep one.'
                twice = DefinitionFinding(1, text, is_error=True)
                checked = replace(checked, findings=(twice, *checked.findings))
        yield CheckedFile(str(path), checked.findings)


def _check_file(path: Path) -> CheckedDefinition:
    try:
        text = read_regular_file(path, "agent definition")
    except UserError as error:
        return CheckedDefinition(None, (_unreadable(path, error),))
    return check_definition(text, path.stem, layer="", path=str(path))


def _unreadable(path: Path, error: UserError) -> DefinitionFinding:
    """Return the error without its leading path."""
    told = error.message.removeprefix(str(path))
    place = _PLACE.match(told)
    line = int(place[1]) if place and place[1] else 1
    return DefinitionFinding(line, told[place.end() :] if place else told, is_error=True)
