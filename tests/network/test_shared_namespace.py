"""The network namespace of a user's bridges: found through whoever holds it, made again when nobody does."""

from __future__ import annotations

from tests.network.bridges import in_namespaces
from tests.support.engine import Podpy


def test_who_comes_later_finds_the_same_namespace_with_its_way_out(podpy: Podpy) -> None:
    code = """
with SharedNamespace(paths, conf) as shared:
    first = shared.open()
shared.wait()
with SharedNamespace(paths, conf) as later:
    second = later.open()
later.wait()
assert os.path.sameopenfile(first, second)
names = [link.name for link in links.all_links(Netlink.open(first))]
with later:
    later.end(wait=True)
    assert later.find() == -1
print(names, sorted(os.listdir(later.directory)))
"""
    assert in_namespaces(podpy, code) == "['lo', 'out0'] ['lock', 'way-out.lock']"
