"""Cost of conflict prediction: the index of a long history, and ten tasks."""

import random
import subprocess
import time
from pathlib import Path

import pytest

from pex_tui.adapters.git.plumbing.repository import discover
from pex_tui.adapters.git.user_repository.past_changes import past_changes
from pex_tui.adapters.storage.change_index_file import StoredIndex, load_index, store_index
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.plan import TaskSpec
from pex_tui.planning.prediction.change_index import ChangeIndex
from pex_tui.planning.prediction.prediction_model import read_model
from pex_tui.planning.prediction.predictor import ConflictPredictor
from pex_tui.resources import shipped

pytestmark = pytest.mark.bench

CHANGES = 20_000
FILES = 5_000
WORDS = 8_000
TEXT_WORDS = 25
NOW = 1_700_000_000


def stream(draw: random.Random) -> bytes:
    """Return a history for git's fast-import; words and files are as unevenly used as in life."""
    words = [f"{draw.choice('bcdfgklmnprst')}a{number:x}er" for number in range(WORDS)]
    paths = [
        f"src/part{number % 97}/{words[number % WORDS]}_{number}.py" for number in range(FILES)
    ]

    def some(of: list[str], most: int) -> list[str]:
        return [of[int(len(of) * draw.random() ** 3)] for _ in range(draw.randint(1, most))]

    parts = []
    for number in range(CHANGES):
        text = " ".join(some(words, TEXT_WORDS))
        parts.append(
            f"commit refs/heads/main\nmark :{number + 10}\n"
            f"committer A <a@example.org> {NOW + number} +0000\ndata {len(text)}\n{text}\n"
        )
        blob = f"data {len(str(number))}\n{number}\n"
        parts += [f"M 100644 inline {path}\n{blob}" for path in set(some(paths, 6))]
    return "".join(parts).encode()


@pytest.fixture
def long_past(tmp_path: Path) -> Path:
    """A repository with 20,000 changes of 5,000 files."""
    draw = random.Random(7)  # noqa: S311  # no secret
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    subprocess.run([*git, "fast-import", "--quiet"], input=stream(draw), check=True)
    return tmp_path


async def test_a_long_past_and_ten_tasks(long_past: Path) -> None:
    repository = await discover(long_past)
    tip = await repository.head()

    began = time.perf_counter()
    changes = await past_changes(repository.git, tip, None)
    read = time.perf_counter() - began
    index = ChangeIndex()
    for change in changes:
        index.add(change)
    built = time.perf_counter() - began
    path = long_past / "changes.index"
    store_index(path, StoredIndex(index, tip))
    began = time.perf_counter()
    stored = load_index(path)
    assert stored is not None
    loaded = time.perf_counter() - began
    tracked = [stored.index.paths[file] for file in stored.index.present]
    predictor = ConflictPredictor(
        stored.index, read_model(shipped("config") / "foresight.json"), tracked
    )
    tasks = [
        TaskSpec(TaskId(f"t{number}"), ("true",), prompt=change.text)
        for number, change in enumerate(changes[-10:])
    ]
    began = time.process_time()
    predictor.predict(tasks)
    analysed = time.process_time() - began
    print(
        f"\n{len(changes)} changes: git {read:.1f} s, index {built:.1f} s in all (20), "
        f"{path.stat().st_size / 1e6:.1f} MB, loaded in {loaded * 1000:.0f} ms; "
        f"ten tasks {analysed * 1000:.0f} ms (100)"
    )
