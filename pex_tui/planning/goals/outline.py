"""The outline of a repository that planning needs: files, languages, tools."""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property

from msgspec import Struct

_LANGUAGES = {
    **dict.fromkeys(("py", "pyi"), "Python"),
    **dict.fromkeys(("js", "jsx", "mjs", "cjs"), "JavaScript"),
    **dict.fromkeys(("ts", "tsx"), "TypeScript"),
    **dict.fromkeys(("vue", "svelte", "html", "css", "scss"), "web pages"),
    **dict.fromkeys(("c", "h", "cc", "cpp", "hpp"), "C and C++"),
    **dict.fromkeys(("md", "rst", "adoc"), "documents"),
    **dict.fromkeys(("sh", "bash"), "shell"),
    "go": "Go",
    "rs": "Rust",
    "java": "Java",
    "kt": "Kotlin",
    "rb": "Ruby",
    "php": "PHP",
    "cs": "C#",
    "swift": "Swift",
    "sql": "SQL",
    "ex": "Elixir",
    "scala": "Scala",
}


class ToolKind(StrEnum):
    """The purpose of a tool of a repository."""

    TESTS = "test runner"
    SCREENS = "screen tests"
    LINT = "linter"
    TYPES = "type checker"
    FORMAT = "formatter"
    SYNTAX = "syntax check"
    SECURITY = "security scanner"
    LICENCES = "licence check"
    STRUCTURE = "import checker"
    STATE = "migration check"
    PROFILE = "profiler"
    DOCS = "documentation builder"
    BUILD = "build"
    HISTORY = "history"


class Tool(Struct, frozen=True):
    """A command that the repository offers; `source` is the file with it ("pyproject.toml")."""

    kind: ToolKind
    name: str
    argv: tuple[str, ...]
    source: str


class RepositoryOutline(Struct, frozen=True, dict=True):
    """Tracked files, the tools that they name, and the most changed files, hottest first."""

    files: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
    hot: tuple[str, ...] = ()
    ci: str | None = None

    @cached_property
    def languages(self) -> Mapping[str, int]:
        """Return the number of files of each language, most first."""
        endings = Counter(path.rpartition(".")[2].lower() for path in self.files)
        counts: Counter[str] = Counter()
        for ending, count in endings.items():
            if ending in _LANGUAGES:
                counts[_LANGUAGES[ending]] += count
        return dict(counts.most_common())

    @cached_property
    def is_obsidian_plugin(self) -> bool:
        """Return whether it looks like a plugin for Obsidian."""
        return "manifest.json" in self.files and "versions.json" in self.files

    @cached_property
    def test_folder(self) -> str | None:
        """Return the folder of the tests, as `tests/`."""
        for folder in ("tests", "test", "spec", "__tests__"):
            if any(path.startswith(f"{folder}/") for path in self.files):
                return f"{folder}/"
        return None

    def tools_for(self, kind: ToolKind) -> tuple[Tool, ...]:
        """Return the tools of a kind, the repository's own first."""
        return tuple(tool for tool in self.tools if tool.kind is kind)
