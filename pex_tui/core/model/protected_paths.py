"""Paths that only a person may change: what tests, settings, agents, CI and hooks are made of.

Besides the configured globs, the files that the gate's commands name count: whoever changes the
script that judges the work judges it themselves. A command's words are taken for paths from the
top of the repository and from each folder that the command goes to; `make` and the like name their
file by themselves. Naming too much is harmless, as only a path that a task changed can match.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import PurePosixPath

from pex_tui.core.model.globs import any_match, plain_start
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.run_rules import RunRules

_HOME = re.compile(r"\$(?:PWD|\{PWD\}|\(pwd\))/|`pwd`/")  # what begins a path at the top
_WORD = re.compile(r"[^\s;&|<>(){}$`'\"\\=,]+")
_GOES_TO = frozenset({"cd", "pushd", "-C", "--directory", "--prefix", "--cwd"})
_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_SCRIPTS = {
    "make": ("GNUmakefile", "makefile", "Makefile"),
    "gmake": ("GNUmakefile", "makefile", "Makefile"),
    "just": ("justfile", "Justfile", ".justfile"),
    "rake": ("Rakefile",),
    "nox": ("noxfile.py",),
    "tox": ("tox.ini",),
    "task": ("Taskfile.yml", "Taskfile.yaml"),
}
"""What these programs run when no file is named."""


@dataclass(frozen=True, slots=True)
class Protection:
    """The protected paths of a run: globs, and files by their names; what tasks may change of them.

    A task may change what its `writes` name as a person approved them. A glob that a path happens
    to match says nothing, nor does what the radar has seen the task write since.
    """

    globs: tuple[str, ...] = ()
    files: frozenset[str] = frozenset()
    declared: frozenset[tuple[TaskId, str]] = frozenset()

    def among(self, paths: Iterable[str], task: TaskId) -> tuple[str, ...]:
        """The protected ones of the paths that a task changes, without those that it declares.

        What takes the place of a folder above is protected as well.
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
        """The files that the commands name, and the folders above them."""
        parents = (str(up) for file in self.files for up in PurePosixPath(file).parents)
        return tuple(sorted({*self.files, *parents} - {"."}))

    def followed(self, links: Mapping[str, str]) -> "Protection":
        """With what the named files are where these links, with their targets, are followed."""
        found = {
            posixpath.normpath(posixpath.join(posixpath.dirname(link), target + file[len(link) :]))
            for link, target in links.items()
            for file in self.files
            if f"{file}/".startswith(f"{link}/")
        }
        return replace(self, files=self.files | found)

    @property
    def _folders(self) -> frozenset[str]:
        """The folders on the way to what is protected."""
        starts = [*map(plain_start, self.globs), *(file.split("/") for file in self.files)]
        return frozenset(
            "/".join(start[:end]) for start in starts for end in range(1, len(start) + 1)
        )


def protection_of(planned: Plan, rules: RunRules) -> Protection | None:
    """What is protected in a run of the plan as it was approved; None in runs of before."""
    if rules.protect is None:
        return None
    declared = frozenset((task.id, path) for task in planned.tasks for path in task.writes or ())
    return Protection(rules.protected, named_files(planned.verify), declared)


def named_files(commands: Iterable[tuple[str, ...]]) -> frozenset[str]:
    """Paths, relative to the repository, that the commands may name."""
    found = (path for argv in commands for path in _named_by(argv))
    paths = (posixpath.normpath(path) for path in found if not path.startswith("/"))
    return frozenset(path for path in paths if path != "." and path.split("/")[0] != "..")


def _named_by(argv: tuple[str, ...]) -> Iterator[str]:
    words = [word for text in argv for word in _WORD.findall(_HOME.sub("", text))]
    yield from argv  # names with spaces in them
    folders = [""]
    for before, word in pairwise(words):
        if before in _GOES_TO:
            folders.append(posixpath.join(folders[-1], word))
    for before, word in pairwise(("", *words)):
        for name in _readings(before, word):
            yield from (posixpath.join(folder, name) for folder in folders)


def _readings(before: str, word: str) -> Iterator[str]:
    """The files that a word may stand for."""
    yield word.partition("::")[0]  # of a test in a file
    yield from _SCRIPTS.get(posixpath.basename(word), ())
    if before == "-m" and _MODULE.fullmatch(word):
        path = word.replace(".", "/")
        yield from (f"{path}.py", f"{path}/__main__.py")
