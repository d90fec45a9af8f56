"""`--jobs`: stages that don't need one another are built at the same time."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.build.building import BASE, Builder
from tests.support import wait

MEET = "touch /sync/{own}; while ! test -e /sync/{other}; do sleep 0.02; done"
BOTH = "FROM localhost/busybox\nCOPY --from=a /made /a\nCOPY --from=b /made /b\n"
TWO = f"""AS a
RUN {MEET.format(own="a", other="b")}; echo of a > /made
FROM localhost/busybox AS b
RUN {MEET.format(own="b", other="a")}; echo of b > /made
{BOTH}"""
AS = BASE.strip() + " "


@pytest.fixture
def sync(build: Builder) -> Path:
    """A directory in which commands of different stages see each other's files."""
    build.write({"../sync/begun": ""})
    return build.podpy.home / "sync"


def at_a_time(sync: Path, jobs: int) -> list[str]:
    """Return the options for so many stages at a time."""
    return [f"--jobs={jobs}", "--volume", f"{sync}:/sync"]


def start(build: Builder, sync: Path, dockerfile: str) -> subprocess.Popen[bytes]:
    """Start a build of two stages that write a and b when they have begun; return when both have."""
    build.write({"Dockerfile": AS + dockerfile})
    running = build.podpy.popen(
        "build", *at_a_time(sync, 2), str(build.context), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait.until(lambda: {"a", "b"} <= {path.name for path in sync.iterdir()}, what="both stages are at work")
    return running


def test_stages_that_wait_for_each_other_meet(build: Builder, sync: Path) -> None:
    made = build.ok(TWO, *at_a_time(sync, 2), base=AS)
    assert build.read(made, "a") == b"of a\n" and build.read(made, "b") == b"of b\n"
    assert build(TWO, *at_a_time(sync, 2), base=AS).ok().count("--> Using cache ") == 4
    assert build.ok(TWO, *at_a_time(sync, 1), base=AS) == made  # it is the same cache
    assert build.podpy.ok("ps", "-aq") == ""


def test_no_more_stages_are_at_work_than_were_asked_for(build: Builder, sync: Path) -> None:
    stages = "".join(
        f"FROM localhost/busybox AS s{n}\n"
        f"RUN touch /sync/at-{n}; ls /sync | grep -c at- > /sync/seen-{n}; rm /sync/at-{n}; echo {n} > /{n}\n"
        for n in range(5)
    )
    copies = "".join(f"COPY --from=s{n} /{n} /\n" for n in range(5))
    build.ok(f"{copies}", *at_a_time(sync, 2), base=f"{stages}FROM localhost/busybox\n")
    assert {(sync / f"seen-{n}").read_text().strip() for n in range(5)} <= {"1", "2"}
    build.ok(f"{copies}", *at_a_time(sync, 0), "--no-cache", base=f"{stages}FROM localhost/busybox\n")


def test_each_line_tells_its_stage(build: Builder, sync: Path) -> None:
    text = TWO.replace("echo of", "echo -n half; echo; echo of")
    lines = build(text.replace("> /made", "| tee /made"), *at_a_time(sync, 2), base=AS).ok().splitlines()
    own = {n: [line for line in lines if line.startswith(f"[{n}/3] ")] for n in (1, 2, 3)}
    assert own[1][0] == "[1/3] STEP 1/2: FROM localhost/busybox AS a"
    assert own[1][2:4] == ["[1/3] half", "[1/3] of a"] and own[2][2:4] == ["[2/3] half", "[2/3] of b"]
    assert own[1][4].startswith("[1/3] --> ") and len(own[1]) == len(own[2]) == 5
    assert own[3][0] == "[3/3] STEP 1/3: FROM localhost/busybox"
    assert sum(map(len, own.values())) == len(lines) - 1 and lines[-2].startswith("[3/3] --> ")


def test_a_failure_ends_the_others(build: Builder, sync: Path) -> None:
    failing = TWO.replace("echo of b > /made", "printf 'no\\nend' >&2; exit 7")
    endless = failing.replace("echo of a > /made", "sleep 1000")
    failed = build(endless, *at_a_time(sync, 2), base=AS).fails(7, 'building at STEP "RUN touch /sync/b', "line 4 of ")
    assert "[2/3] no\n[2/3] end\n" in failed.stderr
    assert build.podpy.ok("ps", "-aq") == ""
    assert build.podpy.ok("system", "check") == ""
    quiet = build(endless, "-q", "--no-cache", *at_a_time(sync, 2), base=AS).fails(7, "[2/3] end")
    assert quiet.stdout == ""


def test_what_a_quiet_failure_has_written_is_told(build: Builder, sync: Path) -> None:
    text = TWO.replace("echo of b > /made", "echo why; exit 7")
    assert "[2/3] why\n" in build(text, "-q", *at_a_time(sync, 2), base=AS).fails(7).stderr


def test_ctrl_c_ends_all_stages(build: Builder, sync: Path) -> None:
    running = start(build, sync, TWO.replace("echo of", "sleep 1000; echo of"))
    running.send_signal(signal.SIGINT)
    assert running.wait(wait.PATIENCE) == 130
    wait.until(lambda: build.podpy.ok("ps", "-aq") == "", what="the containers are gone")
    assert build.ok(TWO, *at_a_time(sync, 2), base=AS)
    assert build.podpy.ok("system", "check") == ""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_kill_leaves_nothing(build: Builder, sync: Path, number: signal.Signals) -> None:
    running = start(build, sync, TWO.replace("echo of", "sleep 1000; echo of"))
    running.send_signal(number)
    assert running.wait(wait.PATIENCE) == -number
    wait.until(lambda: build.podpy.ok("ps", "-aq") == "", what="the containers are gone")
    assert build.ok(TWO, *at_a_time(sync, 2), base=AS)
    assert build.podpy.ok("system", "check") == ""


@pytest.mark.parametrize("next_call", [["ps", "-aq"], ["build", "-q"]])
def test_what_killed_stages_have_left_is_gone_with_the_next_call(
    build: Builder, sync: Path, next_call: list[str]
) -> None:
    cached = build.podpy.home / "cached"
    with build.podpy.user.impersonated():
        cached.mkdir()
        (cached / "Dockerfile").write_text("FROM localhost/busybox\nLABEL a=b\n")
    build.podpy.ok("build", str(cached))
    running = start(build, sync, TWO.replace("echo of", "sleep 1000; echo of"))
    running.send_signal(signal.SIGSTOP)  # it would undo what its stages leave
    for pid in Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split():
        os.kill(int(pid), signal.SIGKILL)
    running.kill()
    running.wait(wait.PATIENCE)
    build.podpy.ok(*next_call, *([str(cached)] if next_call[0] == "build" else []))
    assert not os.listdir(build.podpy.runtime_dir / "podpy/containers")
    assert build.podpy.ok("system", "check") == ""


def test_stages_that_need_one_another_come_one_after_the_other(build: Builder) -> None:
    text = (
        "AS a\nRUN echo 1 > /x\nFROM a AS b\nRUN echo 2 >> /x\n"
        "FROM localhost/busybox\nRUN --mount=from=b,target=/b cp /b/x /y\n"
    )
    made = build.ok(text, "--jobs=4", base=AS)
    assert build.read(made, "y") == b"1\n2\n"


def test_a_process_is_made_only_for_stages_that_have_company(build: Builder) -> None:
    alone = "AS a\nRUN echo 1 > /x\nFROM a AS b\nRUN echo 2 >> /x\nFROM b\nRUN echo 3 >> /x\n"
    together = f"AS a\nRUN echo 1 > /made\nFROM localhost/busybox AS b\nRUN echo 2 > /made\n{BOTH}"
    made = {}
    for text, jobs in ((alone, 1), (alone, 4), (together, 4)):
        build.ok(text, base=AS)
        trace = ["strace", "-f", "-e", "trace=process", "-o", str(build.podpy.home / "trace")]
        build.podpy.run([*trace, *build.podpy.command("build", f"--jobs={jobs}", str(build.context))]).ok()
        lines = (build.podpy.home / "trace").read_text().splitlines()
        made[text, jobs] = len({line.split()[0] for line in lines})
    assert made[alone, 4] == made[alone, 1] == 1
    assert made[together, 4] == 3


def test_the_image_is_the_same_as_of_one_at_a_time(build: Builder) -> None:
    build.write({"f": "x"})
    text = "AS a\nCOPY f /made\nFROM localhost/busybox AS b\nRUN echo b > /made\n" + BOTH
    same = ["--source-date-epoch=1000", "--rewrite-timestamp", "--no-cache"]
    assert build.ok(text, "--jobs=2", *same, base=AS) == build.ok(text, *same, base=AS)


def test_arguments_that_any_stage_uses_are_used(build: Builder) -> None:
    text = "AS a\nARG ONE\nRUN echo $ONE > /made\nFROM localhost/busybox AS b\nARG TWO\nRUN echo $TWO > /made\n" + BOTH
    given = ["--build-arg=ONE=1", "--build-arg=TWO=2"]
    made = build(text, "--jobs=2", *given, "--build-arg=NO=3", base=AS)
    assert made.stderr == "[Warning] one or more build args were not consumed: [NO]\n"
    assert build.read(made.ok().splitlines()[-1], "b") == b"2\n"


def test_a_base_that_is_missing_ends_all(build: Builder) -> None:
    text = "AS a\nRUN true\nFROM localhost/nothere AS b\nRUN true\n" + BOTH
    build(text, "--jobs=2", "--pull=never", base=AS).fails(125, "localhost/nothere")


def test_a_wrong_number_is_refused(build: Builder) -> None:
    build("", "--jobs=-1").fails(125, "invalid value for jobs. It must be a positive integer")
    build("", "--jobs=x").fails(125, 'invalid argument "x" for "--jobs" flag')
