"""containers.conf: order of files, merging, mistakes, and the cache."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

import pytest

from podpy.config import containers_conf
from podpy.config.later import LATER
from podpy.config.paths import Paths
from podpy.errors import ConfigError
from podpy.spec import defaults
from tests.support.engine import CHECKOUT


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A user whose own files are below tmp_path."""
    (tmp_path / "cache").mkdir()
    return Paths(
        graphroot=os.fspath(tmp_path / "graph"),
        runroot=os.fspath(tmp_path),
        rootless=True,
        uid=4242,
        gid=4242,
        home=os.fspath(tmp_path),
        config_dirs=(os.fspath(tmp_path / "containers"), "/etc/containers", "/usr/share/containers"),
        boot_id="",
    )


def _own(paths: Paths, text: str, name: str = "containers.conf") -> Path:
    file = Path(paths.config_dirs[0]) / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_defaults_are_podmans() -> None:
    """Without any file."""
    conf = containers_conf.ContainersConf()
    assert conf.pids_limit == 2048
    assert conf.shm_size == "65536k"
    assert conf.detach_keys == "ctrl-p,ctrl-q"
    assert conf.runtime == "crun"
    assert conf.default_rootless_network_cmd == "pasta"
    assert len(conf.default_capabilities) == 11
    assert conf.env == ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]


def test_drop_ins_come_after_the_file_and_by_name(paths: Paths) -> None:
    """A later file's key wins; keys that it hasn't got stay."""
    _own(paths, '[containers]\npids_limit = 1\nshm_size = "1m"\n')
    _own(paths, "[containers]\npids_limit = 3\n", "containers.conf.d/20.conf")
    _own(paths, "[containers]\npids_limit = 2\n", "containers.conf.d/10.conf")
    _own(paths, "not even TOML", "containers.conf.d/30.txt")
    conf = containers_conf.load(paths)
    assert (conf.pids_limit, conf.shm_size) == (3, "1m")


def test_lists_replace_or_append(paths: Paths) -> None:
    """{append=true} keeps the earlier members."""
    _own(paths, '[containers]\nvolumes = ["/a:/a"]\nenv = ["A=1", {append=true}]\n')
    _own(paths, '[containers]\nvolumes = ["/b:/b", {append=true}]\nenv = ["B=2"]\n', "containers.conf.d/1.conf")
    conf = containers_conf.load(paths)
    assert conf.volumes == ["/a:/a", "/b:/b"]
    assert conf.env == ["B=2"]


def test_variables_override(paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CONTAINERS_CONF is the only file; CONTAINERS_CONF_OVERRIDE comes after all."""
    _own(paths, "[containers]\npids_limit = 5\ninit = true\n")
    only = tmp_path / "only.conf"
    only.write_text("[containers]\npids_limit = 6\n")
    over = tmp_path / "over.conf"
    over.write_text("[engine]\nstop_timeout = 3\n")
    monkeypatch.setenv("CONTAINERS_CONF_OVERRIDE", os.fspath(over))
    assert containers_conf.load(paths).pids_limit == 5
    monkeypatch.setenv("CONTAINERS_CONF", os.fspath(only))
    conf = containers_conf.load(paths)
    assert (conf.pids_limit, conf.init, conf.stop_timeout) == (6, False, 3)
    assert conf.files == [os.fspath(only), os.fspath(over)]


def test_capabilities_get_their_prefix_and_sections_are_kept_apart(paths: Paths) -> None:
    """[engine].env isn't the containers' environment."""
    _own(paths, '[containers]\ndefault_capabilities = ["chown", "CAP_KILL"]\n')
    text = '[engine]\nenv = ["X=1"]\n[engine.runtimes]\nmine = ["/m"]\n'
    _own(paths, text, "containers.conf.d/1.conf")
    conf = containers_conf.load(paths)
    assert conf.default_capabilities == ["CAP_CHOWN", "CAP_KILL"]
    assert conf.env == containers_conf.ContainersConf.env
    assert conf.runtimes["mine"] == ["/m"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[containers]\npids_limit = 'many'\n", "pids_limit in [containers] must be a number"),
        ("[containers]\ninit = 1\n", "init in [containers] must be true or false"),
        ("[containers]\nenv = 'A=1'\n", "env in [containers] must be a list"),
        ("[engine\n", "isn't valid TOML"),
        ("engine = 3\n", "engine must be a table"),
    ],
)
def test_mistakes_name_file_and_key(paths: Paths, text: str, message: str) -> None:
    """A wrong type isn't guessed at."""
    file = _own(paths, text)
    with pytest.raises(ConfigError) as error:
        containers_conf.load(paths)
    assert os.fspath(file) in str(error.value)
    assert message in str(error.value)


def test_named_file_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names it, so it must be there."""
    monkeypatch.setenv("CONTAINERS_CONF", "/no/such.conf")
    with pytest.raises(ConfigError, match=r"can't read /no/such\.conf: No such file"):
        containers_conf.load()


def test_unknown_keys_are_ignored(paths: Paths) -> None:
    """A newer Podman's file works."""
    _own(paths, "[containers]\nnew_thing = 1\n[machine]\ncpus = 1\n[engine]\nload = 'x'\n")
    assert containers_conf.load(paths).pids_limit == 2048


# Every key of containers.conf(5), from containers-common 0.50 (Debian 12) to 6.x.
MANUAL = {
    "containers": """annotations apparmor_profile base_hosts_file cgroup_conf cgroupns cgroups
        container_name_as_hostname default_capabilities default_sysctls
        default_ulimits devices dns_options dns_searches dns_servers env env_host
        host_containers_internal_ip http_proxy init init_path interface_name ipcns keyring label label_users log_driver
        log_path log_size_max log_tag mounts netns no_hosts oom_score_adj pidns pids_limit prepare_volume_on_create
        privileged read_only seccomp_profile shm_size tz umask userns userns_size utsns volumes""",
    "engine": """active_service add_compression cdi_spec_dirs cgroup_manager chown_copied_files
        compat_api_enforce_docker_hub compose_providers compose_warning_logs compression_format compression_level
        conmon_env_vars conmon_path database_backend detach_keys enable_port_reservation env
        events_container_create_inspect_data events_logfile_max_size events_logfile_path events_logger
        exit_command_delay force_port_listen healthcheck_events helper_binaries_dir hooks_dir image_build_format
        image_copy_tmp_dir image_default_format image_default_transport image_parallel_copies image_volume_mode
        infra_command infra_image kube_generate_type lock_type machine_enabled multi_image_archive namespace
        network_cmd_options network_cmd_path no_pivot_root num_locks platform_to_oci_runtime pod_exit_policy
        podmansh_timeout pull_policy remote retry retry_delay runtime runtime_supports_json runtime_supports_kvm
        runtime_supports_nocgroups runtimes runtimes_flags service_destinations service_timeout ssh_config static_dir
        stop_timeout tmp_dir volume_path volume_plugin_timeout volume_plugins""",
    "network": """cni_plugin_dirs default_host_ips default_network default_rootless_network_cmd default_subnet
        default_subnet_pools dns_bind_port firewall_driver netavark_plugin_dirs network_backend network_config_dir
        pasta_options rootless_port_forwarder""",
    "secrets": "driver opts",
    "configmaps": "driver opts",
    "farms": "default list",
    "machine": "cpus disk_size image import_native_ca memory provider rosetta user volumes",
    "podmansh": "container shell timeout",
}
OBEYED = {name for name in vars(containers_conf.ContainersConf) if not name.startswith("_")} - {"files", "later"}


def test_every_key_of_the_manual_is_obeyed_or_says_why_not() -> None:
    keys = {f"{section}.{name}" for section, names in MANUAL.items() for name in names.split()}
    obeyed = {key for key in keys if _attribute(key) in OBEYED and key not in LATER}
    assert sorted(keys - obeyed - LATER.keys()) == []
    assert sorted(LATER.keys() - keys) == [], "no such key"
    podpys_own = {"seccomp_allow"}
    assert OBEYED - podpys_own == {_attribute(key) for key in obeyed}


def _attribute(key: str) -> str:
    return key.replace(".", "_") if key.startswith("secrets.") else key.partition(".")[2]


def test_every_key_that_is_declared_is_read_somewhere() -> None:
    """As an attribute of something called conf, or by spec.defaults' table."""
    read = set(defaults._SETTINGS.values())
    for path in (CHECKOUT / "src/podpy").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                owner = node.value
                name = (
                    owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
                )
                if name == "conf":
                    read.add(node.attr)
    assert sorted(OBEYED - read) == [], "give it a reader, or a line in podpy.config.later"


def test_what_speaks_for_a_containers_field_is_asked_in_one_place() -> None:
    """spec.defaults, when the container is made; `info` and `doctor` show it."""
    fields = {*defaults._SETTINGS.values(), *defaults._LISTS, "default_sysctls", "env", "log_tag", "log_size_max"}
    for path in (CHECKOUT / "src/podpy").rglob("*.py"):
        name = path.relative_to(CHECKOUT / "src/podpy").as_posix()
        if not name.startswith(("spec/", "config/")) and name not in ("libpod/system/info.py", "oci/doctor.py"):
            asked = {key for key in fields if re.search(rf"\bconf\.{key}\b", path.read_text())}
            assert not asked, f"{name} asks containers.conf for {asked}: the spec says it"


def test_what_has_no_effect_is_remembered_with_its_reason(paths: Paths) -> None:
    _own(paths, '[engine]\nlock_type = "shm"\nvolume_plugins = {}\n[machine]\ncpus = 2\n[secrets.opts]\n')
    assert containers_conf.load(paths).later == [f"{key}: {LATER[key]}" for key in ("engine.lock_type", "machine.cpus")]


def test_cache_is_used_and_follows_the_files(paths: Paths) -> None:
    """Change, new file and removed file count at once; a torn cache is no obstacle."""
    file = _own(paths, "[containers]\npids_limit = 7\n")
    assert containers_conf.load(paths).pids_limit == 7
    cache = Path(paths.cache) / "containers.conf.json"
    cache.write_text(cache.read_text().replace('"pids_limit":7', '"pids_limit":8'))
    assert containers_conf.load(paths).pids_limit == 8  # so it was the cache that was read
    file.write_text("[containers]\npids_limit = 99\n")
    assert containers_conf.load(paths).pids_limit == 99
    drop_in = _own(paths, "[containers]\npids_limit = 10\n", "containers.conf.d/a.conf")
    assert containers_conf.load(paths).pids_limit == 10
    drop_in.unlink()
    assert containers_conf.load(paths).pids_limit == 99
    cache.write_text('{"key": [')
    assert containers_conf.load(paths).pids_limit == 99
