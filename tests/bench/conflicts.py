"""Accuracy of conflict prediction: python tests/bench/conflicts.py DATA_DIR [--fit]

DATA_DIR holds tasks.parquet (repo, idx, title, body, files as "M path") and pairs.parquet (repo, i,
j, conflict, code_conflict). The first 70% of each repository by time are for learning, the rest for
evaluation. `--fit` fits the weights and writes config/foresight.json; without it the shipped
weights are evaluated. Needs the packages of the extra `bench`.
"""

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np  # type: ignore[import-not-found]  # of the extra `bench`
from pyarrow import parquet  # type: ignore[import-not-found]  # likewise

from pex_tui.planning.prediction.change_index import Change, ChangeIndex
from pex_tui.planning.prediction.likely_files import FILE_FEATURES, file_features, likely_files
from pex_tui.planning.prediction.logistic import LogisticModel
from pex_tui.planning.prediction.pair_features import (
    GLOB_FEATURES,
    TEXT_FEATURES,
    glob_features,
    text_features,
)
from pex_tui.planning.prediction.prediction_model import PredictionModel, read_model
from pex_tui.planning.prediction.predictor import ConflictPredictor

WEIGHTS = Path(__file__).parents[2] / "config" / "foresight.json"
FITTED = 0.7  # the share of each repository for learning
WARM_UP = 0.25  # the share of that without examples, because the history is too short
BATCH = 10  # tasks planned at once: none knows the others' changes
TOP = 10
SHARES = (0.1, 0.2, 0.3)  # of the flagged pairs
RECALL = 0.9


@dataclass(slots=True)
class Table:
    """Features and labels; `late` are rows for evaluation only."""

    rows: list[tuple[float, ...]] = field(default_factory=list)
    labels: list[bool] = field(default_factory=list)
    late: list[bool] = field(default_factory=list)

    def add(self, values: tuple[float, ...], *, label: bool, late: bool) -> None:
        self.rows.append(values)
        self.labels.append(label)
        self.late.append(late)


@dataclass(frozen=True, slots=True)
class Pair:
    """A labelled pair of tasks."""

    repo: str
    first: int
    second: int
    conflict: bool
    code: bool
    late: bool
    by_text: float
    by_globs: float


def read(folder: Path, name: str) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of a table by repository."""
    found = defaultdict(list)
    for row in parquet.read_table(folder / f"{name}.parquet").to_pylist():
        found[row["repo"]].append(row)
    return found


def text_of(task: dict[str, Any]) -> str:
    return f"{task['title']}\n{task['body']}"


def change_of(task: dict[str, Any]) -> Change:
    gone = tuple(entry[2:] for entry in task["files"] if entry.startswith("D"))
    kept = tuple(entry[2:] for entry in task["files"] if not entry.startswith("D"))
    return Change(text_of(task), kept, gone)


def globs_of(task: dict[str, Any]) -> tuple[str, ...]:
    """Return what a careful author would declare: folders of the files, top-level files by name."""
    paths = (entry[2:] for entry in task["files"])
    found = {f"{path.rpartition('/')[0]}/*" if "/" in path else path for path in paths}
    return tuple(sorted(found))


def truth_of(task: dict[str, Any], index: ChangeIndex) -> set[str]:
    """Return the existing files that the task changed: no others can be predicted."""
    paths = (entry[2:] for entry in task["files"])
    return {path for path in paths if index.numbers.get(path, -1) in index.present}


def learn_files(repos: dict[str, list[dict[str, Any]]]) -> LogisticModel:
    table = Table()
    for tasks in repos.values():
        index = ChangeIndex()
        for place, task in enumerate(tasks[: int(FITTED * len(tasks))]):
            truth = truth_of(task, index) if place % 2 == 0 else set()
            if place >= WARM_UP * len(tasks) and truth:
                for path, values in file_features(index, text_of(task)).items():
                    table.add(values, label=path in truth, late=False)
            index.add(change_of(task))
    return fit(FILE_FEATURES, table)


def recall(tasks: list[dict[str, Any]], model: LogisticModel) -> tuple[float, float]:
    """Return recall@10 over the late tasks of a repository, and seconds per task."""
    index, found, seconds = ChangeIndex(), [], []
    for place, task in enumerate(tasks):
        truth = truth_of(task, index)
        if place >= FITTED * len(tasks) and truth:
            began = time.process_time()
            chances = likely_files(index, text_of(task), model).files
            seconds.append(time.process_time() - began)
            best = sorted(chances, key=lambda path: -chances[path])[:TOP]
            found.append(len(truth.intersection(best)) / len(truth))
        index.add(change_of(task))
    return mean(found), mean(seconds)


def outlooks(
    tasks: list[dict[str, Any]], pairs: list[dict[str, Any]], model: PredictionModel
) -> Iterator[tuple[dict[str, Any], tuple[float, ...], tuple[float, ...]]]:
    """Yield each pair with its features by text and by globs, as known before its batch began."""
    index = ChangeIndex()
    by_batch = defaultdict(list)
    places = {task["idx"]: place for place, task in enumerate(tasks)}
    for pair in pairs:
        by_batch[places[pair["i"]] // BATCH].append(pair)
    for place, task in enumerate(tasks):
        if place % BATCH == 0 and place // BATCH in by_batch:
            tracked = [index.paths[number] for number in index.present]
            predictor = ConflictPredictor(index, model, tracked)
            for pair in by_batch[place // BATCH]:
                two = [tasks[places[pair[side]]] for side in ("i", "j")]
                plain = [predictor.expected_changes(text_of(one)) for one in two]
                within = [predictor.expected_changes(text_of(one), globs_of(one)) for one in two]
                repository = predictor.repository
                yield (
                    pair,
                    text_features(plain[0], plain[1], repository),
                    glob_features(within[0], within[1], repository),
                )
        index.add(change_of(task))


def judged(
    found: Iterable[tuple[dict[str, Any], tuple[float, ...], tuple[float, ...]]],
    model: PredictionModel,
    cut: float,
) -> list[Pair]:
    return [
        Pair(
            pair["repo"],
            pair["i"],
            pair["j"],
            bool(pair["conflict"]),
            bool(pair["code_conflict"]),
            pair["i"] > cut,
            model.texts.chance(text),
            model.globs.chance(globs),
        )
        for pair, text, globs in found
    ]


def fit(features: tuple[str, ...], table: Table) -> LogisticModel:
    """Fit weights by Newton's method, with a little regularisation."""
    late = np.array(table.late)
    values = np.array(table.rows)[~late]
    labels = np.array(table.labels, dtype=float)[~late]
    weights = np.zeros(len(features))
    for _ in range(40):
        chances = 1 / (1 + np.exp(-np.clip(values @ weights, -30, 30)))
        slope = values.T @ (chances - labels) + weights
        curve = (values * (chances * (1 - chances) + 1e-9)[:, None]).T @ values
        change = np.linalg.solve(curve + np.eye(len(weights)), slope)
        weights -= change
        if np.abs(change).max() < 1e-6:
            break
    return LogisticModel(features, tuple(round(float(weight), 4) for weight in weights))


def auc(scores: Sequence[float], labels: Sequence[bool]) -> float:
    """Return the area under the curve, counting ties half."""
    order = sorted(range(len(scores)), key=lambda at: scores[at])
    ranks = [0.0] * len(scores)
    at = 0
    while at < len(order):
        end = at
        while end < len(order) and scores[order[end]] == scores[order[at]]:
            end += 1
        for one in order[at:end]:
            ranks[one] = (at + end + 1) / 2
        at = end
    bad = sum(labels)
    good = len(labels) - bad
    above = sum(rank for rank, label in zip(ranks, labels, strict=True) if label)
    return (above - bad * (bad + 1) / 2) / (bad * good) if bad and good else float("nan")


def precision_at(scores: Sequence[float], labels: Sequence[bool]) -> float:
    """Return the precision at 90% recall of conflicts."""
    found = 0
    order = sorted(range(len(scores)), key=lambda at: -scores[at])
    for count, one in enumerate(order, 1):
        found += labels[one]
        if found >= RECALL * sum(labels):
            return found / count
    return float("nan")


def in_conflict(pairs: list[Pair], chances: list[float], share: float) -> tuple[float, float]:
    """Return the share of tasks in batches of ten that conflict if the likeliest pairs wait.

    Returns two shares: of any conflict, and of code conflicts. A conflict counts for the later of
    the two.
    """
    least = sorted(chances, reverse=True)[max(0, int(share * len(chances)) - 1)]
    tasks, met, code = set(), set(), set()
    for pair, chance in zip(pairs, chances, strict=True):
        if pair.first // BATCH != pair.second // BATCH:
            continue
        tasks |= {(pair.repo, pair.first), (pair.repo, pair.second)}
        if chance < least:
            met |= {(pair.repo, pair.second)} if pair.conflict else set()
            code |= {(pair.repo, pair.second)} if pair.code else set()
    return len(met) / len(tasks), len(code) / len(tasks)


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def tell(pairs: list[Pair], name: str, chances: list[float]) -> None:
    """Print the rows of the table."""
    labels = [pair.conflict for pair in pairs]
    spots = defaultdict(list)
    for at, pair in enumerate(pairs):
        spots[pair.repo].append(at)
    by_repo = {
        repo: auc([chances[at] for at in places], [labels[at] for at in places])
        for repo, places in spots.items()
    }
    say(
        f"{name}: AUC {auc(chances, labels):.3f}, "
        f"mean of repositories {mean(list(by_repo.values())):.3f}; "
        f"precision at recall {RECALL}: {precision_at(chances, labels):.2f}"
    )
    for share in SHARES:
        met, code = in_conflict(pairs, chances, share)
        say(f"   {share:.0%} of pairs flagged: {met:.2%} of tasks in conflict (code {code:.2%})")
    say("   " + ", ".join(f"{repo} {value:.3f}" for repo, value in by_repo.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--fit", action="store_true")
    asked = parser.parse_args()
    repos, pairs = read(asked.data, "tasks"), read(asked.data, "pairs")
    for tasks in repos.values():
        tasks.sort(key=lambda task: task["idx"])
    model = read_model(WEIGHTS) if WEIGHTS.exists() else None
    if asked.fit or model is None:
        files = learn_files(repos)
        nothing = LogisticModel((), ())
        model = PredictionModel(files, nothing, nothing)
    found, cuts = {}, {}
    for repo, judgements in pairs.items():
        known = sorted(
            (one for one in judgements if one["conflict"] is not None), key=lambda one: one["i"]
        )
        cuts[repo] = known[int(FITTED * len(known))]["i"]
        found[repo] = list(outlooks(repos[repo], known, model))
    if asked.fit:
        texts, globs = Table(), Table()
        for repo, rows in found.items():
            for pair, text, glob in rows:
                label, late = bool(pair["conflict"]), pair["i"] > cuts[repo]
                texts.add(text, label=label, late=late)
                globs.add(glob, label=label, late=late)
        model = PredictionModel(model.files, fit(TEXT_FEATURES, texts), fit(GLOB_FEATURES, globs))
        write(model)
    figures = {repo: recall(tasks, model.files) for repo, tasks in repos.items()}
    say(
        f"text → files: recall@{TOP} {mean([one[0] for one in figures.values()]):.3f}, "
        f"{mean([one[1] for one in figures.values()]) * 1000:.1f} ms a task"
    )
    say("   " + ", ".join(f"{repo} {one[0]:.3f}" for repo, one in figures.items()))
    late = [
        pair
        for repo, rows in found.items()
        for pair in judged(rows, model, cuts[repo])
        if pair.late
    ]
    share = mean([float(pair.conflict) for pair in late])
    say(f"{len(late)} pairs, {share:.1%} of them in conflict")
    tell(late, "text", [pair.by_text for pair in late])
    tell(late, "text and globs", [pair.by_globs for pair in late])


def write(model: PredictionModel) -> None:
    stored = {
        "source": "fitted by tests/bench/conflicts.py --fit",
        "weights": {
            name: dict(zip(one.features, one.weights, strict=True))
            for name, one in (
                ("files", model.files),
                ("texts", model.texts),
                ("globs", model.globs),
            )
        },
    }
    WEIGHTS.write_text(json.dumps(stored, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
