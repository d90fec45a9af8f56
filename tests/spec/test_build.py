"""The options of `run` → ContainerSpec: a sentence per option."""

from __future__ import annotations

from pathlib import Path

import pytest

from podpy.config.containers_conf import ContainersConf
from podpy.errors import UsageError
from tests.spec.conftest import SpecOf


def test_without_options_a_spec_has_podmans_defaults(spec_of: SpecOf) -> None:
    spec = spec_of()
    assert (spec.image, spec.command, spec.entrypoint) == ("IMAGE", [], None)
    assert (spec.pid, spec.ipc, spec.uts, spec.cgroupns, spec.userns) == (
        "private", "shareable", "private", "private", "host",
    )  # fmt: skip
    assert (spec.umask, spec.stop_timeout, spec.stop_signal, spec.log_driver) == ("0022", 10, 0, "k8s-file")
    assert spec.resources.pids_limit is None
    assert not (spec.privileged or spec.read_only or spec.tty or spec.init or spec.remove)


def test_the_command_comes_after_the_image_with_its_dashes(spec_of: SpecOf) -> None:
    assert spec_of(command=("sh", "-c", "echo -v")).command == ["sh", "-c", "echo -v"]


def test_an_entrypoint_is_a_word_or_a_json_list(spec_of: SpecOf) -> None:
    assert spec_of("--entrypoint", "/bin/sh -x").entrypoint == ["/bin/sh -x"]
    assert spec_of("--entrypoint", '["/bin/sh","-x"]').entrypoint == ["/bin/sh", "-x"]
    assert spec_of("--entrypoint", "").entrypoint == [""]


def test_variables_come_from_files_and_options_and_the_caller(
    spec_of: SpecOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FROM_CALLER", "c")
    monkeypatch.setenv("FROM_OTHER", "o")
    monkeypatch.delenv("NOT_THERE", raising=False)
    file = tmp_path / "env"
    file.write_text("# comment\n\n  A=1\nB=x=y z\nFROM_CALLER\nNOT_THERE\n")
    spec = spec_of("--env-file", str(file), "-e", "A=2", "-e", "NOT_THERE", "-e", "FROM_*")
    assert spec.env == {"A": "2", "B": "x=y z", "FROM_CALLER": "c", "FROM_OTHER": "o"}


def test_a_variable_without_a_name_is_refused(spec_of: SpecOf) -> None:
    with pytest.raises(UsageError, match='invalid environment variable: "=x"'):
        spec_of("-e", "=x")


def test_a_line_of_an_env_file_is_literal(spec_of: SpecOf, tmp_path: Path) -> None:
    """Podman, too, gives the container a variable called "export A", and keeps quotes."""
    file = tmp_path / "env"
    file.write_text('export A=1\nB="2"\n')
    assert spec_of("--env-file", str(file)).env == {"export A": "1", "B": '"2"'}


def test_a_missing_env_file_is_named(spec_of: SpecOf) -> None:
    with pytest.raises(UsageError, match='parsing env file "/nosuch": open /nosuch: no such file or directory'):
        spec_of("--env-file", "/nosuch")


def test_env_host_omits_variables_that_concern_only_the_host(spec_of: SpecOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_SETTING", "1")
    env = spec_of("--env-host").env
    assert env["SOME_SETTING"] == "1"
    assert "HOME" not in env and "PATH" not in env


def test_labels_come_from_files_and_options(spec_of: SpecOf, tmp_path: Path) -> None:
    file = tmp_path / "labels"
    file.write_text("a=1\n#no\nb\n")
    assert spec_of("--label-file", str(file), "-l", "a=2").labels == {"a": "2", "b": ""}


def test_cpus_and_quota_exclude_each_other(spec_of: SpecOf) -> None:
    assert spec_of("--cpus", "1.5").resources.cpus == 1.5
    with pytest.raises(UsageError, match="--cpu-quota and --cpus cannot be set together"):
        spec_of("--cpus", "1", "--cpu-quota", "50000")
    with pytest.raises(UsageError, match="--cpu-period and --cpus cannot be set together"):
        spec_of("--cpus", "1", "--cpu-period", "50000")


def test_a_memory_limit_allows_as_much_swap_by_default(spec_of: SpecOf) -> None:
    limits = spec_of("-m", "64m").resources
    assert (limits.memory, limits.memory_swap) == (64 << 20, 128 << 20)
    assert spec_of("-m", "64m", "--memory-swap", "-1").resources.memory_swap == -1
    assert spec_of("-m", "64m", "--memory-swap", "64m").resources.memory_swap == 64 << 20  # no swap at all
    with pytest.raises(UsageError, match="you should always set a memory limit when using a memoryswap limit"):
        spec_of("--memory-swap", "64m")
    with pytest.raises(UsageError, match="minimum memoryswap limit should be larger than memory limit"):
        spec_of("-m", "64m", "--memory-swap", "32m")
    with pytest.raises(UsageError, match="minimum memory limit"):
        spec_of("-m", "1m")


def test_pids_limit_zero_differs_from_the_default(spec_of: SpecOf) -> None:
    assert spec_of("--pids-limit", "0").resources.pids_limit == 0
    assert spec_of("--pids-limit", "5").resources.pids_limit == 5
    assert spec_of(conf=ContainersConf({"pids_limit": 100})).resources.pids_limit == 100


def test_ulimits_of_the_command_line_win_over_containers_conf(spec_of: SpecOf) -> None:
    limits = spec_of("--ulimit", "nofile=10", conf=ContainersConf({"default_ulimits": ["nofile=1:2", "core=0:0"]}))
    assert {limit.name: limit.hard for limit in limits.ulimits} == {"nofile": 10, "core": 0}


def test_security_options(spec_of: SpecOf) -> None:
    spec = spec_of(
        "--security-opt", "no-new-privileges", "--security-opt", "seccomp=unconfined",
        "--security-opt", "label=disable",
        "--security-opt", "mask=/a:/b", "--security-opt", "unmask=ALL", "--security-opt", "proc-opts=nosuid,hidepid=2",
    )  # fmt: skip
    assert spec.no_new_privileges and spec.seccomp == "unconfined" and spec.security_labels == ["disable"]
    assert (spec.mask, spec.unmask, spec.proc_opts) == (["/a", "/b"], ["ALL"], ["nosuid", "hidepid=2"])
    with pytest.raises(UsageError, match="invalid --security-opt"):
        spec_of("--security-opt", "magic=1")
    with pytest.raises(UsageError, match="opening seccomp profile failed: open /nosuch: no such file or directory"):
        spec_of("--security-opt", "seccomp=/nosuch")


def test_unknown_capabilities_and_sysctls_are_refused(spec_of: SpecOf) -> None:
    assert spec_of("--cap-add", "net_raw,SYS_PTRACE").cap_add == ["net_raw", "SYS_PTRACE"]
    with pytest.raises(UsageError, match='"CAP_FLY": unknown capability'):
        spec_of("--cap-add", "fly")
    with pytest.raises(UsageError, match="cannot be dropped and added"):
        spec_of("--cap-add", "chown", "--cap-drop", "CAP_CHOWN")
    with pytest.raises(UsageError, match=r"sysctl 'vm.swappiness' is not allowed"):
        spec_of("--sysctl", "vm.swappiness=1")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--pid", "moon"), "unrecognized namespace mode moon passed"),
        (("--ipc", "container:"), "unrecognized namespace mode container: passed"),
        (("--userns", "keepid"), "unrecognized namespace mode keepid passed"),
        (("--userns", "host:uid=1"), "takes no options"),
        (("--userns", "keep-id", "--uidmap", "0:0:1"), "cannot be used together"),
        (("--uidmap", "0:x:1"), "--uidmap"),
        (("-w", "rel"), "needs to be an absolute path"),
        (("--umask", "8"), "invalid umask string 8: invalid argument"),
        (("--tz", "Moon/Base"), "unknown time zone"),
        (("--tz", "../../etc/passwd"), "unknown time zone"),
        (("--shm-size", "x"), "--shm-size"),
        (("--uts", "host", "--hostname", "h"), "cannot set hostname"),
        (("--rm", "--restart", "always"), "--rm option conflicts with --restart"),
        (("--log-driver", "x"), "invalid log driver"),
        (("--log-opt", "x=1"), "invalid log option"),
        (("--group-add", "keep-groups", "--group-add", "x"), "not allowed with any other"),
        (("--no-hosts", "--add-host", "a:1.2.3.4"), "cannot be set together"),
        (("--add-host", "a"), 'bad format for add-host: "a"'),
        (("--add-host", "a:b"), 'invalid IP address in add-host: "b"'),
        (("--add-host", "a;:1.2.3.4"), 'hostname in add-host "a;:1.2.3.4" is empty'),
        (("--add-host", "a\nb:1.2.3.4"), "has a line end or another control character"),
        (("--dns", "none", "--dns", "192.0.2.1"), "none is not allowed to be specified with other DNS ip addresses"),
        (("--dns-search", "a b"), "a b is not a valid domain"),
        (("--dns-search", "-a.org"), "-a.org is not a valid domain"),
        (("--dns-search", "1.2"), "1.2 is not a valid domain"),
        (("--dns-search", ".", "--dns-search", "a.org"), "cannot pass additional search domains"),
        (("--cpuset-cpus", "x"), "invalid value 'x' for --cpuset-cpus"),
        (("--cpuset-cpus", "3-1"), "--cpuset-cpus"),
        (("--cpuset-mems", "0,,1"), "--cpuset-mems"),
        (("--oom-score-adj", "2000"), "-1000 to 1000"),
        (("--systemd", "perhaps"), "--systemd"),
        (("--blkio-weight", "9"), "10 to 1000"),
        (("--blkio-weight", "1001"), "10 to 1000"),
        (("--blkio-weight", "²"), "10 to 1000"),
        (("--device-read-bps", "bogus"), "bad format: bogus"),
        (("--device-read-iops", "bogus"), "bad format: bogus"),
        (("--device-write-iops", "null:5"), "bad format for device path: null:5"),
        (("--device-write-iops", "/dev/null:x"), "invalid rate for device: /dev/null:x. The correct format is"),
        (("--blkio-weight-device", "/dev/null:5"), "invalid weight for device: /dev/null:5"),
        (("--cpuset-cpus", "9" * 5000), "--cpuset-cpus"),
        (("--log-opt", "max-file=²"), "max-file"),
    ],
)
def test_invalid_options_are_refused(spec_of: SpecOf, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        spec_of(*words)


def test_domains_and_sets_of_cpus_are_kept_as_they_are(spec_of: SpecOf) -> None:
    spec = spec_of("--dns-search", "a-b.example.org.", "--cpuset-cpus", "0-3,5", "--cpuset-mems", "0")
    assert (spec.dns_search, spec.resources.cpuset_cpus, spec.resources.cpuset_mems) == (
        ["a-b.example.org."], "0-3,5", "0",
    )  # fmt: skip
    assert spec_of("--dns-search", ".").dns_search == ["."]


@pytest.mark.parametrize("conf", [{}, {"base_hosts_file": "image"}])
def test_a_hosts_file_of_the_command_line_wins_and_its_path_is_the_callers(
    spec_of: SpecOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, conf: dict[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = {"none": "none", "image": "image", "/etc/hosts": "/etc/hosts", "mine": f"{tmp_path}/mine"}
    for text, value in asked.items():
        assert spec_of("--hosts-file", text, conf=ContainersConf(conf)).hosts_file == value
    assert spec_of(conf=ContainersConf(conf)).hosts_file == conf.get("base_hosts_file", "")


def test_an_address_of_ipv6_may_have_brackets_and_a_zone(spec_of: SpecOf) -> None:
    hosts = ["a:::1", "a;b:[2001:db8::]", "c:fe80::1%eth0", "d:host-gateway"]
    assert spec_of(*(f"--add-host={text}" for text in hosts)).add_hosts == hosts
    assert spec_of("--dns=[fe80::]", "--dns=192.0.2.1").dns == ["[fe80::]", "192.0.2.1"]
    for text in ("[::1", "::1]", "[1", "[]"):
        with pytest.raises(UsageError, match="is not an ip address"):
            spec_of(f"--dns={text}")


def test_named_networks_are_a_bridge(spec_of: SpecOf) -> None:
    spec = spec_of("--network", "a:alias=x", "--network=b", "--network-alias=y")
    assert spec.network == "bridge"
    assert [(each.network, each.aliases) for each in spec.networks] == [("a", ["x", "y"]), ("b", ["y"])]
    assert [each.ips for each in spec_of("--ip=10.88.0.9").networks] == [["10.88.0.9"]]
    assert spec_of("--network=container:x").networks == []


def test_files_that_are_written_get_absolute_paths(
    spec_of: SpecOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    spec = spec_of("--cidfile", "c", "--pidfile", "p", "--log-opt", "path=l", "--log-opt", "max-size=1m")
    assert (spec.cidfile, spec.pidfile) == (f"{tmp_path}/c", f"{tmp_path}/p")
    assert spec.log_options == {"path": f"{tmp_path}/l", "max-size": "1000000"}


@pytest.mark.parametrize(
    ("words", "limit"), [((), "100000000"), (("max-size=1k",), "1000"), (("max-size=0",), ""), (("max-size=-1",), "")]
)
def test_a_log_has_a_limit_of_its_own(spec_of: SpecOf, words: tuple[str, ...], limit: str) -> None:
    spec = spec_of(*(f"--log-opt={word}" for word in words))
    assert spec.log_options.get("max-size", "") == limit


def test_rootfs_is_a_directory_with_an_overlay_if_asked(spec_of: SpecOf) -> None:
    spec = spec_of("--rootfs")
    assert spec.rootfs.endswith("/IMAGE") and spec.image == "" and not spec.rootfs_overlay


def test_a_spec_survives_the_database(spec_of: SpecOf) -> None:
    from podpy import fastjson
    from podpy.spec.container import ContainerSpec

    spec = spec_of("-v", "/a:/b", "--ulimit", "core=0", "--device", "/dev/null", "-m", "64m", "-e", "A=ü")
    assert ContainerSpec.from_dict(fastjson.loads(fastjson.dumps(spec.as_dict()))) == spec
