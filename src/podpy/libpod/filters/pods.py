"""The keys of `pod ps --filter` (podman-pod-ps(1))."""

from __future__ import annotations

from podpy import fastjson
from podpy.errors import UsageError
from podpy.libpod.containers.table import shown_status
from podpy.libpod.filters import parse as generic
from podpy.libpod.pods.states import STATES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.libpod.pods.table import PodLine

    Test = Callable[[PodLine], bool]

_MEMBER_STATES = ("created", "running", "paused", "stopped", "exited", "unknown", "restarting")


def matching(lines: list[PodLine], filters: list[str]) -> list[PodLine]:
    """Return the pods that match all filters. Values of the same key are alternatives, except labels.

    Raises UsageError for an unknown key or value.
    """
    tests = [_MAKERS[key](values) for key, values in generic.parse(filters, tuple(_MAKERS)).items()]
    return [line for line in lines if all(test(line) for test in tests)]


def _id(values: list[str]) -> Test:
    return lambda line: generic.match_id(values, line.row.id)


def _name(values: list[str]) -> Test:
    return lambda line: generic.match_pattern(values, line.row.name)


def _label(values: list[str]) -> Test:
    return lambda line: generic.match_labels(values, line.row.labels_dict())


def _no_label(values: list[str]) -> Test:
    return lambda line: not generic.match_labels(values, line.row.labels_dict())


def _status(values: list[str]) -> Test:
    for value in values:
        if value.title() not in STATES:
            raise UsageError(
                f"{value} is not a valid pod status", hint=f"States: {', '.join(state.lower() for state in STATES)}"
            )
    wanted = {value.title() for value in values}
    return lambda line: line.state in wanted


def _until(values: list[str]) -> Test:
    from podpy.libpod.filters.times import parse_time

    if len(values) > 1:
        raise UsageError("only one until filter can be given")
    limit = parse_time(values[0])
    return lambda line: line.row.created < limit


def _member_ids(values: list[str]) -> Test:
    return lambda line: any(generic.match_id(values, each.id) for each in line.members)


def _member_names(values: list[str]) -> Test:
    return lambda line: any(generic.match_pattern(values, each.name) for each in line.members)


def _member_number(values: list[str]) -> Test:
    for value in values:
        if not value.isdigit():
            raise UsageError(f'strconv.Atoi: parsing "{value}": invalid syntax', hint="ctr-number is a whole number")
    wanted = {int(value) for value in values}
    return lambda line: len(line.members) in wanted


def _member_status(values: list[str]) -> Test:
    for value in values:
        if value not in _MEMBER_STATES:
            raise UsageError(f"{value} is not a valid status", hint=f"States: {', '.join(_MEMBER_STATES)}")
    wanted = {"exited" if value == "stopped" else value for value in values}
    return lambda line: any(shown_status(each.status, each.started, each.restarts) in wanted for each in line.members)


def _network(values: list[str]) -> Test:
    def test(line: PodLine) -> bool:
        asked = fastjson.loads(line.row.spec)["container"]
        return bool({each["network"] for each in asked["networks"]}.intersection(values))

    return test


_MAKERS: dict[str, Callable[[list[str]], Test]] = {
    "ctr-ids": _member_ids,
    "ctr-names": _member_names,
    "ctr-number": _member_number,
    "ctr-status": _member_status,
    "id": _id,
    "label": _label,
    "label!": _no_label,
    "name": _name,
    "network": _network,
    "status": _status,
    "until": _until,
}
