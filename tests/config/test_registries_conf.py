"""registries.conf: drop-ins, aliases, search, mirrors, rewriting, blocking, the cache."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from podpy.config import load_order, registries
from podpy.config.registries import Registries
from podpy.errors import ConfigError, ImageError
from podpy.image.names.reference import parse
from podpy.image.names.short import for_pull, in_store


def load(tmp_path: Path, text: str, **drop_ins: str) -> Registries:
    """Return what a user's registries.conf (and drop-ins) mean."""
    directory = tmp_path / "config/containers"
    (directory / "registries.conf.d").mkdir(parents=True, exist_ok=True)
    (directory / "registries.conf").write_text(text)
    for name, content in drop_ins.items():
        (directory / "registries.conf.d" / f"{name}.conf").write_text(content)
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    return registries.load(home=str(tmp_path), rootless=True, cache_directory=str(tmp_path), environ=environment)


def pulled(text: str, conf: Registries) -> list[str]:
    return [str(name) for name in for_pull(text, conf).names]


def test_an_alias_wins_over_the_search_list(tmp_path: Path) -> None:
    conf = load(tmp_path, 'unqualified-search-registries = ["a.io"]\n[aliases]\n"x" = "b.io/y/z"\n')
    assert pulled("x:1", conf) == ["b.io/y/z:1"]
    assert pulled("other", conf) == ["a.io/other:latest"]


def test_a_drop_in_overrides_the_main_file(tmp_path: Path) -> None:
    conf = load(
        tmp_path,
        'unqualified-search-registries = ["a.io"]\n[aliases]\n"x" = "b.io/x"\n',
        zz='unqualified-search-registries = ["docker.io"]\n[aliases]\n"x" = ""\n',
    )
    assert pulled("x", conf) == ["docker.io/library/x:latest"]


def test_an_ambiguous_short_name_is_an_error_that_lists_the_full_names(tmp_path: Path) -> None:
    conf = load(tmp_path, 'unqualified-search-registries = ["a.io", "docker.io"]\n')
    with pytest.raises(ImageError) as caught:
        for_pull("thing:2", conf)
    assert "ambiguous" in str(caught.value)
    assert "a.io/thing:2, docker.io/library/thing:2" in str(caught.value)


def test_a_permissive_short_name_tries_all_in_order(tmp_path: Path) -> None:
    conf = load(tmp_path, 'short-name-mode = "permissive"\nunqualified-search-registries = ["a.io", "docker.io"]\n')
    assert pulled("thing", conf) == ["a.io/thing:latest", "docker.io/library/thing:latest"]


def test_a_short_name_without_search_registries_says_which_file(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"did not resolve.*registries\.conf"):
        for_pull("thing-without-alias", load(tmp_path, ""))


def test_the_store_is_searched_in_podmans_order(tmp_path: Path) -> None:
    conf = load(tmp_path, 'unqualified-search-registries = ["a.io"]\n[aliases]\n"x" = "b.io/x"\n')
    assert in_store(parse("x"), conf) == [
        "b.io/x:latest", "localhost/x:latest", "a.io/x:latest", "docker.io/library/x:latest",
    ]  # fmt: skip


MIRRORS = """
[[registry]]
prefix = "example.com/foo"
location = "internal.example/bar"
[[registry.mirror]]
location = "mirror.example/m"
insecure = true
[[registry.mirror]]
location = "digests.example"
pull-from-mirror = "digest-only"
[[registry]]
prefix = "example.com/foo/bad"
blocked = true
[[registry]]
prefix = "*.wild.example"
location = "tame.example"
[[registry]]
location = "plain.example:5000"
insecure = true
[[registry]]
location = "plain.example:5000"
insecure = true
[[registry.mirror]]
location = "a-second-table-with-this-prefix.does-not-count"
[[registry]]
prefix = "*.free.example"
insecure = true
[[registry.mirror]]
location = "mirror.example"
[[registry]]
location = "digests.first"
mirror-by-digest-only = true
[[registry.mirror]]
location = "mirror.example"
[[registry]]
location = "tags.first"
[[registry.mirror]]
location = "mirror.example"
pull-from-mirror = "tag-only"
"""


@pytest.mark.parametrize(
    ("name", "by_digest", "expected"),
    [
        ("example.com/foo/x", False, [("mirror.example/m/x", True), ("internal.example/bar/x", False)]),
        (
            "example.com/foo/x",
            True,
            [("mirror.example/m/x", True), ("digests.example/x", False), ("internal.example/bar/x", False)],
        ),
        ("example.com/foobar", False, [("example.com/foobar", False)]),
        ("a.wild.example/x/y", False, [("tame.example/x/y", False)]),
        ("wild.example/x", False, [("wild.example/x", False)]),
        ("a.wild.example:5000/x", False, [("tame.example:5000/x", False)]),
        ("a.free.example/x", False, [("mirror.example/x", False), ("a.free.example/x", True)]),
        ("digests.first/x", False, [("digests.first/x", False)]),
        ("digests.first/x", True, [("mirror.example/x", False), ("digests.first/x", False)]),
        ("tags.first/x", False, [("mirror.example/x", False), ("tags.first/x", False)]),
        ("tags.first/x", True, [("tags.first/x", False)]),
        ("plain.example:5000/x", False, [("plain.example:5000/x", True)]),
    ],
)
def test_mirrors_and_rewriting(tmp_path: Path, name: str, by_digest: bool, expected: list[tuple[str, bool]]) -> None:
    assert load(tmp_path, MIRRORS).endpoints(name, by_digest=by_digest) == expected


def test_the_longest_prefix_blocks(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="blocked"):
        load(tmp_path, MIRRORS).endpoints("example.com/foo/bad", by_digest=False)


def test_version_1_is_understood(tmp_path: Path) -> None:
    conf = load(tmp_path, '[registries.search]\nregistries = ["a.io"]\n[registries.insecure]\nregistries = ["b.io"]\n')
    assert conf.search == ["a.io"]
    assert conf.endpoints("b.io/x", by_digest=False) == [("b.io/x", True)]


PAIR = '[[registry]]\nlocation = "a.io"\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = [", "Invalid value"),
        ('short-name-mode = "ask"', 'short-name-mode "ask" is not one of'),
        ("unqualified-search-registries = 1", "is not a list of texts"),
        ('unqualified-search-registries = ["docker.io/ns"]', '"docker.io/ns" is not a host[:port]'),
        ('[[registry]]\nlocation = "https://a.io"', "invalid location 'https://a.io': URI schemes are not supported"),
        ("[[registry]]\ninsecure = true", "neither prefix nor location"),
        ('[[registry]]\nprefix = "*.a.io/x"\nlocation = "b.io"', "a wildcard must be like *.example.com"),
        (PAIR + 'pull-from-mirror = "all"', "pull-from-mirror is for a mirror"),
        (PAIR + "[[registry.mirror]]\ninsecure = true", 'a mirror of registry "a.io" has no location'),
        (PAIR + '[[registry.mirror]]\nlocation = "m.io"\npull-from-mirror = "some"', 'pull-from-mirror "some"'),
        (
            PAIR + 'mirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "m"\npull-from-mirror = "all"',
            "exclude each other",
        ),
        (PAIR + '[[registry]]\nprefix = "b.io"\nlocation = "a.io"\nblocked = true', "several times, with different"),
        ('[aliases]\n"a.io/x" = "b.io/x"', "the short name must have no registry"),
        ('[aliases]\n"x:1" = "b.io/x"', "the short name must have no registry, tag or digest"),
        ('[aliases]\n"x" = "y/z"', "the value must contain registry and repository"),
        ('[aliases]\n"x" = "b.io/x:1"', "the value must not contain a tag or digest"),
        (PAIR + "mirror = 3", "mirror is not an array of tables: write [[registry.mirror]]"),
        ('[registries]\nsearch = ["docker.io"]', "[registries.search] is not a table"),
        ('short-name-mode = "disabled"\n[registries.search]\nregistries = ["a.io"]', "version 1"),
    ],
)
def test_a_wrong_file_is_named_and_skopeo_does_not_take_it_either(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=r"registries\.conf") as caught:
        load(tmp_path, text)
    assert expected in str(caught.value)
    file = tmp_path / "config/containers/registries.conf"
    command = ["skopeo", "--registries-conf", str(file), "inspect", "docker://127.0.0.1:1/x"]
    theirs = subprocess.run(command, capture_output=True, text=True).stderr
    assert "loading registries configuration" in theirs, theirs


def test_a_drop_in_must_be_of_version_2(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"zz\.conf: a drop-in is in the format of version 1"):
        load(tmp_path, "", zz='[registries.search]\nregistries = ["a.io"]')


def test_a_users_own_file_replaces_the_systems_main_file_and_a_named_one_is_the_only_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tmp_path / "etc"
    (system / "registries.conf.d").mkdir(parents=True)
    (system / "registries.conf").write_text('unqualified-search-registries = ["system.io"]\n')
    (system / "registries.conf.d/a.conf").write_text('[aliases]\n"a" = "system.io/a"\n')
    monkeypatch.setattr(load_order, "SYSTEM_DIRECTORIES", (str(system),))
    own = tmp_path / "config/containers"
    (own / "registries.conf.d").mkdir(parents=True)
    (own / "registries.conf.d/b.conf").write_text('[aliases]\n"b" = "own.io/b"\n')
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_CACHE_HOME": str(tmp_path / "cache")}

    def loaded(**more: str) -> tuple[list[str], list[str]]:
        conf = registries.load(home=str(tmp_path), rootless=True, environ={**environment, **more})
        return conf.search, sorted(conf.aliases)

    assert loaded() == (["system.io"], ["a", "b"])
    given = tmp_path / "given.conf"
    given.write_text('unqualified-search-registries = ["given.io"]\n')
    assert loaded(CONTAINERS_REGISTRIES_CONF=str(given)) == (["given.io"], [])
    (own / "registries.conf").write_text('unqualified-search-registries = ["own.io"]\n')
    assert loaded() == (["own.io"], ["a", "b"])


def test_the_cache_follows_every_change(tmp_path: Path) -> None:
    assert load(tmp_path, 'unqualified-search-registries = ["a.io"]\n').search == ["a.io"]
    assert (tmp_path / registries.CACHE_NAME).exists()
    assert load(tmp_path, 'unqualified-search-registries = ["a.io"]\n').search == ["a.io"]
    assert load(tmp_path, 'unqualified-search-registries = ["b.io"]\n').search == ["b.io"]
    assert load(tmp_path, "", zz='unqualified-search-registries = ["c.io"]\n').search == ["c.io"]


def test_a_damaged_cache_is_ignored(tmp_path: Path) -> None:
    load(tmp_path, 'unqualified-search-registries = ["a.io"]\n')
    (tmp_path / registries.CACHE_NAME).write_text('{"format": 1')
    assert load(tmp_path, 'unqualified-search-registries = ["a.io"]\n').search == ["a.io"]
