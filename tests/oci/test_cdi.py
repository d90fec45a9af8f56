"""CDI devices and OCI hooks: what a container gets of them, and whose files are believed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from podpy.errors import ConfigError, NotFoundError
from podpy.oci import cdi, hooks
from podpy.spec.container import ContainerSpec, Mount
from tests.support.engine import Podpy, shared_directory

QUICK = ("run", "--rm", "--network=none")


def _spec(kind: str = "example.com/thing", edits: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    own = edits or {"env": ["MINE=1"]}
    return {"cdiVersion": "0.5.0", "kind": kind, "devices": [{"name": "a", "containerEdits": own}], **more}


def _write(directory: Path, name: str, document: Any) -> Path:
    directory.mkdir(mode=0o755, exist_ok=True)
    path = directory / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    path.chmod(0o644)
    return path


def test_a_device_changes_what_its_vendor_says(tmp_path: Path) -> None:
    hook = {"hookName": "createContainer", "path": "/bin/hook", "args": ["hook", "x"], "timeout": 5}
    own = {
        "env": ["MINE=1"],
        "deviceNodes": [{"path": "/dev/inside", "hostPath": "/dev/null", "permissions": "r"}],
        "mounts": [{"hostPath": "/lib/x", "containerPath": "/usr/x", "options": ["ro"]}],
        "hooks": [hook],
        "additionalGids": [0, 44],
    }
    _write(tmp_path / "d", "x.json", _spec(edits=own, containerEdits={"env": ["COMMON=1"]}))
    edits = cdi.find(["example.com/thing=a"], [], [str(tmp_path / "d"), "/nonexistent"])
    config: dict[str, Any] = {"process": {"env": ["COMMON=0"], "user": {}}, "mounts": [], "linux": {}}
    cdi.apply(config, edits)
    assert config["process"] == {"env": ["COMMON=1", "MINE=1"], "user": {"additionalGids": [44]}}
    assert config["mounts"] == [
        {"destination": "/usr/x", "type": "bind", "source": "/lib/x", "options": ["ro", "rbind"]}
    ]
    assert config["hooks"] == {"createContainer": [{"path": "/bin/hook", "args": ["hook", "x"], "timeout": 5}]}
    assert list(config)[-1] == "linux"
    assert [(one.host, one.container, one.permissions) for one in edits.devices] == [("/dev/null", "/dev/inside", "r")]


def test_a_later_directory_wins_and_gpus_are_the_first_vendors(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    _write(first, "x.json", _spec())
    _write(second, "x.yaml", "kind: example.com/thing\ndevices:\n- name: a\n  containerEdits:\n    env: [MINE=2]\n")
    places = [str(first), str(second)]
    assert cdi.find(["example.com/thing=a"], [], places).env == ["MINE=2"]
    with pytest.raises(NotFoundError, match="no GPU is described"):
        cdi.find([], ["all"], places)
    _write(first, "amd.json", _spec("amd.com/gpu", {"env": ["GPU=amd"]}))
    assert cdi.find([], ["a"], places).env == ["GPU=amd"]
    _write(first, "nvidia.json", _spec("nvidia.com/gpu", {"env": ["GPU=nvidia"]}))
    assert cdi.find([], ["a"], places).env == ["GPU=nvidia"]
    with pytest.raises(NotFoundError, match=r"unresolvable CDI devices nvidia\.com/gpu=all"):
        cdi.find([], ["all"], places)


@pytest.mark.parametrize(
    "document",
    [
        "{",
        "[]",
        {"kind": 5, "devices": []},
        _spec(edits={"env": "A=1"}),
        _spec(edits={"env": [1]}),
        _spec(edits={"deviceNodes": [{"path": "relative"}]}),
        _spec(edits={"mounts": [{"containerPath": "/x"}]}),
        _spec(edits={"hooks": [{"hookName": "sometime", "path": "/bin/x"}]}),
        _spec(edits={"hooks": [{"hookName": "prestart", "path": "bin/x"}]}),
        _spec(edits={"additionalGids": [-1]}),
    ],
)
def test_a_file_that_is_no_cdi_spec_is_named(tmp_path: Path, document: Any) -> None:
    _write(tmp_path / "d", "x.json", document)
    with pytest.raises(ConfigError, match=r"x\.json"):
        cdi.find(["example.com/thing=a"], [], [str(tmp_path / "d")])


def test_what_others_may_write_is_not_believed(tmp_path: Path) -> None:
    path = _write(tmp_path / "d", "x.json", _spec())
    for place in (path, path.parent):
        mode = place.stat().st_mode
        place.chmod(mode | 0o002)
        with pytest.raises(ConfigError, match="can be written by others"):
            cdi.device_names([str(path.parent)])
        place.chmod(mode)
    assert cdi.device_names([str(path.parent)]) == ["example.com/thing=a"]
    if os.geteuid() == 0:
        os.chown(path, 1234, 1234)
        with pytest.raises(ConfigError, match="belongs to somebody else"):
            cdi.device_names([str(path.parent)])


@pytest.mark.parametrize(
    ("when", "matches"),
    [
        ({"always": True}, True),
        ({"always": False}, False),
        ({}, False),
        ({"commands": ["^/bin/s"]}, True),
        ({"commands": ["^/bin/s"], "annotations": {"^a$": "b"}}, False),
        ({"annotations": {"^wanted$": "^y"}}, True),
        ({"hasBindMounts": True}, True),
        ({"hasBindMounts": False, "always": True}, False),
    ],
)
def test_a_hook_is_for_the_containers_that_fulfil_all_its_conditions(
    tmp_path: Path, when: dict[str, Any], matches: bool
) -> None:
    document = {"version": "1.0.0", "hook": {"path": "/bin/x"}, "when": when, "stages": ["poststop"]}
    _write(tmp_path / "d", "x.json", document)
    mount = Mount(type="bind", target="/m", source="/")
    spec = ContainerSpec(command=["/bin/sh"], annotations={"wanted": "yes"}, mounts=[mount])
    assert hooks.find(spec, [str(tmp_path / "d")]) == ({"poststop": [{"path": "/bin/x"}]} if matches else {})
    for wrong in ({"version": "0.1.0"}, {"stages": ["whenever"]}, {"stages": []}, {"hook": None}):
        _write(tmp_path / "d", "x.json", {**document, **wrong})
        with pytest.raises(ConfigError, match=r"x\.json"):
            hooks.find(spec, [str(tmp_path / "d")])


def test_containers_get_devices_and_hooks_of_the_users_directories(podpy: Podpy, busybox: str) -> None:
    shared = shared_directory(podpy)
    told = shared / "told"
    command = {"path": "/bin/sh", "args": ["sh", "-c", f"cat > /dev/null; echo $0 >> {told}", "from-cdi"]}
    edits = {
        "env": ["MINE=1"],
        "deviceNodes": [{"path": "/dev/inside", "hostPath": "/dev/null"}],
        "mounts": [{"hostPath": "/etc/hostname", "containerPath": "/host/name", "options": ["ro"]}],
        "hooks": [{"hookName": "poststop", **command}],
    }
    hook = {**command, "args": [*command["args"][:-1], "from-hooks-dir"]}
    other = {"version": "1.0.0", "hook": hook, "when": {"always": True}, "stages": ["prestart"]}
    for name, document in (("cdi", _spec(edits=edits)), ("hooks", other)):
        directory = shared / name
        _write(directory, "x.json", document)
        for path in (directory, directory / "x.json"):
            os.chown(path, podpy.user.uid, podpy.user.gid)
    places = (f"--cdi-spec-dir={shared / 'cdi'}", f"--hooks-dir={shared / 'hooks'}")
    script = "echo $MINE; test -c /dev/inside && cmp /host/name /host/name && echo there"
    run = (*places, *QUICK, "--device=example.com/thing=a", busybox, "sh", "-c", script)
    assert podpy.ok(*run).split() == ["1", "there"]
    assert sorted(told.read_text().split()) == ["from-cdi", "from-hooks-dir"]
    podpy(*QUICK, "--device=example.com/thing=b", busybox, "true").fails(
        125, "setting up CDI devices: unresolvable CDI devices example.com/thing=b"
    )
    podpy("create", "--gpus=all", busybox).fails(125, "neither nvidia.com/gpu nor amd.com/gpu is known to CDI")
    (shared / "hooks").chmod(0o777)
    podpy(*run).fails(125, "can be written by others", "Hint: chmod go-w")
    assert podpy.ok("ps", "-aq") == ""
