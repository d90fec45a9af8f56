"""`process` of config.json: user, rights, environment, limits."""

from __future__ import annotations

import pytest

from podpy.errors import UsageError
from podpy.notice import take_warnings
from podpy.oci.document.context import Limit
from podpy.oci.root.users import UserIds
from podpy.spec.container import IdMapping, Ulimit
from tests.oci.conftest import ConfigOf

PODMAN_DEFAULT = [
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETFCAP",
    "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT",
]  # fmt: skip


def variables(config: dict) -> dict[str, str]:  # type: ignore[type-arg]
    return dict(item.partition("=")[::2] for item in config["process"]["env"])


def test_root_in_a_container_has_podmans_eleven_capabilities(config_of: ConfigOf) -> None:
    held = config_of()["process"]["capabilities"]
    assert held["bounding"] == held["effective"] == held["permitted"] == PODMAN_DEFAULT
    assert held["ambient"] == held["inheritable"] == []


def test_another_user_holds_none_but_what_was_asked_for_by_name(config_of: ConfigOf) -> None:
    user = {"user": UserIds(uid=1000, gid=1000)}
    held = config_of(context=user, user="1000")["process"]["capabilities"]
    assert held["bounding"] == PODMAN_DEFAULT and held["effective"] == held["ambient"] == []
    held = config_of(context=user, user="1000", cap_add=["net_raw"])["process"]["capabilities"]
    assert held["effective"] == held["ambient"] == held["inheritable"] == ["CAP_NET_RAW"]
    assert "CAP_NET_RAW" in held["bounding"]


def test_capabilities_are_added_and_dropped(config_of: ConfigOf) -> None:
    def bounding(**fields: list[str]) -> list[str]:
        return list(config_of(**fields)["process"]["capabilities"]["bounding"])

    assert "CAP_SYS_ADMIN" in bounding(cap_add=["SYS_ADMIN"])
    assert "CAP_CHOWN" not in bounding(cap_drop=["chown"])
    assert bounding(cap_drop=["all"]) == []
    assert bounding(cap_drop=["all"], cap_add=["KILL"]) == ["CAP_KILL"]
    assert len(bounding(cap_add=["all"])) == 41
    assert bounding(cap_add=["all"], cap_drop=["SYS_ADMIN"]).count("CAP_SYS_ADMIN") == 0
    with pytest.raises(UsageError):
        bounding(cap_add=["all"], cap_drop=["all"])


def test_what_the_host_lacks_nobody_gets(config_of: ConfigOf) -> None:
    held = config_of(host={"capabilities": ["CAP_CHOWN", "CAP_NET_RAW"]}, privileged=True)["process"]["capabilities"]
    assert held["bounding"] == ["CAP_CHOWN", "CAP_NET_RAW"]
    assert config_of(host={"capabilities": ["CAP_CHOWN"]})["process"]["capabilities"]["bounding"] == ["CAP_CHOWN"]


def test_open_files_and_processes_are_clipped_to_the_hosts_limit(config_of: ConfigOf) -> None:
    limits = {entry["type"]: (entry["soft"], entry["hard"]) for entry in config_of()["process"]["rlimits"]}
    # As many open files as the hard limit allows, as with Podman, whose own soft limit Go raises.
    assert limits == {"RLIMIT_NOFILE": (20000, 20000), "RLIMIT_NPROC": (32768, 32768)}
    unlimited = {"limits": {"NOFILE": Limit(soft=-1, hard=-1), "NPROC": Limit(soft=-1, hard=-1)}}
    limits = {e["type"]: (e["soft"], e["hard"]) for e in config_of(host=unlimited)["process"]["rlimits"]}
    assert limits["RLIMIT_NOFILE"] == (1048576, 1048576)


def test_a_ulimit_can_not_go_over_the_users_hard_limit(config_of: ConfigOf) -> None:
    asked = [Ulimit(name="nofile", soft=100, hard=999999), Ulimit(name="core", soft=-1, hard=-1)]
    limits = {e["type"]: (e["soft"], e["hard"]) for e in config_of(ulimits=asked)["process"]["rlimits"]}
    assert limits["RLIMIT_NOFILE"] == (100, 20000)
    assert limits["RLIMIT_CORE"] == (2**64 - 1, 2**64 - 1)


def test_ulimit_host_sets_none(config_of: ConfigOf) -> None:
    assert config_of(ulimits=[Ulimit(name="host", soft=-1, hard=-1)])["process"]["rlimits"] == []


def test_the_environment_has_podmans_variables(config_of: ConfigOf) -> None:
    assert variables(config_of()) == {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "container": "podman",
        "HOME": "/",
        "HOSTNAME": "0123456789ab",
    }
    assert variables(config_of(tty=True))["TERM"] == "xterm"


def test_home_is_the_users_unless_somebody_set_it(config_of: ConfigOf) -> None:
    context = {"user": UserIds(uid=5, gid=5, home="/home/five")}
    assert variables(config_of(context=context))["HOME"] == "/home/five"
    assert variables(config_of(context=context, env={"HOME": "/x"}))["HOME"] == "/x"


def test_proxy_variables_are_passed_on_unless_switched_off(config_of: ConfigOf) -> None:
    host = {"environment": {"http_proxy": "http://p", "SECRET": "no"}}
    assert variables(config_of(host=host))["http_proxy"] == "http://p"
    assert "SECRET" not in variables(config_of(host=host))
    assert "http_proxy" not in variables(config_of(host=host, http_proxy=False))
    assert variables(config_of(host=host, env={"http_proxy": "mine"}))["http_proxy"] == "mine"


def test_unset_variables_are_not_there(config_of: ConfigOf) -> None:
    assert "container" not in variables(config_of(unset_env=["container"]))
    assert set(variables(config_of(unset_env_all=True, env={"A": "1"}))) == {"A", "HOME", "HOSTNAME"}


def test_sockets_of_the_service_manager_are_for_process_one(config_of: ConfigOf) -> None:
    host = {"environment": {"LISTEN_PID": "4711", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "web"}}
    assert variables(config_of(host=host)).items() >= {"LISTEN_PID": "1", "LISTEN_FDS": "1"}.items()


def test_groups_that_are_not_mapped_are_left_out(config_of: ConfigOf) -> None:
    user = UserIds(uid=7, gid=7, groups=[7, 8, 70000])
    assert config_of(context={"user": user}, user="7")["process"]["user"]["additionalGids"] == [7, 8]
    maps = [IdMapping(container=0, host=1, size=8)]
    config = config_of(context={"user": user}, user="7", uid_maps=maps, gid_maps=maps)
    assert config["process"]["user"]["additionalGids"] == [7]


def test_keep_groups_is_cruns_annotation(config_of: ConfigOf) -> None:
    config = config_of(groups=["keep-groups"])
    assert config["annotations"]["run.oci.keep_original_groups"] == "1"
    assert "additionalGids" not in config["process"]["user"]


def test_umask_is_octal(config_of: ConfigOf) -> None:
    assert config_of(umask="0077")["process"]["user"]["umask"] == 0o077


def test_oom_score_can_not_go_below_the_users_own(config_of: ConfigOf) -> None:
    take_warnings()
    assert config_of(oom_score_adj=-500, host={"oom_score_adj": 100})["process"]["oomScoreAdj"] == 100
    assert take_warnings() == ["Requested oom_score_adj=-500 is lower than the current one, changing to 100"]
    assert config_of(oom_score_adj=500, host={"oom_score_adj": 100})["process"]["oomScoreAdj"] == 500
    assert config_of(oom_score_adj=-500, host={"rootless": False})["process"]["oomScoreAdj"] == -500
    assert take_warnings() == []
    assert "oomScoreAdj" not in config_of()["process"]


def test_init_is_in_front_of_the_command_and_bound_read_only(config_of: ConfigOf) -> None:
    config = config_of(init=True, command=["a", "-b"], context={"init": "/usr/bin/catatonit"})
    assert config["process"]["args"] == ["/run/podman-init", "--", "a", "-b"]
    bound = [mount for mount in config["mounts"] if mount["destination"] == "/run/podman-init"]
    assert bound[0]["source"] == "/usr/bin/catatonit" and "ro" in bound[0]["options"]


def test_no_new_privileges_and_terminal_are_flags(config_of: ConfigOf) -> None:
    config = config_of(no_new_privileges=True, tty=True)
    assert config["process"]["noNewPrivileges"] is True and config["process"]["terminal"] is True
    assert "noNewPrivileges" not in config_of()["process"] and "terminal" not in config_of()["process"]
