"""The environment of an agent's process: variables of the user's, and those of the contract.

Secrets, and variables that steer other programs, are left out unless `safety.env_pass` names them.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from pex_tui.core.model.argument_limits import PROMPT, PROMPT_FILE, as_variable
from pex_tui.core.model.ids import SlotId
from pex_tui.core.model.plan import TaskSpec
from pex_tui.engine.attempt import AttemptKey

_PASSED = (
    # user and home
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "HOSTNAME", "TMPDIR", "TEMP", "TMP", "XDG_*"),
    # language, time zone and terminal
    *("LANG", "LANGUAGE", "LC_*", "TZ", "TZDIR", "TERM", "TERMINFO", "TERMINFO_DIRS"),
    *("COLORTERM", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "EDITOR", "PAGER"),
    # toolchains
    *("VIRTUAL_ENV", "CONDA_*", "PYTHON*", "PYENV_*", "PIP_*", "UV_*", "NODE_*", "NVM_*"),
    *("NPM_CONFIG_*", "PNPM_HOME", "VOLTA_HOME", "DENO_DIR", "BUN_INSTALL", "JAVA_HOME"),
    *("GOPATH", "GOROOT", "GOBIN", "GOCACHE", "GOMODCACHE", "GOFLAGS", "GOPROXY", "GOTOOLCHAIN"),
    *("CARGO_HOME", "RUSTUP_*", "RUSTFLAGS", "CC", "CXX", "CFLAGS", "CXXFLAGS", "LDFLAGS"),
    *("CPPFLAGS", "MAKEFLAGS", "PKG_CONFIG_PATH", "LD_LIBRARY_PATH", "NIX_*", "LOCALE_ARCHIVE"),
    *("RBENV_*", "GEM_HOME", "GEM_PATH", "BUNDLE_PATH", "SDKMAN_DIR", "ASDF_*", "MISE_*"),
    # network, and the CI system
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "FTP_PROXY"),
    *("http_proxy", "https_proxy", "no_proxy", "all_proxy", "ftp_proxy"),
    *("SSL_CERT_*", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "CI", "GITHUB_ACTIONS"),
)
# A secret that matches a passed pattern is still a secret; PYTHONHOME belongs to another Python.
_REFUSED = ("PYTHONHOME", "*TOKEN*", "*SECRET*", "*PASSWORD*", "*_AUTH*", "*CREDENTIAL*")
# These would point the agent's git at another repository; no setting passes them.
_NEVER = ("GIT_*", "PEX_*")
_GIT_HARMLESS = ("GIT_AUTHOR_*", "GIT_COMMITTER_*", "GIT_SSH*", "GIT_SSL_*", "GIT_PAGER")


def attempt_environment(
    user: Mapping[str, str],
    key: AttemptKey,
    spec: TaskSpec,
    *,
    slot: SlotId,
    workspace: Path,
    port: int,
    outputs: Path,
    prompt_file: Path,
    inputs: Sequence[Path] = (),
    socket: Path | None = None,
    token: str = "",
    passed: Iterable[str] = (),
) -> dict[str, str]:
    """Return the complete environment of an attempt's process.

    `user` is the environment that pex-tui was started in, `port` the first of ten free ports,
    `outputs` the folder whose files go to dependents, `inputs` the folders of the task's needs,
    `prompt_file` a file with the whole prompt (which may be too long for a variable), `passed` the
    patterns of `safety.env_pass`, and `token` the credential for the agents' `socket`. The task's
    own variables override all others.
    """
    contract = {
        "PEX_RUN": key.run,
        "PEX_TASK": key.task,
        "PEX_ATTEMPT": str(key.attempt),
        "PEX_SLOT": str(slot),
        "PEX_WORKSPACE": os.fspath(workspace),
        "PEX_PORT": str(port),
        "PEX_OUTPUTS": os.fspath(outputs),
        "PEX_INPUTS": os.pathsep.join(map(os.fspath, inputs)),
        "PEX_SOCKET": os.fspath(socket) if socket is not None else "",
        "PEX_TOKEN": token,
        PROMPT: as_variable(spec.prompt),
        PROMPT_FILE: os.fspath(prompt_file),
    }
    wanted = tuple(passed)
    return {
        **{name: value for name, value in user.items() if _may_pass(name, wanted)},
        "PWD": os.fspath(workspace / spec.folder),
        **contract,
        **dict(spec.env),
    }


@cache
def _may_pass(name: str, wanted: tuple[str, ...]) -> bool:
    if _matches(name, _NEVER):
        return _matches(name, _GIT_HARMLESS) and _matches(name, wanted)
    if _matches(name, wanted):
        return True
    return _matches(name, _PASSED) and not _matches(name, _REFUSED)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
