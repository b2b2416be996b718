"""Completions of a word on the command line, and the shell scripts that request them.

The scripts contain no lists, so they stay valid when the program changes. The values of an argument
follow from its choices or its metavar.

Implemented here because shtab knows no runs, plans and settings, and argcomplete needs the parsers
of all commands for each Tab (176 ms of CPU, here 154 ms).
"""

import argparse
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from pex_tui.cli.parser import GOAL, NAMES, build_parser, command
from pex_tui.core.model.run_refs import BRANCHES

Candidate = tuple[str, str]
"""A word and its description."""
SCRIPTS = {
    "bash": r"""# bash completion of pex-tui: eval "$(pex-tui completion bash)"
_pex_tui() {
    local line="${COMP_LINE:0:COMP_POINT}" value meaning
    local current="${line##*[[:space:]]}"
    local done="${current%"${current##*[=:]}"}" # bash completes what follows = and : by itself
    COMPREPLY=()
    while IFS=$'\t' read -r value meaning; do
        COMPREPLY+=("${value#"$done"}")
    done < <(pex-tui completion bash -- "$line" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=/] ]]; then
        compopt -o nospace
    fi
}
complete -o default -F _pex_tui pex-tui
""",
    "zsh": r"""#compdef pex-tui
# zsh completion of pex-tui: a file _pex-tui in a folder of $fpath
_pex_tui() {
    local -a whole open
    local line entry
    for line in "${(@f)$(pex-tui completion zsh -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
        [[ -n $line ]] || continue
        entry="${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}"
        if [[ ${line%%$'\t'*} == *[=/] ]]; then open+=("$entry"); else whole+=("$entry"); fi
    done
    (( $#whole + $#open )) || { _files; return }
    (( $#whole )) && _describe pex-tui whole
    (( $#open )) && _describe pex-tui open -S ''
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _pex_tui "$@"
else
    compdef _pex_tui pex-tui
fi
""",
    "fish": r"""# fish completion of pex-tui: ~/.config/fish/completions/pex-tui.fish
function __pex_tui_candidates
    set -l words (commandline -opc) (commandline -ct)
    pex-tui completion fish -- $words[2..-1] 2>/dev/null
end
complete -c pex-tui -f -a '(__pex_tui_candidates)'
""",
}


def words_of(line: str) -> list[str]:
    """Return the words after the program's name; the last one may be incomplete."""
    for closing in ("", '"', "'"):
        try:
            words = shlex.split(line + closing)
        except ValueError:  # a quote is still open
            continue
        return [*words[1:], *([""] if line[-1:].isspace() and not closing else [])]
    return []


def candidates(words: Sequence[str]) -> list[Candidate]:
    """Return the completions of the last of these words."""
    *before, current = words or [""]
    if "--" in before:
        return []
    return sorted({one for one in _candidates(before, current) if one[0].startswith(current)})


def _candidates(before: Sequence[str], current: str) -> Iterator[Candidate]:
    name = next((word for word in before if word in NAMES), None)
    parser = build_parser(() if name is None else (name,))
    awaiting, place = None, 0
    for word in before:
        option = _options(parser).get(word.partition("=")[0])
        if awaiting is not None:
            awaiting = None
        elif option is not None:
            awaiting = option if option.nargs != 0 and "=" not in word else None
        elif word in _subcommands(parser):
            parser, place = _subcommands(parser)[word], 0
        else:
            place += 1
    option_name, equals, value = current.partition("=")
    if awaiting is not None:
        yield from _values(awaiting, current, before)
    elif current.startswith("-") and equals and option_name in _options(parser):
        for found, meaning in _values(_options(parser)[option_name], value, before):
            yield f"{option_name}={found}", meaning
    elif current.startswith("-"):
        for text, option in _options(parser).items():
            if text.startswith("--") and option.help != argparse.SUPPRESS:
                yield text, option.help or ""
    else:
        yield from _arguments(parser, place, current, before, is_first=name is None)


def _arguments(
    parser: argparse.ArgumentParser,
    place: int,
    current: str,
    before: Sequence[str],
    *,
    is_first: bool,
) -> Iterator[Candidate]:
    """Yield commands, and values of the positional argument at that place."""
    if is_first and place == 0:
        yield from ((name, command(name).summary) for name in NAMES)
        return
    for action in parser._actions:  # noqa: SLF001  # argparse has no other way to list them
        if isinstance(action, argparse._SubParsersAction) and place == 0:  # noqa: SLF001
            yield from ((one.dest, one.help or "") for one in action._choices_actions)  # noqa: SLF001
    positionals = [one for one in parser._actions if not one.option_strings]  # noqa: SLF001
    named = [one for one in positionals if not isinstance(one, argparse._SubParsersAction)]  # noqa: SLF001
    if named and (place < len(named) or named[-1].nargs in {"*", "+"}):
        yield from _values(named[min(place, len(named) - 1)], current, before)


def _options(parser: argparse.ArgumentParser) -> Mapping[str, argparse.Action]:
    return parser._option_string_actions  # noqa: SLF001  # argparse has no other way


def _subcommands(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    for action in parser._actions:  # noqa: SLF001  # likewise
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            return {name: one for name, one in action.choices.items() if name != GOAL}
    return {}


def _values(action: argparse.Action, current: str, before: Sequence[str]) -> Iterator[Candidate]:
    if action.choices is not None:
        yield from ((str(choice), "") for choice in action.choices)
        return
    source = _SOURCES.get(str(action.metavar))
    if source is not None:
        yield from source(current, _repository(before))


def _repository(before: Sequence[str]) -> Path:
    """Return the folder that `--repo` names, or the current one."""
    named = dict(pairwise(before)).get("--repo")
    return Path(named).expanduser() if named else Path.cwd()


def _runs(current: str, folder: Path) -> Iterator[Candidate]:
    """Yield the runs with a branch, read from git's files because starting git is slower."""
    del current
    git = next((one / ".git" for one in (folder, *folder.parents) if (one / ".git").exists()), None)
    try:
        if git is not None and git.is_file():  # a worktree
            git = folder / git.read_text("utf-8").removeprefix("gitdir: ").strip()
            git /= (git / "commondir").read_text("utf-8").strip()
        if git is None:
            return
        for branch in (git / BRANCHES).glob("*"):
            yield branch.name, "a run"
        for line in (git / "packed-refs").read_text("utf-8").splitlines():
            _, found, name = line.partition(f" {BRANCHES}/")
            if found:
                yield name, "a run"
    except (OSError, ValueError):
        return


def _paths(current: str, endings: tuple[str, ...] | None) -> Iterator[Candidate]:
    """Yield folders, and files with these endings (None: all, empty: none)."""
    typed, slash, name = current.rpartition("/")
    try:
        for path in Path(f"{typed}{slash}" or ".").expanduser().iterdir():
            if path.name.startswith(".") and not name.startswith("."):
                continue
            if path.is_dir():
                yield f"{typed}{slash}{path.name}/", "folder"
            elif endings is None or path.name.endswith(endings or ("\0",)):
                yield f"{typed}{slash}{path.name}", "file"
    except (OSError, RuntimeError):
        return


def _plans(current: str, folder: Path) -> Iterator[Candidate]:
    del folder
    yield from _paths(current, (".yaml", ".yml", ".json"))


def _folders(current: str, folder: Path) -> Iterator[Candidate]:
    del folder
    yield from _paths(current, ())


def _files(current: str, folder: Path) -> Iterator[Candidate]:
    del folder
    yield from _paths(current, None)


def _settings(current: str, folder: Path) -> Iterator[Candidate]:
    """Yield settings, and possible values after the =."""
    from pex_tui.planning.fields.declaration import keys_of  # noqa: PLC0415  # only for --set
    from pex_tui.settings.model import Settings  # noqa: PLC0415  # likewise

    del folder
    for path, one in keys_of(Settings):
        key = f"{'.'.join(path)}="
        if one.section is None and not current.startswith(key):
            yield key, one.key.help
        elif one.section is None:
            schema = one.kind.schema()
            choices = ("true", "false") if schema.get("type") == "boolean" else schema.get("enum")
            yield from ((f"{key}{choice}", "") for choice in choices or ())


_SOURCES: Mapping[str, Callable[[str, Path], Iterator[Candidate]]] = {
    "RUN": _runs,
    "PLAN": _plans,
    "PLAN|GOAL": _plans,
    "DIR": _folders,
    "FILE": _files,
    "PATH": _files,
    "SOURCE": _files,
    "KEY=VALUE": _settings,
}
"""Completions by metavar."""
