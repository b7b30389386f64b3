"""The small shell: what lessons write into `command`, `kubectl exec` and probes."""

import pytest
from kubelet_bench import Bench

from minik8s.kubelet.logs import LogOptions, select

SCRIPTS = [
    ("echo hello world", "hello world\n"),
    ("echo 'a  b' \"c $((1 + 2 * 3))\"", "a  b c 7\n"),
    ("for i in 1 2 3; do echo -n $i; done; echo", "123\n"),
    ("i=0; while [ $i -lt 3 ]; do i=$((i+1)); done; echo $i", "3\n"),
    ("if [ -f /etc/hosts ]; then echo yes; else echo no; fi", "yes\n"),
    ("false || echo or; true && echo and", "or\nand\n"),
    ("echo one > /tmp/f; echo two >> /tmp/f; cat /tmp/f | wc -l", "2\n"),
    ('x=$(echo inner); echo "[$x]"', "[inner]\n"),
    ("f() { echo got $1; return 3; }; f arg; echo $?", "got arg\n3\n"),
    ("case abc in a*) echo starts;; *) echo other;; esac", "starts\n"),
    ("echo ${UNSET:-default} ${HOSTNAME%l}", "default shel\n"),
    ("printf '%s-%d\\n' a 5", "a-5\n"),
    ("echo b a c | tr ' ' '\\n' | sort | head -2", "a\nb\n"),
    ("ls /nope || echo failed $?", "failed 1\n"),
    ("(cd /tmp; pwd); pwd", "/tmp\n/\n"),
    ("echo $((10 / 3)) $((10 % 3)) $((2 > 1))", "3 1 1\n"),
    ("mkdir -p /a/b && touch /a/b/c && find /a -name c", "/a/b/c\n"),
    ("set -e; false; echo unreachable", ""),
    ("echo a,b | cut -d, -f2; echo x1y | sed 's/[0-9]/-/'; echo p q | awk '{print $2}'", "b\nx-y\nq\n"),
]


@pytest.fixture(scope="module")
def shell() -> Bench:
    bench = Bench()
    bench.pod("shell", "nginx:1.27")
    bench.run(15)
    return bench


@pytest.mark.parametrize(("script", "printed"), SCRIPTS)
def test_scripts_print_what_a_posix_shell_prints(shell: Bench, script: str, printed: str) -> None:
    assert shell.shell("shell", script)[1] == printed


def test_sleeping_takes_virtual_time(shell: Bench) -> None:
    assert shell.shell("shell", "sleep 5; echo done", seconds=4)[0] is None
    assert shell.shell("shell", "sleep 5; echo done", seconds=6)[:2] == (0, "done\n")


def test_an_endless_loop_does_not_stop_the_world(shell: Bench) -> None:
    before = shell.cluster.clock.now()
    assert shell.shell("shell", "while true; do :; done", seconds=2)[0] is None
    assert shell.cluster.clock.now() == before + 2


def test_a_loop_that_never_waits_burns_a_core_and_gives_it_back() -> None:
    bench = Bench()
    bench.pod("burner", command=["sh", "-c", "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done; sleep 600"])
    bench.run(8)
    used = [bench.worker("burner").apps[0].running.usage().cpu]
    bench.run(60)
    used.append(bench.worker("burner").apps[0].running.usage().cpu)
    assert used[0] > 0.9 and used[1] < 0.1


LOOPS = [
    ("for i in 1 2 3; do [ $i = 2 ] && continue; echo $i; done", "1\n3\n"),
    ("for i in 1 2; do for j in a b; do [ $j = b ] && continue 2; echo $i$j; done; echo no; done", "1a\n2a\n"),
    ("for i in 1 2; do while true; do break 2; done; echo no; done; echo out", "out\n"),
    ("i=0; until [ $i = 3 ]; do i=$((i+1)); [ $i = 2 ] && continue; echo $i; done", "1\n3\n"),
]


@pytest.mark.parametrize(("script", "printed"), LOOPS)
def test_loops_are_left_and_gone_on_with(shell: Bench, script: str, printed: str) -> None:
    assert shell.shell("shell", script)[:2] == (0, printed)


@pytest.mark.parametrize("script", ["echo 'open", "if true; then", "| x", "for do", "$(", "done"])
def test_broken_scripts_fail_with_a_message(shell: Bench, script: str) -> None:
    code, _, err = shell.shell("shell", script)
    assert code == 2 and "syntax error" in err


def test_an_unknown_program_is_not_found(shell: Bench) -> None:
    assert shell.shell("shell", "nosuchprogram")[0] == 127


TYPED = [
    ("for i in 1 2\ndo\n  echo $i\ndone\necho after\n", "1\n2\nafter\n"),
    ("cat <<EOF\none\ntwo\nEOF\nx=3\necho $x\n", "one\ntwo\n3\n"),
    ("echo 'a\nb'\nif true; then\necho yes\nfi\n", "a\nb\nyes\n"),
    ("cat <<EOF\nlast", "last\n"),
]


@pytest.mark.parametrize(("lines", "printed"), TYPED)
@pytest.mark.parametrize("slowly", [True, False])
def test_what_is_typed_or_piped_into_a_shell_may_go_over_lines(
    shell: Bench, lines: str, printed: str, slowly: bool
) -> None:
    session = shell.worker("shell").apps[0].running.exec(("sh",), stdin=True)
    for part in lines.splitlines(keepends=True) if slowly else [lines]:
        session.write(part.encode())
        shell.run(0.1)
    session.close_stdin()
    shell.run(1)
    assert (session.exit, session.output()) == (0, printed)


STREAMS = [
    ("yes | head -2", 0, "y\ny\n"),
    ("seq 1 1000000000 | head -1", 0, "1\n"),
    ("cat /dev/zero | head -c 3 | wc -c", 0, "3\n"),
    ("(echo a; sleep 1; echo b) | while read x; do echo got $x; done", 0, "got a\ngot b\n"),
    ("(echo a; sleep 1; echo b; sleep 9) | grep a | tee /tmp/seen; cat /tmp/seen", 0, "a\na\n"),
    ("sleep 2 | echo early; date +%S > /dev/null; echo late", 0, "early\nlate\n"),
    ("echo 3 1 2 | xargs -n1 echo | sort -r", 0, "3\n2\n1\n"),
    ("printf '1:b\\n2:a\\n' | sort -t: -k2 | cut -d: -f1 | tac", 0, "1\n2\n"),
    ("f() { cat; return 3; }; echo x | f", 3, "x\n"),
]


@pytest.mark.parametrize(("script", "code", "printed"), STREAMS)
def test_the_parts_of_a_pipeline_run_at_the_same_time(shell: Bench, script: str, code: int, printed: str) -> None:
    assert shell.shell("shell", script, seconds=20)[:2] == (code, printed)


def test_what_comes_through_a_pipe_is_passed_on_at_once(shell: Bench) -> None:
    script = "while true; do echo tick; sleep 1; done | sed 's/tick/tock/' | tee /tmp/log"
    assert shell.shell("shell", script, seconds=3.5)[:2] == (None, "tock\n" * 4)


DOCUMENTS = [
    ('cat <<EOF\nhi $((1 + 1)) "q"\nEOF\necho after', 'hi 2 "q"\nafter\n'),
    ("cat <<'EOF' > /tmp/d\n$HOME it's\nEOF\ncat /tmp/d", "$HOME it's\n"),
    ("cat <<-EOF | tr a-z A-Z\n\tindented\n\tEOF\n", "INDENTED\n"),
    ("cat <<A; cat <<B\none\nA\ntwo\nB\n", "one\ntwo\n"),
]


@pytest.mark.parametrize(("script", "printed"), DOCUMENTS)
def test_here_documents(shell: Bench, script: str, printed: str) -> None:
    assert shell.shell("shell", script)[:2] == (0, printed)


SUMS = [
    ("i=1; echo $((i++)) $i $((++i)) $((i += 4)) $i", "1 2 3 7 7\n"),
    ("echo $((7 / -2)) $((7 % -2)) $((0x10 + 010)) $((1 << 3 | 1)) $((2 ** 10))", "-3 1 24 9 1024\n"),
    ("x=3; echo $((x > 2 ? 10 : 20)) $((!x)) $(( (x + 1) * 2 )) $((x == 3 && x != 4))", "10 0 8 1\n"),
    ("echo $((9223372036854775807 + 1))", "-9223372036854775808\n"),
]


@pytest.mark.parametrize(("script", "printed"), SUMS)
def test_arithmetic_is_that_of_64_bit_integers(shell: Bench, script: str, printed: str) -> None:
    assert shell.shell("shell", script)[:2] == (0, printed)


EDITS = [
    ("sed -n '2p'", "b1\n"), ("sed '/b/d'", "a1\nc1\n"), ("sed 's/\\([a-z]\\)\\(1\\)/\\2\\1/'", "1a\n1b\n1c\n"),
    ("sed -E 's/([ab])1/<&>/'", "<a1>\n<b1>\nc1\n"), ("sed '1,2d; s/c/C/'", "C1\n"), ("sed -n '$='", "3\n"),
    ("grep -E '^[[:alpha:]]1$' | grep -v b", "a1\nc1\n"), ("grep '('", ""), ("grep -c 1", "3\n"),
    ("grep -n b", "2:b1\n"), ("grep -Fi B1", "b1\n"), ("(head -c 1 /etc/hosts; echo; head -c 2)", "#\na1"),
    ("awk '/b/ {print $1}'", "b1\n"), ("awk 'NR==1'", "a1\n"), ("grep -A1 a", "a1\nb1\n"),
]  # fmt: skip


@pytest.mark.parametrize(("filter", "printed"), EDITS)
def test_filters_of_lines(shell: Bench, filter: str, printed: str) -> None:
    assert shell.shell("shell", f"printf 'a1\\nb1\\nc1\\n' | {filter}")[1] == printed


def test_jobs_are_named_waited_for_and_killed(shell: Bench) -> None:
    script = "sleep 9 & a=$!; (sleep 1; exit 4) & b=$!; kill $a; wait $b; echo $?; wait $a; echo $?; kill -0 $a || echo"
    assert shell.shell("shell", script, seconds=5)[:2] == (0, "4\n143\n\n")


FAULTS = [
    ("echo $((1 / 0)); echo no", 2, "divide by zero"), ("echo ${x:?is missing}; echo no", 2, "x: is missing"),
    ("f() { f; }; f", 139, "Segmentation fault"), ("printf %d abc", 1, "invalid number 'abc'"),
    ("seq", 1, "missing operand"),
    ("sed 's/\\(/x/' /etc/hosts", 1, "sed:"), ("echo a | base64 -d", 1, "base64:"), ("cat /nope", 1, "No such file"),
    ("cut -f1 /nope", 1, "No such file"), ("kill 99", 1, "No such process"), ("break; echo $?", 0, ""),
]  # fmt: skip


@pytest.mark.parametrize(("script", "code", "said"), FAULTS)
def test_a_program_that_fails_ends_alone(shell: Bench, script: str, code: int, said: str) -> None:
    ended, _, err = shell.shell("shell", script)
    assert ended == code and said in err
    assert shell.shell("shell", "echo alive")[1] == "alive\n"


GREEDY = [
    "x=a; while true; do x=$x$x; done",
    "x=$(seq 1 100000000)",
    "yes | sh -c 'x=; while read y; do x=$x$x$y$y; done'",
]


@pytest.mark.parametrize("script", GREEDY)
def test_a_shell_that_takes_all_memory_is_killed(script: str) -> None:
    bench = Bench()
    bench.pod("greedy", command=["sh", "-c", script], restartPolicy="Never")
    bench.run(30)
    ended = bench.container("greedy")["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (137, "OOMKilled")


BOMBS = ["f() { f | f; }; f", "while true; do sleep 100 & done", "f() { f & f & wait; }; f"]


@pytest.mark.parametrize("script", BOMBS)
def test_a_fork_bomb_ends_at_the_number_of_programs_that_a_container_may_run(script: str) -> None:
    bench = Bench()
    bench.pod("bomb", command=["sh", "-c", script], restartPolicy="Never")
    bench.pod("neighbour", "nginx:1.27")
    bench.run(60)
    assert bench.container("bomb")["state"]["terminated"]["exitCode"] in (2, 139)
    assert "sh: can't fork: Resource temporarily unavailable" in bench.logs("bomb")
    assert bench.condition("neighbour", "Ready")["status"] == "True"


def test_a_line_of_the_log_waits_for_its_end() -> None:
    bench = Bench()
    bench.pod("dots", command=["sh", "-c", "printf a; sleep 5; printf b; echo c; printf end"], restartPolicy="Never")
    bench.run(4)
    assert bench.logs("dots") == []
    bench.run(10)
    assert bench.logs("dots") == ["abc", "end"]
    log = bench.worker("dots").apps[0].current.log
    assert select(log.lines, LogOptions(), 0) == b"abc\nend"
