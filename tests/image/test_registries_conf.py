"""registries.conf: drop-ins, aliases, search, mirrors, rewriting, blocking, the cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from podpy.config import registries
from podpy.config.registries import Registries
from podpy.errors import ConfigError, ImageError
from podpy.image.reference import parse
from podpy.image.resolve import for_pull, in_store


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
    conf = load(tmp_path, 'short-name-mode = "permissive"\nunqualified-search-registries = ["a.io", "docker.io/ns"]\n')
    assert pulled("thing", conf) == ["a.io/thing:latest", "docker.io/ns/thing:latest"]


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


@pytest.mark.parametrize("text", ["x = [", 'short-name-mode = "ask"', "unqualified-search-registries = 1"])
def test_a_wrong_file_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"registries\.conf: "):
        load(tmp_path, text)


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
