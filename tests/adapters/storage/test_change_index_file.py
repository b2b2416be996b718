from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pex_tui.adapters.storage.change_index_file import StoredIndex, load_index, store_index
from pex_tui.core.model.ids import CommitId
from pex_tui.planning.prediction.change_index import Change, ChangeIndex

TIP = CommitId("1" * 40)
PATHS = st.sampled_from(("a.py", "src/deep/näme.py", "bad\udcffname", "b", "c/d.txt"))
CHANGES = st.builds(
    Change, st.text(max_size=30), st.lists(PATHS, unique=True).map(tuple), st.just(())
)


def index_of(changes: list[Change]) -> ChangeIndex:
    index = ChangeIndex()
    for change in changes:
        index.add(change)
    return index


@given(changes=st.lists(CHANGES, max_size=8), later=CHANGES)
def test_what_was_stored_comes_back_and_goes_on(
    tmp_path_factory: object, changes: list[Change], later: Change
) -> None:
    path = Path(tmp_path_factory.mktemp("store")) / "changes.index"  # type: ignore[attr-defined]  # pytest's own type is private
    index = index_of(changes)
    store_index(path, StoredIndex(index, TIP))

    stored = load_index(path)

    assert stored == StoredIndex(index, TIP)
    stored.index.add(later)
    index.add(later)
    assert stored.index == index


def test_there_is_nothing_where_no_file_is_or_another_s(tmp_path: Path) -> None:
    path = tmp_path / "changes.index"
    assert load_index(path) is None
    for content in (b"", b"{}\n", b"not json\n", b"[1]\n", b"\xff\xfe"):
        path.write_bytes(content)
        assert load_index(path) is None


def test_a_file_that_ends_too_early_is_none(tmp_path: Path) -> None:
    path = tmp_path / "changes.index"
    index = index_of([Change("Sessions expire", ("a.py", "b.py"))])
    store_index(path, StoredIndex(index, TIP))
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert load_index(path) is None
    assert [left.name for left in tmp_path.iterdir()] == ["changes.index"]
