"""Work of the app's service outside of the loop that paints."""

import threading
from pathlib import Path
from typing import Any, cast

import pytest

from pex_tui.application.app.project_service import RepositoryService
from pex_tui.application.project.project import Project
from pex_tui.application.runs import headless_driver as driving
from pex_tui.application.runs.run_options import RunOptions
from pex_tui.core.model.ids import RunId
from pex_tui.errors import UserError


async def test_reports_are_read_while_the_screen_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    readers: list[int] = []

    def read(_ground: Project, run: str) -> Any:
        readers.append(threading.get_ident())
        raise UserError(f"There is no run {run}.")

    monkeypatch.setattr(driving, "read_report", read)
    made = RepositoryService(cast("Project", None), "shop", RunOptions())
    first, second = RunId("7f3a"), RunId("4c6d")
    for reading in (
        made.report(first),
        made.compare(first, second),
        made.export(first, tmp_path / "report.html"),
    ):
        with pytest.raises(UserError, match="no run 7f3a"):
            await reading

    assert len(readers) == 3
    assert threading.get_ident() not in readers
