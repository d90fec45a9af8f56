"""`spec_of`: what a `podpy run` command line asks for, parsed by the everyday parser."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from podpy.cli.parser.parse import parse
from podpy.cli.parser.tables import load
from podpy.cli.specgen.build import build_spec
from podpy.config.containers_conf import ContainersConf
from podpy.spec.container import ContainerSpec

SpecOf = Callable[..., ContainerSpec]


@pytest.fixture(scope="session")
def spec_of() -> SpecOf:
    """Return the spec of `podpy run WORDS… IMAGE COMMAND…`."""
    table = load()

    def parsed(*words: str, command: tuple[str, ...] = (), conf: ContainersConf | None = None) -> ContainerSpec:
        options, _ = parse(["run", *words, "IMAGE", *command], table)
        return build_spec(options, conf or ContainersConf())

    return parsed
