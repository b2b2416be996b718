"""A failed program's last lines tell what its sandbox refused."""

from pathlib import Path

import pytest

from pex_tui.adapters.sandbox.refusals import refused_write
from pex_tui.core.model.sandbox import Access, Sandbox, Tier


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "ws").mkdir()
    rules = (
        ("/", Access.READ),
        (str(tmp_path / "hidden"), Access.HIDDEN),
        (str(tmp_path / "ws"), Access.WRITE),
    )
    return Sandbox(Tier.BWRAP, rules, str(tmp_path / "t"))


@pytest.mark.parametrize(
    "line",
    [
        "touch: cannot touch '{}/new': Read-only file system",
        "OSError: [Errno 30] Read-only file system: '{}/new'",
        "npm error EROFS: read-only file system, mkdir '{}/new'",
        "sh: 1: cannot create {}/new: Permission denied",
    ],
)
def test_a_refused_path_is_named(line: str, sandbox: Sandbox, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(f"working\n{line.format(tmp_path)}\ngiving up\n")

    assert refused_write(sandbox, log, tmp_path / "ws") == (
        f"its sandbox does not let it write {tmp_path}/new; safety.writable can name that"
    )


@pytest.mark.parametrize(
    "line",
    [
        "{}/new: no such file",
        "{}/ws/new: Permission denied",
        "{}/hidden/key: Permission denied",
        "/proc/version: Permission denied",
        "Permission denied",
    ],
)
def test_nothing_is_claimed_that_the_sandbox_did_not_do(
    line: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    log.write_text(line.format(tmp_path))

    assert refused_write(sandbox, log, tmp_path / "ws") == ""


@pytest.mark.parametrize("name", ["{}/view/x", "x"])
def test_a_readers_checkout_is_read_only(name: str, sandbox: Sandbox, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(f"{name.format(tmp_path)}: Read-only file system")

    assert "writes: []" in refused_write(sandbox, log, tmp_path / "view")
