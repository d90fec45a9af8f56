"""Exit codes, output streams and error texts of the program as a whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from podpy.cli import main as program
from podpy.errors import CommandNotFoundError, UsageError
from tests.support.engine import Podpy


def run_main(code: str, *argv: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run main() in a process whose `ps` handler is `code`."""
    text = f"""
import sys, types
handler = types.ModuleType("podpy.cli.commands.containers.ps")
def run(options):
{code}
handler.run = run
sys.modules["podpy.cli.commands.containers.ps"] = handler
from podpy._start import finish
from podpy.cli.main import main
finish(main(sys.argv[1:]))
"""
    settings: dict[str, object] = {"capture_output": True, "text": True, **options}
    command = [sys.executable, "-c", text, *argv, "ps"]
    # Buffered as in podpy, which is run with -I.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": ""}
    return subprocess.run(command, env=environment, **settings)  # type: ignore[call-overload,no-any-return]


def test_what_the_handler_returns_is_the_exit_code() -> None:
    done = run_main("    print('text'); return 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "text\n", "")


@pytest.mark.parametrize(
    ("error", "code"), [(UsageError("what: why", hint="Do this"), 125), (CommandNotFoundError("what: why"), 127)]
)
def test_podpys_errors_are_a_line_and_a_hint_with_their_exit_code(error: Exception, code: int) -> None:
    name = type(error).__name__
    done = run_main(f"    from podpy.errors import {name}\n    raise {name}('what: why', hint='Do this')")
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "Error: what: why\nHint: Do this\n")


def test_a_system_error_is_one_line_with_its_path() -> None:
    done = run_main("    open('/nonexistent/file')")
    assert (done.returncode, done.stderr) == (125, "Error: No such file or directory: /nonexistent/file\n")


def test_a_python_package_that_is_missing_is_named() -> None:
    done = run_main("    raise ModuleNotFoundError(\"No module named 'yaml'\", name='yaml')")
    assert done.returncode == 125
    assert done.stderr.startswith("Error: this Python has no module yaml, which this command needs\nHint: Install it: ")
    assert done.stderr.endswith(" -m pip install PyYAML\n")


def test_a_bug_is_one_line_too_and_says_where_and_what_to_do() -> None:
    done = run_main("    return {}['key']")
    assert done.returncode == 125
    assert done.stderr.startswith("Error: internal error: KeyError: 'key' (")
    assert done.stderr.count("\n") == 1
    assert "please report it" in done.stderr


def test_a_log_level_that_is_none_is_1_as_podmans(podpy: Podpy) -> None:
    podpy("--log-level=foo", "ps").fails(1, 'Log Level "foo" is not supported, choose from: trace, debug')


def test_a_traceback_is_shown_when_asked_for() -> None:
    for words in (["--log-level=debug"], ["--log-level", "debug"], ["-D"]):
        assert "Traceback" in run_main("    return {}['key']", *words).stderr


def test_the_containers_own_words_ask_for_no_traceback(podpy: Podpy) -> None:
    podpy("run", "--pull=never", "--network=none", "localhost/nope", "app", "--log-level=debug", "-D").fails(
        125, "nope"
    )


def test_a_directory_that_is_gone_is_no_error(podpy: Podpy) -> None:
    command = f"mkdir gone && cd gone && rmdir ../gone && exec {podpy.launcher} ps --noheading"
    assert podpy.run(["sh", "-c", command]).ok() == ""


def test_ctrl_c_is_quiet() -> None:
    done = run_main(f"    import os, time; os.kill(os.getpid(), {int(signal.SIGINT)}); time.sleep(60)")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_reader_that_has_gone_is_quiet() -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = run_main("    print('x' * 100000); return 0", capture_output=False, stdout=write, stderr=subprocess.PIPE)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")


@pytest.mark.parametrize("flush", [False, True])
def test_output_that_cant_be_written_is_one_error(flush: bool) -> None:
    with open("/dev/full", "w") as full:
        told = f"    print('x', flush={flush}); return 0"
        done = run_main(told, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (125, "Error: standard output: No space left on device\n")


def test_closed_streams_are_no_error() -> None:
    done = run_main(
        "    print('x'); return 3", capture_output=False, close_fds=True, preexec_fn=lambda: (os.close(1), os.close(2))
    )
    assert done.returncode == 3


def test_names_that_are_no_utf8_go_out_as_they_are() -> None:
    done = run_main("    import os; print(os.fsdecode(b'\\xff')); return 0", text=False)
    assert done.stdout == b"\xff\n"
    latin = {**os.environ, "LC_ALL": "C", "PYTHONPATH": os.pathsep.join(sys.path)}
    code = "from podpy.cli.main import main; main(['--version']); print('…')"
    assert subprocess.run([sys.executable, "-c", code], env=latin, capture_output=True).returncode == 0


def test_output_can_go_to_a_file(tmp_path: Path) -> None:
    path = tmp_path / "out"
    done = run_main("    print('text'); return 0", "--out", str(path))
    assert (done.stdout, path.read_text()) == ("", "text\n")
    assert run_main("    print('text'); return 0", "--noout").stdout == ""


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    for argv in (["--version"], ["-v"], ["--version", "ps"]):
        assert program._run(argv) == 0
        assert capsys.readouterr().out.startswith("podpy version ")
