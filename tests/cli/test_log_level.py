"""`--log-level` and `-D`: what is told on standard error besides errors, and what isn't paid for without it."""

from __future__ import annotations

import re
import syslog

import pytest

from podpy.cli.show import notice
from podpy.errors import UsageError
from podpy.notice import Details
from tests.support.engine import Podpy
from tests.support.registry import Registry

LINE = re.compile(r'time="[0-9-]{10}T[0-9:]{8}[+-][0-9:]{5}" level=(\w+) msg="(.*)"')


def told(stderr: str) -> list[tuple[str, str]]:
    found = [LINE.fullmatch(line) for line in stderr.splitlines()]
    assert all(found), stderr
    return [(line[1], line[2]) for line in found if line]


@pytest.mark.parametrize("option", ["--log-level=debug", "--log-level=trace", "-D"])
def test_debug_tells_each_step_and_each_program_with_its_arguments(podpy: Podpy, busybox: str, option: str) -> None:
    done = podpy(option, "run", "--rm", "--network=none", "-e", "TOKEN=secret", busybox, "echo", "hello")
    assert done.ok() == "hello"
    lines = told(done.stderr)
    assert re.fullmatch(r"podpy \d\S+: podpy run", lines[0][1])
    assert any(level == "debug" and re.match(r"Starting: \S+/conmon .* -n ", text) for level, text in lines)
    assert any("overlay" in text for _, text in lines)
    assert ("trace" in dict(lines)) == ("trace" in option)
    assert "secret" not in done.stderr


def test_debug_tells_what_a_registry_is_asked(podpy: Podpy, registry: Registry) -> None:
    done = podpy("--log-level=debug", "pull", "-q", "--tls-verify=false", f"{registry.address}/nothing")
    done.fails(125)
    assert f'level=debug msg="GET http://{registry.address}/v2/nothing/manifests/latest"' in done.stderr


def test_error_leaves_warnings_out_and_without_the_option_there_is_nothing(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--name", "c", "--network=none", busybox, "sleep", "1000")
    assert podpy("ps").stderr == ""
    quiet = podpy("--log-level=error", "stop", "-t", "0", "c")
    assert (quiet.ok(), quiet.stderr) == ("c", "")


def test_syslog_gets_log_lines_and_errors_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The socket of syslog(3) is the host's: here its last step is looked at."""
    told: list[tuple[int, str]] = []
    for name in ("step", "end"):
        monkeypatch.setattr(Details, name, None)  # as it was before, at the end
    monkeypatch.setattr(syslog, "syslog", lambda priority, text: told.append((priority, text)))
    notice.configure("info", syslog=True)
    try:
        notice.print_warning("two\nlines")
        notice.print_note("a note")
        notice.tell_details("ps")
        notice.complain(UsageError("no", hint="yes"))
    finally:
        notice.configure("warn")
    assert told == [(syslog.LOG_WARNING, "two lines"), (syslog.LOG_INFO, "a note"), (syslog.LOG_ERR, "Error: no")]
    notice.print_warning("not this one")
    assert len(told) == 3
