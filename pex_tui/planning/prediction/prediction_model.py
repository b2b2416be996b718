"""The shipped, fitted weights of the predictions."""

import json
from pathlib import Path

from msgspec import Struct

from pex_tui.planning.prediction.likely_files import FILE_FEATURES
from pex_tui.planning.prediction.logistic import LogisticModel
from pex_tui.planning.prediction.pair_features import GLOB_FEATURES, TEXT_FEATURES


class PredictionModel(Struct, frozen=True):
    """Weights for the files that a task changes, and for conflicts of two tasks.

    `texts` uses only the tasks' texts, `globs` their declared write sets as well.
    """

    files: LogisticModel
    texts: LogisticModel
    globs: LogisticModel


def read_model(path: Path) -> PredictionModel:
    """Return the model in a file written by `tests/bench/conflicts.py`.

    Raises ValueError if its features are not those of this version, OSError if there is no file.
    """
    weights = json.loads(path.read_text("utf-8"))["weights"]
    files, texts, globs = (
        _model(path, name, weights[name], features)
        for name, features in (
            ("files", FILE_FEATURES),
            ("texts", TEXT_FEATURES),
            ("globs", GLOB_FEATURES),
        )
    )
    return PredictionModel(files, texts, globs)


def _model(
    path: Path, name: str, weights: dict[str, float], features: tuple[str, ...]
) -> LogisticModel:
    if tuple(weights) != features:
        raise ValueError(f"{path}: the weights of {name} are not those of this version")
    return LogisticModel(features, tuple(weights.values()))
