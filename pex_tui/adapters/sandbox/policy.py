"""Access of sandboxed processes to paths: from a policy of a run to the rules of one process."""

import os
import secrets
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from pex_tui.adapters.sandbox.secret_paths import (
    LOGINS,
    OF_ROOT,
    SECRET_VARIABLES,
    SECRETS,
    SOCKETS,
    TEMPORARY,
    XDG_FOLDERS,
)
from pex_tui.adapters.system.private_folder import make_private
from pex_tui.core.model.sandbox import Access, Sandbox, Tier

_TEMPORARY_VARIABLES = ("TMPDIR", "TEMP", "TMP")
_CACHES = {".cache": "XDG_CACHE_HOME", ".npm": "npm_config_cache", "go/pkg/mod": "GOMODCACHE"}
"""Caches below the home that have a variable, for when they can't be written."""
_PROGRAM_FOLDERS = ("bin", "sbin", ".bin")
_FOLDER_VARIABLES = ("VIRTUAL_ENV", "CONDA_PREFIX", "JAVA_HOME", "GOROOT", "NVM_DIR", "PYENV_ROOT")


class Grant(Struct, frozen=True):
    """The needs of one process: paths it writes, paths it reads, and places of the home.

    `homes` are places that it writes, with ~ or a $VARIABLE in front, and `kept` what it only
    reads of them. A name that ends with / is a folder. `hosts` are patterns of hosts that it cannot
    work without.
    """

    writes: tuple[Path, ...] = ()
    reads: tuple[Path, ...] = ()
    homes: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


class SandboxPolicy(Struct, frozen=True):
    """Makes the sandboxes of a run.

    `environ` is the user's environment, `state` the folder of all state directories, `writable`
    the paths of `safety.writable`, `needed` paths that everybody reads, whatever they are in, and
    `temporary` the folder in which each sandbox gets its private one.
    """

    tier: Tier
    program: str
    environ: Mapping[str, str]
    state: Path
    writable: tuple[str, ...]
    needed: tuple[Path, ...]
    temporary: Path

    def sandbox(self, grant: Grant) -> Sandbox:
        """Return a sandbox with the grant; raise OSError.

        Folders of the home that the grant names are made if they are missing.
        """
        rules = Rules()
        for name in TEMPORARY:
            rules.put(name, Access.PRIVATE)
        for name in self._hidden():
            rules.put(name, Access.HIDDEN)
        for name in grant.homes:
            rules.put(self._home_place(name), Access.WRITE)
        if self.tier is Tier.BWRAP:  # Landlock could not make new files beside them
            for name in grant.kept:
                rules.put(self._expanded(name), Access.READ)
        for path in (*self._program_folders(), self._home):
            rules.show(path)
        for path in (*self.needed, *grant.reads):
            rules.put(path, Access.READ)
        for path in grant.writes:
            rules.put(path, Access.WRITE)
        for name in self.writable:  # named itself, it counts whatever it is
            rules.put(self._expanded(name), Access.WRITE)
        make_private(self.temporary)
        folder = self.temporary / secrets.token_hex(6)
        return Sandbox(self.tier, rules.in_order(), os.fspath(folder), self.program)

    def environment(self, sandbox: Sandbox, env: Mapping[str, str]) -> dict[str, str]:
        """Return the environment, adapted to what there is in the sandbox."""
        temporary = sandbox.temporary
        if sandbox.tier is Tier.BWRAP:
            temporary = TEMPORARY[0]
        found = {**env, **dict.fromkeys(_TEMPORARY_VARIABLES, temporary)}
        found.pop("XDG_RUNTIME_DIR", None)
        rules = Rules(dict(sandbox.rules))
        for name, variable in _CACHES.items():
            path = os.path.realpath(self._home / name)
            if variable not in found and rules.access(path) is not Access.WRITE:
                found[variable] = f"{temporary}/{variable.lower()}"
        workspace = os.path.realpath(env.get("PEX_WORKSPACE", ""))
        if rules.access(workspace) is not Access.WRITE:
            found.setdefault("PYTHONPYCACHEPREFIX", f"{temporary}/pycache")
        return found

    @property
    def _home(self) -> Path:
        return Path(self.environ.get("HOME") or Path.home())

    def _home_place(self, name: str) -> Path:
        """Return a place of the home; a name with / at its end is a folder that has to exist."""
        path = self._expanded(name)
        if name.endswith("/") and path.is_absolute():
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def _expanded(self, name: str) -> Path:
        """Return the path that a name with ~ or $VARIABLE in front means; empty if unset."""
        first, slash, rest = name.partition("/")
        if first == "~":
            return self._home / rest
        if first.startswith("$"):
            folder = self.environ.get(first[1:], "")
            return Path(folder, rest) if folder else Path()
        return Path(first + slash + rest)

    def _hidden(self) -> Iterable[str]:
        """Yield what nobody sees unless it is granted."""
        home = self._home
        for name in (*SECRETS, *LOGINS):
            yield f"{home}/{name}"
            for folder, variable in XDG_FOLDERS.items():
                if name.startswith(folder) and self.environ.get(variable):
                    yield f"{self.environ[variable]}/{name.removeprefix(folder)}"
        yield from (self.environ.get(name, "") for name in SECRET_VARIABLES)
        yield from SOCKETS
        yield from OF_ROOT if os.getuid() == 0 else ()
        yield os.fspath(self.state)
        yield self.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"

    def _program_folders(self) -> Iterable[Path]:
        """Yield the folders that programs are started from, and those of this program itself."""
        for name in self.environ.get("PATH", "").split(os.pathsep):
            if name.startswith("/"):  # with its libraries, which lie beside it
                folder = Path(name)
                yield folder.parent if folder.name in _PROGRAM_FOLDERS else folder
        for name in _FOLDER_VARIABLES:
            if self.environ.get(name, "").startswith("/"):
                yield Path(self.environ[name])
        yield from (Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parents[3])


class Rules:
    """Rules under construction: one for each path, the most specific of which decides."""

    def __init__(self, found: dict[str, Access] | None = None) -> None:
        self._found = found or {"/": Access.READ}

    def put(self, path: Path | str, access: Access) -> None:
        """Set a path's access, if the path exists."""
        if not (os.path.isabs(path) and os.path.exists(path)):  # noqa: PTH110, PTH117  # often
            return
        real = os.path.realpath(path)
        if real != "/":
            self._found[real] = access

    def show(self, path: Path) -> None:
        """Make a path readable that would be covered by a private folder."""
        real = os.path.realpath(path)
        if real not in self._found and self.access(real) is Access.PRIVATE:
            self.put(path, Access.READ)

    def access(self, path: str) -> Access:
        """Return the access to a real path."""
        while path not in self._found:
            path = os.path.dirname(path)  # noqa: PTH120  # pathlib costs ten times as much
        return self._found[path]

    def in_order(self) -> tuple[tuple[str, Access], ...]:
        """Return the rules that say more than those above them, parents first."""
        kept: dict[str, Access] = {}
        for path, access in sorted(self._found.items()):
            above = Rules(kept).access(os.path.dirname(path)) if kept else None  # noqa: PTH120
            if access is not above or access is Access.PRIVATE:
                kept[path] = access
        return tuple(kept.items())
