"""Programs that run other programs, grouped by how their arguments name these."""

import re

SHELLS = frozenset(
    {"sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "yash", "rbash", "fish", "tcsh", "csh"}
)
"""Programs that run a text: an argument, a file, or standard input."""

SOURCING = frozenset({"source", "."})
"""Programs that run a file in the current shell."""

JOINING = frozenset({"eval", "ssh", "mosh", "watch", "su", "runuser", "script", "trap", "at"})
"""Programs that join their arguments and run the result as a line."""

FEEDING = frozenset({"xargs", "parallel", "find", "fd", "fdfind", "entr", "sem"})
"""Programs that add arguments that the line does not contain."""

EXEC_OPTIONS = frozenset(
    {"-exec", "-execdir", "-ok", "-okdir", "-x", "-X", "--exec", "--exec-batch"}
)
"""Options of find and fd that precede a command."""

SEARCHING = frozenset({"find", "fd", "fdfind"})

WRAPPERS = (
    SHELLS
    | JOINING
    | FEEDING
    | frozenset(
        {
            # shell builtins and reserved words
            *("command", "exec", "builtin", "time", "coproc", "noglob", "nocorrect", "repeat", "-"),
            # process environment and privileges
            *("env", "sudo", "doas", "pkexec", "nohup", "nice", "ionice", "chrt", "taskset"),
            *("timeout", "setsid", "setpriv", "stdbuf", "unbuffer", "flock", "lockf", "chroot"),
            *("unshare", "nsenter", "prlimit", "choom", "numactl", "setarch", "linux64", "gosu"),
            *("su-exec", "tini", "dumb-init", "systemd-run", "systemd-inhibit", "caffeinate"),
            *(
                "firejail",
                "bwrap",
                "proot",
                "fakeroot",
                "faketime",
                "daemonize",
                "start-stop-daemon",
            ),
            *("busybox", "toybox", "rlwrap", "torsocks", "proxychains", "proxychains4", "sshpass"),
            *("ssh-agent", "dbus-run-session", "xvfb-run", "screen", "tmux", "batch", "crontab"),
            # monitoring and measuring
            *("strace", "ltrace", "perf", "valgrind", "gdb", "hyperfine", "watchexec", "nodemon"),
            # language environments and machines
            *(
                "uv",
                "uvx",
                "npx",
                "npm",
                "pnpm",
                "yarn",
                "bunx",
                "poetry",
                "pipenv",
                "pdm",
                "hatch",
            ),
            *("rye", "conda", "mamba", "micromamba", "bundle", "direnv", "dotenv", "mise", "asdf"),
            *("nix", "nix-shell", "nix-develop", "guix", "docker", "podman", "kubectl", "vagrant"),
            *(
                "pex-tui",
                "dotenvx",
                "op",
                "doppler",
                "chpst",
                "softlimit",
                "foreman",
                "concurrently",
            ),
        }
    )
)
"""Programs of which any argument may start another command."""

_INTERPRETER = re.compile(
    r"(python|pypy|perl|ruby|node|nodejs|deno|bun|php|lua|luajit|[gmn]?awk|tclsh|expect|osascript"
    r"|Rscript|R|julia|guile|emacs|vim?|nvim|view|ex|ed|g?sed|g?make|sqlite3|psql|mysql|g?tar"
    r"|rsync|scp|man|less|more|groovy|swift|ghc|runghc|stack|cargo|go|jshell)[0-9.]*"
)

QUIET = frozenset(
    {
        *(
            "echo",
            "printf",
            "grep",
            "egrep",
            "fgrep",
            "rg",
            "ag",
            "test",
            "[",
            ":",
            "true",
            "false",
        ),
        *("cat", "ls", "cd", "head", "tail", "wc", "mkdir", "touch", "git", "pwd", "set", "unset"),
        *("export", "declare", "local", "readonly", "typeset", "read", "return", "exit", "sleep"),
    }
)
"""Programs whose arguments run nothing, except git with some of its commands."""

GIT_RUNNING = frozenset({"submodule", "bisect", "rebase", "filter-branch", "config", "difftool"})
"""Git commands that run their arguments, at once or later."""

_GIT_WITH_VALUE = frozenset(
    {
        *("-C", "-c", "--git-dir", "--work-tree", "--namespace", "--super-prefix"),
        *("--config-env", "--attr-source", "--exec-path"),
    }
)
GIT_COMMANDS = frozenset(
    re.findall(
        r"\S+",
        """add am annotate apply archive backfill bisect blame branch bugreport bundle cat-file
    check-attr check-ignore check-mailmap check-ref-format checkout checkout-index cherry
    cherry-pick citool clean clone column commit commit-graph commit-tree config count-objects
    credential describe diagnose diff diff-files diff-index diff-tree difftool fast-export
    fast-import fetch fetch-pack filter-branch fmt-merge-msg for-each-ref for-each-repo format-patch
    fsck gc get-tar-commit-id grep gui hash-object help hook http-backend http-push index-pack init
    init-db instaweb interpret-trailers lfs log ls-files ls-remote ls-tree mailinfo mailsplit
    maintenance merge merge-base merge-file merge-index merge-one-file merge-tree mergetool mktag
    mktree multi-pack-index mv name-rev notes p4 pack-objects pack-redundant pack-refs patch-id
    prune prune-packed pull push quiltimport range-diff read-tree rebase reflog refs remote repack
    replace replay request-pull rerere reset restore rev-list rev-parse revert rm send-email
    send-pack shortlog show show-branch show-index show-ref sparse-checkout stage stash status
    stripspace submodule svn switch symbolic-ref tag unpack-file unpack-objects update-index
    update-ref update-server-info var verify-commit verify-pack verify-tag version whatchanged
    worktree write-tree""",
    )
)
"""Git's own commands and lfs; any other name may be an alias."""


def program_name(word: str) -> str:
    """Return a program's name without its folder."""
    return word.rstrip("/").rpartition("/")[2].removeprefix("=") or word


def is_interpreter(name: str) -> bool:
    """Return whether the program interprets a language that is not analysed."""
    return _INTERPRETER.fullmatch(name) is not None


def git_arguments(words: list[str]) -> list[str]:
    """Return git's command and its arguments, without git's own options."""
    place = 1
    while place < len(words) and words[place].startswith("-"):
        place += 2 if words[place] in _GIT_WITH_VALUE else 1
    return words[place:]
