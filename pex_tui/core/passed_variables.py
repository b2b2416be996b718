"""The user's environment variables that tasks and checks get.

Secrets, and variables that steer other programs, are left out unless `safety.env_pass` names them.
"""

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache

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
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}")


def passed_variables(user: Mapping[str, str], wanted: Iterable[str] = ()) -> dict[str, str]:
    """Return what is passed of the user's environment; `wanted` is `safety.env_pass`."""
    patterns = tuple(wanted)
    return {name: value for name, value in user.items() if _may_pass(name, patterns)}


def withheld_variables(user: Mapping[str, str], text: str, wanted: Iterable[str] = ()) -> list[str]:
    """Return the variables that are not passed and that the text, an output, names."""
    passed = passed_variables(user, wanted)
    named = set(_NAME.findall(text))
    return sorted(name for name in user if name in named and name not in passed)


@cache
def _may_pass(name: str, wanted: tuple[str, ...]) -> bool:
    if _matches(name, _NEVER):
        return _matches(name, _GIT_HARMLESS) and _matches(name, wanted)
    if _matches(name, wanted):
        return True
    return _matches(name, _PASSED) and not _matches(name, _REFUSED)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
