"""A task that poses as the user, end to end with a real engine."""

import json
import sys

from tests.e2e.conftest import Shell

TASK = """
import glob, json, os, socket, subprocess, sys
pex = [sys.executable, "-m", "pex_tui"]
said = []
for words in (["land"], ["resume", "--headless"], ["clean", "--yes"], ["trust"], ["runs"]):
    for env in (None, {{"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}}):
        ended = subprocess.run([*pex, *words], env=env, capture_output=True, text=True)
        said.append([words[0], ended.returncode, ended.stderr[:200]])
offered = subprocess.run([os.environ["PATH"].split(":")[-1] + "/pex-tui", "land"])
said.append(["offered", offered.returncode, ""])
for path in glob.glob({sockets!r} + "/**/*.sock", recursive=True):
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(60)
        try:
            peer.connect(path)
            peer.sendall(b'{{"request": "boost_run", "by": "you"}}\\n')
            said.append(["socket", 0, peer.recv(4096).decode()])
        except OSError as error:
            said.append(["socket", 1, str(error)])
open({log!r}, "w").write(json.dumps(said))
"""


def test_a_task_does_not_steer_its_run(shell: Shell) -> None:
    shell.env["PEX_SAFETY__SANDBOX"] = "none"  # which hides the sockets and the runs
    log = shell.top.parent / "said.json"
    sockets = shell.env.get("XDG_RUNTIME_DIR") or shell.env.get("TMPDIR", "/tmp")
    script = shell.top.parent / "task.py"
    script.write_text(TASK.format(log=str(log), sockets=sockets))
    plan = {"version": 1, "tasks": [{"id": "api", "command": [sys.executable, str(script)]}]}
    shell.write("plan.json", json.dumps(plan))

    ended = shell.pex("run", "plan.json", "--headless", "--json", "--name", "one")

    assert ended.returncode == 0, ended.stderr
    said = json.loads(log.read_text())
    for name, code, text in said:
        if name == "runs":
            assert code == 0 or "task" not in text, text
        elif name == "socket":
            assert code == 1 or '"ok": true' not in text, text
        elif name == "trust":
            assert code != 0
        else:
            assert (name, code) == (name, 6), text
    assert any("task api: an agent must not control a run" in text for _, _, text in said)
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    refused = [event for event in events if event["event"] == "steering_refused"]
    assert [(event["task"], event["request"]) for event in refused] == [("api", "boost_run")]
    assert not [event for event in events if event["event"] == "boost_toggled"]
