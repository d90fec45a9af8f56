"""pytest-testinfra 10.2.2 itself, with its podman backend."""

from __future__ import annotations

import sys

from tests.drivers.conftest import Machine
from tests.support import programs

TESTS = """
def test_it(host):
    assert host.backend.get_pytest_id() == "podman://web"
    passwd = host.file("/etc/passwd")
    assert passwd.exists and passwd.mode == 0o644 and passwd.user == "root" and passwd.contains("1000")
    assert host.user("user").uid == 1000
    assert host.run("exit 3").rc == 3
    assert host.check_output("echo 'a  b'; id -u") == "a  b\\n0"
"""


def test_its_tests_look_into_a_container(machine: Machine) -> None:
    machine.ok("run", "-d", "--name=web", "--network=none", "localhost/busybox:latest", "sleep", "1000")
    test = machine.home / "test_web.py"
    test.write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--hosts=podman://web", str(test)]
    done = machine.run(command, env={"PYTHONPATH": str(programs.directory("testinfra"))})
    assert "1 passed" in done.ok()
