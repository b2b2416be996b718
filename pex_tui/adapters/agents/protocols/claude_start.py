"""The options and environment that Claude Code starts with, the latter under any protocol."""

from pex_tui.adapters.agents.record import AgentRecord
from pex_tui.adapters.sandbox.policy import Grant
from pex_tui.core.model.plan import Brief, PermissionMode

VARIABLES = (
    *("ANTHROPIC_*", "CLAUDE_CODE_*", "CLAUDE_CONFIG_DIR", "DISABLE_*", "CLOUD_ML_REGION"),
)
GRANT = Grant(
    hosts=("*.anthropic.com", "claude.ai", "*.claude.ai", "claude.com", "*.claude.com"),
    homes=("~/.claude/", "~/.claude.json", "$CLAUDE_CONFIG_DIR/"),
    kept=tuple(
        f"{folder}/{name}"
        for folder in ("~/.claude", "$CLAUDE_CONFIG_DIR")
        for name in (
            *("settings.json", "settings.local.json", "CLAUDE.md", "agents", "commands", "hooks"),
            *("skills", "plugins", "output-styles", "keybindings.json"),
        )
    ),
)
_OWN = "claude"
_MODES = {
    PermissionMode.ASK: "default",
    PermissionMode.EDITS: "acceptEdits",
    PermissionMode.ALL: "acceptEdits",  # further requests are allowed one by one
}
_ENVIRONMENT = {
    "CLAUDE_CODE_ENABLE_TODO_TOOLS": "1",
    "ENABLE_TOOL_SEARCH": "false",
    "DISABLE_AUTOUPDATER": "1",
}
_UNSEEN_RETRIES = {"CLAUDE_CODE_MAX_RETRIES": "3"}  # its ACP adapter reports nothing for minutes
_OF_A_PARENT = ("CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SSE_PORT", "CLAUDE_CODE_SESSION_ID")


def options(brief: Brief, record: AgentRecord) -> tuple[str, ...]:
    """Return the options of an attempt; the session's id is chosen by us."""
    mode = PermissionMode.ASK if record.read_only else record.mode
    found = [
        *("-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose"),
        *("--replay-user-messages", "--permission-prompt-tool", "stdio"),
        *("--permission-mode", _MODES[mode]),
        *("--resume" if record.resumes else "--session-id", record.session),
    ]
    if brief.model:
        found += ["--model", brief.model]
    if brief.tools is not None:
        found += ["--tools", ",".join(brief.tools)]
    # most calls are not asked for; `=`, because a rule may look like an option
    found += [f"--disallowedTools={rule}" for rule in brief.permissions.deny]
    if brief.preamble:
        found += ["--append-system-prompt", brief.preamble]
    return tuple(found)


def environment(talk: str, passed: dict[str, str]) -> dict[str, str]:
    """Return the passed environment without a parent session, and with progress output enabled."""
    retries = {} if talk == _OWN else _UNSEEN_RETRIES
    kept = {name: value for name, value in passed.items() if name not in _OF_A_PARENT}
    return {**_ENVIRONMENT, **retries, **kept}
