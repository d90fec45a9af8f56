"""--cache-from and --cache-to: steps of one machine are cached for another, by a real registry."""

from __future__ import annotations

import json

import pytest

from tests.build.building import Builder
from tests.support.engine import Podpy
from tests.support.registry import Registry

TEXT = "COPY a /a\nENV A=1\nRUN cat /a > /b; date +%N > /when\nCMD cat /b\n"


class Cache:
    """A repository of a registry, and a build that uses it."""

    def __init__(self, build: Builder, registry: Registry, name: str) -> None:
        self.build = build
        self.registry = registry
        self.name = name
        self.repository = f"{registry.address}/{name}"
        self.options = ("--tls-verify=false", "--cache-from", self.repository, "--cache-to", self.repository)
        build.write({"a": "one\n"})

    def tags(self) -> list[str]:
        """Return the repository's tags."""
        answer = self.registry.request("GET", f"/v2/{self.name}/tags/list")
        return list(json.load(answer)["tags"])

    def forget(self) -> None:
        """Be another machine: nothing but the base is here."""
        for name in self.build.podpy.ok("images", "-q", "--all").split():
            if name not in self.build.podpy.ok("images", "-q", "localhost/busybox"):
                self.build.podpy("rmi", "-f", name)
        self.build.podpy.ok("builder", "prune", "-f")


@pytest.fixture
def cache(build: Builder, registry: Registry, request: pytest.FixtureRequest) -> Cache:
    """A repository of this test's own."""
    return Cache(build, registry, f"cache/{request.node.name.replace('_', '-')}")


def test_another_machine_takes_the_steps_from_the_registry(cache: Cache) -> None:
    first = cache.build(TEXT, *cache.options, "-t", "x").ok()
    assert first.count(f"--> Pushing cache {cache.repository}:") == 4
    assert len(cache.tags()) == 4
    when = cache.build.read("localhost/x", "when")
    cache.forget()
    second = cache.build(TEXT, *cache.options, "-t", "x").ok()
    assert second.count(f"--> Cache pulled from remote {cache.repository}:") == 4
    assert second.count("--> Using cache ") == 4
    assert "Pushing cache" not in second
    assert cache.build.read("localhost/x", "when") == when
    assert first.splitlines()[-1] == second.splitlines()[-1]
    assert cache.repository not in cache.build.podpy.ok("images", "--all")
    third = cache.build(TEXT, *cache.options, "-t", "x").ok()
    assert third.count("--> Using cache ") == 4
    assert "remote" not in third


def test_what_the_registry_has_not_is_done_and_pushed(cache: Cache) -> None:
    cache.build(TEXT, *cache.options).ok()
    cache.forget()
    changed = cache.build(TEXT.replace("> /b", "> /c"), *cache.options).ok()
    assert changed.count("--> Cache pulled from remote ") == 2
    assert changed.count("--> Pushing cache ") == 2
    assert len(cache.tags()) == 6
    cache.build.write({"a": "two\n"})
    assert "pulled from remote" not in cache.build(TEXT, *cache.options).ok()


def test_steps_before_one_that_fails_are_pushed(cache: Cache) -> None:
    failed = cache.build(TEXT + "RUN false\n", *cache.options)
    failed.fails(1)
    assert len(cache.tags()) == 3  # CMD's image comes with the next layer


def test_a_registry_that_is_not_there_is_warned_about_once(build: Builder) -> None:
    build.write({"a": "one\n"})
    done = build(TEXT, "--cache-from", "127.0.0.1:1/none", "--retry", "0")
    done.ok()
    assert len([line for line in done.warnings if line.startswith("--cache-from 127.0.0.1:1/none: ")]) == 1


def test_an_image_that_does_not_fit_the_step_is_no_hit(cache: Cache) -> None:
    cache.build(TEXT, *cache.options).ok()
    tags = cache.tags()
    other = cache.build.podpy.ok("images", "-q", "localhost/busybox")
    for tag in tags:
        cache.build.podpy.ok("push", "--tls-verify=false", other, f"{cache.repository}:{tag}")
    cache.forget()
    done = cache.build(TEXT, *cache.options, "-t", "x").ok()
    assert "Using cache" not in done
    assert cache.build.read("localhost/x", "b") == b"one\n"


def test_old_steps_are_not_used(build: Builder) -> None:
    build.write({"a": "one\n"})
    build(TEXT).ok()
    assert build(TEXT, "--cache-ttl", "24h").ok().count("Using cache") == 4
    assert "Using cache" not in build(TEXT, "--cache-ttl", "1ns").ok()
    assert "Using cache" not in build(TEXT, "--cache-ttl", "0").ok()


@pytest.mark.parametrize(
    ("option", "text"),
    [
        (("--cache-from", "localhost:5000/x:tag"), "--cache-from: repository must contain neither a tag nor digest"),
        (("--cache-to", "x/UPPER"), "unable to parse value provided `x/UPPER` to --cache-to"),
        (("--cache-to", "type=registry,ref=x"), "unable to parse value provided `type=registry,ref=x` to --cache-to"),
        (("--cache-ttl", "soon"), 'unable to parse value provided "soon" as --cache-ttl'),
        (("--cache-ttl", "-1h"), "--cache-ttl=-1h"),
    ],
)
def test_what_is_no_repository_or_time_is_refused(podpy: Podpy, option: tuple[str, str], text: str) -> None:
    podpy("build", *option, ".").fails(125, text)
