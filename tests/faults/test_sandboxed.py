"""Process trees in a sandbox: as well watched, paused and ended as any others."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace

from pex_tui.adapters.sandbox.enter import knows_other_formats
from pex_tui.adapters.sandbox.landlock import SCOPE_ABI, abi
from pex_tui.adapters.sandbox.policy import Grant, SandboxPolicy
from pex_tui.adapters.sandbox.tiers import tiers
from pex_tui.adapters.system.kernel import TABLE
from pex_tui.core.model.sandbox import Tier
from pex_tui.engine.attempt import Launch, LaunchError
from tests.adapters.process.runs import Attempts
from tests.adapters.sandbox.house import BOTH
from tests.waiting import until

pytestmark = pytest.mark.faults

FOREVER = "while :; do sleep 1; done"
FAMILY = f"""
sh -c '{FOREVER} # MARK' &
setsid sh -c '{FOREVER} # MARK' &
(setsid env -i sh -c '{FOREVER} # MARK' &)
echo up > up
{FOREVER} # MARK
"""


class Sandboxed(Attempts):
    """Attempts in sandboxes of one tier."""

    def __init__(self, root: Path, tier: Tier) -> None:
        super().__init__(root)
        self.tier = tier
        self.mark = f"mark-{root.name}"
        self.policy = SandboxPolicy(
            tier=tier,
            program=tiers().bwrap,
            environ={"HOME": str(root), "PATH": os.environ["PATH"]},
            state=self.root,
            writable=(),
            needed=(),
            temporary=root / "tmp",
        )

    def sandboxed(self, name: str, script: str, *, speaks: bool = False) -> Launch:
        launch = self.launch(name, "sh", "-c", script.replace("MARK", self.mark), speaks=speaks)
        sandbox = self.policy.sandbox(Grant(writes=(self.work,)))
        env = self.policy.environment(sandbox, launch.env)
        return replace(launch, sandbox=sandbox, env=env)

    def family(self) -> list[psutil.Process]:
        """Return the live processes that bear the mark."""
        return [
            process
            for process in psutil.process_iter(["cmdline", "status"])
            if self.mark in " ".join(process.info["cmdline"] or ())
            and process.info["status"] != psutil.STATUS_ZOMBIE
        ]

    @property
    def left(self) -> list[Path]:
        """Return the temporary folders that are left."""
        return list((self.policy.temporary).iterdir())


@pytest.fixture(params=BOTH)
async def attempts(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Sandboxed]:
    made = Sandboxed(tmp_path, request.param)
    yield made
    await made.runner.close()
    made.sweep()


async def up(attempts: Sandboxed) -> None:
    await until((attempts.work / "up").exists)


@pytest.mark.parametrize(
    ("script", "exit_code", "number"),
    [("exit 7", 7, None), ("kill -9 $$", None, signal.SIGKILL), ("exit 129", 129, None)],
)
async def test_how_a_program_ended_is_told(
    script: str, exit_code: int | None, number: int | None, attempts: Sandboxed
) -> None:
    await attempts.runner.start(attempts.sandboxed("one", script))
    ended = await attempts.runner.wait(attempts.key("one"))

    assert (ended.exit_code, ended.signal) == (exit_code, number)
    await until(lambda: not attempts.left)


def is_halted(pid: int) -> bool:
    """Return whether a process runs no code: a shell whose child stopped as it began is, too."""
    stat = TABLE.stat(pid)
    return stat is not None and stat.is_halted


async def test_a_family_is_frozen_whole_and_ended_within_the_grace(attempts: Sandboxed) -> None:
    await attempts.runner.start(attempts.sandboxed("one", FAMILY))
    await up(attempts)

    assert await attempts.runner.pause(attempts.key("one"))
    await until(lambda: all(is_halted(each.pid) for each in attempts.family()))
    assert await attempts.runner.resume(attempts.key("one"))
    await attempts.runner.stop(attempts.key("one"), 5.0)
    ended = await attempts.runner.wait(attempts.key("one"))

    assert ended.signal == signal.SIGTERM
    assert attempts.family() == []


async def test_a_program_has_its_grace_to_end_by_itself(attempts: Sandboxed) -> None:
    script = (
        "trap 'sleep .2; echo bye > bye; exit 3' TERM; echo up > up; while :; do sleep .1; done"
    )
    await attempts.runner.start(attempts.sandboxed("one", script))
    await up(attempts)

    await attempts.runner.stop(attempts.key("one"), 30.0)
    ended = await attempts.runner.wait(attempts.key("one"))

    assert ended.exit_code == 3
    assert (attempts.work / "bye").exists()


async def test_nothing_outlives_a_killed_shim(attempts: Sandboxed) -> None:
    await attempts.runner.start(attempts.sandboxed("one", FAMILY))
    await up(attempts)
    assert len(attempts.family()) >= 4

    os.kill(attempts.record("one").shim_pid, signal.SIGKILL)
    ended = await attempts.runner.wait(attempts.key("one"))

    assert ended.lost
    assert attempts.family() == []
    await until(lambda: not attempts.left)


async def test_an_agent_does_not_reach_its_shim(attempts: Sandboxed) -> None:
    if attempts.tier is Tier.LANDLOCK and abi() < SCOPE_ABI:
        pytest.skip("this kernel's Landlock holds no signals; Linux 6.12 does")
    script = "p=$PPID; for i in 1 2 3; do kill -9 $p; done; kill -9 SHIM LAUNCHER; kill -STOP SHIM"
    await attempts.runner.start(attempts.sandboxed("first", "exit 0"))
    await attempts.runner.wait(attempts.key("first"))
    launcher = attempts.runner.launcher_pid
    wait_for = "while ! [ -e go ]; do sleep .05; done; . ./go; echo still > still"
    await attempts.runner.start(attempts.sandboxed("one", wait_for))
    shim = attempts.record("one").shim_pid
    told = script.replace("SHIM", str(shim)).replace("LAUNCHER", str(launcher))
    (attempts.work / "new").write_text(told)
    (attempts.work / "new").rename(attempts.work / "go")

    ended = await attempts.runner.wait(attempts.key("one"))

    assert not ended.lost
    assert attempts.runner.launcher_pid == launcher
    if attempts.tier is Tier.LANDLOCK:  # in bubblewrap, its parent is its own init
        assert ended.exit_code == 0


async def test_input_reaches_a_program_that_is_spoken_to(attempts: Sandboxed) -> None:
    await attempts.runner.start(attempts.sandboxed("one", "read a; echo got $a", speaks=True))

    assert await attempts.runner.send(attempts.key("one"), b"this\n")
    assert (await attempts.runner.wait(attempts.key("one"))).exit_code == 0
    assert attempts.output("one") == b"got this\n"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "there is no such program"),
        ("#!/no/such/interpreter\n", "the interpreter named in the first line"),
        ("neither", "neither a binary for this machine nor a script"),
    ],
)
async def test_why_a_program_does_not_start_is_told(
    content: str | None, why: str, attempts: Sandboxed
) -> None:
    if content == "neither" and attempts.tier is Tier.BWRAP and knows_other_formats():
        pytest.skip("this machine may have an interpreter for it (binfmt_misc)")
    tool = attempts.work / "tool"
    if content is not None:
        tool.write_text(content)
        tool.chmod(0o755)

    with pytest.raises(LaunchError, match=why) as told:
        await attempts.runner.start(replace(attempts.sandboxed("one", ""), argv=("./tool",)))

    assert told.value.permanent
    assert attempts.left == []
