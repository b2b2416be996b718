"""What an agent may do without a person: the rules of its definition and of the configuration."""

from fnmatch import fnmatchcase

from pex_tui.core.plan import PermissionMode, TaskSpec
from pex_tui.core.state import Verdict
from pex_tui.core.talk_events import PermissionAsked

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


def _denies(rule: str, asked: PermissionAsked) -> bool:
    tool, _, pattern = rule.removesuffix(")").partition("(")
    if not fnmatchcase(asked.tool, tool):
        return False
    return not pattern or any(fnmatchcase(touched, pattern) for touched in asked.touches)


def _allows(rule: str, asked: PermissionAsked) -> bool:
    """All that it touches has to match; a pattern covers no second command behind a first."""
    tool, _, pattern = rule.removesuffix(")").partition("(")
    if not fnmatchcase(asked.tool, tool):
        return False
    return not pattern or (
        bool(asked.touches) and all(_covers(pattern, touched) for touched in asked.touches)
    )


def _covers(pattern: str, touched: str) -> bool:
    if touched == pattern:
        return True
    return fnmatchcase(touched, pattern) and _SHELL_OPERATORS.isdisjoint(touched)
