"""The seccomp profile: translated for one container, kept, and never silently missing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from podpy.errors import ConfigError
from podpy.oci.document import seccomp
from podpy.spec.capabilities import DEFAULT, NAMES

SHIPPED = "/usr/share/containers/seccomp.json"


def profile_text(path: str, capabilities: Iterable[str], cache: str, allow: Iterable[str] | None = None) -> str:
    families = None if allow is None else frozenset(allow)
    return seccomp.Profile(path=path, capabilities=tuple(capabilities), allow=families).text(cache)


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
        profile = json.loads(profile_text(SHIPPED, capabilities, os.fspath(tmp_path)))
        rules = [entry for entry in profile["syscalls"] if entry["action"] == "SCMP_ACT_ALLOW" and "args" not in entry]
        return {name for entry in rules for name in entry["names"]}

    assert "read" in allowed(DEFAULT) and "bpf" not in allowed(DEFAULT)
    assert "bpf" in allowed(NAMES)


def test_the_translation_is_kept_until_the_file_changes(tmp_path: Path) -> None:
    source, cache = tmp_path / "p.json", tmp_path / "cache"
    cache.mkdir()
    source.write_text('{"defaultAction": "SCMP_ACT_ALLOW"}')
    first = profile_text(os.fspath(source), DEFAULT, os.fspath(cache))
    assert profile_text(os.fspath(source), DEFAULT, os.fspath(cache)) == first
    assert len(list(cache.iterdir())) == 1
    profile_text(os.fspath(source), [], os.fspath(cache))
    assert len(list(cache.iterdir())) == 2
    source.write_text('{"defaultAction": "SCMP_ACT_ERRNO"}   ')
    assert "ERRNO" in profile_text(os.fspath(source), DEFAULT, os.fspath(cache))


@pytest.mark.parametrize(
    ("text", "message"), [("", "not JSON"), ("[]", "defaultAction"), ("{}", "defaultAction"), ("{", "not JSON")]
)
def test_a_broken_profile_is_an_error_that_names_the_file(tmp_path: Path, text: str, message: str) -> None:
    source = tmp_path / "p.json"
    source.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        profile_text(os.fspath(source), DEFAULT, os.fspath(tmp_path))
    assert os.fspath(source) in str(caught.value)


def test_without_a_profile_there_is_no_start_but_a_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seccomp, "DEFAULT_PATHS", ("/no/such/file",))
    with pytest.raises(ConfigError, match="no seccomp profile") as caught:
        seccomp.find()
    assert "golang-github-containers-common" in caught.value.hint


def overlaid(
    *rules: dict[str, Any], default: str = "SCMP_ACT_ERRNO", caps: tuple[str, ...] = (), allow: tuple[str, ...] = ()
) -> list[Any]:
    """Return the rules for socket() that a default profile with these rules leads to."""
    source = {"defaultAction": default, "architectures": ["SCMP_ARCH_X86"], "syscalls": list(rules)}
    profile = seccomp.profile(source, caps, allow=allow)
    return [entry for entry in profile["syscalls"] if "socket" in entry["names"]]


def compare(index: int, operator: str, value: int) -> dict[str, Any]:
    return {"index": index, "op": f"SCMP_CMP_{operator}", "value": value}


def test_every_comparison_of_a_default_profile_is_as_wide_as_the_kernels() -> None:
    with open(SHIPPED, encoding="utf-8") as file:
        source = json.load(file)
    for capabilities in ([], DEFAULT, NAMES):
        rules = seccomp.profile(source, capabilities, allow=())["syscalls"]
        compared = [argument for entry in rules for argument in entry.get("args", ())]
        assert {argument["op"] for argument in compared} == {"SCMP_CMP_MASKED_EQ"}
        assert all(argument["value"] <= 0xFFFFFFFF for argument in compared)


def test_the_overlay_never_allows_what_the_profile_does_not() -> None:
    assert overlaid() == [] and overlaid(rule(names=["socket"], action="SCMP_ACT_ERRNO", errnoRet=1))
    none = rule(names=["socket"], args=[{"index": 0, "op": "SCMP_CMP_MASKED_EQ", "value": 0xFFFFFFFF}])
    families = [entry["args"][0]["valueTwo"] for entry in overlaid(none) if entry["action"] == "SCMP_ACT_ALLOW"]
    assert families == [0], "a value to compare with that isn't given is 0"
    wider = {**none, "names": ["read", "socket"]}
    assert [entry["args"][0]["valueTwo"] for entry in overlaid(wider) if entry["action"] == "SCMP_ACT_ALLOW"] == [0]
    protocol = {**wider, "args": [{**none["args"][0], "index": 2}]}
    assert overlaid(protocol) == [{**protocol, "action": "SCMP_ACT_ALLOW"}]
    only_unix = rule(names=["socket"], args=[compare(0, "EQ", 1)])
    allowed = [entry["args"] for entry in overlaid(only_unix) if entry["action"] == "SCMP_ACT_ALLOW"]
    assert allowed == [[{"index": 0, "op": "SCMP_CMP_MASKED_EQ", "value": 0xFFFFFFFF, "valueTwo": 1}]]


def test_a_family_is_given_back_by_name_though_the_profile_denies_it() -> None:
    """As containers-common of 2026 does: a rule with EPERM for AF_VSOCK, and others that leave it out."""
    newer = (
        rule(names=["socketcall"]),
        rule(names=["socket"], action="SCMP_ACT_ERRNO", errnoRet=1, args=[compare(0, "EQ", 40)]),
        rule(names=["socket"], args=[compare(0, "NE", 16)]),
        rule(names=["socket"], args=[compare(0, "EQ", 16), compare(2, "NE", 9)]),
    )
    vsock = [{"index": 0, "op": "SCMP_CMP_MASKED_EQ", "value": 0xFFFFFFFF, "valueTwo": 40}]
    found = {
        allow: [entry for entry in overlaid(*newer, allow=allow) if entry["args"] == vsock]
        for allow in ((), ("vsock",))
    }
    assert [entry["action"] for entry in found[("vsock",)]] == ["SCMP_ACT_ALLOW"]
    assert all(entry["errnoRet"] == 97 for entry in found[()])


def test_the_overlay_never_gives_audit_back_whatever_the_container_may() -> None:
    never = (
        rule(names=["socket"], args=[compare(0, "NE", 16)]),
        rule(names=["socket"], args=[compare(0, "EQ", 16), compare(2, "NE", 9)]),
    )
    for caps in ((), ("CAP_AUDIT_WRITE",)):
        families = [entry["args"] for entry in overlaid(*never, caps=caps) if entry["action"] == "SCMP_ACT_ALLOW"]
        assert all(len(args) == 2 for args in families if args[0]["valueTwo"] == 16)
    denied = (rule(names=["socket"], args=[compare(2, "NE", 9)]),)
    assert len(overlaid(*denied)) == 1, "a protocol of that number is denied to each family: the rule stays"


def test_a_profile_that_looks_at_more_than_the_family_keeps_its_rules_for_sockets() -> None:
    streams = rule(names=["socket"], args=[compare(1, "EQ", 1)])
    kept = {"index": 1, "op": "SCMP_CMP_MASKED_EQ", "value": 0xFFFFFFFF, "valueTwo": 1}
    assert overlaid(streams) == [{"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [kept]}]


def test_without_socketcall_nothing_is_denied_by_an_error_of_its_own() -> None:
    # libseccomp makes a rule for socketcall of each one for socket, without the arguments: two errors would collide.
    assert {entry["action"] for entry in overlaid(rule(names=["socket"]))} == {"SCMP_ACT_ALLOW"}
    with_it = overlaid(rule(names=["bind", "socket"]), rule(names=["socketcall"]))
    assert {entry["action"] for entry in with_it} == {"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"}


def test_what_was_kept_with_another_overlay_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [profile_text(SHIPPED, DEFAULT, os.fspath(tmp_path), allow=allow) for allow in (None, (), ["alg"])]
    assert len(set(texts)) == 3
    monkeypatch.setattr(seccomp, "OVERLAY", seccomp.OVERLAY + 1)
    for allow in ((), ["alg"], ["AF_ALG"]):
        profile_text(SHIPPED, DEFAULT, os.fspath(tmp_path), allow=allow)
    assert len(list(tmp_path.iterdir())) == 5


def test_the_administrators_profile_goes_before_the_distributions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, shipped = tmp_path / "etc.json", tmp_path / "usr.json"
    monkeypatch.setattr(seccomp, "DEFAULT_PATHS", (os.fspath(own), os.fspath(shipped)))
    shipped.touch()
    assert seccomp.find() == os.fspath(shipped)
    own.touch()
    assert seccomp.find() == os.fspath(own)


def test_the_administrators_place_is_etc() -> None:
    assert seccomp.DEFAULT_PATHS == ("/etc/containers/seccomp.json", "/usr/share/containers/seccomp.json")


@pytest.mark.parametrize(
    "syscalls",
    [
        [{"action": "SCMP_ACT_ALLOW"}],
        [{"names": ["read"]}],
        ["read"],
        [rule(args=7)],
        [{**rule(args=[{"index": 0, "value": 1, "op": "SCMP_CMP_NEW"}]), "names": ["socket"]}],
    ],
)
def test_a_profile_of_unknown_form_is_an_error_that_names_it(tmp_path: Path, syscalls: Any) -> None:
    path = tmp_path / "odd.json"
    path.write_text(json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": syscalls}))
    with pytest.raises(ConfigError, match=f"seccomp profile {path}: "):
        profile_text(os.fspath(path), [], os.fspath(tmp_path), allow=())
