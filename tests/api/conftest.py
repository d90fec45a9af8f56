"""Fixtures of this room.

service     a running `podpy system service` of the fixture `podpy`
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.engine import Podpy
from tests.support.service import Service


@pytest.fixture
def service(podpy: Podpy) -> Iterator[Service]:
    """The API of `podpy`."""
    with Service.start(podpy) as running:
        yield running
