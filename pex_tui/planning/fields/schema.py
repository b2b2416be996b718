"""The plan file as types, and the JSON Schema made from them.

Regenerate the schema with `python -m pex_tui.planning.fields.schema > config/schema/plan.json`.
"""

import json
import sys
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from pex_tui.core.model.plan import Expects, GatePolicy, Priority, Strategy
from pex_tui.planning.fields.field_types import (
    Command,
    Commands,
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
    Word,
    Words,
)
from pex_tui.planning.fields.readers import read_list, read_word


def _read_writes(value: Any) -> Any:
    if value is None:
        raise ValueError("it is empty. Write [] for a task that changes nothing, or drop the key")
    return read_list(value)


def _read_version(value: Any) -> Any:
    if read_word(value) != "1":
        raise ValueError(f'"{value}" is not known here. Write version: 1, or get a newer pex-tui')
    return 1


Globs = Annotated[tuple[Glob, ...], BeforeValidator(read_list)]
WriteSet = Annotated[
    tuple[Glob, ...] | None,
    BeforeValidator(_read_writes),
    WithJsonSchema({"type": "array", "items": {"type": "string", "minLength": 1}}),
]
IsolationText = Literal["auto", "worktree", "clone", "shared"]


class _PlanModel(BaseModel):
    """Unknown keys are mistakes. Descriptions are no docstrings: those are slow to collect."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TaskFile(_PlanModel):
    """One task: a command or an agent, what it needs, and what it may touch."""

    id: TaskIdText = Field(examples=["audit"], description="Names the task; unique in the plan.")
    agent: Word | None = Field(
        default=None,
        examples=["security-agent"],
        description="An agent of the library; gives the command and the defaults.",
    )
    prompt: Text = Field(
        default="",
        examples=["Review src/api and write reports/security.md"],
        description="What the task is to do; its command finds it in $PEX_PROMPT, and whole in the "
        "file $PEX_PROMPT_FILE however long it is.",
    )
    command: Command | None = Field(
        default=None,
        examples=[["pytest", "-q", "tests/unit"], "make docs"],
        description="The program and its arguments; plain text is a line for `sh -c`.",
    )
    dir: Folder | None = Field(
        default=None,
        examples=["packages/api"],
        description="The folder of the repository that its command runs in; default the plan's.",
    )
    needs: Words = Field(
        default=(),
        examples=[["audit"]],
        description="Tasks that have to succeed first, all of them.",
    )
    reads: Globs = Field(
        default=(),
        examples=[["src/api/**"]],
        description="Globs that the task reads; never blocks, only warns of stale reads.",
    )
    writes: WriteSet = Field(
        default=None,
        examples=[["reports/security.md"], []],
        description="Globs that the task may change, relative to the repository: src/**, "
        "src/*.{ts,tsx}, docs/ (all below it); [] is read-only, absent is unknown.",
    )
    locks: Locks = Field(
        default=(),
        examples=[["postgres"], [{"cache": "shared"}]],
        description="Named locks held while the task runs; `name: shared` for a shared one.",
    )
    beside: Words = Field(
        default=(),
        examples=[["docs"]],
        description="Tasks that it may run beside although their writes overlap, or seem to.",
    )
    priority: Priority = Field(
        default=Priority.NORMAL, examples=["high"], description="Higher priorities start first."
    )
    estimate: PositiveDuration | None = Field(
        default=None,
        examples=["3m"],
        description="Expected duration; else learned from past runs, else the agent's default.",
    )
    timeout: PositiveDuration | None = Field(
        default=None, examples=["20m"], description="The attempt is stopped after this long."
    )
    retries: int | None = Field(
        default=None,
        ge=0,
        le=100,
        examples=[3],
        description="Attempts after the first; default from the configuration.",
    )
    memory: Size | None = Field(
        default=None,
        examples=["512MB"],
        description="Memory that the task is expected to need; a MB is 1024² bytes.",
    )
    cpu: Percent | None = Field(
        default=None,
        examples=["100%"],
        description="CPU that the task is expected to need; 100% is one core.",
    )
    env: Env = Field(
        default=(),
        examples=[{"PGDATABASE": "test"}],
        description="Environment variables of the task's process.",
    )
    stage: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        examples=[1],
        description="With `strategy: stages`: a stage starts when the one before has ended.",
    )
    isolation: IsolationText = Field(
        default="auto",
        examples=["auto"],
        description="Where the task works: auto is shared for `writes: []`, else a repository of "
        "its own, which worktree and clone both mean.",
    )
    expects: Expects | None = Field(
        default=None,
        examples=["changes"],
        description='What "done" must show; default none for `writes: []`, else any.',
    )
    commit: Text = Field(
        default="",
        examples=["test: cover the API"],
        description="The commit message; default made from id and goal.",
    )
    enabled: bool = Field(
        default=True, examples=[True], description="False leaves the task out of the run."
    )


class PlanHead(_PlanModel):
    """Everything in a plan file but its tasks."""

    version: Annotated[Literal[1], BeforeValidator(_read_version)] = Field(
        default=1, examples=[1], description="The version of this format."
    )
    goal: Text = Field(
        default="",
        examples=["Harden the public API"],
        description="What the whole plan is for, in free text.",
    )
    base: Revision | None = Field(
        default=None,
        examples=["main"],
        description="The commit that the run starts from; default HEAD.",
    )
    dir: Folder | None = Field(
        default=None,
        examples=["packages/api"],
        description="The folder that tasks run in; default where the plan file lies. Globs stay "
        "relative to the repository, and verify runs at its root.",
    )
    slots: Slots | None = Field(
        default=None,
        examples=[5],
        description="How many tasks run at once; default from the configuration.",
    )
    strategy: Strategy = Field(
        default=Strategy.AUTO, examples=["auto"], description="How much may run side by side."
    )
    verify: Commands = Field(
        default=(),
        examples=[[["pytest", "-q"]]],
        description="The gate: commands that must pass on the merged tree before each landing.",
    )
    gate: GatePolicy = Field(
        default=GatePolicy.STRICT,
        examples=["strict"],
        description="When the base is red as well: strict lands nothing, off drops the gate.",
    )


class PlanFile(PlanHead):
    """A plan for pex-tui: tasks for a team of agents on one repository."""

    tasks: list[TaskFile] = Field(
        min_length=1, description="The tasks, in the order in which equals start."
    )


def plan_schema() -> dict[str, Any]:
    """The JSON Schema of the plan file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **PlanFile.model_json_schema(),
    }


def schema_text(schema: dict[str, Any]) -> str:
    """The schema as it stands in its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text(plan_schema()))
