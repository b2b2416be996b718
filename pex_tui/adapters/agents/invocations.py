"""The command lines of agents with a model, and what of the user's environment they need."""

from pex_tui.adapters.agents.record import AgentRecord
from pex_tui.core.model.plan import Brief, PermissionMode, Talk, TaskSpec
from pex_tui.engine.attempt import LaunchError

_LONGEST_ARGUMENT = 120_000  # bytes; the kernel takes 128 KiB
_CLAUDE_MODES = {
    PermissionMode.ASK: "default",
    PermissionMode.EDITS: "acceptEdits",
    PermissionMode.ALL: "acceptEdits",  # whatever it still asks is allowed one by one
}
_CODEX_SANDBOXES = {
    PermissionMode.ASK: "read-only",
    PermissionMode.EDITS: "workspace-write",
    PermissionMode.ALL: "danger-full-access",
}
_GEMINI_MODES = {
    PermissionMode.ASK: "default",
    PermissionMode.EDITS: "auto_edit",
    PermissionMode.ALL: "yolo",
}
_CLAUDE_ENVIRONMENT = {
    "CLAUDE_CODE_ENABLE_TODO_TOOLS": "1",
    "ENABLE_TOOL_SEARCH": "false",
    "DISABLE_AUTOUPDATER": "1",
}
_UNSEEN_RETRIES = {"CLAUDE_CODE_MAX_RETRIES": "3"}  # its ACP tells nothing of them for minutes
_NEEDED = {  # by provider, whose own secrets these are
    "claude": ("ANTHROPIC_*", "CLAUDE_CODE_*", "CLAUDE_CONFIG_DIR", "DISABLE_*", "CLOUD_ML_REGION"),
    "codex": ("OPENAI_*", "CODEX_*"),
    "gemini": ("GEMINI_*", "GOOGLE_*"),
    "opencode": ("OPENCODE_*", "*_API_KEY"),
}
_OF_A_PARENT = ("CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SSE_PORT", "CLAUDE_CODE_SESSION_ID")


def argv_of(spec: TaskSpec, record: AgentRecord) -> tuple[str, ...]:
    """What starts the attempt; raise LaunchError for a prompt that is too long for it."""
    brief = spec.brief
    if brief is None:
        return spec.argv
    match brief.talk:
        case Talk.CLAUDE:
            options = _claude(brief, record)
        case Talk.CODEX:
            options = _codex(brief, record)
        case Talk.GEMINI:
            options = _gemini(brief, record)
        case Talk.OPENCODE:
            options = _opencode(brief, record)
        case _:
            options = ()
    for option in options:
        if len(option.encode("utf-8", "surrogateescape")) > _LONGEST_ARGUMENT:
            raise LaunchError(
                f"its prompt is too long for {brief.runner}, which takes it as an argument. "
                "Put the details in a file of the repository, and name that.",
                permanent=True,
            )
    return (*spec.argv, *options)


def needed_environment(spec: TaskSpec) -> tuple[str, ...]:
    """Patterns of the variables that the task's agent needs of the user's."""
    return _NEEDED.get(spec.provider, ())


def own_environment(spec: TaskSpec, passed: dict[str, str]) -> dict[str, str]:
    """The passed environment as the task's agent is to have it."""
    if spec.brief is None or spec.provider != Talk.CLAUDE:
        return passed
    retries = _UNSEEN_RETRIES if spec.brief.talk is Talk.ACP else {}
    kept = {name: value for name, value in passed.items() if name not in _OF_A_PARENT}
    return {**_CLAUDE_ENVIRONMENT, **retries, **kept}


def _claude(brief: Brief, record: AgentRecord) -> tuple[str, ...]:
    mode = PermissionMode.ASK if record.read_only else record.mode
    options = [
        *("-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose"),
        *("--replay-user-messages", "--permission-prompt-tool", "stdio"),
        *("--permission-mode", _CLAUDE_MODES[mode]),
        *("--resume" if record.resumes else "--session-id", record.session),
    ]
    if brief.model:
        options += ["--model", brief.model]
    if brief.tools is not None:
        options += ["--tools", ",".join(brief.tools)]
    # most of what it does it does not ask for; `=`, as a rule may look like an option
    options += [f"--disallowedTools={rule}" for rule in brief.permissions.deny]
    if brief.preamble:
        options += ["--append-system-prompt", brief.preamble]
    return tuple(options)


def _codex(brief: Brief, record: AgentRecord) -> tuple[str, ...]:
    mode = PermissionMode.ASK if record.read_only else record.mode
    options = ["exec", "--json", "--skip-git-repo-check", "-s", _CODEX_SANDBOXES[mode]]
    if brief.model:
        options += ["-m", brief.model]
    if record.resumes:
        options += ["resume", record.session]
    return (*options, _argument(record.prompt))


def _gemini(brief: Brief, record: AgentRecord) -> tuple[str, ...]:
    mode = PermissionMode.ASK if record.read_only else record.mode
    options = ["-o", "stream-json", "--approval-mode", _GEMINI_MODES[mode]]
    if brief.model:
        options += ["-m", brief.model]
    if record.resumes:
        options += ["--resume", record.session]
    return (*options, "-p", _argument(record.prompt))


def _opencode(brief: Brief, record: AgentRecord) -> tuple[str, ...]:
    options = ["run", "--format", "json"]
    if brief.model:
        options += ["-m", brief.model]
    if record.resumes:
        options += ["--session", record.session]
    return (*options, _argument(record.prompt))


def _argument(prompt: str) -> str:
    """The prompt such that no program takes it for an option."""
    return f"\n{prompt}" if prompt.startswith("-") else prompt
