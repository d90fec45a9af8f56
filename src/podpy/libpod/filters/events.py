"""The keys of `events --filter`, as conditions for the database (podman-events(1)).

Values of one key are alternatives, also labels; all keys must match.
"""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.storage.database.event_rows import Wanted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

# A type's own key takes a name or the beginning of an id. Podman lacks network and secret; Docker's API has network.
_BY_NAME_OR_ID = ("container", "image", "artifact", "pod", "network", "secret")
_KEYS = (*_BY_NAME_OR_ID, "volume", "type", "event", "status", "label")
_ALIASES = {"die": "died"}  # Docker's


def wanted(filters: Sequence[str], *, since: int = 0, until: int = 0) -> Wanted:
    """Return the condition for events that match `filters`, later than `since` and before `until` (nanoseconds since
    1970; 0: no bound). Raises UsageError.
    """
    by_key: dict[str, list[str]] = {}
    for text in filters:
        key, equals, value = text.partition("=")
        key = key.lower()
        if not equals or key not in _KEYS:
            raise _invalid(text.partition("=")[0])
        by_key.setdefault("event" if key == "status" else key, []).append(value)
    labels = by_key.pop("label", [])
    conditions: list[str] = []
    values: list[Any] = []
    for key, texts in by_key.items():
        parts = [_condition(key, text) for text in texts]
        conditions.append("(" + " OR ".join(condition for condition, _ in parts) + ")")
        values += [value for _, more in parts for value in more]
    for bound, comparison in ((since, "time > ?"), (until, "time < ?")):
        if bound:
            conditions.append(comparison)
            values.append(bound)
    return Wanted(conditions=conditions, values=values, labels=labels)


def _condition(key: str, text: str) -> tuple[str, list[str | int]]:
    if key == "type":
        return "type = ?", [text]
    if key == "event":
        return "action = ?", [_ALIASES.get(text, text)]
    if key == "volume":
        return "(type = 'volume' AND substr(name, 1, ?) = ?)", [len(text), text]
    name = "coalesce(json_extract(attributes, '$.network'), name)" if key == "network" else "name"
    return f"(type = ? AND ({name} = ? OR substr(id, 1, ?) = ?))", [key, text, len(text), text]


def _invalid(key: str) -> UsageError:
    from podpy.suggest import similar

    close = similar(key.lower(), list(_KEYS))
    hint = f"Did you mean {close}?" if close else f"Keys: {', '.join(_KEYS)}"
    return UsageError(f"failed to parse event filters: {key} is an invalid filter", hint=hint)
