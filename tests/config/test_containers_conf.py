"""containers.conf: order of files, merging, mistakes, and the cache."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podpy.config import containers_conf
from podpy.config.paths import Paths
from podpy.errors import ConfigError


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
    assert conf.engine_env == ["X=1"]
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
