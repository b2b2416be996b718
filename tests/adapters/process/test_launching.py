"""Programs that cannot be started: the error message, and whether a retry may help."""

import os
import signal
from pathlib import Path

import pytest

from pex_tui.adapters.process import launcher
from pex_tui.adapters.process.runtime import socket_folder
from pex_tui.adapters.system.kernel import TABLE
from pex_tui.adapters.system.private_folder import make_private
from pex_tui.engine.attempt import Launch, LaunchError
from tests.adapters.process.runs import Attempts, lives
from tests.waiting import until


async def refusal(attempts: Attempts, launch: Launch) -> tuple[str, bool]:
    with pytest.raises(LaunchError) as caught:
        await attempts.runner.start(launch)
    return str(caught.value), caught.value.permanent


def script(attempts: Attempts, text: str, mode: int) -> None:
    path = attempts.work / "run"
    path.write_text(text)
    path.chmod(mode)


def argv(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


async def test_a_missing_program_is_named(attempts: Attempts) -> None:
    message, permanent = await refusal(attempts, attempts.launch("one", "pytset"))
    assert message == (
        'cannot start "pytset": there is no such program on the agent\'s PATH.'
        " Install it, or correct the command."
    )
    assert permanent


async def test_a_missing_script_is_named_with_its_folder(attempts: Attempts) -> None:
    message, permanent = await refusal(attempts, attempts.launch("one", "./run"))
    assert f"no such program in {attempts.work}" in message
    assert permanent


async def test_a_program_that_is_not_executable_is_refused_for_good(attempts: Attempts) -> None:
    script(attempts, "#!/bin/sh\n", 0o644)
    message, permanent = await refusal(attempts, attempts.launch("one", "./run"))
    assert "not executable" in message
    assert permanent


async def test_a_missing_interpreter_is_told_apart_from_a_missing_program(
    attempts: Attempts,
) -> None:
    script(attempts, "#!/no/such/interpreter\n", 0o755)
    message, permanent = await refusal(attempts, attempts.launch("one", "./run"))
    assert "the interpreter named in the first line of" in message
    assert permanent


async def test_a_script_without_a_first_line_is_refused_for_good(attempts: Attempts) -> None:
    script(attempts, "echo hello\n", 0o755)
    message, permanent = await refusal(attempts, attempts.launch("one", "./run"))
    assert "neither a binary for this machine nor a script" in message
    assert permanent


async def test_a_missing_folder_may_be_there_next_time(attempts: Attempts) -> None:
    gone = attempts.work / "gone"
    assert await refusal(attempts, attempts.launch("one", "true", cwd=gone)) == (
        f'cannot start "true": its folder {gone} does not exist.',
        False,
    )


async def test_arguments_longer_than_the_kernel_takes_are_refused(attempts: Attempts) -> None:
    message, permanent = await refusal(attempts, attempts.launch("one", "true", "x" * 200_000))
    assert "longer than the kernel takes" in message
    assert permanent


async def test_a_nul_byte_in_an_argument_is_refused(attempts: Attempts) -> None:
    message, permanent = await refusal(attempts, attempts.launch("one", "true", "a\0b"))
    assert "null byte" in message
    assert permanent


async def test_an_empty_command_is_refused(attempts: Attempts) -> None:
    assert await refusal(attempts, attempts.launch("one")) == (
        "there is no command to start.",
        True,
    )


async def test_an_attempts_folder_that_cannot_be_made_is_named(attempts: Attempts) -> None:
    attempts.places.run(attempts.key("one").run).parent.mkdir(parents=True)
    attempts.places.run(attempts.key("one").run).write_text("in the way")
    message, permanent = await refusal(attempts, attempts.launch("one", "true"))
    assert f"cannot keep an agent's records in {attempts.folder('one')}" in message
    assert not permanent


async def test_a_launcher_that_cannot_start_says_where_to_look(
    attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pex_tui.adapters.process.launcher._BOOT", "raise SystemExit(1)")
    message, permanent = await refusal(attempts, attempts.launch("one", "true"))
    assert "launcher.log says why" in message
    assert not permanent


def test_sockets_live_in_the_runtime_directory_or_the_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("x" * 100)))
    monkeypatch.delenv("TMPDIR", raising=False)
    assert socket_folder() == Path(f"/tmp/pex-tui-{os.getuid()}")


def test_a_socket_folder_that_others_could_use_is_refused(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    with pytest.raises(PermissionError, match="only you can use"):
        make_private(shared)
    link = tmp_path / "link"
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    make_private(private)
    link.symlink_to(private)
    with pytest.raises(PermissionError, match="only you can use"):
        make_private(link)


async def test_something_stays_in_the_session_while_agents_of_a_users_scope_are_at_work(
    attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "scope_prefix", lambda: ("env",))
    monkeypatch.setattr(launcher, "scope_environment", lambda: {"XDG_RUNTIME_DIR": "/run/user/7"})
    await attempts.shell("one", "sleep 60")
    children = TABLE.children(os.getpid())
    [keeper] = [pid for pid in children if b"pex-tui: agents" in argv(pid)]
    await attempts.runner.close()

    assert lives(keeper)
    os.kill(attempts.record("one").root_pid, signal.SIGKILL)
    await until(lambda: not lives(keeper))
