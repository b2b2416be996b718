"""A program that speaks the Agent Client Protocol; the first argument selects its script."""

import json
import sys
import time
from pathlib import Path
from typing import Any

SESSION = "session-one"
OPTIONS = [
    {"optionId": "always", "name": "Always", "kind": "allow_always"},
    {"optionId": "yes", "name": "Yes", "kind": "allow_once"},
    {"optionId": "no", "name": "No", "kind": "reject_once"},
]
MODES = {
    "currentModeId": "auto",
    "availableModes": [{"id": "auto"}, {"id": "default"}, {"id": "acceptEdits"}],
}


def say(**message: Any) -> None:
    """Send one message."""
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def hear() -> dict[str, Any]:
    """Receive one message of the engine; exit at the end of input."""
    line = sys.stdin.readline()
    if not line:
        raise SystemExit(0)
    message: dict[str, Any] = json.loads(line)
    with Path("heard.jsonl").open("a", encoding="utf-8") as log:
        log.write(line)
    return message


def update(of: str, **fields: Any) -> None:
    """Send a session update."""
    params = {"sessionId": SESSION, "update": {"sessionUpdate": of, **fields}}
    say(method="session/update", params=params)


def words(*pieces: str) -> None:
    """Send a message in chunks."""
    for piece in pieces:
        update("agent_message_chunk", content={"type": "text", "text": piece})


def serve(play: str) -> None:
    """Answer requests until a prompt comes, which starts the script."""
    while True:
        message = hear()
        number = message.get("id")
        match message.get("method"):
            case "initialize":
                capabilities = {"loadSession": play != "cannot-load"}
                methods = [{"id": "openai-api-key"}] if play == "login" else []
                say(
                    id=number,
                    result={
                        "protocolVersion": 1,
                        "agentCapabilities": capabilities,
                        "authMethods": methods,
                    },
                )
            case "authenticate":
                say(id=number, result={})
            case "session/new" if play in {"no-login", "login"} and number == 2:
                say(id=number, error={"code": -32000, "message": "Authentication required"})
            case "session/new":
                say(id=number, result={"sessionId": SESSION, "modes": MODES})
            case "session/load":
                words("what was said before")
                update(
                    "tool_call", toolCallId="old", title="Old call", kind="edit", status="pending"
                )
                say(id=number, result={"modes": MODES})
            case "session/set_mode":
                say(id=number, result={})
            case "session/prompt":
                prompted(play, number)


def prompted(play: str, number: Any) -> None:
    """Play the turn."""
    match play:
        case "basic" | "cannot-load" | "login":
            update(
                "plan",
                entries=[
                    {"content": "Look", "status": "completed"},
                    {"content": "Write", "status": "in_progress"},
                ],
            )
            words("I will ", "write it.")
            update("tool_call_update", toolCallId="never-announced", status="completed")
            update("tool_call", toolCallId="c1", title="Write a.py", kind="edit", status="pending")
            update("tool_call_update", toolCallId="c1", status="completed")
            update("some_future_update", surprise=True)
            say(id=77, method="fs/write_text_file", params={"path": "/x", "content": ""})
            assert hear()["error"]["code"] == -32601
            words("All done.")
            update("usage_update", used=5, size=10, cost={"amount": 0.5, "currency": "USD"})
            ended(number)
        case "asks":
            call = {
                "toolCallId": "c1",
                "kind": "execute",
                "title": "touch x",
                "rawInput": {"command": "touch x"},
                "locations": [{"path": str(Path.cwd() / "x")}],
            }
            edit = {
                "toolCallId": "c2",
                "kind": "edit",
                "title": "Edit y",
                "locations": [{"path": str(Path.cwd() / "y")}],
            }
            untold = {"toolCallId": "c3", "kind": "execute", "title": "make", "locations": []}
            for request, wanted in ((0, call), (1, edit), (2, untold)):  # all at once
                params = {"sessionId": SESSION, "toolCall": wanted, "options": OPTIONS}
                say(id=request, method="session/request_permission", params=params)
            answers = {}
            for _ in range(3):
                answer = hear()
                answers[answer["id"]] = answer["result"]["outcome"]
            Path("answers.json").write_text(json.dumps(answers), encoding="utf-8")
            ended(number)
        case "refuses":
            ended(number, "refusal")
        case "fails":
            say(
                id=number,
                error={
                    "code": -32603,
                    "message": "Internal error",
                    "data": {"details": "API Error: 429"},
                },
            )
        case "breaks":
            words("Warning: no metadata for this model.\n\n")
            update("session_info_update", _meta={"codex": {"threadStatus": {"type": "active"}}})
            update(
                "session_info_update", _meta={"codex": {"threadStatus": {"type": "systemError"}}}
            )
            words("Missing environment variable: `OPENAI_API_KEY`.\n\n")
            update("session_info_update", title="Do it.")
            ended(number)
        case "messages":
            Path("turn.txt").write_text(str(number), encoding="utf-8")
            while not Path("go").exists():
                time.sleep(0.01)
            ended(number)
        case "cancelled":
            while hear().get("method") != "session/cancel":
                pass
            ended(number, "cancelled")
            update("tool_call_update", toolCallId="c9", status="failed")


def ended(number: Any, reason: str = "end_turn") -> None:
    """End the turn."""
    say(id=number, result={"stopReason": reason, "usage": {"totalTokens": 1000}})


if __name__ == "__main__":
    serve(sys.argv[1])
