"""A user's program that merges one file."""

import os
import sys

import pytest

from pex_tui.adapters.system.merge_tool import merge_file
from pex_tui.engine.conflict_sides import ConflictSides
from pex_tui.errors import UserError

SIDES = ConflictSides(
    "src/a.py", "content", b"base\n", b"ours\n", b"theirs\n", b"<<<<<<< a\nours\n>>>>>>> b\n"
)


async def merged(*argv: str) -> bytes:
    return await merge_file(argv, SIDES, os.environ)


def python(script: str) -> tuple[str, ...]:
    return sys.executable, "-c", script


async def test_the_program_gets_the_sides_and_leaves_the_result() -> None:
    script = (
        "import sys; from pathlib import Path; base, ours, theirs, result, path = sys.argv[1:];"
        "Path(result).write_text(''.join(Path(p).read_text() for p in (base, ours, theirs)) + path)"
    )

    result = await merged(*python(script), "{base}", "{ours}", "{theirs}", "{result}", "{path}")

    assert result == b"base\nours\ntheirs\nsrc/a.py"


async def test_other_braces_reach_the_program_as_they_are() -> None:
    script = "import sys; open(sys.argv[2], 'w').write(sys.argv[1])"

    assert await merged(*python(script), "{json}", "{result}") == b"{json}"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("no-such-merge-tool",), "no-such-merge-tool can't be started"),
        (python("print('no idea'); raise SystemExit(3)"), "ended with 3: no idea"),
        (("true",), "has left conflict markers in src/a.py"),
        (("rm", "{result}"), "removed its result"),
    ],
)
async def test_what_goes_wrong_is_told(argv: tuple[str, ...], said: str) -> None:
    with pytest.raises(UserError, match=said):
        await merged(*argv)
