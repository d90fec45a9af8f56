"""What programs may rely on changes only with a word in the change log."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest

from tests.support.engine import CHECKOUT


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("signatures", CHECKOUT / "scripts/signatures.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_public_signatures_are_as_recorded(script: ModuleType) -> None:
    recorded, now = script.RECORD.read_text().splitlines(), script.signatures()
    names = script.changed(recorded, now)
    assert not names, f"tell in CHANGELOG.md of {sorted(names)}, then: scripts/signatures.py"


def test_a_change_is_found_by_its_name(script: ModuleType) -> None:
    recorded = ["A.x(self, b: int) -> int", "A.y: str", "A.z -> str"]
    now = ["A.x(self, b: str) -> int", "A.y: int", "A.z -> str", "podpy.new"]
    assert script.changed(recorded, now) == {"A.x", "A.y", "podpy.new"}


def test_a_change_that_the_change_log_does_not_tell_is_named(script: ModuleType) -> None:
    names = {"Kube.play", "Nobody.knows"}
    assert script.untold(names, recorded=[]) == ["Nobody.knows"]
    assert script.untold(names, recorded=["Kube.down(self) -> None"]) == ["Kube.play", "Nobody.knows"]
