"""Id maps of a user namespace of the container's own."""

from __future__ import annotations

from podpy.spec.container import ContainerSpec, IdMapping
from podpy.spec.userns import resolve

ONE_RANGE = ((0, 1000, 1), (1, 100000, 65536))
TWO_RANGES = ((0, 1000, 1), (1, 100000, 2000), (2001, 300000, 65536))


def lines(maps: list[IdMapping]) -> list[tuple[int, int, int]]:
    """Return the maps as plain tuples."""
    return [(line.container, line.host, line.size) for line in maps]


def kept(own: tuple[tuple[int, int, int], ...]) -> ContainerSpec:
    """Return what --userns=keep-id makes for user 1000."""
    return resolve(ContainerSpec(userns="keep-id"), own=(own, own), rootless=True)


def test_keep_id_puts_the_user_at_its_own_number() -> None:
    spec = kept(ONE_RANGE)
    assert lines(spec.uid_maps) == [(0, 1, 1000), (1000, 0, 1), (1001, 1001, 64536)]
    assert spec.user == "1000:1000"


def test_no_line_spans_two_lines_of_the_parents_map_since_the_kernel_refuses_that() -> None:
    spec = kept(TWO_RANGES)
    assert lines(spec.uid_maps) == [(0, 1, 1000), (1000, 0, 1), (1001, 1001, 1000), (2001, 2001, 65536)]
    assert spec.gid_maps == spec.uid_maps


def test_the_hosts_namespace_needs_no_maps() -> None:
    spec = ContainerSpec(userns="host")
    assert resolve(spec, own=(ONE_RANGE, ONE_RANGE), rootless=True) is spec
