"""Tools of a repository that replace an agent when no model is available."""

from collections.abc import Callable, Collection

from msgspec import Struct
from msgspec.structs import replace

from pex_tui.planning.goals import vocabulary as words
from pex_tui.planning.goals.outline import RepositoryOutline, Tool, ToolKind

_KINDS: dict[str, tuple[ToolKind, ...]] = {
    words.ERRORS: (ToolKind.TYPES, ToolKind.LINT, ToolKind.SYNTAX),
    words.TESTS: (ToolKind.TESTS, ToolKind.SYNTAX),
    words.TEST_FIXER: (ToolKind.TESTS,),
    words.STABILITY: (ToolKind.TESTS, ToolKind.SYNTAX),
    words.OBSIDIAN: (ToolKind.TESTS, ToolKind.BUILD),
    words.SPEED: (ToolKind.PROFILE,),
    words.SECURITY: (ToolKind.SECURITY,),
    words.COMPLIANCE: (ToolKind.LICENCES,),
    words.STRUCTURE: (ToolKind.STRUCTURE,),
    words.SCREENS: (ToolKind.SCREENS,),
    words.STATE: (ToolKind.STATE,),
    words.RELEASE: (ToolKind.BUILD, ToolKind.HISTORY),
    words.ROLLBACK: (ToolKind.HISTORY,),
}
_WANTED = {
    words.SECURITY: "a security scanner, such as bandit or npm audit",
    words.COMPLIANCE: "a licence check, such as pip-licenses or cargo deny",
    words.STRUCTURE: "an import checker, such as import-linter",
    words.SCREENS: "screen tests, such as Playwright's",
    words.STATE: "a migration check, such as alembic check",
    words.SPEED: "a profiler or a benchmark",
    words.TESTS: "a test runner",
    words.TEST_FIXER: "a test runner",
    words.OBSIDIAN: "a test runner or a build",
    words.ERRORS: "a type checker or a linter",
}
_PYTHONS = ("python", "python3")
FORMATTING = frozenset(["format", "reformat", "fmt", "formatting", "tidy"])

FindProgram = Callable[[str], str | None]


class Equivalent(Struct, frozen=True):
    """The tool that replaces an agent, or None, and the reason in words."""

    tool: Tool | None
    why: str


def equivalent(
    agent: str,
    outline: RepositoryOutline,
    find_program: FindProgram,
    taken: Collection[tuple[str, ...]] = (),
    *,
    formats: bool = False,
) -> Equivalent:
    """Return the agent's first usable tool that no other task runs (`taken`).

    `formats` means that the goal asks only for formatting, which a tool does itself.
    """
    kinds = _KINDS.get(agent, ())
    if formats and agent == words.ENGINEER:
        kinds = (ToolKind.FORMAT,)
    missing: list[str] = []
    for kind in kinds:
        for tool in _offered(outline, kind):
            found = runnable(tool, find_program)
            if found is None:
                missing.append(f"{tool.name} ({tool.source}) can't be run: {_place(tool.argv[0])}")
            elif found.argv in taken:
                missing.append(f"{tool.name} runs in another step already")
            else:
                return Equivalent(found, f"runs {tool.name} in its place ({tool.source})")
    wanted = _WANTED.get(agent)
    nothing = f"the repository has not got {wanted}" if wanted else "no tool can do its work"
    return Equivalent(None, missing[0] if missing else nothing)


def gate(outline: RepositoryOutline, find_program: FindProgram) -> Tool | None:
    """Return the check for each landing: the tests, else the documentation build."""
    for kind in (ToolKind.TESTS, ToolKind.DOCS):
        for tool in _offered(outline, kind):
            found = runnable(tool, find_program)
            if found is not None:
                return found
    return None


def runnable(tool: Tool, find_program: FindProgram) -> Tool | None:
    """Return the tool if its program exists, else None."""
    names = _PYTHONS if tool.argv[0] == _PYTHONS[0] else (tool.argv[0],)
    for name in names:
        if find_program(name) is not None:
            return replace(tool, argv=(name, *tool.argv[1:]))
    return None


def _offered(outline: RepositoryOutline, kind: ToolKind) -> tuple[Tool, ...]:
    """Return the tools of a kind; the repository's own replace the standard library's."""
    tools = outline.tools_for(kind)
    own = tuple(tool for tool in tools if tool.source != "the standard library")
    return own or tools


def _place(program: str) -> str:
    return "not in the repository" if "/" in program else "not on the PATH"
