"""What an agent may do without a person: the rules of its definition and of the configuration."""

import re
from fnmatch import fnmatchcase

from pex_tui.core.plan import PermissionMode, TaskSpec
from pex_tui.core.state import Verdict
from pex_tui.core.talk_events import PermissionAsked

_EDITORS = frozenset({"Edit", "Write", "MultiEdit", "NotebookEdit"})
_BETWEEN_COMMANDS = re.compile(r"[;&|`(){}\n]+|\$\(")
_SHELL_OPERATORS = frozenset(";&|`$<>(){}\n\\")


def ruling(spec: TaskSpec, asked: PermissionAsked) -> tuple[Verdict, str] | None:
    """The verdict and whose it is, or None where a person has to decide."""
    if spec.brief is None:
        return None
    rules = spec.brief.permissions
    denied = next((rule for rule in rules.deny if _denies(rule, asked)), None)
    if denied is not None:
        return Verdict.DENY, f"the rule {denied}"
    if asked.edits and spec.is_read_only:
        return Verdict.DENY, "its promise to change nothing"
    allowed = next((rule for rule in rules.allow if _allows(rule, asked)), None)
    if allowed is not None:
        return Verdict.ALLOW_ONCE, f"the rule {allowed}"
    if rules.mode is PermissionMode.ALL:
        return Verdict.ALLOW_ONCE, "permissions: all"
    if asked.edits and rules.mode is PermissionMode.EDITS:
        return Verdict.ALLOW_ONCE, "permissions: edits"
    return None


def _is_about(tool: str, asked: PermissionAsked) -> bool:
    """Whether a rule's tool is the asked one; agents have many names for that which edits."""
    return fnmatchcase(asked.tool, tool) or {tool, asked.tool} <= _EDITORS


def _denies(rule: str, asked: PermissionAsked) -> bool:
    tool, _, pattern = rule.removesuffix(")").partition("(")
    if not _is_about(tool, asked):
        return False
    return not pattern or any(_hits(pattern, touched) for touched in asked.touches)


def _hits(pattern: str, touched: str) -> bool:
    """Whether a pattern matches the whole or any command of a line, also one without arguments."""
    commands = (touched, *(part.strip() for part in _BETWEEN_COMMANDS.split(touched)))
    bare = pattern.removesuffix(" *")
    return any(fnmatchcase(command, pattern) or command == bare for command in commands)


def _allows(rule: str, asked: PermissionAsked) -> bool:
    """All that it touches has to match; a pattern covers no second command behind a first."""
    tool, _, pattern = rule.removesuffix(")").partition("(")
    if not _is_about(tool, asked):
        return False
    return not pattern or (
        bool(asked.touches) and all(_covers(pattern, touched) for touched in asked.touches)
    )


def _covers(pattern: str, touched: str) -> bool:
    if touched == pattern:
        return True
    return fnmatchcase(touched, pattern) and _SHELL_OPERATORS.isdisjoint(touched)
