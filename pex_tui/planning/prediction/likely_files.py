"""Prediction of the files that a task will change, from its text and the repository's history.

Past changes are ranked against the text by BM25. Candidates are the files that similar changes
touched, files with similar names, recently hot files, and files that change together with these. A
logistic function over a dozen features gives each a probability.

BM25 is implemented here, in ten lines, because bm25s indexes a corpus as a whole, where this index
grows by each commit, and needs numpy: 46 MB, and 0.26 s to import.
"""

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from msgspec import Struct

from pex_tui.planning.prediction.change_index import COUNT_BITS, ChangeIndex
from pex_tui.planning.prediction.logistic import LogisticModel
from pex_tui.planning.prediction.words import path_words, words

FILE_FEATURES = (
    "bias",
    "name",  # words shared by the text and the file's name, weighted by rarity
    "name_rank",  # one over its rank among the files that the text nearly names
    "folder",  # as `name`, for its parent folders
    "said",  # the text contains the file's name
    "said_path",  # the text contains its whole path
    "like_share",  # share of the most similar past changes that touched it
    "like_rank",  # one over its rank when these are weighted by similarity and size
    "company",  # how often it changed together with the likeliest files
    "heat_short",
    "heat_long",
    "touches",
    "lately",  # changes since it was last touched
    "depth",  # number of parent folders
)
_K1, _B = 1.2, 0.6  # BM25
_MOST_WORDS = 48  # of a text, the rarest ones
_MOST_POSTINGS = 6000
_NEWS = 8.0  # weight of a word that no past text has
_COMMON = 0.4  # a word in a larger share of the past texts is ignored
_SMALL = 50  # with fewer past texts, no word is common
_COMMON_FOLDER = 0.3
_NEAREST = 120  # past changes that are compared
_MOST_ALIKE = 60  # the most similar of them, which count
_SEEDS = 6  # files whose co-changes are counted
_COMPANY = 60  # the last changes of these
_LATELY = 100  # changes in which a file is hot
_CANDIDATES = (40, 20, 20, 15)  # by similarity, name, co-change, heat


class LikelyFiles(Struct, frozen=True):
    """Predictions for a task: the probability of each file, and the weights of its words."""

    files: Mapping[str, float]
    words: Mapping[str, float]
    length: int  # of the text, in characters


class _Word(Struct, frozen=True):
    """A word of the task's text, its rarity, and its number of occurrences."""

    text: str
    rarity: float
    count: int

    @property
    def weight(self) -> float:
        return self.rarity * (1.0 + math.log(self.count))


def likely_files(index: ChangeIndex, text: str, model: LogisticModel) -> LikelyFiles:
    """Predict the files that a task with this text will change."""
    query = _query(index, text)
    chances = {
        index.paths[file]: model.chance(values)
        for file, values in _candidates(index, text, query).items()
    }
    told = {word.text: word.weight or _NEWS for word in query}
    return LikelyFiles(chances, told, len(text))


def file_features(index: ChangeIndex, text: str) -> dict[str, tuple[float, ...]]:
    """Return the values of FILE_FEATURES of each candidate file, to fit a model."""
    found = _candidates(index, text, _query(index, text))
    return {index.paths[file]: values for file, values in found.items()}


def _candidates(index: ChangeIndex, text: str, query: list[_Word]) -> dict[int, tuple[float, ...]]:
    """Return the features (see FILE_FEATURES) of each candidate file."""
    now = len(index)
    alike = _alike(index, query)
    near, shares = _touched_by(index, alike)
    names = _matches(index, query, index.named, common=1.0)
    folders = _matches(index, query, index.below, common=_COMMON_FOLDER)
    fits = {file: value / _all_of(index, file) for file, value in _top(names, 200)}
    first = {file: 4.0 * near.get(file, 0.0) + 0.5 * fits.get(file, 0.0) for file in {*near, *fits}}
    company = _company(index, [file for file, _ in _top(first, _SEEDS)])
    hot = _hot(index)
    pools = zip((first, names, company, hot), _CANDIDATES, strict=True)
    chosen = {file for scores, most in pools for file, _ in _top(scores, most)}
    like_rank, name_rank = _ranks(near), _ranks(fits)
    lower = text.lower()
    made: dict[int, tuple[float, ...]] = {}
    for file in sorted(chosen):
        heat, path = index.heats[file], index.paths[file].lower()
        name = path.rpartition("/")[2]
        short, long = heat.levels_at(now)
        made[file] = (
            1.0,
            math.log1p(names.get(file, 0.0)),
            name_rank.get(file, 0.0),
            math.log1p(folders.get(file, 0.0)),
            float("." in name and name in lower),
            float("/" in path and path in lower),
            _logit(shares.get(file, 0.0)),
            like_rank.get(file, 0.0),
            company.get(file, 0.0),
            math.log1p(short),
            math.log1p(long),
            math.log1p(heat.touches),
            1.0 / (1.0 + (now - heat.at) / 20.0),
            path.count("/") / 5.0,
        )
    return made


def _query(index: ChangeIndex, text: str) -> list[_Word]:
    """Return the significant words of a text, rarest first."""
    most = _COMMON * len(index) if len(index) > _SMALL else math.inf
    found = [
        _Word(word, index.rarity(word), count)
        for word, count in Counter(words(text)).items()
        if len(index.postings.get(word, ())) <= most
    ]
    found.sort(key=lambda word: (-word.rarity, word.text))
    return found


def _alike(index: ChangeIndex, query: list[_Word]) -> list[tuple[int, float]]:
    """Return the most similar past changes with their similarity (BM25, 0…1)."""
    average = sum(index.lengths) / max(1, len(index)) or 1.0
    told = _told(index, query)
    scores: defaultdict[int, float] = defaultdict(float)
    mask = 2**COUNT_BITS - 1
    for word in told:
        gain = word.weight * (_K1 + 1.0)
        for posting in index.postings[word.text]:
            number, count = posting >> COUNT_BITS, posting & mask
            length = index.lengths[number] / average
            scores[number] += gain * count / (count + _K1 * (1.0 - _B + _B * length))
    whole = sum(word.weight for word in told) * (_K1 + 1.0) or 1.0
    # Of two equally similar changes, the later one is more relevant.
    best = heapq.nlargest(_NEAREST, scores.items(), key=lambda one: (one[1], one[0]))
    return [(number, score / whole) for number, score in best]


def _told(index: ChangeIndex, query: list[_Word]) -> list[_Word]:
    """Return the words to look up, rarest first; frequent ones would cost more than they tell."""
    told: list[_Word] = []
    postings = 0
    for word in query[:_MOST_WORDS]:
        if word.rarity:
            postings += len(index.postings[word.text])
            if postings > _MOST_POSTINGS and told:
                break
            told.append(word)
    return told


def _touched_by(
    index: ChangeIndex, alike: list[tuple[int, float]]
) -> tuple[dict[int, float], dict[int, float]]:
    """Return files by the similarity of their changes: a weight, and a share of the best ones."""
    near: defaultdict[int, float] = defaultdict(float)
    shares: defaultdict[int, float] = defaultdict(float)
    whole = sum(score * score for _, score in alike[:_MOST_ALIKE]) or 1.0
    for place, (number, score) in enumerate(alike):
        files = index.files_of[number]
        for file in files:
            if file in index.present:
                near[file] += score * score / math.sqrt(len(files))
                if place < _MOST_ALIKE:
                    shares[file] += score * score / whole
    return near, shares


def _matches(
    index: ChangeIndex, query: list[_Word], places: Mapping[str, Iterable[int]], common: float
) -> dict[int, float]:
    """Return files by the query's words in their names, weighted by rarity."""
    found: defaultdict[int, float] = defaultdict(float)
    for word in query:
        files = [file for file in places.get(word.text, ()) if file in index.present]
        if len(files) <= common * len(index.present):
            weight = _path_rarity(index, len(files))
            for file in files:
                found[file] += weight
    return found


def _path_rarity(index: ChangeIndex, files: int) -> float:
    return math.log(1.0 + len(index.present) / (files + 0.5))


def _all_of(index: ChangeIndex, file: int) -> float:
    """Return the maximum weight that a file's name can contribute."""
    own, _ = path_words(index.paths[file])
    return sum(_path_rarity(index, len(index.named[word])) for word in own) or 1.0


def _company(index: ChangeIndex, seeds: list[int]) -> dict[int, float]:
    """Return files by their maximum rate of changes together with one of the seeds."""
    found: dict[int, float] = {}
    for seed in seeds:
        changes = index.changes_of[seed][-_COMPANY:]
        beside = Counter(file for number in changes for file in index.files_of[number])
        for file, count in beside.items():
            if file != seed and file in index.present:
                found[file] = max(found.get(file, 0.0), count / (len(changes) + 2.0))
    return found


def _hot(index: ChangeIndex) -> dict[int, float]:
    lately = (file for files in index.files_of[-_LATELY:] for file in files)
    return {file: count for file, count in Counter(lately).items() if file in index.present}


def _top(scores: Mapping[int, float], most: int) -> list[tuple[int, float]]:
    return heapq.nlargest(most, scores.items(), key=lambda one: (one[1], -one[0]))


def _ranks(scores: Mapping[int, float]) -> dict[int, float]:
    ordered = sorted(scores, key=lambda file: (-scores[file], file))
    return {file: 1.0 / (1.0 + place) for place, file in enumerate(ordered)}


def _logit(share: float) -> float:
    bounded = min(0.98, max(0.005, share))
    return math.log(bounded / (1.0 - bounded))
