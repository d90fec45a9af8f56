"""The order in which a pod's containers start: each after those that it needs, the others together. Pure."""

from __future__ import annotations

from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.libpod.containers.held import Held


def stages(containers: Sequence[Held]) -> list[list[Held]]:
    """Return the containers in stages: those of one stage need only earlier stages. Raises UsageError (a circle).

    A container needs those whose namespaces it joins, and those that it requires. Needs outside `containers` don't
    count.
    """
    left = {each.id: each for each in containers}
    needs = {each.id: _needs(each) for each in containers}
    found: list[list[Held]] = []
    while left:
        free = [each for each in left.values() if not needs[each.id].intersection(left)]
        if not free:
            raise _circle([*left.values()], needs)
        for each in free:
            del left[each.id]
        found.append(free)
    return found


def _needs(container: Held) -> set[str]:
    spec = container.spec
    return {*spec.requires, *(owner for _kind, owner in spec.joins())} - {container.id}


def _circle(left: Sequence[Held], needs: dict[str, set[str]]) -> UsageError:
    """Return the error for containers that need each other, with the names along the circle."""
    by_id = {each.id: each for each in left}
    way = [left[0].id]
    while True:
        following = next(iter(sorted(needs[way[-1]].intersection(by_id))))
        if following in way:
            way = [*way[way.index(following) :], following]
            break
        way.append(following)
    names = " → ".join(by_id[each].name for each in way)
    return UsageError(
        f"containers require each other in a circle: {names}", hint="Create one of them again, without its --requires"
    )
