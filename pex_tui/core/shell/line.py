"""A parser of shell lines that finds every simple command, at any depth.

The grammar is that of bash, read flatly: reserved words and operators only separate commands, so a
line that bash would refuse may still yield some. Words are kept as the shell sees them after quote
removal; what only a running shell knows is a `HOLE`, and unquoted globs have special marks. Raises
ShellError for a line that can't be parsed; the parser never guesses.
"""

import re

from msgspec import Struct, field

from pex_tui.core.shell.scanner import ASSIGNMENT, Scanner, ShellError

LONGEST_LINE = 64 * 1024

_SEPARATORS = (";;&", ";;", ";&", "&&", "||", "|&", ";", "&", "|")
_REDIRECTIONS = re.compile(r"[0-9]*(&>>|&>|<<<|<<-|<<|<>|<&|>>|>\||>&|<|>)")
_PASSED_OVER = frozenset(
    {"if", "then", "elif", "else", "fi", "while", "until", "do", "done", "{", "}", "!"}
)


class ShellCommand(Struct):
    """A simple command. `inputs` are its here-documents, `outputs` the files it redirects to."""

    words: list[str] = field(default_factory=list)
    assignments: list[str] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)


class ShellLine(Struct):
    """All simple commands of a line, including those in substitutions and function bodies.

    `is_plain` means one command of words alone: no operator, redirection, assignment or expansion.
    """

    commands: list[ShellCommand]
    is_plain: bool


def parse(text: str) -> ShellLine:
    """Parse a line; a HOLE in it is unknown text. Raises ShellError."""
    if len(text) > LONGEST_LINE:
        raise ShellError("the line is too long")
    parser = _Parser(text, 0)
    parser.read_list()
    return ShellLine(parser.commands, parser.is_plain and len(parser.commands) == 1)


class _Parser(Scanner):
    """Parser of one text."""

    def __init__(self, text: str, depth: int) -> None:
        super().__init__(text, depth)
        self.commands: list[ShellCommand] = []
        self._command = ShellCommand()
        self._awaited: list[tuple[ShellCommand, str, bool, bool]] = []  # here-documents to come

    def read_list(self, *ends: str) -> str:
        """Read commands up to one of the ends, which is consumed, or the end of the text."""
        self._deeper()
        outer, self._command = self._command, ShellCommand()
        end = self._read_commands(ends)
        self._finish()
        self._command = outer
        self._depth -= 1
        return end

    def _read_commands(self, ends: tuple[str, ...]) -> str:
        while True:
            self._skip_blanks()
            if self._at >= len(self._text):
                if ends:
                    raise ShellError("it ends too early")
                self._read_documents()
                return ""
            if self._take("\n"):
                self._finish()
                self._read_documents()
            elif (redirection := _REDIRECTIONS.match(self._text, self._at)) and not (
                self._ahead("<(") or self._ahead(">(")
            ):
                self._redirect(redirection)
            elif operator := next((one for one in _SEPARATORS if self._ahead(one)), ""):
                self._at += len(operator)
                self.is_plain = False
                self._finish()
                if operator in ends:
                    return operator
            elif self._ahead(")"):
                if ")" not in ends:
                    raise ShellError("a parenthesis closes nothing")
                self._at += 1
                return ")"
            elif self._ahead("("):
                self._parenthesis()
            elif end := self._read_word(ends):
                return end

    def _read_word(self, ends: tuple[str, ...]) -> str:
        """Read one word; return it if it ends the list."""
        word = self._word()
        is_first = not self._command.words
        if is_first and word.bare and word.text in ends:
            self._finish()
            return word.text
        if is_first and word.bare and self._reserved(word.text):
            self.is_plain = False
        elif is_first and ASSIGNMENT.match(word.text):
            self.is_plain = False
            self._command.assignments.append(word.text)
        else:
            self._command.words.append(word.text)
        return ""

    def _reserved(self, word: str) -> bool:
        """Read a reserved word and its construct; return False for any other word."""
        if word in _PASSED_OVER:
            return True
        match word:
            case "for" | "select":
                self._loop_head()
            case "case":
                self._case()
            case "function":
                self._skip_blanks()
                self._word()
            case "[[":
                self._test()
            case _:
                return False
        return True

    def _loop_head(self) -> None:
        """Read a loop's variable and its list of words."""
        self._skip_blanks()
        if self._take("(("):
            self._arithmetic("))")
            return
        self._word()
        self._skip_blanks()
        if not self._take("in"):
            return
        self._skip_blanks()
        while self._at < len(self._text) and self._text[self._at] not in ";\n&|":
            self._word()
            self._skip_blanks()

    def _case(self) -> None:
        self._skip_blanks()
        self._word()
        self._skip_lines()
        if self._word().text != "in":
            raise ShellError("a case lacks its in")
        while True:
            self._skip_lines()
            self._take("(")
            if self._ahead("esac") and self._word().text == "esac":
                return
            while not self._take(")"):
                self._skip_lines()
                if not self._take("|"):
                    self._word()
                self._skip_lines()
            if self.read_list(";;&", ";;", ";&", "esac") == "esac":
                return

    def _test(self) -> None:
        """Read a test in double brackets, in which operators separate no commands."""
        while True:
            self._skip_lines()
            if self._at >= len(self._text):
                raise ShellError("a test has no end")
            if self._text[self._at] in "<>&|()":
                self._at += 1
            elif self._word().text == "]]":
                return

    def _parenthesis(self) -> None:
        """Read a subshell, an arithmetic command, or the end of a function's name."""
        self.is_plain = False
        command = self._command
        if command.words:
            self._at += 1
            self._skip_blanks()
            if len(command.words) > 1 or not self._take(")"):
                raise ShellError("a parenthesis stands in a command")
            self._command = ShellCommand()
        elif self._ahead("((") and self._is_arithmetic(self._at + 2):
            self._at += 2
            self._arithmetic("))")
        else:
            self._at += 1
            self.read_list(")")

    def _redirect(self, found: re.Match[str]) -> None:
        self.is_plain = False
        self._at = found.end()
        operator = found[1]
        self._skip_blanks()
        start = self._at
        target = self._word()
        command = self._command
        if operator in {"<<", "<<-"}:
            is_quoted = not target.bare
            written = target.text if is_quoted else self._text[start : self._at]
            self._awaited.append((command, written, is_quoted, operator == "<<-"))
        elif operator == "<<<":
            command.inputs.append(target.text)
        elif ">" in operator and not target.text.isdigit():
            command.outputs.append(target.text)

    def _read_documents(self) -> None:
        """Read the bodies of the here-documents that begin on this line."""
        for command, delimiter, is_quoted, strips in self._awaited:
            lines: list[str] = []
            while self._at < len(self._text):
                end = self._text.find("\n", self._at)
                end = len(self._text) if end < 0 else end
                line = self._text[self._at : end]
                line = line.lstrip("\t") if strips else line
                self._at = end + 1
                if line == delimiter:
                    break
                lines.append(line + "\n")
            body = "".join(lines)
            command.inputs.append(body if is_quoted else self._expanded(body))
        self._at = min(self._at, len(self._text))
        self._awaited.clear()

    def _expanded(self, body: str) -> str:
        """Return a here-document after expansion."""
        inner = _Parser(body, self._depth)
        text = inner._quoted("")
        self.commands += inner.commands
        return text

    def _read_inner(self, text: str) -> None:
        inner = _Parser(text, self._depth)
        inner.read_list()
        self.commands += inner.commands

    def _finish(self) -> None:
        command = self._command
        if command.words or command.assignments or command.inputs or command.outputs:
            self.commands.append(command)
        self._command = ShellCommand()
