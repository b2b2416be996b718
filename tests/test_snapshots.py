"""Every picture belongs to a test module; nothing else notices orphans."""

from tests.conftest import SNAPSHOTS, TESTS


def test_every_folder_of_pictures_belongs_to_a_test_module() -> None:
    folders = {picture.parent.relative_to(SNAPSHOTS) for picture in SNAPSHOTS.rglob("*.svg")}
    assert {
        folder for folder in folders if not (TESTS / folder.with_suffix(".py")).is_file()
    } == set()
