"""What containers are called by before anybody names them."""

from __future__ import annotations

import os

import pytest

from podpy.libpod.containers import names


def test_no_container_has_a_number_for_its_host_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host name of decimal digits alone is an address for C libraries, which don't look it up."""
    drawn = iter([b"\x12" * 32, b"\x34" * 5 + b"\x5a" * 27])
    monkeypatch.setattr(os, "urandom", lambda _size: next(drawn))
    assert names.new_id() == "34" * 5 + "5a" * 27
