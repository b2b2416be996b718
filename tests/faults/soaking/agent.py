"""A coding agent that speaks ACP: it writes its work on each prompt, and asks before some of it."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

OPTIONS = [
    {"optionId": "yes", "name": "Yes", "kind": "allow_once"},
    {"optionId": "no", "name": "No", "kind": "reject_once"},
]


def say(**message: Any) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def hear() -> dict[str, Any]:
    line = sys.stdin.readline()
    if not line:
        raise SystemExit
    message: dict[str, Any] = json.loads(line)
    return message


def update(**fields: Any) -> None:
    say(method="session/update", params={"sessionId": "s", "update": fields})


def work(number: Any) -> None:
    """Ask, wait, write, end the turn."""
    task, attempt = os.environ["PEX_TASK"], os.environ["PEX_ATTEMPT"]
    call = {"toolCallId": f"c{number}", "kind": "edit", "title": "Edit it", "locations": []}
    update(sessionUpdate="tool_call", status="pending", **call)
    say(
        id=900,
        method="session/request_permission",
        params={"sessionId": "s", "toolCall": call, "options": OPTIONS},
    )
    while hear().get("id") != 900:
        pass
    time.sleep(0.3)
    Path("work").mkdir(exist_ok=True)
    Path("work", f"{task}.txt").write_text(f"work {os.environ['PEX_RUN']} {task} {attempt}.\n")
    update(sessionUpdate="agent_message_chunk", content={"type": "text", "text": "Written.\n"})
    say(id=number, result={"stopReason": "end_turn", "usage": {"totalTokens": 10}})


def main() -> None:
    """Answer requests until the end of input."""
    while True:
        message = hear()
        number = message.get("id")
        match message.get("method"):
            case "initialize":
                able = {"protocolVersion": 1, "agentCapabilities": {"loadSession": True}}
                say(id=number, result=able)
            case "session/new":
                say(id=number, result={"sessionId": "s"})
            case "session/prompt":
                work(number)
            case _ if number is not None and "method" in message:
                say(id=number, result={})


if __name__ == "__main__":
    main()
