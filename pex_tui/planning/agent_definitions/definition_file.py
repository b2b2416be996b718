"""Parser of agent definitions: Claude Code's frontmatter, the `pex` block, and the prompt below."""

import re
from typing import Annotated, Any

from msgspec import Struct

from pex_tui.core.model.ids import AgentName
from pex_tui.core.model.plan import Expects, PermissionMode, PermissionRules
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from pex_tui.planning.fields.declaration import Key, Section, SectionOf
from pex_tui.planning.fields.documents import Document, read_document
from pex_tui.planning.fields.kinds import Finding, Leaf, choice
from pex_tui.planning.fields.problems import Problem, UnreadableError
from pex_tui.planning.fields.readers import read_list, read_word
from pex_tui.planning.fields.value_types import (
    CommandText,
    Glob,
    Percent,
    PositiveDuration,
    Size,
    Text,
    WordText,
    WriteSet,
)

_FENCE = "---"
TOOLS_THAT_WRITE = frozenset({"Write", "Edit", "MultiEdit", "NotebookEdit", "Bash"})
"""An agent with none of these tools changes no file."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_PLAIN_LINE = re.compile(r"^(name|description):[ \t]+(?![\"'|>\[{&*!])(.*)$", re.MULTILINE)


def _read_name(value: Any) -> str:
    text = read_word(value)
    if _NAME.fullmatch(text) is None:
        raise ValueError(f'"{text}" is not a valid agent name. Use letters, digits and . _ -')
    return text


def _read_tools(value: Any) -> tuple[str, ...] | None:
    """Return the tool names without their restrictions; `*` and nothing mean all tools."""
    listed = value.split(",") if isinstance(value, str) else value
    if listed is None:
        return None
    names = [read_word(name).partition("(")[0].strip() for name in read_list(listed) if name != ""]
    return None if "*" in names else tuple(names)


def _read_mode(value: Any) -> Any:
    if value == PermissionMode.ALL:
        raise ValueError(
            '"all" is for you to say, not for a definition: agents.permissions.mode in your '
            "configuration. Write ask or edits"
        )
    return _MODES.reader(value)


_MODES = choice(list(PermissionMode), PermissionMode)
_MODE, _NAMED, _TOOLS = (Leaf(read, {}) for read in (_read_mode, _read_name, _read_tools))


class PermissionBlock(Section, frozen=True):
    """Permissions that the definition asks for.

    The default adds no restriction to the configuration's.
    """

    mode: Annotated[
        PermissionMode,
        _MODE,
        Key(
            "What the agent may do without asking: ask or edits; may only narrow the configuration."
        ),
    ] = PermissionMode.ALL
    allow: Annotated[
        tuple[WordText, ...],
        Key("Requests that are allowed without asking, such as `Bash(pytest *)`."),
    ] = ()
    deny: Annotated[
        tuple[WordText, ...], Key("Requests that are always denied, such as `Bash(git push *)`.")
    ] = ()


class PexBlock(Section, frozen=True):
    """The part of a definition that only pex-tui reads."""

    runner: Annotated[
        WordText | None, Key("The coding agent that runs it; default from the configuration.")
    ] = None
    permissions: Annotated[
        PermissionBlock | None, Key("What the agent may do without asking: mode, allow and deny.")
    ] = None
    command: Annotated[
        CommandText | None, Key("The program and its arguments, run in place of a coding agent.")
    ] = None
    reads: Annotated[
        tuple[Glob, ...], Key("Globs that its tasks read, unless a task says otherwise.")
    ] = ()
    writes: Annotated[
        WriteSet,
        Key("Globs that its tasks may change, unless a task says otherwise; [] is read-only."),
    ] = None
    cluster: Annotated[
        WordText | None,
        Key("Agents of one cluster run in parallel even if overlaps are predicted."),
    ] = None
    estimate: Annotated[
        PositiveDuration | None, Key("Expected duration of its tasks, until past runs show better.")
    ] = None
    memory: Annotated[
        Size | None, Key("Memory that its tasks are expected to need; a MB is 1024² bytes.")
    ] = None
    cpu: Annotated[
        Percent | None, Key("CPU that its tasks are expected to need; 100% is one core.")
    ] = None
    timeout: Annotated[PositiveDuration | None, Key("An attempt is stopped after this long.")] = (
        None
    )
    expects: Annotated[Expects | None, Key('What "done" must show: changes, none or any.')] = None


class AgentFile(Section, frozen=True):
    """A definition's frontmatter; keys that only Claude Code knows are ignored."""

    name: Annotated[str, _NAMED, Key("The agent's name, by which tasks refer to it.")]
    description: Annotated[
        Text, Key("What the agent is for; an agent that plans a goal chooses by it.")
    ] = ""
    tools: Annotated[
        tuple[str, ...] | None,
        _TOOLS,
        Key("Tools that the agent may use; absent or `*` means all."),
    ] = None
    model: Annotated[WordText | None, Key("The model that the runner is asked to use.")] = None
    pex: PexBlock = PexBlock()


_FRONT = SectionOf(AgentFile)


class BrokenDefinitionError(Exception):
    """A definition that can't be used; `problems` have the reasons with their lines."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(problem.text for problem in problems))
        self.problems = problems


class DefinitionText(Struct, frozen=True):
    """A definition split in two; `prompt_line` is the line where the prompt begins."""

    front: Document
    content: dict[str, Any]
    prompt: str
    prompt_line: int


def read_definition(text: str) -> DefinitionText:
    """Return the frontmatter as data and the prompt below it; raise BrokenDefinitionError."""
    front, prompt, prompt_line = _split(text)
    document = _read_front(front)
    return DefinitionText(document, _front_mapping(document), prompt, prompt_line)


def parse_agent(text: str, stem: str, *, layer: str, path: str) -> AgentDefinition:
    """Parse the definition of a file; `stem` is the agent's name if the frontmatter has none.

    Raises BrokenDefinitionError.
    """
    parts = read_definition(text)
    document = parts.front
    content = {"name": stem, **parts.content}
    if content.get("pex") is None:
        content.pop("pex", None)
    findings: list[Finding] = []
    known = {key: value for key, value in content.items() if key in _FRONT.keys}
    fields = _FRONT.read(known, (), findings)
    if findings or document.problems:
        raise BrokenDefinitionError(_problems(findings, document))
    block = fields.pex
    return AgentDefinition(
        name=AgentName(fields.name),
        description=fields.description.strip(),
        prompt=parts.prompt.strip(),
        tools=fields.tools,
        model=fields.model,
        argv=block.command,
        reads=block.reads,
        writes=block.writes if block.writes is not None else _writes_by_tools(fields.tools),
        cluster=block.cluster,
        estimate_seconds=block.estimate,
        timeout_seconds=block.timeout,
        memory_bytes=block.memory,
        cpu_cores=block.cpu,
        expects=block.expects,
        prefers=block.runner,
        permissions=None if block.permissions is None else _rules(block.permissions),
        layer=layer,
        path=path,
    )


def _rules(block: PermissionBlock) -> PermissionRules:
    return PermissionRules(block.mode, block.allow, block.deny)


def _split(text: str) -> tuple[str, str, int]:
    """Return the frontmatter, the body, and the line where the body begins."""
    lines = text.split("\n")
    if lines[0].strip() != _FENCE:
        problem = Problem(1, "the file does not start with frontmatter. Start it with a line ---.")
        raise BrokenDefinitionError((problem,))
    for place, line in enumerate(lines[1:], start=1):
        if line.rstrip() == _FENCE:
            return "\n".join(lines[1:place]), "\n".join(lines[place + 1 :]), place + 2
    raise BrokenDefinitionError(
        (Problem(1, "the frontmatter has no end. End it with a line ---."),)
    )


def _read_front(front: str) -> Document:
    """Parse the frontmatter; unlike in YAML, names and descriptions need no quotes."""
    try:
        return read_document(front, first_line=2)
    except UnreadableError as error:
        quoted = _PLAIN_LINE.sub(
            lambda found: f"{found[1]}: '{found[2].replace(chr(39), chr(39) * 2)}'", front
        )
        try:
            return read_document(quoted, first_line=2)
        except UnreadableError:
            raise BrokenDefinitionError((error.problem,)) from error


def _front_mapping(document: Document) -> dict[str, Any]:
    if document.content is None:
        return {}
    if not isinstance(document.content, dict):
        problem = Problem(document.line_of(()), "the frontmatter is not a mapping of keys.")
        raise BrokenDefinitionError((problem,))
    return document.content


def _problems(findings: list[Finding], document: Document) -> tuple[Problem, ...]:
    found = []
    for one in findings:
        dotted = ".".join(part for part in one.path if isinstance(part, str))
        found.append(Problem(document.line_of(one.path), f"{dotted}: {one.text}"))
    return tuple(sorted(found + list(document.problems)))


def _writes_by_tools(tools: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Return an empty write set for an agent without tools that write, else None (unknown)."""
    if tools is None or not TOOLS_THAT_WRITE.isdisjoint(tools):
        return None
    return ()
