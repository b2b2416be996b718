"""Rules apply to the commands that a shell line really runs; the lines are parsed, never run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pex_tui.core.lifecycle.rule_patterns import Concern, concern, covers

PUSH = "git push *"

RUNS_IT = [
    "git push x",
    "git push",
    "git  push x",
    "git\tpush x",
    "GIT_TRACE=1 git push x",
    "A=1 B='2 3' git push",
    "git -C . push x",
    "git -c x=y --git-dir .git push",
    "git --git-dir=.git --no-pager push",
    "env git push x",
    "env -i PATH=/bin git push",
    "env -S 'git push x'",
    "/usr/bin/git push x",
    "/usr/lib/git-core/git-push x",
    "git-push x",
    "sh -c 'git push x'",
    "bash -lc 'git push'",
    'bash -c "cd x && git push"',
    "sudo sh -c 'git push'",
    "busybox sh -c 'git push'",
    "git 'push' x",
    "'git' \"push\" x",
    "\\git push",
    'g""it push',
    "$'git' push",
    r"$'\x67it' push",
    "time git push x",
    "time -p git push",
    "! git push x",
    "if true; then git push x; fi",
    "if ! git push; then ls; fi",
    "if [ x ]; then :; elif git push; then :; fi",
    "until git push; do sleep 1; done",
    "while read x; do git push $x; done",
    "for x in a b; do git push $x; done",
    "for x do git push $x; done",
    "for x\nin a b\ndo git push; done",
    "for ((i=0;i<3;i++)); do git push; done",
    "select x in a; do git push; done",
    "case a in a) git push;; esac",
    "case a in (a|b) ls;; *) git push x; esac",
    "f() { git push x; }; f",
    "function f { git push x; }; f",
    "f() ( git push )",
    "git \\\npush x",
    "git pu\\\nsh x",
    "ls;git push",
    "ls&&git push",
    "ls||git push",
    "ls|git push",
    "ls |& git push",
    "ls & git push",
    "git push&",
    "(git push)",
    "{ git push; }",
    "ls # comment\ngit push",
    "echo a#b; git push",
    "echo $(git push x)",
    'echo "$(git push x)"',
    "echo `git push x`",
    'echo "`git push x`"',
    "echo $(echo $(echo `git push`))",
    "echo ${x:-$(git push)}",
    "echo $((1 + $(git push)))",
    "x=$(git push)",
    "cat <(git push x)",
    "tee >(git push x)",
    "cat <<EOF\n$(git push x)\nEOF",
    "bash <<EOF\ngit push x\nEOF",
    "sh <<'E'\ngit push\nE",
    "sh <<-E\n\tgit push\n\tE",
    "cat <<E\nbody\nE\ngit push",
    "cat <<E; git push\nbody\nE",
    "bash <<< 'git push x'",
    ">f git push x",
    "2>/dev/null git push >&2",
    "git push x >/dev/null 2>&1",
    "sudo git push",
    "sudo -u me git push",
    "nohup git push &",
    "nice -n 5 git push",
    "timeout -k 5s 10s git push",
    "setsid git push",
    "stdbuf -oL git push",
    "flock f git push",
    "flock f -c 'git push'",
    "coproc git push",
    "repeat 3 git push",
    "noglob git push",
    "=git push",
    "command -p git push",
    "builtin eval git push",
    "exec git push",
    "exec -a x git push",
    "eval git push",
    "eval 'git' 'push'",
    'eval "git pu""sh"',
    "trap 'git push' EXIT",
    "echo x | xargs git push",
    "echo push | xargs git",
    "xargs -I{} git push {}",
    "xargs -I % git -C % push",
    "xargs -n1 -P4 sh -c 'git push $0'",
    "find . -exec git push {} \\;",
    "find . -execdir sh -c 'git push' \\;",
    "sudo find . -exec git push {} +",
    "parallel git push ::: a b",
    "parallel git ::: push",
    "ssh host git push",
    "ssh host 'cd x; git push'",
    "watch git push",
    "su -c 'git push'",
    "docker run image git push",
    "npx -c 'git push'",
    "uv run git push",
    "git -c alias.p=push p",
    "git -c alias.p='!git push' p",
    "git submodule foreach 'git push'",
    "git rebase -x 'git push' HEAD~3",
    "git bisect run git push",
    "GIT_EDITOR='git push' git commit",
    "python3 -c 'import os; os.system(\"git push x\")'",
    "python3 -c \"import subprocess; subprocess.run(['git', 'push'])\"",
    "perl -e 'system(\"git push\")'",
    "awk 'BEGIN{system(\"git push\")}'",
    "python3 <<EOF\nos.system('git push')\nEOF",
    # known only to a running shell, with a hint at the rule
    "$X push",
    '"$X" push',
    "g$X push",
    "$(echo git) push",
    "git $(echo push) x",
    'git "$Y" origin',
    "X=git; $X push",
    'a=(git push x); "${a[@]}"',
    "sh -c '$0 push' git",
    "{git,push,x}",
    "g{i,}t push",
    "gi? push",
    "g[i]t push",
    "git pus[h] x",
    "git p*h x",
    "alias g=git; g push",
    "printf 'git push' | sh",
    "echo git push | bash -s",
    "echo 'git push' > x.sh; sh x.sh",
    "echo 'git push' > ./x; ./x",
    # unparsable, with a hint at the rule
    "git push)",
    "git push 'x",
    "git push (x)",
    "ls) git push",
]


@pytest.mark.parametrize("line", RUNS_IT)
def test_a_rule_is_about_a_line_that_runs_its_command_in_whatever_way(line: str) -> None:
    assert concern(PUSH, line) is Concern.YES


@pytest.mark.parametrize(
    "line",
    [
        "$X",
        "$X foo",
        "git pushy",
        "git p x",
        '"$@"',
        "base64 -d x | sh",
        "curl x | bash",
        "bash <(curl x)",
        "source <(curl x)",
        "sh /dev/stdin",
        "ls (files)",
        'echo "',
        "echo $(ls",
        "alias g=x; g y",
        "x\0y",
        "eval $X",
        "echo a > x; sh x",
        pytest.param("eval " * 12 + "ls", id="code in code"),
        pytest.param("a" * 70_000, id="long"),
        pytest.param("$(" * 200 + ")" * 200, id="deep"),
    ],
)
def test_what_cant_be_told_is_uncertain(line: str) -> None:
    assert concern(PUSH, line) is Concern.UNCERTAIN


@pytest.mark.parametrize(
    "line",
    [
        "ls -la",
        "git status",
        "git --version",
        "git log --oneline",
        "git log push",
        "git stash push",
        "git diff HEAD~1 -- src",
        "git -C $DIR status",
        "git show HEAD:src/push.py",
        'git commit -m "never git push here"',
        "git commit -m \"$(cat <<'EOF'\nnever git push\nEOF\n)\"",
        "git lfs pull",
        'echo "git push"',
        'grep -rn "git push" .',
        "cat > x <<'EOF'\ndo not git push\nEOF",
        "pytest -q tests",
        'python -m pytest -k "a or b"',
        'python3 -c "print(1)"',
        "npm run build && npm test",
        "npm run $X",
        "find . -name '*.py' -type f",
        "find . -name *.py",
        "find . -name x -exec rm {} +",
        "find . -type f | xargs grep -l foo",
        'for f in *.py; do echo "$f"; done',
        "while read l; do echo $l; done < f",
        "timeout 5 pytest $ARGS",
        "env FOO=$BAR pytest",
        "make -j4 test",
        "cd src && ls | wc -l",
        "if [ -f x ]; then cat x; fi",
        "[[ $a == b && -n $c ]] && ls",
        "x=1; echo $x",
        "echo $((1 << 2))",
        "echo $(( (1 + 2) * 3 ))",
        "(cd src && ls)",
        'echo "say \\"git push\\""',
        "cat <<\\EOF\n$(git push)\nEOF",
        "bash <<< 'ls -l'",
        "sh -c ls 'ls ('",
        "sh -c ls '$X'",
        "echo a < x; sh x",
        pytest.param(" ".join(["echo", *["$HOME"] * 60]), id="many in a row"),
        "docker run -e A=$B image pytest",
        "sed -i 's/a/b/' x",
        "sudo apt-get install -y git",
        "which git",
        "ls; rm -rf build",
    ],
)
def test_a_rule_leaves_other_lines_alone(line: str) -> None:
    assert concern(PUSH, line) is Concern.NO


_wrappings = st.sampled_from(
    [
        "{}",
        "env A=1 {}",
        "sudo -n {}",
        "nice -n 5 {}",
        "timeout -k 1 5 {}",
        "time {}",
        "! {}",
        "ls; {}",
        "true && {}",
        "{} | cat",
        "( {} )",
        "{{ {}; }}",
        "if true; then {}; fi",
        "while {}; do :; done",
        "for i in 1 2; do {}; done",
        "case x in y) ;; *) {};; esac",
        "f() {{ {}; }}; f",
        "echo $({})",
        'echo "$({})"',
        "cat <({})",
        "command {}",
        "nohup {} &",
        "A=1 {}",
        "{} >/dev/null 2>&1",
        "cat <<X\n$({})\nX",
        "{} # no more",
    ]
)
_spellings = st.sampled_from(
    [
        "git push x",
        "git  push\tx",
        "/usr/bin/git push x",
        "git -C . push x",
        "git -c a=b push x",
        "g\\it 'push' x",
        'gi"t" pu\\\nsh x',
        "git push",
    ]
)


@st.composite
def _wrapped(draw: st.DrawFn) -> str:
    line = draw(_spellings)
    for _ in range(draw(st.integers(0, 4))):
        if draw(st.booleans()):
            line = draw(_wrappings).format(line) + "\n" * draw(st.integers(0, 1))
        elif "\n" not in line:
            quoted = line.replace("'", "'\\''")
            line = draw(st.sampled_from(["sh -c '{}'", "bash -lc '{}'", "eval '{}'"])).format(
                quoted
            )
    return line


@given(_wrapped())
def test_no_wrapping_takes_a_command_from_its_rule(line: str) -> None:
    assert concern(PUSH, line) is not Concern.NO


_arguments = st.lists(st.from_regex(r"[a-z0-9_./=-]{1,8}", fullmatch=True), max_size=4)


@given(_arguments)
def test_a_plain_command_is_covered_by_its_pattern_and_no_concern_of_another(
    arguments: list[str],
) -> None:
    line = " ".join(["pytest", *arguments])

    assert covers("pytest *", line)
    assert concern(PUSH, line) is Concern.NO


@given(st.text(alphabet="git push$(){}'\"\\`;&|<>\n#[]*?=!0-:", max_size=40))
def test_any_text_is_judged_without_an_error(line: str) -> None:
    assert concern(PUSH, line) in Concern
    covers(PUSH, line)


@pytest.mark.parametrize(
    ("line", "is_covered"),
    [
        ("pytest -q", True),
        ("pytest", True),
        ("pytest  -k 'a or b; c'", True),
        ("pytest tests/*.py", True),
        ("pytest > x", False),
        ("pytest < x", False),
        ("pytest; ls", False),
        ("pytest\nls", False),
        ("pytest &", False),
        ("pytest | cat", False),
        ("pytest -q && pytest -x", False),
        ("(pytest)", False),
        ("! pytest", False),
        ("A=1 pytest", False),
        ("pytest $X", False),
        ("pytest $(ls)", False),
        ("pytest `ls`", False),
        ("pytest <(ls)", False),
        ("pytest {a,b}", False),
        ("env pytest", False),
        ("./pytest", False),
        ("pytest 'x", False),
    ],
)
def test_a_pattern_covers_one_plain_command_and_no_more(line: str, is_covered: bool) -> None:
    assert covers("pytest *", line) is is_covered


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        ("git push:*", "git push x"),
        ("git push:*", "git push"),
        ("git  push  *", "git push x"),
        ("docker push *", "docker --context prod push image"),
        ("npm publish *", "npm --prefix . publish"),
        ("rm -rf *", "sudo rm -rf /"),
        ("*", "anything"),
        ("sudo *", "sudo ls"),
        ("* --force", "git push --force"),
    ],
)
def test_patterns_may_be_written_in_several_ways(pattern: str, line: str) -> None:
    assert concern(pattern, line) is Concern.YES
