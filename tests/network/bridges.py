"""Calls into podpy's bridges as the test's user, inside the user's namespaces, with a shared network namespace."""

from __future__ import annotations

from tests.rootless.helpers import python
from tests.support.engine import Podpy

_BEGIN = """
import os
from podpy import linux, rootless
from podpy.config.containers_conf import load
from podpy.config.paths import Paths
from podpy.network.bridge import firewall, links
from podpy.network.bridge.namespace import SharedNamespace
from podpy.network.bridge.netlink import Netlink
from podpy.rootless.mounts import private_mounts
from tests.network import inside
paths = Paths.find()
rootless.enter(paths)
private_mounts()
conf = load(paths)
"""


def in_namespaces(podpy: Podpy, code: str, *args: str) -> str:
    """Run Python code where `paths`, `conf`, the bridges' modules and tests.network.inside are at hand."""
    from tests.support.engine import CHECKOUT

    begin = f"import sys; sys.path.append({str(CHECKOUT)!r})\n"
    return python(podpy, begin + _BEGIN + code, *args).ok()
