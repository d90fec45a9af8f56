"""`spec_of`: what a `podpy run` command line asks for, parsed by the everyday parser."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from podpy.cli.parser.parse import parse
from podpy.cli.parser.tables import load
from podpy.cli.specgen.build import build_spec
from podpy.config.containers_conf import ContainersConf
from podpy.spec.container import ContainerSpec
from podpy.spec.defaults import with_defaults

SpecOf = Callable[..., ContainerSpec]


@pytest.fixture(scope="session")
def spec_of() -> SpecOf:
    """Return the spec of `podpy run WORDS… IMAGE COMMAND…`, completed by containers.conf as `create` does."""
    table = load()

    def parsed(*words: str, command: tuple[str, ...] = (), conf: ContainersConf | None = None) -> ContainerSpec:
        options, _ = parse(["run", *words, "IMAGE", *command], table)
        return with_defaults(build_spec(options), conf or ContainersConf(), os.environ, rootless=True)

    return parsed
