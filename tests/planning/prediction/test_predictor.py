import json
from pathlib import Path

import pytest

from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.plan import TaskSpec
from pex_tui.core.model.run_rules import RunRules
from pex_tui.planning.plan_file.predictable_tasks import MOST_TASKS
from pex_tui.planning.prediction.change_index import Change, ChangeIndex
from pex_tui.planning.prediction.logistic import LogisticModel
from pex_tui.planning.prediction.prediction_model import read_model
from pex_tui.planning.prediction.predictor import ConflictPredictor
from pex_tui.resources import shipped

MODEL = read_model(shipped("config") / "foresight.json")
TRACKED = (
    *(f"src/app/{name}.py" for name in ("session", "router", "views", "models", "mail", "tasks")),
    *("CHANGES.md", "README.md", "docs/guide.md", "tests/test_session.py"),
)


def history(changes: int = 150) -> ChangeIndex:
    """Return a history: sessions and tests change together, the router alone, mail hardly ever."""
    index = ChangeIndex()
    kinds = (
        Change("Sessions expire", ("src/app/session.py", "tests/test_session.py", "CHANGES.md")),
        Change("Router matches slashes", ("src/app/router.py", "CHANGES.md")),
        Change("Guide: how views are made", ("docs/guide.md",)),
    )
    index.add(Change("Start", TRACKED))
    for number in range(changes):
        index.add(kinds[number % len(kinds)])
    return index


@pytest.fixture
def predictor() -> ConflictPredictor:
    return ConflictPredictor(history(), MODEL, TRACKED)


def writer(name: str, prompt: str, writes: tuple[str, ...] | None = None) -> TaskSpec:
    return TaskSpec(TaskId(name), ("true",), prompt=prompt, writes=writes)


def test_the_files_of_similar_changes_come_first(predictor: ConflictPredictor) -> None:
    files = predictor.expected_changes("Let sessions expire after an hour").likely.files
    best = sorted(files, key=lambda path: -files[path])[:3]
    assert set(best) == {"src/app/session.py", "tests/test_session.py", "CHANGES.md"}


def test_a_file_that_is_named_is_expected_without_any_history() -> None:
    files = (
        ConflictPredictor(ChangeIndex(), MODEL, TRACKED)
        .expected_changes("Mend src/app/mail.py")
        .likely.files
    )
    assert max(files, key=lambda path: files[path]) == "src/app/mail.py"


def test_two_tasks_about_one_thing_are_predicted_to_conflict_and_others_less(
    predictor: ConflictPredictor,
) -> None:
    a, b = writer("a", "Sessions expire after an hour"), writer("b", "Expired sessions are logged")
    c = writer("c", "Guide: explain the views")
    first, *others = predictor.predict([a, b, c])
    assert (first.first, first.second) == ("a", "b")
    assert first.chance > RunRules().collision_threshold
    assert first.reason.startswith("both will probably change ")
    assert all(one.chance < first.chance / 2 for one in others)


def test_little_history_is_said_to_be_a_guess() -> None:
    predictor = ConflictPredictor(history(6), MODEL, TRACKED)
    specs = [writer("a", "Sessions expire"), writer("b", "Sessions expire later")]
    (found,) = predictor.predict(specs)
    assert found.reason.endswith("(a guess: there is little history)")


def test_what_both_declare_apart_is_not_predicted_to_conflict(predictor: ConflictPredictor) -> None:
    apart = [
        writer("a", "Sessions expire", ("src/app/session.py",)),
        writer("b", "Sessions expire", ("src/app/router.py",)),
    ]
    assert predictor.predict(apart) == ()


def test_what_both_declare_alike_has_a_chance_of_its_own(predictor: ConflictPredictor) -> None:
    specs = [
        writer("a", "Sessions expire", ("src/app/*.py",)),
        writer("b", "Sessions expire later", ("src/app/session.py",)),
    ]
    (found,) = predictor.predict(specs)
    assert 0.05 <= found.chance <= 1.0


def test_readers_and_tasks_without_words_are_left_out(predictor: ConflictPredictor) -> None:
    specs = [writer("a", "Sessions expire"), writer("b", "Sessions expire", ()), writer("c", "")]
    assert predictor.predict(specs) == ()


def test_of_a_very_large_plan_nothing_is_predicted(predictor: ConflictPredictor) -> None:
    specs = [writer(f"t{number}", "Sessions expire") for number in range(MOST_TASKS + 1)]
    assert predictor.predict(specs) == ()


def test_files_that_are_gone_are_not_expected() -> None:
    left = tuple(path for path in TRACKED if "session" not in path)
    files = (
        ConflictPredictor(history(), MODEL, left).expected_changes("Sessions expire").likely.files
    )
    assert "src/app/session.py" not in files


def test_a_model_of_other_features_is_refused(tmp_path: Path) -> None:
    stored = json.loads((shipped("config") / "foresight.json").read_text("utf-8"))
    del stored["weights"]["files"]["bias"]
    path = tmp_path / "foresight.json"
    path.write_text(json.dumps(stored), "utf-8")
    with pytest.raises(ValueError, match="files"):
        read_model(path)


def test_a_chance_stays_one_for_any_weights() -> None:
    steep = LogisticModel(("bias",), (1e6,))
    assert steep.chance((1.0,)) == pytest.approx(1.0)
    assert 0.0 < steep.chance((-1.0,)) < 1e-6
