"""What old versions lack is said by `system doctor` and `info`, and with which ones it is mended."""

from __future__ import annotations

from pathlib import Path

import pytest

from podpy.oci import versions
from tests.support.engine import Podpy


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("crun version 1.8.1", (1, 8, 1)),
        ("runc version 1.1.5+ds1", (1, 1, 5)),
        ("5.10.0-30-amd64", (5, 10, 0)),
        ("release 2 of crun-1.28", (1, 28)),
        ("UNKNOWN", ()),
        ("commit 7", ()),
        ("v1.x", ()),
    ],
)
def test_a_version_is_the_first_number_with_a_dot(text: str, version: tuple[int, ...]) -> None:
    assert versions.parse(text) == version


@pytest.mark.parametrize(
    ("name", "text", "lacks"),
    [
        ("crun", "1.8.1", ["CVE-2026-47766", "CVE-2026-88264"]),
        ("crun", "1.28", ["CVE-2026-88264"]),
        ("crun", "1.30", []),
        ("crun", "UNKNOWN", []),
        ("runc", "1.1.5+ds1", ["CVE-2025-31133", "CVE-2026-41579"]),
        ("runc", "1.2.8", ["CVE-2026-41579"]),
        ("runc", "1.3.2", ["CVE-2025-31133", "CVE-2026-41579"]),
        ("runc", "1.3.6", []),
        ("runc", "1.4.0", ["CVE-2026-41579"]),
        ("runc", "1.5.0-rc.1", []),
        ("kernel", "5.4.0-200-generic", ["openat2", "overlay"]),
        ("kernel", "5.10.0-30-amd64", ["overlay"]),
        ("kernel", "6.1.0-40-amd64", []),
        ("pasta", "0.0~git20230309", []),
    ],
)
def test_each_version_lacks_what_came_later(name: str, text: str, lacks: list[str]) -> None:
    found = versions.lacks(name, text)
    assert len(found) == len(lacks)
    assert all(word in sentence and "mended in" in sentence for word, sentence in zip(lacks, found, strict=True))


def test_doctor_and_info_say_versions_and_lacks(podpy: Podpy) -> None:
    checks = podpy.json("system", "doctor", "--json")
    said = next(check for check in checks if check["name"] == "versions")
    assert said["ok"] and "kernel " in said["cause"] and "crun " in said["cause"]
    expected = [lack for name, text in versions.found().items() for lack in versions.lacks(name, text)]
    notes = [check["cause"] for check in checks if check["cause"].endswith(versions.BACKPORTED)]
    assert notes == [f"{lack}, {versions.BACKPORTED}" for lack in expected]
    for name, text in versions.found().items():
        mends = [
            check["mend"] for check in checks if check["name"] == name and check["cause"].endswith("backported it")
        ]
        apt_helps = set(versions.lacks(name, text)) - set(versions.lacks(name, versions.offered(name)))
        assert name == "kernel" or [("apt install" in mend) for mend in mends].count(True) == len(apt_helps)
    shown = podpy.json("--runtime=crun", "info", "--format", "json")["host"]["versionNotes"]
    assert [note.removeprefix("crun: ") for note in shown] == notes[: len(shown)]


def test_doctor_says_how_old_the_profile_is_and_what_is_denied(podpy: Podpy) -> None:
    def check(**environment: str) -> dict[str, object]:
        checks = podpy.json("system", "doctor", "--json", env=environment)
        found: dict[str, object] = next(check for check in checks if check["name"] == "seccomp profile")
        return found

    usual = check()["cause"]
    assert isinstance(usual, str)
    assert "/usr/share/containers/seccomp.json of 20" in usual and " vsock," in usual and " alg," in usual
    conf = podpy.home / "containers.conf"
    conf.write_text('[containers]\nseccomp_allow = ["vsock"]\n')
    assert " vsock," not in str(check(CONTAINERS_CONF=str(conf))["cause"])
    conf.write_text('[containers]\nseccomp_allow = ["nosuch"]\n')
    assert not check(CONTAINERS_CONF=str(conf))["ok"]
    conf.write_text('[containers]\nseccomp_profile = "unconfined"\n')
    assert "without a filter" in str(check(CONTAINERS_CONF=str(conf))["cause"])


def test_doctor_prints_an_apparmor_profile_for_the_program_that_makes_namespaces(podpy: Podpy) -> None:
    text = podpy.ok("system", "doctor", "--print-apparmor-profile")
    program = text.partition('profile podpy "')[2].partition('"')[0]
    assert Path(program).name == "holder" and Path(program).exists()
    assert "flags=(unconfined) {\n  userns,\n" in text
