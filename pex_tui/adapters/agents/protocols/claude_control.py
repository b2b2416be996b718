"""Claude Code's control messages: our requests, and responses to its requests."""

from typing import Any

from pex_tui.adapters.agents.protocols.protocol import ANSWER, Say, encoded

DENIED = "The person who watches this run, or its rules, did not allow that. Find another way."


def control(key: str, request: dict[str, Any]) -> Say:
    """Return a request of ours."""
    return Say(key, encoded({"type": "control_request", "request_id": key, "request": request}))


def response(request: str, content: dict[str, Any]) -> Say:
    """Return the response to one of its requests; a pause holds it back."""
    success = {"subtype": "success", "request_id": request, "response": content}
    line = encoded({"type": "control_response", "response": success})
    return Say(ANSWER + request, line, waits=True)


def decision(behaviour: str) -> dict[str, Any]:
    """Return the decision of the hook before a tool."""
    output = {"hookEventName": "PreToolUse", "permissionDecision": behaviour}
    return {"hookSpecificOutput": {**output, "permissionDecisionReason": DENIED}}
