"""Resolution of a task's fields to its specification, with agent, history and configuration."""

import shlex
import textwrap
from posixpath import normpath
from typing import TypeVar

from pex_tui.core.figures.experience import GUESSED_SPREAD, Learned, TaskWork
from pex_tui.core.formatting import size
from pex_tui.core.globs.globs import matches, names_a_file
from pex_tui.core.model.ids import AgentName, LockName, TaskId
from pex_tui.core.model.plan import Brief, Expects, Isolation, LockRequest, TaskSpec
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from pex_tui.planning.agent_definitions.runners import COMMAND
from pex_tui.planning.fields.schema import TaskFile
from pex_tui.planning.fields.validation_text import nearest
from pex_tui.planning.plan_file.argument_sizes import check_sizes
from pex_tui.planning.plan_file.context import PlanContext
from pex_tui.planning.plan_file.prompt_paths import predicted_writes
from pex_tui.planning.plan_file.task_fields import PlanFields, TaskFields

Number = TypeVar("Number", int, float)

SUBJECT_LIMIT = 72
SHELL = ("sh", "-c")

_MOST_NAMES_TOLD = 8


def resolve_task(
    draft: PlanFields, task: TaskFields, context: PlanContext, needs: tuple[TaskId, ...]
) -> TaskSpec | None:
    """Return the task's specification, or None after recording errors in `draft`."""
    if task.fields is None:
        return None
    agent = _agent(draft, task, context)
    argv, brief = _start(draft, task, agent, context)
    fields = task.fields
    folder = _folder(draft, task, context)
    writes = _writes(fields, agent, context)
    _check_isolation(draft, task, writes)
    _check_memory(draft, task, context)
    if argv is None:
        return None
    check_sizes(draft, task, argv if brief is None else ())
    defaults = agent or AgentDefinition(AgentName(""))
    runner = "" if brief is None else brief.runner
    work = TaskWork(argv, fields.prompt, fields.agent or "", runner, folder)
    estimate = _estimate(fields, defaults, context, work)
    return TaskSpec(
        id=TaskId(fields.id),
        argv=argv,
        agent=None if agent is None else agent.name,
        prompt=fields.prompt,
        needs=needs,
        reads=_as_there(fields.reads or defaults.reads, context),
        writes=writes,
        predicted_writes=() if writes is not None else predicted_writes(fields.prompt, context),
        beside=tuple(dict.fromkeys(TaskId(other) for other in fields.beside)),
        locks=tuple(LockRequest(LockName(name), mode) for name, mode in fields.locks),
        priority=fields.priority,
        estimate_seconds=estimate.seconds,
        estimate_spread=estimate.spread,
        timeout_seconds=_first(fields.timeout, defaults.timeout_seconds),
        retries=fields.retries,
        memory_bytes=_first(fields.memory, defaults.memory_bytes),
        cpu_cores=_first(fields.cpu, defaults.cpu_cores),
        env=fields.env,
        stage=fields.stage,
        isolation=_isolation(fields, writes, context),
        expects=_expects(fields, defaults, writes),
        commit_message=fields.commit.strip() or _commit_message(fields, argv, draft.head.goal),
        enabled=fields.enabled,
        brief=brief,
        folder=folder,
    )


def check_program(
    draft: PlanFields,
    where: str,
    line: int,
    argv: tuple[str, ...],
    context: PlanContext,
    folder: str = "",
) -> None:
    """Record a command whose program is missing; commands within a shell line are not checked."""
    program = argv[0]
    if folder and "/" in program and not program.startswith("/"):
        program = normpath(f"{folder}/{program}")
    if argv[:2] == SHELL or context.find_program(program) is not None:
        return
    if "/" not in program:
        text = f'{where}: the program "{program}" is not on the PATH. Install it, or fix the name.'
    elif _is_written_by_a_task(draft, program):
        return
    else:
        text = f'{where}: the program "{program}" is not in the repository. Fix the path.'
    draft.complain(line, text)


def _is_written_by_a_task(draft: PlanFields, program: str) -> bool:
    path = program.removeprefix("./")
    return any(
        matches(pattern, path)
        for task in draft.tasks
        if task.fields is not None
        for pattern in task.fields.writes or ()
    )


def _agent(draft: PlanFields, task: TaskFields, context: PlanContext) -> AgentDefinition | None:
    fields = task.fields
    if fields is None or fields.agent is None:
        return None
    agent = context.agents.get(AgentName(fields.agent))
    if agent is None:
        names = sorted(context.agents)
        guess = nearest(fields.agent, names)
        if not guess and 0 < len(names) <= _MOST_NAMES_TOLD:
            guess = f"Known are {', '.join(names)}."
        remedy = guess or "Name one of .claude/agents/, of yours, or of config/agents/."
        line = draft.document.line_of(("tasks", task.position, "agent"))
        draft.complain(
            line, f'{task.label}: the agent "{fields.agent}" is not in the library. {remedy}'
        )
    return agent


def _start(
    draft: PlanFields, task: TaskFields, agent: AgentDefinition | None, context: PlanContext
) -> tuple[tuple[str, ...] | None, Brief | None]:
    """Return the checked argv and the brief of an agent with a model; None without either."""
    fields = task.fields
    if fields is None or not task.reads_well("command", "agent"):
        return None, None
    if fields.command is not None:
        line = draft.document.line_of(("tasks", task.position, "command"))
        check_program(
            draft, task.label, line, fields.command, context, task_folder(draft, task, context)
        )
        return fields.command, None
    if fields.agent is None:
        draft.complain(task.line, f"{task.label} has neither a command nor an agent. Give it one.")
        return None, None
    if agent is None:
        return None, None
    line = draft.document.line_of(("tasks", task.position, "agent"))
    if agent.argv is not None and context.runners.names_for(agent) == COMMAND:
        who, folder = f'{task.label}, agent "{agent.name}"', task_folder(draft, task, context)
        check_program(draft, who, line, agent.argv, context, folder)
        return agent.argv, None
    runner = context.runners.find(agent, context.find_program)
    if isinstance(runner, str):
        draft.complain(
            line,
            f'{task.label}: the agent "{agent.name}" can\'t be run: {runner}. '
            "Install one or choose another with --agent, or give the task a command, which finds "
            "the prompt in $PEX_PROMPT.",
        )
        return None, None
    return runner.argv, Brief(
        runner=runner.name,
        talk=runner.talk,
        provider=runner.provider,
        preamble=agent.prompt,
        model=agent.model or "",
        tools=agent.tools,
        permissions=context.runners.permissions_of(agent),
    )


def _writes(
    fields: TaskFile, agent: AgentDefinition | None, context: PlanContext
) -> tuple[str, ...] | None:
    if fields.writes is not None:
        return _as_there(fields.writes, context)
    if agent is not None and agent.writes is not None:
        return _as_there(agent.writes, context)
    return () if fields.isolation == "shared" else None  # a shared checkout can't be changed


def _as_there(globs: tuple[str, ...], context: PlanContext) -> tuple[str, ...]:
    """Return the globs; one for a folder with a file's name (`socket.io`) gets a slash."""
    return tuple(
        f"{glob}/" if glob in context.folders and names_a_file(glob.rpartition("/")[2]) else glob
        for glob in globs
    )


def task_folder(draft: PlanFields, task: TaskFields, context: PlanContext) -> str:
    """Return the task's working directory: its own, the plan's, or the plan file's folder."""
    own = task.fields.dir if task.fields else None
    return next(one for one in (own, draft.head.dir, context.folder) if one is not None)


def _folder(draft: PlanFields, task: TaskFields, context: PlanContext) -> str:
    """Return the working directory; record one that git does not track and no task makes."""
    folder = task_folder(draft, task, context)
    if not folder or not context.tracked or folder in context.folders:
        return folder
    is_own = task.fields is not None and task.fields.dir is not None
    line = draft.document.line_of(("tasks", task.position, "dir") if is_own else ("dir",))
    if folder in context.tracked:
        draft.complain(line, f'{task.label}: "{folder}" is a file or a link. Name a folder.')
    elif not _is_written_by_a_task(draft, f"{folder}/x"):
        draft.complain(
            line,
            f'{task.label}: git tracks nothing in "{folder}", so it is in no workspace. Fix the '
            "path, or let an earlier task write into it.",
        )
    return folder


def _check_memory(draft: PlanFields, task: TaskFields, context: PlanContext) -> None:
    wanted = task.fields.memory if task.fields else None
    there = context.memory_bytes
    if wanted is not None and there is not None and wanted > there:
        line = draft.document.line_of(("tasks", task.position, "memory"))
        draft.complain(
            line,
            f"{task.label}: it asks for {size(wanted)} of memory, and this machine has "
            f"{size(there)}. Lower it.",
        )


def _check_isolation(draft: PlanFields, task: TaskFields, writes: tuple[str, ...] | None) -> None:
    fields = task.fields
    if fields is None or not task.reads_well("writes", "isolation", "expects", "agent"):
        return
    if fields.isolation == "shared" and writes:
        line = draft.document.line_of(("tasks", task.position, "isolation"))
        draft.complain(
            line,
            f"{task.label}: a shared checkout can't be changed, and the task writes "
            f"{', '.join(writes)}. Write isolation: worktree, or writes: [].",
        )
    if fields.expects is Expects.CHANGES and writes == ():
        line = draft.document.line_of(("tasks", task.position, "expects"))
        draft.complain(
            line,
            f"{task.label} expects changes and may change nothing. "
            "Declare what it writes, or write expects: none.",
        )


def _isolation(fields: TaskFile, writes: tuple[str, ...] | None, context: PlanContext) -> Isolation:
    asked = Isolation.WORKTREE if fields.isolation == "clone" else Isolation(fields.isolation)
    if asked is Isolation.AUTO:
        asked = context.isolation
    if asked is not Isolation.AUTO:
        return asked
    return Isolation.SHARED if writes == () else Isolation.WORKTREE


def _expects(
    fields: TaskFile, defaults: AgentDefinition, writes: tuple[str, ...] | None
) -> Expects:
    if fields.expects is not None:
        return fields.expects
    if writes == ():
        return Expects.NONE
    return defaults.expects or Expects.ANY


def _estimate(
    fields: TaskFile, defaults: AgentDefinition, context: PlanContext, work: TaskWork
) -> Learned:
    """Return the estimate: the plan's, else learned, else the agent's, else the configured one."""
    if fields.estimate:
        return Learned(fields.estimate)
    known = context.experience.of(work)
    if known is not None:
        return known
    return Learned(defaults.estimate_seconds or context.estimate_seconds, GUESSED_SPREAD)


def _first(*values: Number | None) -> Number | None:
    return next((value for value in values if value is not None), None)


def _commit_message(fields: TaskFile, argv: tuple[str, ...], goal: str) -> str:
    """Return a subject from id and goal, and the prompt as body."""
    shown = argv[2] if argv[:2] == SHELL and len(argv) > len(SHELL) else shlex.join(argv)
    prompt = fields.prompt.strip()
    about = next(
        (line for text in (goal, prompt, shown) for line in text.split("\n") if line.strip()), ""
    )
    subject = shorten(f"{fields.id}: {' '.join(about.split())}", SUBJECT_LIMIT)
    return f"{subject}\n\n{prompt}" if prompt else subject


def shorten(text: str, limit: int) -> str:
    """Shorten the text to at most `limit` characters, between words where possible."""
    if len(text) <= limit:
        return text
    cut = textwrap.shorten(text, limit, placeholder="…")
    return cut if len(cut) > limit // 2 else text[: limit - 1] + "…"
