"""A container's variables: envFrom, env with all its sources, and $(NAME) in values, commands and arguments."""

from __future__ import annotations

import re

from podpy.kube.translate import quantities
from podpy.kube.translate.fields import pod_field
from podpy.yaml.places import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.kube.translate.context import Context
    from podpy.yaml.places import Mapping

_USE = re.compile(r"\$(?:\$|\(([^)]*)\))")
_UNITS = {"cpu": ("1", "1m"), "memory": tuple("1 1k 1M 1G 1T 1P 1E 1Ki 1Mi 1Gi 1Ti 1Pi 1Ei".split())}


def environment(container: Mapping, context: Context) -> tuple[dict[str, str], dict[str, Any]]:
    """Return a container's variables: those of envFrom, in order, overridden by those of env; and the origins of
    those that have one (ContainerSpec.env_origins). Raises UsageError.
    """
    found: dict[str, str] = {}
    origins: dict[str, Any] = {}
    for place, source in enumerate(container.get("envFrom", [])):
        for key, data in _all_of(source, context).items():
            name = source.get("prefix", "") + key
            if not name or "=" in name:
                raise source.wrong("", f'key "{key}" can\'t be the name of a variable')
            found[name] = _text(data, source, "", key)
            origins[name] = {"envFrom": plain(source), "place": place}
    for each in container.get("env", []):
        name = each.get("name", "")
        if not name or "=" in name or "\0" in name:
            raise each.wrong("name", "a variable needs a name without =")
        value = _value(each, container, context)
        if value is None:
            continue
        if "valueFrom" in each:
            found[name], origins[name] = value, {"valueFrom": plain(each["valueFrom"])}
        else:
            found[name] = expand(value, found)
            origins.pop(name, None)
    return found, origins


def expand(text: str, variables: dict[str, str]) -> str:
    """Return the text with the values of $(NAME); $$(NAME) becomes $(NAME), and an unknown name stays."""

    def value(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        return variables.get(found[1], found[0])

    return _USE.sub(value, text) if "$" in text else text


def _all_of(source: Mapping, context: Context) -> dict[str, bytes]:
    references = context.references
    for key, what, find in (
        ("configMapRef", "configmap", references.texts),
        ("secretRef", "secret", references.secret),
    ):
        if key in source:
            reference = source[key]
            data = find(reference.get("name", ""))
            if data is None and not reference.get("optional"):
                raise reference.wrong("name", f"{what} {reference.get('name', '')} not found")
            return data or {}
    return {}


def _value(each: Mapping, container: Mapping, context: Context) -> str | None:
    """Return a variable's value, or None if its source is optional and missing."""
    source = each.get("valueFrom")
    if not source:
        text: str = each.get("value", "")
        return text
    if "value" in each:
        raise each.wrong("valueFrom", "a variable may have value or valueFrom, not both")
    if "fieldRef" in source:
        return pod_field(source["fieldRef"], each["name"], context)
    if "resourceFieldRef" in source:
        return resource_field(source["resourceFieldRef"], container, context)
    references = context.references
    if "configMapKeyRef" in source:
        return _key(source["configMapKeyRef"], "configmap", references.texts, each["name"])
    if "secretKeyRef" in source:
        return _key(source["secretKeyRef"], "secret", references.secret, each["name"])
    raise each.wrong("valueFrom", f"cannot set env {each['name']}: this source isn't supported")


def _key(reference: Mapping, what: str, find: Any, variable: str) -> str | None:
    name, key = reference.get("name", ""), reference.get("key", "")
    data = find(name)
    if data is not None and key in data:
        return _text(data[key], reference, "key", key)
    if reference.get("optional"):
        return None
    if data is None:
        raise reference.wrong("name", f"cannot set env {variable}: {what} {name} not found")
    raise reference.wrong("key", f"cannot set env {variable}: key {key} not found in {what} {name}")


def _text(data: bytes, where: Mapping, field: str, key: str) -> str:
    """Return the value of a variable. Raises UsageError for one that a process's environment can't hold."""
    if b"\0" in data:
        raise where.wrong(field, f'the data of key "{key}" has a NUL character: no variable can have it as its value')
    return data.decode("utf-8", "surrogateescape")


def resource_field(reference: Mapping, container: Mapping, context: Context) -> str:
    """Return a container's limit or request, in units of the divisor, rounded up; by default the machine's amount."""
    resource = reference.get("resource", "")
    group, _, kind = resource.partition(".")
    if group not in ("limits", "requests") or kind not in _UNITS:
        raise reference.wrong("resource", f"resource {resource} is either not valid or not supported")
    divisor = reference.get("divisor", "1")
    divisor = "1" if divisor == "0" else divisor
    if divisor not in _UNITS[kind]:
        raise reference.wrong("divisor", f"divisor value {divisor} is not valid")
    resources = container.get("resources", {})
    for name in (group, "limits"):
        text = resources.get(name, {}).get(kind)
        if text is not None and (found := amount(resources[name], kind)):
            return str(quantities.up(found / quantities.parse(divisor)))
    whole = context.node.memory if kind == "memory" else context.node.cpus
    return str(quantities.up(whole / quantities.parse(divisor)))


def amount(amounts: Mapping, key: str) -> Any:
    """Return one of a container's limits or requests as a Fraction. Raises UsageError with its position."""
    try:
        value = quantities.parse(amounts[key])
    except ValueError as error:
        raise amounts.wrong(key, str(error)) from None
    if value < 0:
        raise amounts.wrong(key, "a quantity can't be negative here")
    if value > quantities.LARGEST:
        raise amounts.wrong(key, f"{amounts[key]} is too large")
    return value
