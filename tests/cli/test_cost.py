"""What the command line costs before the engine is even imported."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.engine import CHECKOUT

MOST_CALLS = 500  # of functions, Python's and C's; it was 392 when this was written
LINE = "run -it --rm -eA=b -e C -p 8080:80 -v /a:/b:ro --cpus 0.5 --network=none --name x busybox sh -c true"

MEASURE = """
import sys
sys.path.insert(0, sys.argv[1])
import podpy.cli.parser.parse, podpy.cli.parser.tables
calls = 0
def count(frame, event, argument):
    global calls
    calls += event in ("call", "c_call")
sys.setprofile(count)
table = podpy.cli.parser.tables.load()
podpy.cli.parser.parse.parse(sys.argv[2:], table)
sys.setprofile(None)
print(calls)
assert "podpy.cli._table" in sys.modules and "podpy.cli.declare" not in sys.modules
"""


def test_the_table_is_loaded_and_a_command_line_parsed_by_few_calls(tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "src/podpy", tmp_path / "podpy", ignore=shutil.ignore_patterns("_bin", "*.so"))
    environment = {"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-m", "podpy.cli.parser.compile"], env=environment, check=True)
    command = [sys.executable, "-I", "-S", "-c", MEASURE, str(tmp_path), *LINE.split()]
    assert int(subprocess.run(command, check=True, capture_output=True).stdout) <= MOST_CALLS


def test_a_stale_table_isnt_used(tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "src/podpy", tmp_path / "src/podpy", ignore=shutil.ignore_patterns("_bin", "*.so"))
    (tmp_path / "pyproject.toml").touch()  # only a checkout's table can be stale
    environment = {"PYTHONPATH": str(tmp_path / "src"), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-m", "podpy.cli.parser.compile"], env=environment, check=True)
    declaration = tmp_path / "src/podpy/cli/declare/system.py"
    declaration.write_text(declaration.read_text().replace('path="version"', 'path="versions"'))
    code = "from podpy.cli.parser.tables import load; print(load().resolve('versions') is not None)"
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout == "True\n"


def test_without_a_table_the_declarations_are_read(tmp_path: Path) -> None:
    shutil.copytree(
        CHECKOUT / "src/podpy",
        tmp_path / "podpy",
        ignore=shutil.ignore_patterns("_bin", "*.so", "_table.py", "_help.py"),
    )
    code = "from podpy.cli.main import main; main(['--version']); main(['ps', '--nope'])"
    environment = {"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.startswith("podpy version ")
    assert done.stderr == "Error: unknown flag: --nope\nSee 'podpy ps --help'\n"
