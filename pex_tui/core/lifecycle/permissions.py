"""Decision of permission requests by the rules of agent definitions and configuration.

A deny rule applies to what a shell line really runs. If that is unknown, a person is asked; if even
the tool is unknown, the rule denies. An allow rule covers one plain command, or paths, and nothing
else.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from pex_tui.core.events.agent_events import PermissionAsked
from pex_tui.core.lifecycle.rule_patterns import Concern, concern, covers
from pex_tui.core.model.plan import PermissionMode, TaskSpec
from pex_tui.core.model.task_state import Verdict

UNKNOWN_TOOL = "Tool"
"""The tool of a request that names none."""

UNKNOWN_TOOLS = frozenset({"", UNKNOWN_TOOL, "Other"})
_SHELL = "Bash"
_EDITORS = frozenset({"Edit", "Write", "MultiEdit", "NotebookEdit"})
_READERS = frozenset({"Read", "Grep", "Glob", "LS", "NotebookRead", "Search"})
_NO_SHELLS = _EDITORS | _READERS | {"WebFetch", "WebSearch", "TodoWrite", "Task"}
_HOST = "domain:"


def ruling(spec: TaskSpec, asked: PermissionAsked) -> tuple[Verdict, str] | None:
    """Return the verdict and its source, or None if a person has to decide."""
    if spec.brief is None:
        return None
    rules = spec.brief.permissions
    sureness, denying = forbidden(rules.deny, asked.tool, asked.touches)
    if sureness is Concern.YES:
        return Verdict.DENY, denying
    if asked.edits and spec.is_read_only:
        return Verdict.DENY, "its promise to change nothing"
    if sureness is Concern.UNCERTAIN:
        written = next((rule for rule in rules.allow if _is_written(rule, asked)), None)
        return None if written is None else (Verdict.ALLOW_ONCE, f"the rule {written}")
    allowed = next((rule for rule in rules.allow if _allows(rule, asked)), None)
    if allowed is not None:
        return Verdict.ALLOW_ONCE, f"the rule {allowed}"
    if rules.mode is PermissionMode.ALL:
        return Verdict.ALLOW_ONCE, "permissions: all"
    if asked.edits and rules.mode is PermissionMode.EDITS:
        return Verdict.ALLOW_ONCE, "permissions: edits"
    return None


def forbidden(deny: Iterable[str], tool: str, touches: tuple[str, ...]) -> tuple[Concern, str]:
    """Return how surely a deny rule covers a use of a tool, and the rule; "" if none does."""
    doubt = Concern.NO
    for rule in deny:
        if tool in UNKNOWN_TOOLS:
            return Concern.YES, f"the rule {rule}, as nothing says which tool it would use"
        found = _denies(rule, tool, touches)
        if found is Concern.YES:
            return found, f"the rule {rule}"
        doubt = max(doubt, found)
    return doubt, ""


def _parts(rule: str) -> tuple[str, str]:
    """Return a rule's tool and its pattern, if any."""
    tool, _, pattern = rule.strip().removesuffix(")").partition("(")
    return tool.strip(), pattern.strip()


def _is_about(rule_tool: str, tool: str) -> bool:
    """Return whether a rule's tool is the requested one; editing has many names."""
    if fnmatchcase(tool.casefold(), rule_tool.casefold()):
        return True
    return {rule_tool, tool} <= _EDITORS or tool.startswith(f"{rule_tool}__")


def _denies(rule: str, tool: str, touches: tuple[str, ...]) -> Concern:
    rule_tool, pattern = _parts(rule)
    is_shell = rule_tool.casefold() == _SHELL.casefold()
    if not (_is_about(rule_tool, tool) or {rule_tool, tool} <= _READERS):
        if is_shell and pattern and tool not in _NO_SHELLS:  # a shell by another name
            found = max((concern(pattern, touched) for touched in touches), default=Concern.NO)
            return Concern.YES if found is Concern.YES else Concern.NO
        return Concern.NO
    if not pattern or not touches:  # without paths or commands, no pattern can be checked
        return Concern.YES
    if is_shell or tool == _SHELL:
        return max(concern(pattern, touched) for touched in touches)
    hits = any(_hits(pattern, touched) for touched in touches)
    return Concern.YES if hits else Concern.NO


def _hits(pattern: str, touched: str) -> bool:
    """Return whether a pattern matches a path or an address, in any of its spellings."""
    if pattern.startswith(_HOST):
        return fnmatchcase(urlsplit(touched).hostname or "", pattern.removeprefix(_HOST))
    plain = pattern.removeprefix("./")
    forms = {plain, plain.lstrip("/") or plain, plain.replace("**/", "")}
    forms |= {f"{form.rstrip('/')}/*" for form in forms}
    forms |= {f"*{form.removeprefix('~')}" for form in forms if form.startswith("~/")}
    return any(fnmatchcase(touched.removeprefix("./"), form) for form in forms)


def _allows(rule: str, asked: PermissionAsked) -> bool:
    """Return whether an allow rule covers everything that the request touches."""
    tool, pattern = _parts(rule)
    if not _is_about(tool, asked.tool):
        return False
    return not pattern or (
        bool(asked.touches)
        and all(_covers(pattern, touched, asked.tool) for touched in asked.touches)
    )


def _covers(pattern: str, touched: str, tool: str) -> bool:
    if touched == pattern:
        return True
    if tool in _NO_SHELLS:
        if pattern.startswith(_HOST):
            return _hits(pattern, touched)
        is_climbing = ".." in PurePosixPath(touched).parts
        return not is_climbing and fnmatchcase(touched, pattern)
    return covers(pattern, touched)


def _is_written(rule: str, asked: PermissionAsked) -> bool:
    """Return whether a person wrote a rule for exactly this use."""
    tool, pattern = _parts(rule)
    return _is_about(tool, asked.tool) and asked.touches == (pattern,)
