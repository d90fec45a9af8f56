"""Below the facade nothing reads what belongs to the whole process, but for the modules that are named here.

One process may serve several callers: their environments, directories and streams are in podpy.libpod.caller.Caller.
What is about podpy itself (where its configuration, its programs and its sockets are) may ask the process.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project.test_imports import type_checking_lines
from tests.support.engine import CHECKOUT

PACKAGE = "src/podpy"
OF_THE_PROCESS = {
    "os": {"environ", "environb", "getenv", "getcwd", "getcwdb"},
    "sys": {"argv", "stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__"},
}
ON_DESCRIPTORS = {"read", "write", "isatty", "fstat", "dup", "dup2", "get_terminal_size", "Streams"}
"""Functions whose descriptor must not be the number of a standard stream."""

ABOVE = ("src/podpy/cli/", "src/podpy/_start.py", "src/podpy/__main__.py", "src/podpy/pack/")

NAMED = {
    "src/podpy/api/errors.py": "a bug's traceback goes to the service's log",
    "src/podpy/libpod/runtime.py": "the facade: makes the Caller of a library that gives none",
    "src/podpy/config/auth.py": "REGISTRY_AUTH_FILE",
    "src/podpy/config/containers_conf.py": "CONTAINERS_CONF",
    "src/podpy/config/paths.py": "HOME and XDG directories",
    "src/podpy/config/policy.py": "XDG_CONFIG_HOME",
    "src/podpy/config/registries.py": "CONTAINERS_REGISTRIES_CONF",
    "src/podpy/config/registries_d.py": "XDG_CONFIG_HOME",
    "src/podpy/config/storage_conf.py": "CONTAINERS_STORAGE_CONF",
    "src/podpy/image/lists/artifact.py": "an output of /dev/stdout",
    "src/podpy/image/archive/outfile.py": "an output of /dev/stdout",
    "src/podpy/http/proxies.py": "podpy's own way to the network",
    "src/podpy/http/trust.py": "SSL_CERT_FILE",
    "src/podpy/http/tls_details.py": "PODPY_TLS_DETAILS",
    "src/podpy/monitor/https_probe.py": "a program of its own",
    "src/podpy/plan.py": "PODPY_CRASH_AT, for tests",
    "src/podpy/process.py": "PATH",
    "src/podpy/rootless/cgroups.py": "the user manager's directory",
    "src/podpy/rootless/namespace.py": "the directory that setns(2) leaves is gone back to",
    "src/podpy/rootless/programs.py": "PATH",
    "src/podpy/systemd/scope.py": "the user manager's socket",
    "src/podpy/rootless/subids.py": "USER",
    "src/podpy/rootless/checks/user_checks.py": "the doctor looks at XDG_RUNTIME_DIR",
    "src/podpy/testing/watcher.py": "a program of its own",
    "src/podpy/storage/__init__.py": "PODPY_CRASH_AT, for tests",
    "src/podpy/storage/mounts/driver.py": "PATH, and PODPY_STORAGE_DRIVER for tests",
}


def readings(text: str) -> Iterator[str]:
    """Yield `line: what` for each use of the process's environment, directory, arguments and standard streams."""
    tree = ast.parse(text)
    ignored = type_checking_lines(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.attr in OF_THE_PROCESS.get(node.value.id, ()):
                yield f"{node.lineno}: {node.value.id}.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and node.module in OF_THE_PROCESS and node.lineno not in ignored:
            for alias in node.names:
                if alias.name in OF_THE_PROCESS[node.module]:
                    yield f"{node.lineno}: {node.module}.{alias.name}"
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func).removeprefix("os.")  # with a dot: another object's method
            if name in ("print", "input"):
                yield f"{node.lineno}: {name}()"
            elif name in ON_DESCRIPTORS and any(map(_is_standard, node.args if name == "Streams" else node.args[:1])):
                yield f"{node.lineno}: {name}() of a standard stream"


def _is_standard(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int and 0 <= node.value <= 2


def below_the_facade() -> list[Path]:
    """Return the modules below the command line."""
    found = sorted((CHECKOUT / PACKAGE).rglob("*.py"))
    return [path for path in found if not str(path.relative_to(CHECKOUT)).startswith(ABOVE)]


def test_only_named_modules_ask_the_process() -> None:
    found = {str(path.relative_to(CHECKOUT)): list(readings(path.read_text())) for path in below_the_facade()}
    others = [f"{path}:{line}" for path, lines in found.items() if path not in NAMED for line in lines]
    assert not others, "what belongs to a caller comes from podpy.libpod.caller:\n" + "\n".join(others)
    stale = [path for path in NAMED if not found.get(path)]
    assert not stale, f"they read nothing of the process (any more): {stale}"


@pytest.mark.parametrize(
    "text",
    [
        "import os\nos.environ['PATH']",
        "from os import environ",
        "import sys\nsys.stdout.write('x')",
        "os.getcwd()",
        "print('x')",
        "os.write(2, b'x')",
        "Streams(0, 1, 2)",
    ],
)
def test_a_reading_is_found(text: str) -> None:
    assert list(readings(text))


def test_other_descriptors_are_none() -> None:
    assert not list(readings("os.read(descriptor, 2)\nos.write(pipe, b'')\nos.lseek(fd, 0, 1)"))
