from msgspec.structs import replace

from pex_tui.core.textmerge.diff3 import Choice
from pex_tui.core.textmerge.syntax_check import NOT_CHECKED, OK
from pex_tui.engine.conflict_sides import ConflictSides
from pex_tui.tui.manual_resolution import begin_resolution
from tests.tui.drafts import API_OURS, API_THEIRS, binary_conflict, deletion, text_conflict


def test_taking_ours_everywhere_keeps_what_merges_by_itself() -> None:
    resolution = begin_resolution(text_conflict())
    while resolution.left:
        resolution = resolution.choose(Choice.OURS)

    api = resolution.contents()["src/pay/api.py"]
    assert api is not None
    assert b"Money(amount)" in api
    assert b'"""Refund a payment."""' in api
    assert resolution.files[0].verdict == OK


def test_each_choice_leads_to_the_next_open_hunk_and_can_be_taken_back() -> None:
    first = begin_resolution(text_conflict())
    second = first.choose(Choice.THEIRS)

    assert second.left == first.left - 1
    assert second.current.sides.path == "CHANGELOG.md"
    assert second.undo() == first


def test_both_puts_what_landed_before_ours() -> None:
    resolution = begin_resolution(text_conflict()).turn_file(1).choose(Choice.BOTH)

    assert resolution.contents()["CHANGELOG.md"] == b"# Changes\n\n- docs\n- refunds\n- one\n"


def test_an_edited_text_outranks_choices_and_a_later_choice_outranks_it() -> None:
    edited = begin_resolution(text_conflict()).edit("mine\n")
    assert edited.files[0].contents() == b"mine\n"

    again = edited.turn_file(-edited.file).choose(Choice.OURS)
    assert again.files[0].contents() != b"mine\n"


def test_markers_that_are_left_in_an_edit_are_noticed() -> None:
    edited = begin_resolution(text_conflict()).edit("x\n||||||| base\n")

    assert edited.files[0].verdict == "conflict markers are left in line 2"
    assert edited.marked == (edited.files[0],)
    assert begin_resolution(text_conflict()).marked == ()


def test_what_somebody_made_of_it_before_is_proposed_and_can_be_taken_back() -> None:
    api, changes = text_conflict()
    said = replace(changes, proposal=b"# Changes\n\n- as before\n", proposed="as ada decided")

    proposed = begin_resolution((api, said))

    assert proposed.left == begin_resolution((api,)).left
    assert proposed.contents()["CHANGELOG.md"] == said.proposal
    assert proposed.files[1].verdict == f"as ada decided · {NOT_CHECKED}"
    again = proposed.undo()
    assert again.contents() == begin_resolution((api, changes)).contents()
    assert proposed.turn_file(1).choose(Choice.OURS).files[1].verdict == NOT_CHECKED


def test_a_binary_file_is_taken_whole() -> None:
    resolution = begin_resolution(binary_conflict())
    assert resolution.choose(Choice.BOTH).left == 1

    taken = resolution.choose(Choice.THEIRS)

    assert taken.left == 0
    assert taken.contents() == {"logo.png": b"\x89PNG\0ccc"}


def test_a_deletion_can_be_taken() -> None:
    resolution = begin_resolution(deletion())

    assert resolution.choose(Choice.THEIRS).contents() == {"src/old.py": None}
    assert resolution.choose(Choice.OURS).contents() == {"src/old.py": API_OURS}


def test_hunks_go_around() -> None:
    resolution = begin_resolution(text_conflict())
    count = len(resolution.current.conflicts)
    turned = resolution
    for _ in range(count):
        turned = turned.turn_hunk(1)

    assert turned.hunk == resolution.hunk
    assert API_THEIRS


def test_the_names_of_a_file_that_both_renamed_are_chosen_together() -> None:
    kind = "rename/rename"
    resolution = begin_resolution(
        (
            ConflictSides("old", kind, b"x", None, None, None),
            ConflictSides("theirs", kind, None, None, b"x", None),
            ConflictSides("ours", kind, None, b"x", None, None),
            ConflictSides("pic", "binary", b"\0", b"\0a", b"\0b", None),
        )
    )
    chosen = resolution.choose(Choice.OURS)

    assert chosen.left == 1
    assert chosen.current.sides.path == "pic"
    assert chosen.contents() | {"pic": None} == {
        "old": None,
        "theirs": None,
        "ours": b"x",
        "pic": None,
    }
    assert chosen.undo().left == 4
