"""Fixtures for builds."""

from __future__ import annotations

import pytest

from tests.build.building import Builder
from tests.support.engine import Podpy


@pytest.fixture
def build(podpy: Podpy, busybox: str) -> Builder:
    """A builder with localhost/busybox in its store."""
    return Builder(podpy)
