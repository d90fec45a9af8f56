"""Calls into podpy's bridges as the test's user, inside the user's namespaces, with a shared network namespace."""

from __future__ import annotations

from tests.rootless.helpers import python
from tests.support.engine import CHECKOUT, Podpy, Result

_BEGIN = f"""
import os, sys
sys.path.append({str(CHECKOUT)!r})
from podpy import linux, rootless
from podpy.config.containers_conf import load
from podpy.config.paths import Paths
from podpy.network.bridge import firewall, links, namespace, nftables, routes
from podpy.network.bridge.namespace import SharedNamespace
from podpy.network.bridge.netlink import Netlink
from podpy.rootless.mounts import private_mounts
from tests.network import inside
paths = Paths.find()
rootless.enter(paths)
private_mounts()
conf = load(paths)
"""


def run_in_namespaces(podpy: Podpy, code: str, *args: str) -> Result:
    """Run Python code where `paths`, `conf`, the bridges' modules and tests.network.inside are at hand."""
    return python(podpy, _BEGIN + code, *args)


def in_namespaces(podpy: Podpy, code: str, *args: str) -> str:
    """Run such code, which succeeds, and return what it printed."""
    return run_in_namespaces(podpy, code, *args).ok()
