"""What podpy says to credential helpers, and what it makes of their answers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podpy.config import credential_helpers
from podpy.errors import AuthenticationError

HELPER = """#!/bin/sh
case "$1 $(cat)" in
    "get one.example") echo '{"ServerURL": "one.example", "Username": "alice", "Secret": "wonderland"}' ;;
    "get odd.example") echo '{"Username": "alice"}' ;;
    "list ") echo '{"one.example": "alice"}' ;;
    *) echo "credentials not found in native keychain"; exit 1 ;;
esac
"""


def test_a_helper_is_asked_on_its_standard_input_and_leaves_no_descriptor_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "docker-credential-ours"
    program.write_text(HELPER)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    before = os.listdir("/proc/self/fd")
    assert credential_helpers.get("ours", "one.example") == ("alice", "wonderland")
    assert credential_helpers.get("ours", "two.example") is None
    assert credential_helpers.servers("ours") == ["one.example"]
    assert not credential_helpers.erase("ours", "two.example")
    with pytest.raises(AuthenticationError, match="can't be understood"):
        credential_helpers.get("ours", "odd.example")
    assert os.listdir("/proc/self/fd") == before
