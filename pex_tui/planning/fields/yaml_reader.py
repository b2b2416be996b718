"""Parser of YAML and JSON text to plain data with lines, on PyYAML's composer."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import yaml

from pex_tui.planning.fields.problems import Path, Problem, UnreadableError

MAX_VALUES = 200_000

_NULL = "tag:yaml.org,2002:null"
_MERGE = "tag:yaml.org,2002:merge"
_STANDARD_TAGS = "tag:yaml.org,2002:"


def read_yaml(text: str, first_line: int) -> tuple[Any, Mapping[Path, int], tuple[Problem, ...]]:
    """Return a `Document`'s fields; raise UnreadableError with the place and the reason."""
    # JSON allows tabs between values, YAML does not; inside JSON's strings they are not legal.
    spaced = text.replace("\t", " ") if text.lstrip()[:1] in {"{", "["} else text
    try:
        root = _composed(spaced)
    except yaml.YAMLError as error:
        raise UnreadableError(_yaml_problem(error, text, first_line)) from error
    except RecursionError as error:
        raise UnreadableError(Problem(first_line, "it is nested too deeply to be read.")) from error
    except (ValueError, OverflowError) as error:  # an escape such as "\UFFFFFFFF"
        raise UnreadableError(Problem(first_line, f"it is not readable YAML: {error}")) from error
    reader = _Reader(first_line)
    content = None if root is None else reader.value(root, (), frozenset())
    return content, reader.lines, tuple(sorted(reader.problems))


def _composed(text: str) -> yaml.Node | None:
    """Return the text's nodes by libyaml, which is ten times faster; PyYAML explains errors."""
    if yaml.__with_libyaml__:
        with suppress(yaml.YAMLError, ValueError, OverflowError):
            return yaml.compose(text, Loader=yaml.CSafeLoader)
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _yaml_problem(error: yaml.YAMLError, text: str, first_line: int) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "it can't be read"
    if mark is None:  # a character that YAML forbids, with only its offset known
        position = getattr(error, "position", 0)
        line = first_line + text.count("\n", 0, position)
        return Problem(line, f"it is not readable YAML: {reason}. Remove that character.")
    where = f"column {mark.column + 1}"
    return Problem(first_line + mark.line, f"it is not readable YAML ({where}): {reason}.")


class _Reader:
    """Converts nodes to data, recording lines and recoverable errors."""

    def __init__(self, first_line: int) -> None:
        self.first_line = first_line
        self.lines: dict[Path, int] = {}
        self.problems: list[Problem] = []
        self._count = 0

    def value(self, node: yaml.Node, path: Path, inside: frozenset[int]) -> Any:
        """Return the node's data; `inside` are the enclosing nodes, to detect recursion."""
        line = self._line(node)
        self.lines.setdefault(path, line)
        self._count_one(line)
        if id(node) in inside:
            self.problems.append(Problem(line, "an alias stands inside its own anchor"))
            return None
        within = inside | {id(node)}
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, within)
        if isinstance(node, yaml.SequenceNode):
            self._check_tag(node)
            return [
                self.value(entry, (*path, place), within) for place, entry in enumerate(node.value)
            ]
        self._check_tag(node)
        return None if node.tag == _NULL else _joined(node.value)

    def _mapping(
        self, node: yaml.MappingNode, path: Path, inside: frozenset[int]
    ) -> dict[str, Any]:
        self._check_tag(node)
        self._count_one(self._line(node))  # merges multiply values as well
        mapping: dict[str, Any] = {}
        first_seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = self._line(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append(Problem(line, "a key has to be plain text"))
                continue
            key = _joined(key_node.value)
            if key_node.tag == _MERGE:
                continue
            if key in first_seen:
                text = f'the key "{key}" stands here and in line {first_seen[key]}. Keep one.'
                self.problems.append(Problem(line, text))
                continue
            first_seen[key] = line
            self.lines.setdefault((*path, key), line)
            mapping[key] = self.value(value_node, (*path, key), inside)
        for merged in self._merged(node):
            if id(merged) not in inside:
                for key, value in self._mapping(merged, path, inside | {id(merged)}).items():
                    mapping.setdefault(key, value)
        return mapping

    def _merged(self, node: yaml.MappingNode) -> Iterator[yaml.MappingNode]:
        """Yield the mappings that `<<` merges, nearest first."""
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                sources = (
                    value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
                )
                for source in sources:
                    if isinstance(source, yaml.MappingNode):
                        yield source
                    else:
                        text = '"<<" takes a mapping, or a list of mappings'
                        self.problems.append(Problem(self._line(source), text))

    def _count_one(self, line: int) -> None:
        self._count += 1
        if self._count > MAX_VALUES:
            raise UnreadableError(Problem(line, f"it holds more than {MAX_VALUES} values."))

    def _check_tag(self, node: yaml.Node) -> None:
        if not node.tag.startswith(_STANDARD_TAGS) or "python" in node.tag:
            text = f'the tag "{node.tag}" is not read here. Remove it.'
            self.problems.append(Problem(self._line(node), text))

    def _line(self, node: yaml.Node) -> int:
        return self.first_line + int(node.start_mark.line)


def _joined(text: str) -> str:
    """Join JSON's surrogate pairs; replace a lone surrogate."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
