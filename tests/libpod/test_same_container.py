"""The command line and a library make the same container, whatever containers.conf says; a flag given as false wins."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

import podpy as podpy_package
from tests.support.engine import Podpy

PROFILE = "/usr/share/containers/seccomp.json"

CONTAINERS = """
[containers]
annotations = ["org.example.key=value"]
base_hosts_file = "none"
cgroupns = "host"
container_name_as_hostname = true
default_capabilities = ["CHOWN", "KILL"]
default_sysctls = ["kernel.shm_rmid_forced=1"]
default_ulimits = ["nofile=100:200", "core=0:0"]
devices = ["/dev/null:/dev/mynull:rw"]
dns_options = ["ndots:3"]
dns_searches = ["example.org"]
dns_servers = ["192.0.2.53"]
env = ["FROM_CONF=1", "FROM_CALLER"]
env_host = true
host_containers_internal_ip = "192.0.2.1"
http_proxy = false
ipcns = "private"
keyring = false
log_driver = "json-file"
log_path = "{home}/logs"
log_size_max = 10000
log_tag = "tag"
mounts = ["type=tmpfs,target=/tmpfs"]
netns = "none"
no_hosts = false
oom_score_adj = 500
pidns = "private"
privileged = false
read_only = true
seccomp_profile = "{profile}"
shm_size = "1m"
tz = "UTC"
umask = "0077"
userns = "keep-id"
utsns = "private"
volumes = ["data:/data"]
{more}
[engine]
conmon_env_vars = ["OF_CONMON=1"]
detach_keys = "ctrl-x"
image_volume_mode = "tmpfs"
no_pivot_root = false
pull_policy = "never"
retry = 1
retry_delay = "1s"
stop_timeout = 3
[network]
default_host_ips = ["127.0.0.1"]
"""
WITH_CGROUPS = 'cgroup_conf = ["memory.high=1000000000"]\ncgroups = "enabled"\npids_limit = 77\n'
WITHOUT_CGROUPS = 'cgroups = "disabled"\npids_limit = 77\n'

LIBRARY = """
import json, sys
from podpy import Runtime
from podpy.libpod.caller import Caller
from podpy.spec.container import ContainerSpec

with Runtime(caller=Caller(dict(FROM_CALLER="c", OTHER="o"))) as runtime:
    container = runtime.create(ContainerSpec(image="localhost/busybox", command=["sleep", "300"], name="madebylibrary"))
    if sys.argv[1] == "start":
        container.start()
    print(json.dumps(container.inspect()))
"""


def _write(podpy: Podpy, more: str) -> dict[str, str]:
    conf = podpy.home / "containers.conf"
    conf.write_text(CONTAINERS.format(home=podpy.home, profile=PROFILE, more=more))
    return {"CONTAINERS_CONF": os.fspath(conf), "FROM_CALLER": "c", "OTHER": "o"}


def _library(podpy: Podpy, environment: dict[str, str], what: str) -> dict[str, Any]:
    script = podpy.home / "library.py"
    script.write_text(LIBRARY)
    script.chmod(0o644)
    package = Path(podpy_package.__file__ or "").parents[1]
    result = podpy.run([sys.executable, os.fspath(script), what], env={**environment, "PYTHONPATH": os.fspath(package)})
    shown: dict[str, Any] = json.loads(result.ok())
    return shown


def _bare(data: Any, shown: dict[str, Any]) -> Any:
    """Return inspect's or config.json's data without what differs between any two containers."""
    text = json.dumps(data).replace(shown["Id"], "ID").replace(shown["Id"][:12], "ID").replace(shown["Name"], "NAME")
    return json.loads(text.replace(shown["Id"][:32], "ID"))


def _inspected(shown: dict[str, Any]) -> Any:
    left_out = ("Created", "State", "SizeRw", "SizeRootFs")
    data = _bare({key: value for key, value in shown.items() if key not in left_out}, shown)
    data["Config"].pop("CreateCommand", None)
    data["Config"].pop("Env")  # --env-host: what this caller has
    data["HostConfig"]["LogConfig"].pop("Path")
    for mount in data["Mounts"]:
        mount.pop("Source", None)
    return data


def test_the_same_container_by_command_line_and_by_library(podpy: Podpy, busybox: str) -> None:
    environment = _write(podpy, WITH_CGROUPS)
    podpy.ok("create", "--name", "madebyline", busybox, "sleep", "300", env=environment)
    cli = podpy.json("inspect", "madebyline", env=environment)[0]
    library = _library(podpy, environment, "create")
    assert _inspected(library) == _inspected(cli)
    host = cli["HostConfig"]
    assert (host["PidsLimit"], host["CgroupConf"]) == (77, {"memory.high": "1000000000"})
    assert (host["ShmSize"], host["OomScoreAdj"], host["ReadonlyRootfs"]) == (1 << 20, 500, True)
    assert host["LogConfig"]["Type"] == "json-file"
    assert host["LogConfig"]["Path"] == f"{podpy.home}/logs/{cli['Id']}/ctr.log"
    config = cli["Config"]
    assert (config["Umask"], config["StopTimeout"], config["Hostname"]) == ("0077", 3, "madebyline")
    for shown in (cli, library):
        assert {"FROM_CONF=1", "FROM_CALLER=c", "OTHER=o"} <= set(shown["Config"]["Env"])


def test_the_same_config_json_by_command_line_and_by_library(podpy: Podpy, busybox: str) -> None:
    environment = _write(podpy, WITHOUT_CGROUPS)
    podpy.ok("run", "--rm", busybox, "true", env=environment)  # the seccomp filter that crun has compiled is kept
    podpy.ok("run", "-d", "--name", "madebyline", busybox, "sleep", "300", env=environment)
    shown = [podpy.json("inspect", "madebyline", env=environment)[0], _library(podpy, environment, "start")]
    configs = []
    for each in shown:
        config = json.loads((podpy.runroot / "containers" / each["Id"] / "bundle/config.json").read_text())
        config["root"].pop("path")
        for mount in config["mounts"]:  # of a container's own: files and directories made for each
            mount.pop("source", None)
        for variable in ("PYTHONPATH", "PODPY_TEST_ID"):
            config["process"]["env"] = [e for e in config["process"]["env"] if not e.startswith(f"{variable}=")]
        config["process"]["env"].sort()
        configs.append(_bare(config, each))
    cli_environment = set(configs[0]["process"].pop("env"))
    assert set(configs[1]["process"].pop("env")) <= cli_environment, "a library's caller gives what it wants to"
    assert configs[1] == configs[0]
    assert configs[0]["process"]["user"]["umask"] == 0o077
    assert {"type": "RLIMIT_CORE", "soft": 0, "hard": 0} in configs[0]["process"]["rlimits"]
    assert configs[0]["process"]["capabilities"]["bounding"] == ["CAP_CHOWN", "CAP_KILL"]
    log = Path(shown[0]["HostConfig"]["LogConfig"]["Path"])
    assert log.exists() and log.parent.name == shown[0]["Id"]


@pytest.mark.parametrize(
    ("setting", "option", "command", "shown"),
    [
        ("read_only = true", "--read-only=false", "touch /x && echo written", "written"),
        ("init = true\ninit_path = '/nonexistent'", "--init=false", "echo no init", "no init"),
        ("no_hosts = true", "--no-hosts=false", "grep -c localhost /etc/hosts | sed 's/[1-9]/some/'", "some"),
        ("env_host = true", "--env-host=false", "echo ${OTHER-none}", "none"),
        ("http_proxy = true", "--http-proxy=false", "echo ${http_proxy-none}", "none"),
        ("privileged = true", "--privileged=false", "grep -c 00000000000005fb /proc/self/status", "0"),
        ("umask = '0077'", "--umask=0022", "umask", "0022"),
    ],
)
def test_a_flag_given_as_false_beats_containers_conf(
    podpy: Podpy, busybox: str, setting: str, option: str, command: str, shown: str
) -> None:
    conf = podpy.home / "containers.conf"
    conf.write_text(f"[containers]\n{setting}\n")
    environment = {"CONTAINERS_CONF": os.fspath(conf), "OTHER": "o", "http_proxy": "http://p"}
    result = podpy("run", "--rm", "--network=none", option, busybox, "sh", "-c", command, env=environment)
    assert result.stdout.strip() == shown or option == "--privileged=false"


def test_stop_timeout_of_containers_conf_is_how_long_a_stop_waits(podpy: Podpy, busybox: str) -> None:
    conf = podpy.home / "containers.conf"
    conf.write_text("[engine]\nstop_timeout = 1\n")
    environment = {"CONTAINERS_CONF": os.fspath(conf)}
    deaf = ("--network=none", busybox, "sh", "-c", "trap '' TERM; while :; do sleep 100; done")
    podpy.ok("run", "-d", "--name", "configured", *deaf, env=environment)
    podpy.ok("run", "-d", "--name", "said", "--stop-timeout=0", *deaf, env=environment)
    assert podpy.ok("inspect", "-f", "{{.Config.StopTimeout}}", "configured") == "1"
    assert podpy.ok("inspect", "-f", "{{.Config.StopTimeout}}", "said") == "0"
    result = podpy("stop", "configured")
    assert result.returncode == 0
    assert "in 1 seconds, resorting to SIGKILL" in result.stderr
    assert podpy.ok("inspect", "-f", "{{.State.ExitCode}}", "configured") == "137"


def test_a_key_without_effect_is_told_to_who_asks(podpy: Podpy, busybox: str) -> None:
    conf = podpy.home / "containers.conf"
    conf.write_text('[engine]\nlock_type = "shm"\n')
    environment = {"CONTAINERS_CONF": os.fspath(conf)}
    assert podpy("create", busybox, env=environment).stderr == ""
    told = podpy("--log-level=info", "create", busybox, env=environment).stderr
    assert "containers.conf sets what has no effect: engine.lock_type: podpy's locks are files" in told


def test_a_module_that_is_missing_is_an_error_and_one_that_is_there_counts(podpy: Podpy, busybox: str) -> None:
    result = podpy("--module=nosuch.conf", "ps")
    assert result.returncode == 1
    assert 'Failed to obtain podman configuration: could not resolve module "nosuch.conf"' in result.stderr
    directory = podpy.home / ".config/containers/containers.conf.modules"
    directory.mkdir(parents=True)
    (directory / "mine.conf").write_text('[containers]\numask = "0007"\n')
    shown = podpy.ok("--module=mine.conf", "run", "--rm", "--network=none", busybox, "sh", "-c", "umask")
    assert shown == "0007"


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("--storage-opt=overlay.imagestore=/i", "podpy has no additional image stores: use --root"),
        ("--imagestore=/i", "images are in the graph root: use --root"),
    ],
)
def test_a_global_option_that_would_be_wrong_to_ignore_is_refused(podpy: Podpy, option: str, text: str) -> None:
    result = podpy(option, "ps")
    assert result.returncode == 125 and text in result.stderr


def test_volumepath_with_the_place_where_volumes_are_changes_nothing(podpy: Podpy) -> None:
    path = podpy.ok("info", "-f", "{{.Store.VolumePath}}")
    assert podpy.ok(f"--volumepath={path}", "volume", "ls", "-q") == ""


def test_mounts_conf_gives_every_container_what_it_names(podpy: Podpy, busybox: str) -> None:
    secrets = podpy.home / "secrets"
    podpy.run(["mkdir", os.fspath(secrets)]).ok()
    (secrets / "key").write_text("k")
    own = podpy.home / ".config/containers/mounts.conf"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text(f"# a comment\n{secrets}:/run/secrets\n")
    script = "cat /run/secrets/key; echo mine > /run/secrets/new && ls /run/secrets"
    run = ("run", "--rm", "--network=none")
    assert podpy.ok(*run, busybox, "sh", "-c", script).split() == ["kkey", "new"]
    assert not (secrets / "new").exists(), "the container has a copy"
    assert podpy.ok(*run, "--tmpfs=/run/secrets", busybox, "ls", "/run/secrets") == ""
    other = podpy.home / "other.conf"
    other.write_text("/no/such/place\n")
    result = podpy("--default-mounts-file", os.fspath(other), *run, busybox, "ls", "/run/secrets")
    assert result.returncode == 1 and "Path /no/such/place of mounts.conf doesn't exist" in result.stderr
    podpy("--default-mounts-file=/no/such/file", *run, busybox, "true").fails(125, "can't read /no/such/file")


def test_global_options_without_effect_say_so_and_others_have_theirs(podpy: Podpy) -> None:
    assert podpy("--syslog", "--storage-opt=overlay.mountopt=nodev", "ps").stderr == ""
    told = podpy("--log-level=info", "--storage-opt=overlay.mountopt=nodev", "ps").stderr
    assert "--storage-opt overlay.mountopt=nodev has no effect" in told
    broken = podpy.home / "registries.conf"
    broken.write_text("unqualified-search-registries = 3\n")
    podpy("--registries-conf", os.fspath(broken), "pull", "some").fails(125, os.fspath(broken))


def test_the_monitor_and_the_runtime_are_started_as_containers_conf_says(podpy: Podpy, busybox: str) -> None:
    conf = podpy.home / "containers.conf"
    conf.write_text(
        '[containers]\nkeyring = false\n[engine]\nno_pivot_root = true\nconmon_env_vars = ["OF_CONMON=1"]\n'
    )
    environment = {"CONTAINERS_CONF": os.fspath(conf)}
    podpy.ok("run", "-d", "--name", "one", "--network=none", busybox, "sleep", "300", env=environment)
    monitor = Path("/proc", podpy.ok("inspect", "-f", "{{.State.ConmonPid}}", "one"))
    assert {"--no-new-keyring", "--no-pivot"} <= set((monitor / "cmdline").read_text().split("\0"))
    assert "OF_CONMON=1" in (monitor / "environ").read_text().split("\0")


def test_pull_policy_and_detach_keys_of_containers_conf(podpy: Podpy, busybox: str) -> None:
    conf = podpy.home / "containers.conf"
    environment = {"CONTAINERS_CONF": os.fspath(conf)}
    conf.write_text('[engine]\npull_policy = "never"\n')
    result = podpy("create", "127.0.0.1:1/none", env=environment)
    assert result.returncode == 125 and "127.0.0.1:1" in result.stderr and "pinging" not in result.stderr
    conf.write_text('[engine]\npull_policy = "sometimes"\n')
    podpy("create", busybox, env=environment).fails(125, 'unsupported pull policy "sometimes"')
