"""Scanner of words of a shell line, as the shell sees them after quote removal.

What only a running shell knows is a `HOLE`, and unquoted globs have special marks.
"""

import re
from abc import ABC, abstractmethod

from msgspec import Struct

HOLE = "\0"
"""Stands for any text, including spaces: an expansion or a substitution."""
STAR, ONE, SET, BRACE = "\1", "\2", "\3", "\4"
MARKS = frozenset({HOLE, STAR, ONE, SET, BRACE})
GLOBS = str.maketrans({STAR: "*", ONE: "?", SET: "["})
"""The unquoted globs of a word as they were written."""

_DEEPEST = 40
_META = frozenset(" \t\n;&|<>()")
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*(\[[^]]*\])?\+?=")
_PARAMETER = re.compile(r"[A-Za-z_]\w*|[0-9@*#?$!-]")
_BRACES = re.compile(r"\{(?!\s)([^}\n]{0,200}?(,|\.\.)|[^}\n]{200})")
_SETS = re.compile(r"\[(\S{1,200}\]|\S{200})")


class ShellError(ValueError):
    """A line that can't be parsed."""


class ShellWord(Struct):
    """A word after quote removal; `bare` means that no part was quoted or escaped."""

    text: str = ""
    bare: bool = True


class Scanner(ABC):
    """Reads one text from left to right; `is_plain` until it meets an expansion."""

    def __init__(self, text: str, depth: int) -> None:
        self.is_plain = True
        self._text = text
        self._at = 0
        self._depth = depth

    @abstractmethod
    def read_list(self, *ends: str) -> str:
        """Read commands up to one of the ends, which is consumed."""

    @abstractmethod
    def _read_inner(self, text: str) -> None:
        """Read the commands of a nested text, such as one between backticks."""

    def _deeper(self) -> None:
        """Enter a nesting level; raise ShellError beyond the deepest."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ShellError("it is nested too deeply")

    def _word(self) -> ShellWord:
        """Read a word; raise ShellError if there is none."""
        word, start = ShellWord(), self._at
        parts: list[str] = []
        self._deeper()
        while self._at < len(self._text) and (char := self._text[self._at]) not in _META:
            self._at += 1
            parts.append(self._piece(char, word))
        if self._at == start and self._is_process():
            self._at += 2
            self.is_plain = False
            self.read_list(")")
            parts.append(HOLE)
        elif self._ahead("(") and ASSIGNMENT.fullmatch("".join(parts)):
            self._array(parts)
        if self._at == start:
            raise ShellError("a word is missing")
        self._depth -= 1
        word.text = "".join(parts)
        return word

    def _is_process(self) -> bool:
        return self._ahead("<(") or self._ahead(">(")

    def _array(self, parts: list[str]) -> None:
        self._at += 1
        while True:
            self._skip_lines()
            if self._take(")"):
                return
            parts.append(" " + self._word().text)

    def _piece(self, char: str, word: ShellWord) -> str:
        """Read what one unquoted character begins."""
        match char:
            case "\\":
                word.bare = False
                escaped = self._text[self._at : self._at + 1]
                self._at += 1
                return "" if escaped == "\n" else escaped
            case "'":
                word.bare = False
                return self._until("'")
            case '"':
                word.bare = False
                return self._quoted('"')
            case "$" | "`" | "\0":
                self.is_plain = word.bare = False
                return self._expansion(char, is_quoted=False)
            case "*":
                return STAR
            case "?":
                return ONE
            case "[" if _SETS.match(self._text, self._at - 1):
                return SET
            case "{" if _BRACES.match(self._text, self._at - 1):
                self.is_plain = False
                return BRACE
            case _:
                return char

    def _quoted(self, end: str) -> str:
        """Read text in double quotes, or a here-document if there is no end."""
        parts: list[str] = []
        while self._at < len(self._text):
            char = self._text[self._at]
            self._at += 1
            if char == end:
                return "".join(parts)
            if char == "\\":
                escaped = self._text[self._at : self._at + 1]
                self._at += 1
                parts.append(_unescaped(escaped))
            elif char in "$`\0":
                self.is_plain = False
                parts.append(self._expansion(char, is_quoted=True))
            else:
                parts.append(char)
        if end:
            raise ShellError("a quote has no end")
        return "".join(parts)

    def _expansion(self, char: str, *, is_quoted: bool) -> str:
        """Read what follows a dollar sign or a backtick."""
        self._deeper()
        text = self._dollar(is_quoted=is_quoted) if char == "$" else HOLE
        if char == "`":
            self._read_inner(re.sub(r"\\([$`\\])", r"\1", self._until("`", escapes=True)))
        self._depth -= 1
        return text

    def _dollar(self, *, is_quoted: bool) -> str:
        if self._ahead("((") and self._is_arithmetic(self._at + 2):
            self._at += 2
            self._arithmetic("))")
        elif self._take("("):
            self.read_list(")")
        elif self._take("["):
            self._arithmetic("]")
        elif self._take("{"):
            self._parameter()
        elif not is_quoted and self._take("'"):
            text = self._until("'", escapes=True)
            return HOLE if "\\" in text else text
        elif not is_quoted and self._take('"'):
            return self._quoted('"')
        elif name := _PARAMETER.match(self._text, self._at):
            self._at = name.end()
        else:
            return "$"
        return HOLE

    def _parameter(self) -> None:
        """Read the inside of `${…}`, which may contain quotes and substitutions."""
        if self._text[self._at : self._at + 1] in {" ", "\t", "\n", "|"}:
            raise ShellError("a substitution in braces")
        while self._at < len(self._text):
            char = self._text[self._at]
            self._at += 1
            if char == "}":
                return
            self._piece(char, ShellWord())
        raise ShellError("a brace has no end")

    def _is_arithmetic(self, start: int) -> bool:
        """Return whether double parentheses hold arithmetic rather than a subshell."""
        depth = 2
        for at in range(start, len(self._text)):
            char = self._text[at]
            if char in ";\n":
                return False
            depth += {"(": 1, ")": -1}.get(char, 0)
            if depth == 1:
                return self._text.startswith("))", at)
        return False

    def _arithmetic(self, end: str) -> None:
        """Read an arithmetic expression, of which only expansions matter."""
        depth = 0
        while self._at < len(self._text):
            if depth == 0 and self._take(end):
                return
            char = self._text[self._at]
            self._at += 1
            depth += {"(": 1, ")": -1}.get(char, 0)
            if char in "$`":
                self._expansion(char, is_quoted=True)
        raise ShellError("an expression has no end")

    def _until(self, end: str, *, escapes: bool = False) -> str:
        start = self._at
        while self._at < len(self._text):
            char = self._text[self._at]
            self._at += 1
            if char == end:
                return self._text[start : self._at - 1]
            if escapes and char == "\\":
                self._at += 1
        raise ShellError("a quote has no end")

    def _skip_blanks(self) -> None:
        """Skip spaces, line continuations, and a comment."""
        while self._at < len(self._text):
            if self._text[self._at] in " \t":
                self._at += 1
            elif self._ahead("\\\n"):
                self._at += 2
            elif self._ahead("#"):
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            else:
                return

    def _skip_lines(self) -> None:
        self._skip_blanks()
        while self._take("\n"):
            self._skip_blanks()

    def _ahead(self, text: str) -> bool:
        return self._text.startswith(text, self._at)

    def _take(self, text: str) -> bool:
        found = self._ahead(text)
        self._at += len(text) if found else 0
        return found


def _unescaped(char: str) -> str:
    """Return the value of an escape sequence in double quotes."""
    if char == "\n":
        return ""
    return char if char in '$`"\\' else f"\\{char}"
