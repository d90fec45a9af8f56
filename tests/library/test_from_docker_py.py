"""docs/from-docker-py.md: each row's second column runs."""

from __future__ import annotations

import re

from tests.library.conftest import Program
from tests.support.engine import CHECKOUT

TEXT = (CHECKOUT / "docs/from-docker-py.md").read_text()
ROWS = re.findall(r"^\| .* \| `(.*)` \|$", TEXT, re.MULTILINE)

SET_UP = """
from podpy import errors
from podpy.image.registry.access import PullOptions
from podpy.spec.changes import Changes

with open("Dockerfile", "w") as file:
    file.write("FROM localhost/busybox\\nARG A\\nRUN echo $A\\n")
runtime.networks.create("first")
box = runtime.containers.run("busybox", ["sleep", "300"], detach=True, network="first")
container = runtime.containers.run(
    "busybox", ["sh", "-c", "echo up; exec sleep 300"], detach=True, name="web", network="none", stdin_open=True
)
run, create = runtime.containers.run, runtime.containers.create
data = b"".join(container.get_archive("/etc/passwd")[0])
names = dict(globals())
wrong = []
for row in ROWS:
    try:
        exec(row, names)
    except Exception as error:
        wrong.append(f"{row}: {type(error).__name__}: {error}")
for one in runtime.containers.list(all=True):
    one.remove(force=True, timeout=0)
runtime.networks.remove("first", force=True)
assert not wrong, "\\n".join(wrong)
"""


def test_there_are_rows_for_what_programs_use() -> None:
    assert len(ROWS) > 80


def test_every_row_of_the_table_runs(program: Program) -> None:
    assert program(f"ROWS = {ROWS!r}\n{SET_UP}").ok() == "done"


def test_names_of_docker_py_lead_to_ours(program: Program) -> None:
    lines = """
    for name, value in {"auto_remove": True, "network_mode": "none", "mem_limt": 1}.items():
        try:
            runtime.containers.create("busybox", **{name: value})
        except TypeError as error:
            print(error)
    """
    assert program(lines).ok().splitlines() == [
        "unexpected keyword argument 'auto_remove': here it is remove",
        "unexpected keyword argument 'network_mode': here it is network",
        "unexpected keyword argument 'mem_limt': here it is mem_limit",
        "done",
    ]
