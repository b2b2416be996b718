"""The keys of the plan file, from which its JSON Schema is generated.

Regenerate the schema with `python -m tests.tools`.
"""

from typing import Annotated, Any, Literal

from pex_tui.core.model.plan import Expects, GatePolicy, Priority, Strategy
from pex_tui.planning.fields.declaration import Key, Section, SectionOf
from pex_tui.planning.fields.kinds import Leaf, OrNone, whole
from pex_tui.planning.fields.readers import read_word
from pex_tui.planning.fields.value_types import (
    Commands,
    CommandText,
    Env,
    Folder,
    Glob,
    Locks,
    Percent,
    PositiveDuration,
    Revision,
    Size,
    Slots,
    TaskIdText,
    Text,
    WordText,
    WriteSet,
)


def _read_version(value: Any) -> Any:
    if read_word(value) != "1":
        raise ValueError(f'"{value}" is not known here. Write version: 1, or get a newer pex-tui')
    return 1


_VERSION = Leaf(_read_version, {"const": 1})
IsolationText = Literal["auto", "worktree", "clone", "shared"]


class TaskFile(Section, frozen=True):
    """One task: a command or an agent, what it needs, and what it may touch."""

    id: Annotated[TaskIdText, Key("Names the task; unique in the plan.", examples=("audit",))]
    agent: Annotated[
        WordText | None,
        Key(
            "An agent of the library; gives the command and the defaults.",
            examples=("security-agent",),
        ),
    ] = None
    prompt: Annotated[
        Text,
        Key(
            "What the task is to do; its command finds it in $PEX_PROMPT, and whole in the file "
            "$PEX_PROMPT_FILE however long it is.",
            examples=("Review src/api and write reports/security.md",),
        ),
    ] = ""
    command: Annotated[
        CommandText | None,
        Key(
            "The program and its arguments; plain text is a line for `sh -c`.",
            examples=(
                ["pytest", "-q", "tests/unit"],
                "make docs",
            ),
        ),
    ] = None
    dir: Annotated[
        Folder | None,
        Key(
            "The folder of the repository that its command runs in; default the plan's.",
            examples=("packages/api",),
        ),
    ] = None
    needs: Annotated[
        tuple[WordText, ...],
        Key("Tasks that have to succeed first, all of them.", examples=(["audit"],)),
    ] = ()
    reads: Annotated[
        tuple[Glob, ...],
        Key(
            "Globs that the task reads; never blocks, only warns of stale reads.",
            examples=(["src/api/**"],),
        ),
    ] = ()
    writes: Annotated[
        WriteSet,
        Key(
            "Globs that the task may change, relative to the repository: src/**, src/*.{ts,tsx}, "
            "docs/ (all below it); [] is read-only, absent is unknown.",
            examples=(
                ["reports/security.md"],
                [],
            ),
        ),
    ] = None
    locks: Annotated[
        Locks,
        Key(
            "Named locks held while the task runs; `name: shared` for a shared one.",
            examples=(
                ["postgres"],
                [{"cache": "shared"}],
            ),
        ),
    ] = ()
    beside: Annotated[
        tuple[WordText, ...],
        Key(
            "Tasks that it may run beside although their writes overlap, or seem to.",
            examples=(["docs"],),
        ),
    ] = ()
    priority: Annotated[Priority, Key("Higher priorities start first.", examples=("high",))] = (
        Priority.NORMAL
    )
    estimate: Annotated[
        PositiveDuration | None,
        Key(
            "Expected duration; else learned from past runs, else the agent's default.",
            examples=("3m",),
        ),
    ] = None
    timeout: Annotated[
        PositiveDuration | None, Key("The attempt is stopped after this long.", examples=("20m",))
    ] = None
    retries: Annotated[
        int | None,
        OrNone(whole(0, 100)),
        Key("Attempts after the first; default from the configuration.", examples=(3,)),
    ] = None
    memory: Annotated[
        Size | None,
        Key("Memory that the task is expected to need; a MB is 1024² bytes.", examples=("512MB",)),
    ] = None
    cpu: Annotated[
        Percent | None,
        Key("CPU that the task is expected to need; 100% is one core.", examples=("100%",)),
    ] = None
    env: Annotated[
        Env, Key("Environment variables of the task's process.", examples=({"PGDATABASE": "test"},))
    ] = ()
    stage: Annotated[
        int | None,
        OrNone(whole(1, 10_000)),
        Key(
            "With `strategy: stages`: a stage starts when the one before has ended.", examples=(1,)
        ),
    ] = None
    isolation: Annotated[
        IsolationText,
        Key(
            "Where the task works: auto is shared for `writes: []`, else a repository of its own, "
            "which worktree and clone both mean.",
            examples=("auto",),
        ),
    ] = "auto"
    expects: Annotated[
        Expects | None,
        Key(
            'What "done" must show; default none for `writes: []`, else any.', examples=("changes",)
        ),
    ] = None
    commit: Annotated[
        Text,
        Key(
            "The commit message; default made from id and goal.", examples=("test: cover the API",)
        ),
    ] = ""
    enabled: Annotated[bool, Key("False leaves the task out of the run.", examples=(True,))] = True


class PlanHead(Section, frozen=True):
    """Everything in a plan file but its tasks."""

    version: Annotated[int, _VERSION, Key("The version of this format.", examples=(1,))] = 1
    goal: Annotated[
        Text, Key("What the whole plan is for, in free text.", examples=("Harden the public API",))
    ] = ""
    base: Annotated[
        Revision | None,
        Key("The commit that the run starts from; default HEAD.", examples=("main",)),
    ] = None
    dir: Annotated[
        Folder | None,
        Key(
            "The folder that tasks run in; default where the plan file lies. Globs stay relative "
            "to the repository, and verify runs at its root.",
            examples=("packages/api",),
        ),
    ] = None
    slots: Annotated[
        Slots | None,
        Key("How many tasks run at once; default from the configuration.", examples=(5,)),
    ] = None
    strategy: Annotated[Strategy, Key("How much may run in parallel.", examples=("auto",))] = (
        Strategy.AUTO
    )
    verify: Annotated[
        Commands,
        Key(
            "The gate: commands that must pass on the merged tree before each landing.",
            examples=([["pytest", "-q"]],),
        ),
    ] = ()
    gate: Annotated[
        GatePolicy,
        Key(
            "When the base is red as well: strict lands nothing, off drops the gate.",
            examples=("strict",),
        ),
    ] = GatePolicy.STRICT


class PlanFile(PlanHead, frozen=True, kw_only=True):
    """A plan for pex-tui: tasks for a team of agents on one repository."""

    tasks: Annotated[tuple[TaskFile, ...], Key("The tasks, in the order in which equals start.")]


def plan_schema() -> dict[str, Any]:
    """Return the JSON Schema of the plan file."""
    found = SectionOf(PlanFile).schema()
    found["properties"]["tasks"]["minItems"] = 1
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Plan of pex-tui",
        **found,
    }
