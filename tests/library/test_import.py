"""What an import of podpy costs: modules are counted, since times depend on the machine."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig

from tests.support.engine import CHECKOUT

LIST = "import sys; before = {*sys.modules}; %s; print(*sorted({*sys.modules} - before))"
NEVER = set(
    "asyncio typer rich pyroute2 urllib3 pycurl sqlite3 inspect dataclasses yaml pytest "
    "tarfile tempfile datetime html".split()
)
"""What `from podpy import Runtime` may not load: each costs more than half of the rest."""


def loaded(statement: str) -> set[str]:
    """Return the modules that a statement loads, in an interpreter without `site`."""
    places = [os.fspath(CHECKOUT / "src"), sysconfig.get_path("purelib")]
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path += {places!r}; {LIST % statement}"]
    return {*subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()}


def test_import_podpy_loads_nothing_but_itself() -> None:
    assert loaded("import podpy") == {"podpy", "__future__"}


def test_the_runtime_loads_no_heavy_module() -> None:
    found = loaded("from podpy import Runtime")
    assert "podpy.library.runtime" in found
    assert {name.partition(".")[0] for name in found} & NEVER == set()
    rooms = {name.split(".")[1] for name in found if name.count(".") > 1}
    assert rooms & {"cli", "build", "kube", "compose", "network", "http", "yaml", "testing"} == set()


def test_names_of_the_package_are_what_dir_says() -> None:
    statement = (
        "import podpy; assert all(hasattr(podpy, name) for name in dir(podpy)); assert not hasattr(podpy, 'VERSION')"
    )
    assert "podpy.library.pods" in loaded(statement)
