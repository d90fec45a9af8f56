"""Fixtures of the library's tests."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping

import pytest

from tests.support.engine import Podpy, Result
from tests.support.library import run_program

Program = Callable[..., Result]

HEAD = """
import io, os, pickle, sys, tarfile, threading, time
import podpy
from podpy import Container, ContainerSpec, Mount, Pod, PodSpec, PodpyError, Runtime
from podpy import errors
"""


@pytest.fixture
def program(podpy: Podpy, busybox: str) -> Program:
    """Runs lines inside `with Runtime() as runtime`, as podpy's user; busybox is in the store."""

    def run(lines: str, *arguments: str, env: Mapping[str, str] | None = None) -> Result:
        inner = textwrap.indent(textwrap.dedent(lines), "    ")
        text = f"{HEAD}\nwith Runtime() as runtime:\n{inner}\n    print('done')\n"
        return run_program(podpy, text, *arguments, env=env)

    return run
