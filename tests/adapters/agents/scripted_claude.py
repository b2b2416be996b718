"""A program that speaks Claude Code's stream-json; the first argument selects its script."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

SESSION = "0b6c1c1e-0000-4000-8000-000000000001"
USAGE = {"input_tokens": 900, "output_tokens": 100, "cache_read_input_tokens": 0}


def say(**event: Any) -> None:
    """Send one event."""
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def hear() -> dict[str, Any]:
    """Receive one line of the engine; exit at the end of input."""
    line = sys.stdin.readline()
    if not line:
        raise SystemExit(0)
    message: dict[str, Any] = json.loads(line)
    return message


def assistant(*blocks: dict[str, Any], parent: str | None = None) -> None:
    """Send each block as an event of its own, all with the usage of the message's start."""
    for block in blocks:
        usage = {"input_tokens": 900, "output_tokens": 1}
        message = {"id": "msg_1", "role": "assistant", "content": [block], "usage": usage}
        say(type="assistant", message=message, parent_tool_use_id=parent, session_id=SESSION)


def tool(name: str, number: int, **given: Any) -> dict[str, Any]:
    """Return a tool use."""
    return {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": given}


def tool_result(number: int, content: str = "ok", **more: Any) -> None:
    """Send the tool's result."""
    block = {"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": content}
    error = more.pop("is_error", False)
    say(type="user", message={"role": "user", "content": [{**block, "is_error": error}]}, **more)


def result(**more: Any) -> None:
    """Send the end of a turn."""
    ending = {"subtype": "success", "is_error": False, "result": "All done.", "usage": USAGE}
    say(type="result", **{**ending, "total_cost_usd": 0.25, "session_id": SESSION, **more})


def ask(request: str, name: str, number: int, **given: Any) -> dict[str, Any]:
    """Ask for a permission; return the answer."""
    wanted = {"subtype": "can_use_tool", "tool_name": name, "input": given}
    say(type="control_request", request_id=request, request={**wanted, "tool_use_id": str(number)})
    return answer_to(request)


def hook(request: str, name: str = "", **given: Any) -> None:
    """Call the hook before a tool, and wait for its decision."""
    told = {"hook_event_name": "PreToolUse", "tool_name": name, "tool_input": given}
    asked = {"subtype": "hook_callback", "callback_id": "before-tool", "input": told}
    say(type="control_request", request_id=request, request=asked)
    answer_to(request)


def answer_to(request: str) -> dict[str, Any]:
    """Return the response to a request of ours, skipping other messages."""
    while True:
        message = hear()
        response = message.get("response", {})
        if message["type"] == "control_response" and response.get("request_id") == request:
            answer: dict[str, Any] = response["response"]
            return answer
        if message["type"] == "user":
            say(**{**message, "isReplay": True})


def begin() -> None:
    """Initialise, acknowledge the prompt, and start the turn."""
    initialize = hear()
    assert initialize["request"]["subtype"] == "initialize"
    success = {"subtype": "success", "request_id": initialize["request_id"], "response": {}}
    say(type="control_response", response=success)
    prompt = hear()
    Path("prompt.txt").write_text(prompt["message"]["content"][0]["text"], encoding="utf-8")
    say(type="system", subtype="init", session_id=SESSION, tools=["Bash"])
    say(**{**prompt, "isReplay": True})


def play_basic() -> None:
    """Plan, write a file, succeed."""
    steps = [("Look", "completed"), ("Write", "in_progress"), ("Check", "pending")]
    todos = [
        {"content": step, "status": state, "activeForm": f"{step}ing"} for step, state in steps
    ]
    assistant({"type": "text", "text": "I will write it."}, tool("TodoWrite", 1, todos=todos))
    tool_result(1)
    assistant(tool("Write", 2, file_path="made.txt", content="x"))
    hook("h1")
    Path("made.txt").write_text("x\n", encoding="utf-8")
    tool_result(2)
    result()


def play_tasks() -> None:
    """Plan step by step."""
    assistant(tool("TaskCreate", 1, subject="Look"), tool("TaskCreate", 2, subject="Write"))
    tool_result(1, tool_use_result={"task": {"id": "7"}})
    tool_result(2, tool_use_result={"task": {"id": "8"}})
    assistant(tool("TaskUpdate", 3, taskId="7", status="completed"))
    tool_result(3)
    result()


def play_asks() -> None:
    """Ask to run a command."""
    answer = ask("p1", "Bash", 1, command="touch x", description="make x")
    tool_result(1, "no", is_error=answer["behavior"] == "deny")
    Path("answer.json").write_text(json.dumps(answer), encoding="utf-8")
    result()


def play_error() -> None:
    """Report success and an error at once."""
    result(is_error=True, api_error_status=429, result="API Error: Request rejected (429)")


def play_bad_request() -> None:
    """Report success and an error of the request."""
    result(is_error=True, api_error_status=400, result="API Error: 400 prompt is too long")


def play_silent_end() -> None:
    """Exit without a result."""
    assistant({"type": "text", "text": "I am about to"})
    raise SystemExit(0)


def play_unauthorised() -> None:
    """Retry with a rejected key."""
    for attempt in range(1, 60):
        retry = {"attempt": attempt, "max_retries": 10, "retry_delay_ms": 500}
        say(
            type="system",
            subtype="api_retry",
            error_status=401,
            error="authentication_failed",
            **retry,
        )
        time.sleep(0.05)


def play_logged_out() -> None:
    """Start without a key, which needs no server to detect."""
    text = "Not logged in · Please run /login"
    message = {"role": "assistant", "content": [{"type": "text", "text": text}]}
    say(type="assistant", message=message, error="authentication_failed", session_id=SESSION)
    result(is_error=True, api_error_status=None, result=text)


def play_limited() -> None:
    """Get rejected once, and go on when that was heard."""
    retry = {"attempt": 1, "max_retries": 10, "retry_delay_ms": 4000}
    say(type="system", subtype="api_retry", error_status=429, error="rate_limit", **retry)
    while not Path("heard").exists():
        time.sleep(0.01)
    result()


def play_drop() -> None:
    """End in the middle of a line."""
    sys.stdout.write('{"type": "assistant", "message": {"content": [{"type": "te')
    sys.stdout.flush()
    raise SystemExit(1)


def play_long_line() -> None:
    """Send a line of 200 KB, and something that is not an event."""
    assistant({"type": "text", "text": "long " * 40_000})
    sys.stdout.write("a warning of the runtime, no JSON\n")
    result()


def play_message() -> None:
    """Wait for a message."""
    message = hear()
    say(**{**message, "isReplay": True})
    text = message["message"]["content"][0]["text"]
    Path("told.txt").write_text(text, encoding="utf-8")
    result()


def play_two_turns() -> None:
    """End two turns."""
    result()
    say(type="system", subtype="init", session_id=SESSION)
    assistant({"type": "text", "text": "A second turn."})
    result(total_cost_usd=0.75)


def play_interrupt() -> None:
    """Work until interrupted."""
    while hear().get("request", {}).get("subtype") != "interrupt":
        pass
    result(subtype="error_during_execution", is_error=True)


def play_stall() -> None:
    """Fall silent."""
    time.sleep(600)


def play_busy() -> None:
    """Fall silent while a tool runs."""
    assistant(tool("Bash", 1, command="make test"))
    time.sleep(600)


def play_assigned() -> None:
    """Play what a folder has for this attempt of this task, and record the prompt there."""
    place = Path(sys.argv[2]) / f"{os.environ['PEX_TASK']}.{os.environ['PEX_ATTEMPT']}"
    place.with_suffix(f"{place.suffix}.asked").write_text(Path("prompt.txt").read_text("utf-8"))
    place.with_suffix(f"{place.suffix}.argv").write_text(" ".join(sys.argv))
    Path("prompt.txt").unlink()
    play, *words = place.read_text("utf-8").split()
    globals()[f"play_{play.replace('-', '_')}"](*words)


def play_write(name: str, text: str) -> None:
    """Write a file, and succeed."""
    assistant(tool("Write", 2, file_path=name, content=text))
    Path(name).write_text(f"{text}\n", encoding="utf-8")
    tool_result(2)
    result()


def play_announced(after: str, seconds: str, name: str, text: str) -> None:
    """Once a file exists, announce a write to another, make it, and continue for a while."""
    while not Path(after).exists():
        time.sleep(0.02)
    hook("h1", "Write", file_path=str(Path(name).resolve()), content=text)
    Path(after).with_suffix(".written").touch()
    Path(name).write_text(f"{text}\n", encoding="utf-8")
    time.sleep(float(seconds))
    result()


def play_once(signal: str, name: str, text: str) -> None:
    """Write a file in one long turn, which ends when a signal file exists."""
    assistant({"type": "text", "text": "A long turn."})
    Path(signal).with_suffix(".begun").touch()
    while not Path(signal).exists():
        time.sleep(0.02)
    play_write(name, text)


def play_refused(milliseconds: str, signal: str) -> None:
    """Get rejected by the provider, which says for how long; make a file; then succeed."""
    retry = {"attempt": 1, "max_retries": 10, "retry_delay_ms": int(milliseconds)}
    say(type="system", subtype="api_retry", error_status=429, error="rate_limit", **retry)
    Path(signal).touch()
    time.sleep(int(milliseconds) / 1000)
    play_write("refused.txt", "at last")


def play_answers() -> None:
    """Give the next of the answers in a folder, and record the prompt there."""
    folder = Path(sys.argv[2])
    number = len(list(folder.glob("*.asked"))) + 1
    (folder / f"{number}.asked").write_text(Path("prompt.txt").read_text(encoding="utf-8"))
    assistant(tool("Read", 1, file_path="shop.py"))
    tool_result(1)
    answer = (folder / f"{number}.txt").read_text(encoding="utf-8")
    if answer.startswith("play "):
        globals()[f"play_{answer.split()[1]}"]()
    else:
        result(result=answer)


def play_linger() -> None:
    """Succeed and stay."""
    result()
    time.sleep(600)


if __name__ == "__main__":
    begin()
    globals()[f"play_{sys.argv[1].replace('-', '_')}"]()
    while True:
        hear()
