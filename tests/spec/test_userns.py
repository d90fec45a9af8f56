"""Id maps of a user namespace of the container's own."""

from __future__ import annotations

import pytest

from podpy.errors import NotSupportedError, UsageError
from podpy.spec.container import ContainerSpec, IdMapping
from podpy.spec.userns import resolve

Own = tuple[tuple[int, int, int], ...]
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


def explicit(uid: tuple[str, ...] = (), gid: tuple[str, ...] = (), own: Own = ONE_RANGE) -> ContainerSpec:
    """Return what --uidmap and --gidmap make for user 1000."""
    spec = ContainerSpec(userns="private", uid_map_lines=list(uid), gid_map_lines=list(gid))
    return resolve(spec, own=(own, own), rootless=True)


def test_one_option_counts_for_both_kinds_of_ids_except_lines_with_a_flag() -> None:
    spec = explicit(gid=("0:0:1000", "g2000:2000:1"))
    assert lines(spec.uid_maps) == [(0, 0, 1), (1, 1, 999)]
    assert lines(spec.gid_maps) == [(0, 0, 1), (1, 1, 999), (2000, 2000, 1)]
    spec = explicit(uid=("u0:0:10",))
    assert lines(spec.uid_maps) == [(0, 0, 1), (1, 1, 9)]
    assert lines(spec.gid_maps) == [(0, 0, 1), (1, 1, 65536)], "all of the user's"


def test_a_plus_overrides_earlier_lines() -> None:
    spec = explicit(gid=("0:0:65000", "+100000:1:1", "1:65001:1"))
    assert lines(spec.gid_maps) == [(0, 0, 1), (1, 65001, 1), (2, 2, 64998), (100000, 1, 1)]


def test_a_plus_in_the_first_line_maps_the_remaining_ids() -> None:
    """podman-run(1), Rootless mapping of additional host GIDs: the example, with the host's number."""
    own = ((0, 1000, 1), (1, 100000, 2000), (2001, 5555, 1))
    spec = explicit(gid=("+g100000:@5555",), own=own)
    assert lines(spec.gid_maps) == [(0, 0, 1), (1, 1, 2000), (100000, 2001, 1)]
    assert lines(spec.uid_maps) == [(0, 0, 1), (1, 1, 2000), (2001, 2001, 1)]
    in_the_middle = explicit(uid=("+20:5:1",), own=((0, 1000, 1), (1, 100000, 9)))
    assert lines(in_the_middle.uid_maps) == [(0, 0, 1), (1, 1, 4), (5, 6, 4), (20, 5, 1)]
    below = explicit(uid=("+2:5:1",), own=((0, 1000, 1), (1, 100000, 9)))
    assert lines(below.uid_maps) == [(0, 0, 1), (1, 1, 1), (2, 5, 1), (3, 2, 3), (6, 6, 4)]


def test_host_ids_are_found_wherever_podpys_map_has_them() -> None:
    own = ((0, 1000, 1), (1, 100000, 2), (3, 100002, 5))
    assert lines(explicit(uid=("7:@100001:2",), own=own).uid_maps) == [(7, 2, 1), (8, 3, 1)]
    with pytest.raises(NotSupportedError, match="the host's id 4 isn't one of this user's"):
        explicit(uid=("0:@4:1",), own=own)


def test_keep_id_takes_a_size() -> None:
    spec = resolve(ContainerSpec(userns="keep-id:uid=5,gid=6,size=10"), own=(ONE_RANGE, ONE_RANGE), rootless=True)
    assert lines(spec.uid_maps) == [(0, 1, 5), (5, 0, 1), (6, 6, 5)]
    assert lines(spec.gid_maps) == [(0, 1, 6), (6, 0, 1), (7, 7, 4)]
    assert spec.user == "5:6"


def test_auto_contains_the_mappings_of_its_options() -> None:
    asked = ContainerSpec(userns="auto:size=100,uidmapping=10:@1000:1,gidmapping=200:300:2")
    spec = resolve(asked, own=(ONE_RANGE, ONE_RANGE), rootless=True)
    assert lines(spec.uid_maps) == [(0, 1, 10), (10, 0, 1), (11, 12, 89)]
    assert lines(spec.gid_maps) == [(0, 1, 100), (200, 300, 2)]


@pytest.mark.parametrize("mode", ["keep-id:uid=x", "keep-id:uidmapping=0:0:1", "auto:uid=1"])
def test_an_option_that_a_mode_does_not_have(mode: str) -> None:
    with pytest.raises(UsageError, match="unknown option specified"):
        resolve(ContainerSpec(userns=mode), own=(ONE_RANGE, ONE_RANGE), rootless=True)
