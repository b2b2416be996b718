"""YAML and JSON text as plain data with a line for each value.

Scalars stay the text that the user wrote: YAML's own guesses (`off` is false, `1:30` is 90) never
reach a reader. Only null is taken from YAML.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from pex_tui.planning.fields.problems import Path, Problem


class Document(Struct, frozen=True):
    """Nested dicts and lists whose leaves are str or None.

    `lines` holds a line for each path; `problems` are recoverable errors (duplicate keys, tags).
    """

    content: Any
    lines: Mapping[Path, int]
    problems: tuple[Problem, ...] = ()

    def line_of(self, path: Path) -> int:
        """Return the line of the value, or of the nearest enclosing value that has one."""
        for length in range(len(path), 0, -1):
            line = self.lines.get(path[:length])
            if line is not None:
                return line
        return self.lines.get((), 1)


def read_document(text: str, *, first_line: int = 1) -> Document:
    """Parse a text into data with lines; raise UnreadableError with the place and the reason."""
    from pex_tui.planning.fields.yaml_reader import read_yaml  # noqa: PLC0415  # it loads PyYAML

    return Document(*read_yaml(text, first_line))
