"""`podpy info` and `podpy version`: Podman's fields, for scripts that ask for them."""

from __future__ import annotations

import os

import pytest

from tests.support.engine import Podpy


def test_json_has_podmans_structure(podpy: Podpy) -> None:
    """Names and nesting as of podman info --format json."""
    facts = podpy.json("info", "--format", "json")
    assert list(facts) == ["host", "store", "registries", "plugins", "version"]
    assert facts["store"]["graphRoot"] == os.fspath(podpy.graphroot)
    assert facts["store"]["runRoot"] == os.fspath(podpy.runroot)
    assert facts["store"]["containerStore"] == {"number": 0, "paused": 0, "running": 0, "stopped": 0}
    assert facts["host"]["security"]["rootless"] is True
    assert facts["host"]["ociRuntime"]["name"] in ("crun", "runc")
    assert facts["host"]["idMappings"]["uidmap"] == [
        {"container_id": 0, "host_id": podpy.user.uid, "size": 1},
        {"container_id": 1, "host_id": podpy.user.subuid, "size": 65536},
    ]
    assert facts["host"]["cgroupManager"] in ("systemd", "cgroupfs", "none")


def test_what_registries_conf_says(podpy: Podpy) -> None:
    """The search list, and each registry with its mirrors."""
    file = podpy.home / ".config/containers/registries.conf"
    file.parent.mkdir(parents=True)
    file.write_text(
        'unqualified-search-registries = ["d.io"]\n'
        '[[registry]]\nprefix = "a.io/x"\nlocation = "b.io"\nblocked = true\n'
        '[[registry.mirror]]\nlocation = "c.io"\n'
    )
    found = podpy.json("info", "--format", "{{json .Registries}}")
    assert found["search"] == ["d.io"]
    registry = found["a.io/x"]
    assert (registry["Location"], registry["Blocked"], registry["Insecure"]) == ("b.io", True, False)
    assert [mirror["Location"] for mirror in registry["Mirrors"]] == ["c.io"]


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        ("{{.Store.GraphRoot}}", None),
        ("{{.Host.Security.Rootless}}", "true"),
        ("{{.Host.OS}}", "linux"),
        ("{{json .Store.ContainerStore}}", '{"number":0,"paused":0,"running":0,"stopped":0}'),
        ("{{range .Host.IDMappings.UIDMap}}{{.ContainerID}} {{end}}", "0 1 "),
        ("{{.Version.Version}}", "0.1.0"),
    ],
)
def test_templates_use_gos_names(podpy: Podpy, template: str, wanted: str | None) -> None:
    """What scripts ask Podman for."""
    assert podpy.ok("info", "--format", template) == (wanted or os.fspath(podpy.graphroot))


def test_debug_config_tells_which_file_gave_which_value(podpy: Podpy) -> None:
    own = podpy.home / ".config/containers"
    (own / "containers.conf.d").mkdir(parents=True)
    main, more = own / "containers.conf", own / "containers.conf.d/more.conf"
    main.write_text('[containers]\npids_limit = 7\nenv = ["A=1"]\n[engine]\nvolume_path = "/v"\nnosuch = 1\n')
    more.write_text('[containers]\npids_limit = 9\nenv = ["B=2", {append=true}]\n')
    found = {each.pop("Key"): each for each in podpy.json("info", "--debug-config", "--format=json")}
    both = [str(main), str(more)]
    assert found["containers.pids_limit"] == {"Value": 9, "Files": both, "WithoutEffect": ""}
    assert found["containers.env"] == {"Value": ["A=1", "B=2"], "Files": both, "WithoutEffect": ""}
    assert found["engine.nosuch"] == {"Value": 1, "Files": both[:1], "WithoutEffect": "podpy doesn't know it"}
    assert found["engine.volume_path"]["WithoutEffect"].startswith("it is the directory of Podman's volumes")
    lines = podpy.ok("info", "--debug-config").splitlines()
    assert lines[0].split() == ["KEY", "VALUE", "FILES", "WITHOUT", "EFFECT"]
    assert any(line.split()[:4] == ["containers.pids_limit", "9", str(more), str(main)] for line in lines)
    podpy("info", "--debug-config", "--format={{.Key}}").fails(125, "--debug-config has no fields for a template")


def test_plain_output_is_yaml(podpy: Podpy) -> None:
    """Sorted keys, two blanks a level."""
    lines = podpy.ok("info").splitlines()
    assert lines[0] == "host:"
    assert f"  graphRoot: {podpy.graphroot}" in lines
    assert "    rootless: true" in lines


def test_version(podpy: Podpy) -> None:
    """For people, and for scripts in both spellings."""
    assert [line.split()[:2] for line in podpy.ok("version").splitlines()[:2]] == [
        ["Client:", "Podpy"],
        ["Version:", "0.1.0"],
    ]
    assert podpy("version", "-f", "").stdout == podpy("info", "-f", "").stdout == "\n"
    nil = "{{.Plugins.Authorization}} {{json .Plugins.Authorization}} {{.Store.GraphOptions}}"
    assert podpy.ok("info", "-f", nil) == "[] null map[]"
    assert podpy.ok("info", "-f", "{{.Host.NetworkBackend}} {{.Host.BuildahVersion}}").startswith("netavark 1.")
    assert podpy.ok("version", "--format", "{{.Client.Version}}") == "0.1.0"
    assert podpy.ok("version", "--format", "{{.Version}}") == "0.1.0"
    assert podpy.json("version", "--format", "json")["Client"]["OsArch"].startswith("linux/")


def test_the_network_program_is_the_one_that_a_container_gets(podpy: Podpy, busybox: str) -> None:
    container = podpy.ok("run", "-d", busybox, "sleep", "1000")
    directory = podpy.runroot / "containers" / container
    running = [name for name in ("pasta", "slirp4netns") if (directory / f"{name}.pid").exists()]
    assert [podpy.ok("info", "--format", "{{.Host.RootlessNetworkCmd}}")] == running
