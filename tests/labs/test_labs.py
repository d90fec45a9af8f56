"""`podpy lab`: every command of every lab runs, and says what its text claims."""

from __future__ import annotations

import re
import signal
import subprocess

import pytest

from podpy.labs import reading
from tests.support.engine import Podpy

IMAGE = "localhost/podpy-lab:latest"
BEHIND = "except its image, localhost/podpy-lab."


def left(podpy: Podpy) -> list[str]:
    """Return what there is: containers, pods, networks but for the default one, volumes, and images."""
    commands = ["ps --all --format {{.Names}}", "pod ps --format {{.Name}}", "volume ls --quiet", "network ls --quiet"]
    kinds = [podpy.ok(*command.split()).split() for command in commands]
    images = podpy.ok("images", "--format", "{{.Repository}}:{{.Tag}}").split()
    return [*(name for kind in kinds for name in kind if name != "podman"), *images]


def has_limits(podpy: Podpy) -> bool:
    checks = {check["name"]: check["ok"] for check in podpy.json("system", "doctor", "--json")}
    return bool(checks["cgroups"])


@pytest.mark.parametrize("name", reading.names())
def test_every_claim_of_a_lab_is_true_here(name: str, podpy: Podpy) -> None:
    result = podpy("lab", name, "--yes")
    assert result.ok().rstrip().endswith(BEHIND), result.describe()
    assert "isn't what" not in result.stdout
    assert "not on this machine" not in result.stdout, "scripts/test installs what the labs need"
    assert ("can't do this step" in result.stdout) == (name in ("cgroups", "oom") and not has_limits(podpy))
    assert left(podpy) == [IMAGE]


def test_a_step_that_needs_limits_says_which_check_forbids_it(podpy: Podpy) -> None:
    said = podpy.ok("lab", "oom", "--yes")
    if has_limits(podpy):
        assert "OOMKilled: true" in said
    else:
        assert "This machine can't do this step:\n    limits for cpu, memory, pids can't be enforced" in said


def test_the_labs_are_listed_in_the_environments_language(podpy: Podpy) -> None:
    english = podpy.ok("lab").splitlines()
    assert [line.split()[0] for line in english] == ["LAB", *reading.names()]
    assert podpy.ok("lab", "list", env={"LANG": "fr_FR.UTF-8"}) == podpy.ok("lab", "--lang", "fr")
    assert podpy.ok("lab", "list", env={"LC_ALL": "C", "LANG": "fr_FR.UTF-8"}).splitlines() == english


def test_a_lab_speaks_french(podpy: Podpy) -> None:
    said = podpy.ok("lab", "owner", "--lang", "fr", input="q\n")
    assert said.startswith("À qui appartiennent les processus d'un conteneur ?\n===")
    assert "Entrée l'exécute, q termine le lab :" in said
    assert "1/4." in said and "2/4." not in said


def test_both_languages_have_every_text() -> None:
    for name in reading.names():
        english, french = reading.read(name, "en"), reading.read(name, "fr")
        assert [step.command for step in english.steps] == [step.command for step in french.steps]
        for step in (*english.steps, *french.steps):
            assert step.text.endswith((".", "?")) and step.see.endswith((".", ".)"))
            re.compile(step.expect)


def test_enter_runs_a_step_and_the_end_of_input_ends_the_lab(podpy: Podpy) -> None:
    said = podpy.ok("lab", "layers", input="\n\n")
    assert said.count("Enter runs it") == 3
    assert said.count("\n    | ") >= 2
    assert "podpy diff lab-layer" in said and "D /etc/nsswitch.conf" not in said
    assert left(podpy) == [IMAGE]


def test_ctrl_c_leaves_nothing(podpy: Podpy) -> None:
    lab = podpy.popen("lab", "owner", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert lab.stdin is not None and lab.stdout is not None
    lab.stdin.write(b"\n")
    lab.stdin.flush()
    said = b""
    while b"2/4." not in said or not said.endswith(b"ends the lab: "):
        more = lab.stdout.read1()
        assert more, said
        said += more
    assert podpy.ok("ps", "--format", "{{.Names}}") == "lab-owner"
    lab.send_signal(signal.SIGINT)
    _, complaint = lab.communicate(timeout=60)
    assert lab.returncode == 130 and complaint == b""
    assert left(podpy) == [IMAGE]


def test_what_a_killed_lab_left_is_removed_by_the_next_one(podpy: Podpy) -> None:
    podpy.ok("lab", "oom", input="")
    podpy.ok("run", "--detach", "--name", "lab-oom", "--network", "none", "podpy-lab", "sleep", "300")
    podpy.ok("lab", "oom", input="")
    assert left(podpy) == [IMAGE]


def test_an_output_that_differs_is_told_and_fails(podpy: Podpy) -> None:
    conf = podpy.home / "containers.conf"
    conf.write_text('[containers]\ndefault_capabilities = ["CHOWN"]\n')
    result = podpy("lab", "capabilities", input="\n", env={"CONTAINERS_CONF": str(conf)})
    assert result.returncode == 1
    assert "That isn't what this lab expected here." in result.stdout


def test_an_unknown_lab_is_told_with_the_nearest_name(podpy: Podpy) -> None:
    podpy("lab", "namespace").fails(125, "Error: there is no lab 'namespace'", "Hint: Did you mean namespaces?")
