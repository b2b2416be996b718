"""Prompts for agents: the task, the rules of a shared repository, and earlier outcomes."""

from pex_tui.adapters.agents.protocols.registry import protocol_of
from pex_tui.core.model.plan import TaskSpec
from pex_tui.engine.ports import Workspace

_RULES = """\
You are one of several agents that work on this repository in parallel, each in its own checkout.
Yours is {path}. Stay inside it. Leave your changes there, uncommitted: they are checked and
committed for you when you are done. Don't commit, push, switch branches or touch git's own files.
{writes}
Nobody may be there to answer, so decide what you can and say in your last message what you did,
what you checked, and what is left."""
_READS_ONLY = "Change nothing: your task is to look and to report."
_MAY_WRITE = "Change only what matches {globs}; other agents have the rest."
_MAY_WRITE_ANY = "Change only what your task needs; other agents work on other parts."


def task_prompt(spec: TaskSpec, workspace: Workspace) -> str:
    """Return the prompt of a new session; it holds the definition's if that has no own channel."""
    parts = [spec.prompt.strip() or spec.title, _rules(spec, workspace)]
    brief = spec.brief
    if brief is not None and brief.preamble and not protocol_of(brief.talk).takes_preamble:
        parts.insert(0, brief.preamble)
    return _clean("\n\n".join(parts))


def lesson_prompt(lesson: str, workspace: Workspace) -> str:
    """Return the prompt that continues a session."""
    return _clean(f"{lesson}\n\n{_place(workspace)}")


def taught_prompt(spec: TaskSpec, workspace: Workspace, lesson: str, last_words: str) -> str:
    """Return the prompt of a new session for a task that was attempted before."""
    parts = [
        task_prompt(spec, workspace),
        "This task was attempted before.",
        lesson,
        _place(workspace),
    ]
    if last_words:
        parts.append(f"The previous attempt ended with this message:\n\n{last_words}")
    return _clean("\n\n".join(parts))


def _rules(spec: TaskSpec, workspace: Workspace) -> str:
    if spec.is_read_only:
        writes = _READS_ONLY
    elif spec.writes is None:
        writes = _MAY_WRITE_ANY
    else:
        writes = _MAY_WRITE.format(globs=", ".join(spec.writes))
    return _RULES.format(path=workspace.path, writes=writes)


def _place(workspace: Workspace) -> str:
    at = f"Your checkout is {workspace.path}, on commit {workspace.commit[:12]}"
    if workspace.holds_work:
        return f"{at}, and holds your changes so far, uncommitted. Go on from there."
    return f"{at}, without any of your earlier changes: redo what is still needed."


def _clean(text: str) -> str:
    return text.replace("\0", "").strip()
