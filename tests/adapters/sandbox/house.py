"""A user's machine for sandboxes: home, repository, state directory and other programs' sockets."""

import os
import subprocess
from pathlib import Path

import pytest

from pex_tui.adapters.sandbox.enter import confined_argv
from pex_tui.adapters.sandbox.policy import Grant, SandboxPolicy
from pex_tui.adapters.sandbox.temporary import make_temporary, remove_temporary
from pex_tui.adapters.sandbox.tiers import tiers
from pex_tui.core.model.sandbox import Sandbox, Tier

SECRET = "the key"  # noqa: S105  # of nobody
_PATIENCE_SECONDS = 60.0


def usable(tier: Tier) -> bool:
    """Return whether this machine has the tier."""
    found = tiers()
    return bool(found.bwrap if tier is Tier.BWRAP else found.landlock)


BOTH = tuple(
    pytest.param(
        tier, marks=pytest.mark.skipif(not usable(tier), reason=f"{tier} does not work here")
    )
    for tier in Tier
)


class House:
    """Everything that a sandboxed process should and should not reach."""

    def __init__(self, root: Path, tier: Tier) -> None:
        self.root = root
        self.tier = tier
        self.home = root / "home"
        self.checkout = root / "repo"
        self.state = root / "state"
        self.workspace = self.state / "repo-1" / "pool" / "1"
        self.other = self.state / "repo-1" / "pool" / "2"
        self.outputs = self.state / "repo-1" / "runs" / "r" / "t" / "outputs"
        self.runtime = root / "run"
        for folder in (self.workspace, self.other, self.outputs, self.runtime):
            folder.mkdir(parents=True)
        self.secret = self._put(self.home / ".ssh" / "id_ed25519")
        self.login = self._put(self.home / ".codex" / "auth.json")
        self.journal = self._put(self.state / "repo-1" / "journal.db")
        self._put(self.other / "theirs.txt")
        self._put(self.home / ".bashrc")

    def _put(self, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SECRET)
        return path

    @property
    def env(self) -> dict[str, str]:
        """The environment of the user."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "REPO": str(self.checkout),
            "STATE": str(self.state),
            "OTHER": str(self.other),
            "OUT": str(self.outputs),
            "ENGINE": str(os.getpid()),
            "GIT_CONFIG_GLOBAL": os.devnull,
        }

    def policy(self, *writable: str) -> SandboxPolicy:
        """Return the policy of a run here."""
        return SandboxPolicy(
            tier=self.tier,
            program=tiers().bwrap,
            environ=self.env,
            state=self.state,
            writable=writable,
            needed=(self.checkout, self.checkout / ".git"),
            temporary=self.root / "tmp",
        )

    def sandbox(self, *writable: str, grant: Grant | None = None) -> Sandbox:
        """Return the sandbox of an attempt in the workspace."""
        usual = Grant(writes=(self.workspace, self.outputs))
        return self.policy(*writable).sandbox(grant or usual)

    def run(
        self,
        script: str,
        *writable: str,
        grant: Grant | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell script as an attempt would be."""
        sandbox = self.sandbox(*writable, grant=grant)
        adapted = self.policy().environment(sandbox, self.env)
        argv = confined_argv(sandbox, ("sh", "-c", script), str(self.workspace), adapted)
        make_temporary(sandbox.temporary)
        try:
            return subprocess.run(
                argv,
                cwd=self.workspace,
                env=adapted,
                capture_output=True,
                text=True,
                timeout=_PATIENCE_SECONDS,
                check=False,
            )
        finally:
            remove_temporary(sandbox.temporary)
