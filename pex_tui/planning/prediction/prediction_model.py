"""The fitted weights, as they are shipped."""

import json
from pathlib import Path

from msgspec import Struct

from pex_tui.planning.prediction.likely_files import FILE_FEATURES
from pex_tui.planning.prediction.logistic import LogisticModel
from pex_tui.planning.prediction.pair_features import GLOB_FEATURES, TEXT_FEATURES


class PredictionModel(Struct, frozen=True):
    """Whether a task changes a file, and whether two tasks collide.

    `texts` knows no more than what the tasks say, `globs` also what both declare to write.
    """

    files: LogisticModel
    texts: LogisticModel
    globs: LogisticModel


def read_model(path: Path) -> PredictionModel:
    """Return the model of a file that `tests/bench/conflicts.py` wrote.

    Raises ValueError when its features are not those of this version, OSError when there is none.
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
