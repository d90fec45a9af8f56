"""What a command imports is what it costs: the everyday commands load the listed modules and no others.

The list is tests/cli/import_budget.txt. After a change that needs a new module on this path (is it worth its
milliseconds?), write it anew: PODPY_UPDATE_BUDGET=1 pytest tests/cli/test_import_budget.py

The list is of a podpy without its pack, where a module's imports are loaded with it: so it doesn't depend on what a
command meets. From the pack an installed podpy loads those of them that are used (podpy.pack), and of their functions
those that these commands call: the same update writes src/podpy/pack/called.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import textwrap
from pathlib import Path

import pytest

from tests.support import ports
from tests.support.engine import CHECKOUT, Podpy, Result
from tests.support.images import Image
from tests.support.registry import Registry

LIST = Path(__file__).with_name("import_budget.txt")
CALLED = CHECKOUT / "src/podpy/pack/called.py"
UPDATE = "PODPY_UPDATE_BUDGET"

VERSION = f"Python {sys.version_info.major}.{sys.version_info.minor}"
HEADER = "# What each command loads beyond the interpreter itself, in "

# The design's "Fast by construction".
FORBIDDEN = (
    "typer rich pyroute2 asyncio urllib3 pycurl logging dataclasses typing subprocess pathlib re json inspect enum"
    " shutil tempfile contextlib socket functools collections argparse datetime threading concurrent click"
    " importlib.metadata"
).split()

DRIVER = """
import sys
sys.path.append(sys.argv[1])
sys.path.append(sys.argv[2])
import podpy._start  # loads os as the launcher's Python does
report = open(sys.argv[3], "w")
called = set()

def note(frame, event, _argument):
    code = frame.f_code
    if event == "call" and code.co_name == getattr(code, "co_qualname", ""):
        called.add((frame.f_globals.get("__name__", ""), code.co_name))

if sys.argv[4]:
    sys.setprofile(note)
from podpy.cli.main import main
status = main(sys.argv[5:])
sys.setprofile(None)
report.write("\\n".join(sorted(sys.modules)) + "\\n")
report.write("\\n".join(f"{module}:{name}" for module, name in called if module.startswith("podpy")))
report.close()
sys.exit(status)
"""


@pytest.fixture(scope="module")
def baseline() -> set[str]:
    """What the interpreter itself loads."""
    command = [sys.executable, "-I", "-S", "-c", "import sys; print(*sys.modules)"]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


class Budget:
    """Runs commands in a Python that tells what it has loaded."""

    def __init__(self, podpy: Podpy, baseline: set[str]) -> None:
        self.podpy = podpy
        self.baseline = baseline
        self.driver = podpy.home / "driver.py"
        self.driver.write_text(DRIVER)
        self.driver.chmod(0o644)
        placed = podpy.launcher.parents[2]
        self.site = placed if (placed / "podpy/cli").is_dir() else CHECKOUT / "src"
        self.called: dict[str, set[str]] = {}  # by module, while the list is written

    def command(self, *args: str) -> tuple[Result, set[str]]:
        """Run a podpy command and return its result and the modules that it has loaded."""
        report = self.podpy.home / "modules.txt"
        report.unlink(missing_ok=True)
        report.touch()
        report.chmod(0o666)
        libraries = sysconfig.get_path("purelib")
        own = self.podpy.command(*args)[1:]
        python = [sys.executable, "-I", "-S", os.fspath(self.driver), os.fspath(self.site), libraries]
        result = self.podpy.run([*python, os.fspath(report), os.environ.get(UPDATE, ""), *own])
        reported = report.read_text().split()
        for module, _, function in (name.partition(":") for name in reported if ":" in name):
            self.called.setdefault(module, set()).add(function)
        return result, {name for name in reported if ":" not in name} - self.baseline

    def ok(self, *args: str) -> set[str]:
        """Run a command that must succeed and return the modules that it has loaded."""
        result, modules = self.command(*args)
        result.ok()
        return modules


def listed() -> dict[str, set[str]]:
    sections: dict[str, set[str]] = {}
    current: set[str] = set()
    for line in LIST.read_text().splitlines():
        if line.startswith("["):
            current = sections.setdefault(line.strip("[]"), set())
        elif line.strip() and not line.startswith("#"):
            current.add(line.strip())
    return sections


def write(found: dict[str, set[str]]) -> None:
    lines = [f"{HEADER}{VERSION}. Made by test_import_budget.py."]
    for command, modules in found.items():
        lines += ["", f"[{command}]", *sorted(modules)]
    LIST.write_text("\n".join(lines) + "\n")


def write_called(called: dict[str, set[str]]) -> None:
    lines = [f"{module}: {' '.join(sorted(names - {'<module>'}))}" for module, names in sorted(called.items())]
    wrapped = [part for line in lines for part in textwrap.wrap(line, 119, subsequent_indent="  ")]
    before, _, _ = CALLED.read_text().partition('CALLED = """\n')
    CALLED.write_text(before + 'CALLED = """\n' + "\n".join(wrapped) + '\n"""\n')


def test_everyday_commands_load_no_more_than_they_need(podpy: Podpy, busybox: str, baseline: set[str]) -> None:
    budget = Budget(podpy, baseline)
    podpy.ok("create", "--name", "one", "--network=none", busybox, "sleep", "1000")
    podpy.ok("run", "--rm", "--network=none", busybox, "true")  # what only the first call of a boot does is done
    found = {
        "run": budget.ok("run", "--name", "two", "--network=none", busybox, "true"),
        # It runs on: the calls after it would finish its removal.
        "run -d": budget.ok("run", "-d", "--rm", "--network=none", busybox, "sleep", "1000"),
        "start": budget.ok("start", "one"),
        "exec": budget.ok("exec", "one", "true"),
        "ps": budget.ok("ps", "-a"),
        "logs": budget.ok("logs", "two"),
        "inspect": budget.ok("inspect", "one"),
        "stop": budget.ok("stop", "-t", "0", "one"),
        "rm": budget.ok("rm", "one"),
    }
    if os.environ.get(UPDATE):
        write(found)
        podpy.ok("run", "-d", "--name", "three", "--network=none", busybox, "sleep", "1000")
        podpy.ok("network", "create", "net")
        podpy.ok("run", "-d", "--name", "four", "--network=net", busybox, "sleep", "1000")
        for command in ("create -q --network=none", "run -i --rm --network=none", "run --rm --network=net"):
            budget.ok(*command.split(), busybox, "true")
        budget.ok("run", "--rm", "--network=net", "-p", f"{ports.free()}:80", busybox, "true")
        podpy.ok("rm", "-f", "-t0", "four")
        for command in ("stats --no-stream three", "images", "restart -t0 three", "rm -f -t0 three", "--version"):
            budget.ok(*command.split())
        write_called(budget.called)
    allowed = listed()
    for command, modules in found.items():
        heavy = {name for name in modules if name in FORBIDDEN or name.partition(".")[0] in FORBIDDEN}
        assert not heavy, f"podpy {command} loads {sorted(heavy)}: import them where they are used"
        new = modules - allowed[command]
        if VERSION not in LIST.read_text().partition("\n")[0]:
            # The standard library is another one in each version, ours isn't.
            new = {name for name in new if name.partition(".")[0] == "podpy"}
        assert not new, f"podpy {command} now loads {sorted(new)}: see the top of {Path(__file__).name}"


def test_a_mistyped_option_loads_no_engine(podpy: Podpy, baseline: set[str]) -> None:
    result, modules = Budget(podpy, baseline).command("run", "--nmae", "x", "busybox")
    result.fails(125, "unknown flag: --nmae\n", "Hint: Did you mean --name?")
    assert not {name for name in modules if name.startswith(("podpy.libpod", "podpy.storage", "typer", "rich"))}


# What `--help` may load of podpy.
FOR_HELP = {
    "podpy",
    "podpy._start",
    "podpy.cli",
    "podpy.cli._help",
    "podpy.cli._table",
    "podpy.cli.main",
    "podpy.cli.parser",
    "podpy.cli.parser.failures",
    "podpy.cli.parser.options",
    "podpy.cli.parser.parse",
    "podpy.cli.parser.table_format",
    "podpy.cli.parser.tables",
    "podpy.cli.parser.values",
    "podpy.cli.show",
    "podpy.cli.show.help",
    "podpy.cli.show.notice",
    "podpy.errors",
    "podpy.go",
    "podpy.go.values",
    "podpy.version",
}


@pytest.mark.parametrize("words", [("--help",), ("run", "--help"), ("image",), ("help", "ps")])
def test_help_loads_neither_typer_nor_the_declarations(
    podpy: Podpy, baseline: set[str], words: tuple[str, ...]
) -> None:
    _result, modules = Budget(podpy, baseline).command(*words)
    ours = {name for name in modules if name.partition(".")[0] == "podpy"}
    assert ours - {"podpy.cli.commands", "podpy.cli.commands.system", "podpy.cli.commands.system.help"} <= FOR_HELP
    assert not modules & {*FORBIDDEN, "textwrap"}


# What layers need, and addresses that others give: an image that is there has no use for them. Only a push has threads
# then, too: each asks first whether its layer is there.
FOR_LAYERS = {"_hashlib", "hashlib", "contextlib", "urllib.parse", "re"}


@pytest.mark.parametrize(
    ("command", "unwanted"),
    [("pull", FOR_LAYERS | {"threading", "podpy.image.incoming.pipeline"}), ("push", FOR_LAYERS)],
)
def test_what_is_there_is_pulled_and_pushed_without_what_layers_need(
    podpy: Podpy, registry: Registry, busybox_image: Image, baseline: set[str], command: str, unwanted: set[str]
) -> None:
    registry.push("budget", "latest", busybox_image)
    name = f"{registry.address}/budget"
    podpy.ok("pull", "-q", "--tls-verify=false", name)
    modules = Budget(podpy, baseline).ok(command, "-q", "--tls-verify=false", name)
    assert not modules & unwanted
