"""Value objects without the cost of `dataclasses`, whose import pulls in `inspect`, `re` and `enum`.

    class Port(Record):
        host: int
        container: int
        protocol: str = "tcp"

    port = Port(host=8080, container=80)
    port.replace(host=8081)

Type checkers see a keyword-only, frozen dataclass (PEP 681). Defaults are plain class attributes; a mutable default
(list, dict, set) is copied for each object.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self, dataclass_transform
else:

    def dataclass_transform(**_options):
        return lambda cls: cls


_MUTABLE = (list, dict, set)


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Record:
    """A frozen value object: its fields are the class's annotations, in order, base classes first."""

    _fields: tuple[str, ...]
    _defaults: dict[str, Any]
    _mutable: tuple[str, ...]  # those fields whose default is copied

    def __init_subclass__(cls) -> None:
        # One plain loop: a command makes up to forty of these classes.
        inherited = getattr(cls, "_fields", ())
        fields, defaults, own = [*inherited], {**getattr(cls, "_defaults", {})}, cls.__dict__
        for name in cls.__annotations__:
            if name[0] != "_":
                if name not in inherited:
                    fields.append(name)
                if name in own:
                    defaults[name] = own[name]
        cls._fields, cls._defaults = tuple(fields), defaults
        cls._mutable = tuple([name for name in defaults if isinstance(defaults[name], _MUTABLE)])

    def __init__(self, **values: Any) -> None:
        target = self.__dict__
        target.update(self._defaults)
        for name in self._mutable:
            if name not in values:
                target[name] = target[name].copy()
        target.update(values)
        if len(target) != len(self._fields):
            missing = [name for name in self._fields if name not in target]
            unknown = [name for name in target if name not in self._fields]
            raise TypeError(f"{type(self).__name__}: missing {missing}, unknown {unknown}")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: use replace({name}=...)")

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed."""
        return type(self)(**{**self.__dict__, **changes})

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name, nested records as dictionaries: what JSON can hold if the fields can."""
        return {name: _plain(getattr(self, name)) for name in self._fields}

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(tuple(self.__dict__.values()))

    def __repr__(self) -> str:
        inner = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._fields)
        return f"{type(self).__name__}({inner})"


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return value.as_dict()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
