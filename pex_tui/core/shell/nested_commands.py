"""Everything that a shell line runs: its commands as texts for rules, without their wrappers."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from msgspec import Struct, field

from pex_tui.core.shell.line import ShellCommand, parse
from pex_tui.core.shell.programs import (
    EXEC_OPTIONS,
    FEEDING,
    GIT_COMMANDS,
    GIT_RUNNING,
    JOINING,
    QUIET,
    SEARCHING,
    SHELLS,
    SOURCING,
    WRAPPERS,
    git_arguments,
    is_interpreter,
    program_name,
)
from pex_tui.core.shell.scanner import ASSIGNMENT, GLOBS, HOLE, MARKS, ShellError

_LONGEST_TEXT = 4096
_MOST_WORDS = 400
_MOST_COMMANDS = 2000
_DEEPEST_CODE = 6
_UNKNOWN = re.compile(r" *(?:[\0\1\2]|[\3\4][^ ]*)+(?: +(?:[\0\1\2]|[\3\4][^ ]*)+)* *")
_CODE = re.compile(r"[\s;&|<>()$`'\"\\]")
_MARKS_OF_XARGS = frozenset({"-I", "-J", "--replace"})
_ENDS = frozenset({";", "+", ":::", "::::"})  # terminators of a command of find or of parallel


class Runs(Struct):
    """The commands that one line may run.

    `commands` are texts of words with single spaces, in which `HOLE` stands for any text;
    `doubtful` ones may not be commands at all, `aliases` may be renamed ones. `code` is text for
    programs with a language of their own, `said` the input of other programs. `is_known` is false
    if something runs that the line does not show, `is_suspect` is true if something may. `plain` is
    the line's one command, if it has exactly one.
    """

    commands: set[str] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)
    aliases: set[str] = field(default_factory=set)
    code: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    is_known: bool = True
    is_suspect: bool = False
    plain: str | None = None


@lru_cache(maxsize=64)
def runs_of(line: str) -> Runs:
    """Return everything that the line is known to run."""
    found = Runs()
    if not MARKS.isdisjoint(line):
        found.is_known = False
        return found
    try:
        parsed = parse(line)
    except ShellError:
        found.is_known = False
        return found
    if parsed.is_plain:
        found.plain = " ".join(parsed.commands[0].words).translate(GLOBS)
    _Unwrapping(found).follow(parsed.commands, 0, is_sure=True)
    return found


class _Unwrapping:
    """Follows commands into the commands that they run."""

    def __init__(self, found: Runs) -> None:
        self._found = found
        self._operands: set[str] = set()  # files that are executed
        self._written: set[str] = set()

    def follow(self, commands: Iterable[ShellCommand], depth: int, *, is_sure: bool) -> None:
        """Add everything that these commands run; unless sure, they may not be commands."""
        for command in commands:
            self._found.code += command.assignments
            self._written.update(command.outputs)
            self._command(command, depth, is_sure=is_sure)
        if not self._operands.isdisjoint(self._written):
            self._found.is_known = False

    def _command(self, command: ShellCommand, depth: int, *, is_sure: bool) -> None:
        words = command.words[:_MOST_WORDS]
        if len(words) < len(command.words) or len(self._found.commands) > _MOST_COMMANDS:
            self._unknown(is_sure=is_sure)
        wrapper = ""
        for place, word in enumerate(words):
            if place and not wrapper:
                break
            if wrapper in SEARCHING and words[place - 1] not in EXEC_OPTIONS:
                continue
            if place and _CODE.search(word):
                self._line(word, depth, is_sure=False)
            rest = _fed(words[place:], words, wrapper) if wrapper in FEEDING else words[place:]
            is_program = is_sure and not any(map(_is_plausible, words[1:place]))
            self._program(rest, command, depth, is_sure=is_program)
            name = program_name(word)
            wrapper = name if name in WRAPPERS else wrapper
        if words and not wrapper and program_name(words[0]) not in QUIET:
            self._found.said.append(" ".join(words[1:]))

    def _program(
        self, words: list[str], command: ShellCommand, depth: int, *, is_sure: bool
    ) -> None:
        """Add one program with its arguments."""
        name = program_name(words[0])
        texts = {_text(form) for form in _forms(name, words)}
        (self._found.commands if is_sure else self._found.doubtful).update(texts)
        self._operands.add(words[0])
        if name in SHELLS:
            self._shell(words, command, depth, is_sure=is_sure)
        elif name in SOURCING:
            self._file(words[1:2], is_sure=is_sure)
        elif name == "alias":
            self._unknown(is_sure=is_sure)
        elif name in JOINING:
            self._line(" ".join(words[1:]), depth, is_sure=is_sure and name == "eval")
        elif is_interpreter(name):
            self._found.code += [*words[1:], " ".join(words[1:]), *command.inputs]
        elif name == "git":
            arguments = git_arguments(words)
            self._found.code += words[1 : len(words) - len(arguments)]
            if arguments and arguments[0] not in GIT_COMMANDS:
                self._found.aliases.add(_text(["git", HOLE, *arguments[1:]]))
            if arguments and arguments[0] in GIT_RUNNING:
                self._found.code.append(" ".join(arguments))

    def _shell(self, words: list[str], command: ShellCommand, depth: int, *, is_sure: bool) -> None:
        options = [place for place, word in enumerate(words) if _is_short(word)]
        code = next((place for place in options if "c" in words[place]), None)
        operands = [word for word in words[1:] if not word.startswith(("-", "+"))]
        if code is not None:
            lines = [word for word in words[code + 1 :] if not word.startswith(("-", "+"))]
            for place, line in enumerate(lines):
                self._line(line, depth, is_sure=is_sure and place == 0)
        elif operands and not any("s" in words[place] for place in options):
            self._file(operands, is_sure=is_sure)
        elif command.inputs:
            for text in command.inputs:
                self._line(text, depth, is_sure=is_sure)
        else:
            self._unknown(is_sure=is_sure)

    def _file(self, operands: Sequence[str], *, is_sure: bool) -> None:
        """Add a file that a shell runs; its content is not analysed."""
        self._operands.update(operands)
        for operand in operands:
            if not MARKS.isdisjoint(operand) or operand.startswith(("/dev/", "/proc/")):
                self._unknown(is_sure=is_sure)

    def _line(self, text: str, depth: int, *, is_sure: bool) -> None:
        """Add a word that is run as a line."""
        if depth >= _DEEPEST_CODE:
            self._unknown(is_sure=is_sure)
            return
        try:
            parsed = parse("".join(HOLE if char in MARKS else char for char in text))
        except ShellError:
            self._unknown(is_sure=is_sure)
            return
        self.follow(parsed.commands, depth + 1, is_sure=is_sure)

    def _unknown(self, *, is_sure: bool) -> None:
        if is_sure:
            self._found.is_known = False
        else:
            self._found.is_suspect = True


def _is_plausible(word: str) -> bool:
    """Return whether a wrapper's argument may be the program, not a number or an option."""
    return MARKS.isdisjoint(word) and bool(
        re.match(r"[A-Za-z_./~]", word) and not ASSIGNMENT.match(word)
    )


def _is_short(word: str) -> bool:
    return word.startswith("-") and not word.startswith("--")


def _forms(name: str, words: list[str]) -> Iterator[list[str]]:
    """Yield the words as given, with a bare program name, and without the program's own options."""
    rest = words[1:]
    yield words
    yield [name, *rest]
    if name.startswith("git-"):
        yield ["git", name.removeprefix("git-"), *rest]
    elif name == "git":
        arguments = git_arguments(words)
        options = words[1 : len(words) - len(arguments)]
        if any(word.lower().startswith("alias.") for word in options):
            yield ["git", HOLE, *arguments[1:]]
        yield ["git", *arguments]
    else:
        place = 1
        while place < len(words) and any(
            word.startswith(("-", "+")) for word in words[max(1, place - 1) : place + 1]
        ):
            place += 1
            yield [name, *words[place:]]


def _fed(rest: list[str], words: list[str], wrapper: str) -> list[str]:
    """Return a command to which arguments are added, or in which they replace a placeholder."""
    marks = ["{}"]
    for place, word in enumerate(words[:-1]):
        if word in _MARKS_OF_XARGS:
            marks.append(words[place + 1])
        elif word.startswith(("-I", "-i")) and len(word) > len("-I"):
            marks.append(word[2:])
    end = next((place for place, word in enumerate(rest) if word in _ENDS), len(rest))
    mark = re.compile("|".join(map(re.escape, marks)))
    filled = [mark.sub(HOLE, word) for word in rest[: max(end, 1)]]
    return filled if wrapper in SEARCHING else [*filled, HOLE]


def _text(words: list[str]) -> str:
    """Join the words; a hole swallows the spaces beside it, as it may be empty."""
    text = _UNKNOWN.sub(HOLE, " ".join(words))
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + HOLE
