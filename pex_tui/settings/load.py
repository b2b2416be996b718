"""Loading of settings: shipped file < user's < repository's < environment < command line.

Each layer is checked by itself, so that errors name their file and line.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

from msgspec import Struct
from msgspec.structs import replace

from pex_tui.core.sanitize import clean
from pex_tui.errors import UserError
from pex_tui.planning.fields.declaration import SectionOf, keys_of
from pex_tui.planning.fields.documents import read_document
from pex_tui.planning.fields.kinds import Findings, Leaf, MapOf
from pex_tui.planning.fields.problems import Path as Place
from pex_tui.planning.fields.problems import UnreadableError
from pex_tui.planning.fields.readers import ENGINE_VARIABLES
from pex_tui.resources import shipped
from pex_tui.settings.model import Settings
from pex_tui.settings.shipped_checksum import SHIPPED_CHECKSUM
from pex_tui.textfiles import read_regular_file

__all__ = ["Settings", "config_home", "load_settings", "repository_settings"]

REPOSITORY_FILE = Path(".pex") / "pex.yaml"
_PREFIX = "PEX_"
_SETTINGS = SectionOf(Settings)


class _Layer(Struct, frozen=True):
    """A layer of settings, with the names of their places for messages."""

    content: dict[str, Any]
    name: str
    lines: Mapping[Place, int]  # empty for layers without a file
    names: Mapping[Place, str]  # for layers whose settings have a name each

    def place(self, path: Place) -> str:
        """Return the place where the setting was made."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.names:
                return self.names[path[:length]]
            if path[:length] in self.lines:
                return f"{self.name}:{self.lines[path[:length]]}"
        below = (name for made, name in self.names.items() if made[: len(path)] == path)
        return next(below, self.name)


def config_home(environ: Mapping[str, str]) -> Path:
    """Return the user's configuration folder, after the XDG base directory specification."""
    given = environ.get("XDG_CONFIG_HOME", "")
    home = Path(environ["HOME"]) if environ.get("HOME") else Path.home()
    return (Path(given) if given.startswith("/") else home / ".config") / "pex-tui"


def load_settings(
    repo_top: Path | None, overrides: Sequence[str], environ: Mapping[str, str]
) -> Settings:
    """Return the settings in force; `overrides` are `section.key=value` texts.

    `repo_top` is None outside a repository. Raises UserError with every problem and its place.
    """
    problems: list[str] = []
    shipped_layer = _shipped_layer(problems)
    users = config_home(environ) / "pex.yaml"
    files = [(users, str(users))]
    if repo_top is not None:
        files.append((repo_top / REPOSITORY_FILE, str(REPOSITORY_FILE)))
    layers = [_file_layer(path, name, problems) for path, name in files if path.exists()]
    layers.append(_environment_layer(environ, problems))
    layers.append(_command_line_layer(overrides, problems))
    for layer in (shipped_layer, *layers):
        problems += _problems(layer)
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise UserError(
            f"the configuration has {count}; nothing was started. Fix it and try again.",
            problems=tuple(clean(problem) for problem in problems),
        )
    if not any(layer.content for layer in (shipped_layer, *layers)):
        return Settings()
    merged = shipped_layer.content or _SETTINGS.written(Settings())  # mappings are merged into it
    for layer in layers:
        merged = _merged(merged, layer.content)
    given = {path: layer.place(path) for layer in layers for path in _leaves(layer.content)}
    return replace(read_settings(merged), given=given)


def read_settings(content: dict[str, Any]) -> Settings:
    """Parse settings that are known to be valid, such as those that `load_settings` returned.

    Raises ValueError with the first error.
    """
    findings: Findings = []
    settings: Settings | None = _SETTINGS.read(content, (), findings)
    if settings is None:
        raise ValueError(findings[0].text)
    return settings


def repository_settings(repo_top: Path) -> dict[str, Any]:
    """Return what the repository's own file sets, by the canonical names of sections and keys."""
    path = repo_top / REPOSITORY_FILE
    return _file_layer(path, str(REPOSITORY_FILE), []).content if path.exists() else {}


def _shipped_layer(problems: list[str]) -> _Layer:
    """Return the shipped file's layer; empty if unedited, as it holds the declared defaults."""
    text = read_regular_file(shipped("config/pex.yaml"), "configuration")
    if crc32(text.encode()) == SHIPPED_CHECKSUM:
        return _Layer({}, "config/pex.yaml", {}, {})
    return _text_layer(text, "config/pex.yaml", problems)


def _file_layer(path: Path, name: str, problems: list[str]) -> _Layer:
    return _text_layer(read_regular_file(path, "configuration"), name, problems)


def _text_layer(text: str, name: str, problems: list[str]) -> _Layer:
    try:
        document = read_document(text)
    except UnreadableError as error:
        problems.append(f"{name}:{error.problem.line}: {error.problem.text}")
        return _Layer({}, name, {}, {})
    problems += [f"{name}:{problem.line}: {problem.text}" for problem in document.problems]
    if document.content is None:
        return _Layer({}, name, {}, {})
    if not isinstance(document.content, dict):
        line = document.line_of(())
        problems.append(f"{name}:{line}: this is not a mapping. Start with a section: thread_pool:")
        return _Layer({}, name, {}, {})
    lines = {_path_as_known(path): line for path, line in document.lines.items() if path}
    content: dict[str, Any] = {}
    for section, values in document.content.items():
        known = _section_as_known(section)
        if isinstance(values, dict):
            as_known = {_key_as_known(key): value for key, value in values.items()}
            content = _merged(content, {known: as_known})
        elif values is not None:  # None is a section with all keys commented out
            content[known] = values
    return _Layer(content, name, lines, {})


def _environment_layer(environ: Mapping[str, str], problems: list[str]) -> _Layer:
    """Return `PEX_SECTION__KEY` variables; others with the prefix belong to other programs."""
    values: dict[str, Any] = {}
    names: dict[Place, str] = {}
    for variable in sorted(environ):
        if not variable.startswith(_PREFIX) or variable in ENGINE_VARIABLES:
            continue
        path = tuple(variable.removeprefix(_PREFIX).lower().split("__"))
        if len(path) > 1 and path[0] in _SETTINGS.keys:
            names[path] = f"environment variable {variable}"
            values[variable] = _value(environ[variable], names[path], problems)
    if not values:
        return _Layer({}, "environment", {}, {})
    from pex_tui.settings.environment import nest_variables  # noqa: PLC0415  # rarely needed

    return _Layer(nest_variables(Settings, _PREFIX, values), "environment", {}, names)


def _command_line_layer(overrides: Sequence[str], problems: list[str]) -> _Layer:
    content: dict[str, Any] = {}
    names: dict[Place, str] = {}
    for override in overrides:
        key, equals, text = override.partition("=")
        path = _path_as_known(tuple(key.strip().split(".")))
        if not equals or len(path) < 2:  # noqa: PLR2004 - a section and a key
            problems.append(
                f'--set "{override}" has to look like thread_pool.max_concurrent=3 (KEY=VALUE).'
            )
            continue
        names[path] = f"--set {key.strip()}"
        value = _value(text, names[path], problems)
        content = _merged(content, _nested(tuple(str(part) for part in path), value))
    return _Layer(content, "--set", {}, names)


def _value(text: str, place: str, problems: list[str]) -> Any:
    """Parse a value: `[…]` and `{…}` are YAML, `null` or nothing is None, anything else text."""
    stripped = text.strip()
    if stripped.startswith(("[", "{")):
        try:
            return read_document(stripped).content
        except UnreadableError as error:
            problems.append(f"{place}: {error.problem.text}")
    return None if stripped in {"", "null", "~"} else stripped


def _problems(layer: _Layer) -> list[str]:
    """Return the errors of one layer."""
    findings: Findings = []
    _SETTINGS.read(layer.content, (), findings)
    found = []
    for finding in findings:
        where = (*finding.place, finding.key) if finding.key else finding.place
        named = ".".join(part for part in finding.place if isinstance(part, str))
        prefix = f"{named}: " if named else ""
        found.append(f"{layer.place(where)}: {prefix}{finding.text}")
    return found


def _section_as_known(section: str) -> str:
    """Return the canonical name of a section, which may be spelled Thread_Pool_Config."""
    plain = _key_as_known(section).removesuffix("_config")
    return plain if plain in _SETTINGS.keys else section


def _key_as_known(key: str) -> str:
    return key.lower().replace("-", "_")


def _path_as_known(path: Place) -> Place:
    section, *keys = path
    known = (_section_as_known(str(section)), *(_key_as_known(str(key)) for key in keys[:1]))
    for above in _free_names():
        if known[: len(above)] == above and len(path) > len(above):
            return (*above, ".".join(str(key) for key in path[len(above) :]))
    return (*known, *keys[1:])


@cache
def _free_names() -> tuple[Place, ...]:
    """Return the settings whose keys are free names, dots included."""
    return tuple(
        path
        for path, one in keys_of(Settings)
        if isinstance(one.kind, MapOf) and isinstance(one.kind.inner, Leaf)
    )


def _nested(path: Sequence[str], value: Any) -> dict[str, Any]:
    for key in reversed(path):
        value = {key: value}
    nested: dict[str, Any] = value
    return nested


def _merged(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    """Merge mappings key by key; replace anything else."""
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        merged[key] = _merged(below, value) if isinstance(below, dict) and both else value
    return merged


def _leaves(content: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for key, value in content.items():
        below = (*path, key)
        found += _leaves(value, below) if isinstance(value, dict) else [below]
    return found
