from pex_tui.cli.output.doctor import render_checks
from pex_tui.engine.session import CheckLevel, DoctorCheck


def test_each_finding_is_a_line_with_a_mark_of_its_level() -> None:
    lines = render_checks(
        [
            DoctorCheck(CheckLevel.OK, "git", "2.39.5"),
            DoctorCheck(CheckLevel.WARN, "terminal", "60×20"),
            DoctorCheck(CheckLevel.BAD, "python", "3.10"),
        ]
    ).splitlines()

    assert lines == ["✓ git          2.39.5", "! terminal     60×20", "✗ python       3.10"]


def test_what_is_wrong_says_how_to_mend_it_below() -> None:
    lines = render_checks(
        [DoctorCheck(CheckLevel.BAD, "identity", "nobody", "Tell git who you are. " * 10)]
    ).splitlines()

    assert lines[0] == "✗ identity     nobody"
    assert len(lines) > 2
    assert all(line.startswith(" " * 15) for line in lines[1:])
    assert max(map(len, lines)) <= 96


def test_each_line_of_a_remedy_is_a_line_of_its_own() -> None:
    text = render_checks(
        [DoctorCheck(CheckLevel.BAD, "settings", "bad", "a.yaml:1: x\na.yaml:2: y")]
    )

    assert [line.strip() for line in text.splitlines()[1:]] == ["a.yaml:1: x", "a.yaml:2: y"]


def test_findings_from_outside_are_clean() -> None:
    text = render_checks([DoctorCheck(CheckLevel.OK, "repository", "evil\x1b]52;c;aGk=\x07name")])

    assert "\x1b" not in text
    assert "name" in text


def test_nothing_found_is_nothing_said() -> None:
    assert render_checks([]) == "\n"
