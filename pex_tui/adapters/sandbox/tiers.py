"""The sandboxes that this machine offers, found by making one."""

import os
import shutil
import subprocess
import sys
from functools import cache

from msgspec import Struct

from pex_tui.adapters.sandbox.bwrap import BASE
from pex_tui.adapters.sandbox.landlock import abi
from pex_tui.core.model.sandbox import NO_SANDBOX, Tier
from pex_tui.core.sanitize import clean

_PATIENCE_SECONDS = 10.0
_USUAL = "/usr/bin/bwrap"


class SandboxError(Exception):
    """The sandbox that the settings name does not work here; the message says what to do."""


class Tiers(Struct, frozen=True):
    """Bubblewrap's path if it works, else the reason; and Landlock's version, 0 for none."""

    bwrap: str = ""
    bwrap_problem: str = ""
    landlock: int = 0

    def choose(self, setting: str) -> Tier | None:
        """Return the tier for a value of `safety.sandbox`, None for no sandbox.

        Raises SandboxError if the setting names one that does not work.
        """
        if setting == NO_SANDBOX:
            return None
        if self.bwrap and setting in {"auto", Tier.BWRAP}:
            return Tier.BWRAP
        if self.landlock and setting in {"auto", Tier.LANDLOCK}:
            return Tier.LANDLOCK
        if setting == "auto":
            return None
        why = self.bwrap_problem if setting == Tier.BWRAP else self.landlock_problem
        raise SandboxError(f"safety.sandbox: {setting} does not work here: {why}")

    @property
    def landlock_problem(self) -> str:
        """Return why there is no Landlock, and what to do."""
        return (
            "this kernel has no Landlock. It needs Linux 5.13 or newer, started with landlock "
            "among its security modules. Or set safety.sandbox to auto."
        )


@cache
def tiers() -> Tiers:
    """Return what works on this machine; bubblewrap is run once to see."""
    if not sys.platform.startswith("linux"):
        return Tiers(bwrap_problem="it is for Linux only. Set safety.sandbox to auto.")
    program = _USUAL if os.access(_USUAL, os.X_OK) else shutil.which("bwrap")
    if program is None:
        problem = (
            "the program bwrap is not there. Install bubblewrap, or set safety.sandbox to auto."
        )
        return Tiers(bwrap_problem=problem, landlock=abi())
    problem = _try_bwrap(program)
    return Tiers("" if problem else program, problem, abi())


def _try_bwrap(program: str) -> str:
    """Return why no sandbox can be made with it, empty if one can."""
    try:
        tried = subprocess.run(
            [program, *BASE, "--tmpfs", "/tmp", "--", "true"],  # noqa: S108  # in the sandbox
            capture_output=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        said = str(error)
    else:
        if tried.returncode == 0:
            return ""
        said = tried.stderr.decode("utf-8", "replace").strip() or f"exit {tried.returncode}"
    return (
        f"bubblewrap can't make namespaces ({clean(said.splitlines()[0])}); a container or "
        "AppArmor may forbid it. Allow them, or set safety.sandbox to auto."
    )
