"""The seccomp profile: translated for one container, kept, and never silently missing."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from podpy.errors import ConfigError
from podpy.oci.document import seccomp
from podpy.spec.capabilities import DEFAULT, NAMES

SHIPPED = "/usr/share/containers/seccomp.json"


def rule(**fields: Any) -> dict[str, Any]:
    return {"names": ["x"], "action": "SCMP_ACT_ALLOW", **fields}


def applies(**fields: Any) -> bool:
    source = {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [rule(**fields)]}
    return bool(seccomp.profile(source, ["CAP_CHOWN"])["syscalls"])


def test_exceptions_go_by_capabilities() -> None:
    assert applies(includes={"caps": ["CAP_CHOWN"]}) and not applies(includes={"caps": ["CAP_SYS_ADMIN"]})
    assert applies(excludes={"caps": ["CAP_SYS_ADMIN"]}) and not applies(excludes={"caps": ["CAP_CHOWN"]})


def test_exceptions_go_by_kernel_and_architecture() -> None:
    assert applies(includes={"minKernel": "4.8"}) and not applies(includes={"minKernel": "99.0"})
    assert not applies(includes={"arches": ["nothing"]}) and applies(excludes={"arches": ["nothing"]})


def test_arguments_and_errors_are_kept() -> None:
    source = {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 38,
        "syscalls": [rule(errnoRet=1, args=[{"index": 0, "value": 8, "op": "SCMP_CMP_EQ", "extra": 1}])],
    }
    result = seccomp.profile(source, [])
    assert result["defaultErrnoRet"] == 38
    assert result["syscalls"][0]["args"] == [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]
    assert result["syscalls"][0]["errnoRet"] == 1


def test_the_distributions_profile_lets_more_through_with_more_capabilities(tmp_path: Path) -> None:
    def allowed(capabilities: Any) -> set[str]:
        profile = json.loads(seccomp.profile_text(SHIPPED, capabilities, os.fspath(tmp_path)))
        rules = [entry for entry in profile["syscalls"] if entry["action"] == "SCMP_ACT_ALLOW" and "args" not in entry]
        return {name for entry in rules for name in entry["names"]}

    assert "read" in allowed(DEFAULT) and "bpf" not in allowed(DEFAULT)
    assert "bpf" in allowed(NAMES)


def test_the_translation_is_kept_until_the_file_changes(tmp_path: Path) -> None:
    source, cache = tmp_path / "p.json", tmp_path / "cache"
    cache.mkdir()
    source.write_text('{"defaultAction": "SCMP_ACT_ALLOW"}')
    first = seccomp.profile_text(os.fspath(source), DEFAULT, os.fspath(cache))
    assert seccomp.profile_text(os.fspath(source), DEFAULT, os.fspath(cache)) == first
    assert len(list(cache.iterdir())) == 1
    seccomp.profile_text(os.fspath(source), [], os.fspath(cache))
    assert len(list(cache.iterdir())) == 2
    source.write_text('{"defaultAction": "SCMP_ACT_ERRNO"}   ')
    assert "ERRNO" in seccomp.profile_text(os.fspath(source), DEFAULT, os.fspath(cache))


@pytest.mark.parametrize(
    ("text", "message"), [("", "not JSON"), ("[]", "defaultAction"), ("{}", "defaultAction"), ("{", "not JSON")]
)
def test_a_broken_profile_is_an_error_that_names_the_file(tmp_path: Path, text: str, message: str) -> None:
    source = tmp_path / "p.json"
    source.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        seccomp.profile_text(os.fspath(source), DEFAULT, os.fspath(tmp_path))
    assert os.fspath(source) in str(caught.value)


def test_without_a_profile_there_is_no_start_but_a_package_to_install() -> None:
    with pytest.raises(ConfigError, match="no seccomp profile") as caught:
        seccomp.find("/no/such/file")
    assert "golang-github-containers-common" in caught.value.hint
