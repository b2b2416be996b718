"""Paths that only a person may change: tests, settings, agents, CI, hooks, and the gate itself.

Besides the configured globs, the programs and configuration of the gate's commands are protected,
as an agent that changes the script that judges its work judges itself. These are programs, scripts
of interpreters, and files named by options, relative to the top of the repository and to each
folder that a command enters; `make` and similar programs have default files. The arguments that a
command works on, such as test files, are not protected: tasks often have to change them.
"""

import posixpath
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import PurePosixPath

from msgspec import Struct
from msgspec.structs import replace

from pex_tui.core.globs.globs import any_match, plain_start
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.shell.nested_commands import runs_of
from pex_tui.core.shell.programs import SOURCING, is_interpreter, program_name

_HOME = re.compile(r"\$(?:PWD|\{PWD\}|\(pwd\))/|`pwd`/")  # prefixes of a path at the top
_WORD = re.compile(r"[^\s;&|<>(){}$`'\"\\,\0-\4]+")
_GOES_TO = frozenset({"cd", "pushd", "-C", "--directory", "--prefix", "--cwd"})
_CONFIGURED_BY = frozenset(
    {
        *("-c", "-f", "-C", "--config", "--config-file", "--configfile", "--conf", "--rcfile"),
        *("--file", "--makefile", "--settings", "--init-file", "--env-file", "--project"),
    }
)
_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_SCRIPTS = {
    "make": ("GNUmakefile", "makefile", "Makefile"),
    "gmake": ("GNUmakefile", "makefile", "Makefile"),
    "just": ("justfile", "Justfile", ".justfile"),
    "rake": ("Rakefile",),
    "nox": ("noxfile.py",),
    "tox": ("tox.ini",),
    "task": ("Taskfile.yml", "Taskfile.yaml"),
    **dict.fromkeys(("npm", "pnpm", "yarn", "bun"), ("package.json",)),
}
"""Default files of programs that are given none: they say what runs."""


class Protection(Struct, frozen=True):
    """The protected paths of a run: globs, and files named by the gate's commands.

    A task may change the protected paths that its approved `writes` name. A glob that merely
    matches such a path does not count, nor do writes added to the task during the run.
    """

    globs: tuple[str, ...] = ()
    files: frozenset[str] = frozenset()
    declared: frozenset[tuple[TaskId, str]] = frozenset()

    def among(self, paths: Iterable[str], task: TaskId) -> tuple[str, ...]:
        """Return the protected paths among those that a task changes, without those it declares.

        A path that replaces a parent folder of a protected path is protected as well.
        """
        places = self._folders
        return tuple(
            path
            for path in paths
            if (task, path) not in self.declared
            and (path in self.files or path in places or any_match(self.globs, path))
        )

    @property
    def named(self) -> tuple[str, ...]:
        """Return the files that the commands name, and their parent folders."""
        parents = (str(up) for file in self.files for up in PurePosixPath(file).parents)
        return tuple(sorted({*self.files, *parents} - {"."}))

    def followed(self, links: Mapping[str, str]) -> "Protection":
        """Return the protection extended to symbolic links' targets; `links` map path to target."""
        found = {
            posixpath.normpath(posixpath.join(posixpath.dirname(link), target + file[len(link) :]))
            for link, target in links.items()
            for file in self.files
            if f"{file}/".startswith(f"{link}/")
        }
        return replace(self, files=self.files | found)

    @property
    def _folders(self) -> frozenset[str]:
        """Return the parent folders of the protected paths."""
        starts = [*map(plain_start, self.globs), *(file.split("/") for file in self.files)]
        return frozenset(
            "/".join(start[:end]) for start in starts for end in range(1, len(start) + 1)
        )


def protection_of(planned: Plan, rules: RunRules) -> Protection | None:
    """Return the protection of a run; None in runs recorded before there was any."""
    if rules.protect is None:
        return None
    declared = frozenset((task.id, path) for task in planned.tasks for path in task.writes or ())
    return Protection(rules.protected, named_files(planned.verify), declared)


def named_files(commands: Iterable[tuple[str, ...]]) -> frozenset[str]:
    """Return the paths, relative to the repository, that the commands may name."""
    found = (path for argv in commands for path in _named_by(argv))
    paths = (posixpath.normpath(path) for path in found if not path.startswith("/"))
    return frozenset(path for path in paths if path != "." and path.split("/")[0] != "..")


def _named_by(argv: tuple[str, ...]) -> Iterator[str]:
    """Yield the program and the configuration files of a command, not what it works on."""
    yield argv[0]  # may be a name with spaces
    line = shlex.join(_HOME.sub("", text) for text in argv)
    runs = runs_of(line)
    texts = runs.commands | runs.doubtful
    commands = [_WORD.findall(text) for text in texts] if runs.is_known else [_WORD.findall(line)]
    folders = {"", *(folder for words in commands for folder in _folders_of(words))}
    for words in commands:
        for name in _judges(words) if runs.is_known else words:
            yield from (posixpath.join(folder, name) for folder in folders)


def _folders_of(words: list[str]) -> Iterator[str]:
    """Yield the folders that a command enters, each below the one before."""
    found = ""
    for before, word in pairwise(words):
        if before in _GOES_TO:
            found = posixpath.join(found, word)
            yield found


def _judges(words: list[str]) -> Iterator[str]:
    """Yield the program, the script that it interprets, and the files that its options name."""
    if not words:
        return
    program, *arguments = words
    yield program
    yield from _SCRIPTS.get(posixpath.basename(program), ())
    # The commands that a shell runs are already in this list.
    if is_interpreter(program_name(program)) or program in SOURCING:
        yield from (word for word in arguments if not word.startswith("-"))
    for before, word in pairwise(words):
        if before in _CONFIGURED_BY:
            yield word
        option, _, value = word.partition("=")
        if option in _CONFIGURED_BY:
            yield value
        if before == "-m" and _MODULE.fullmatch(word):
            path = word.replace(".", "/")
            yield from (f"{path}.py", f"{path}/__main__.py")
