"""`--security-opt`, `--cap-add`, `--cap-drop`, `--sysctl`, `--device` (podman-run(1))."""

from __future__ import annotations

import os

from podpy.errors import NotSupportedError, UsageError
from podpy.numbers import whole
from podpy.spec import capabilities, sysctls
from podpy.spec.container import Device
from podpy.spec.text.values import parse_pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_MODES = frozenset("rwm")
_LARGEST_DEVICE = (1 << 32) - 1
_RULE = "It is TYPE MAJOR:MINOR ACCESS, such as 'c 10:200 rwm'"


def security_options(items: Sequence[str]) -> dict[str, Any]:
    """Return the spec's fields that `--security-opt` sets. Raises UsageError for an unknown one."""
    fields: dict[str, Any] = {"security_labels": [], "mask": [], "unmask": [], "seccomp_allow": []}
    for item in items:
        key, equals, value = item.partition("=")
        if not equals:
            # Docker's old form has a colon.
            key, _, value = item.partition(":")
        if key == "no-new-privileges":
            fields["no_new_privileges"] = _is_true(value)
        elif key == "seccomp":
            fields["seccomp"] = check_seccomp(value)
        elif key == "seccomp-allow":
            fields["seccomp_allow"] += _families(value)
        elif key == "apparmor":
            fields["apparmor"] = check_apparmor(value)
        elif key == "label":
            fields["security_labels"].append(value)
        elif key in ("mask", "unmask"):
            fields[key] += [part for part in value.split(":") if part]
        elif key == "systempaths" and value == "unconfined":  # Docker's name
            fields["unmask"].append("ALL")
        elif key == "proc-opts":
            fields["proc_opts"] = value.split(",")
        else:
            raise UsageError(
                f'invalid --security-opt: "{item}"',
                hint="Known: no-new-privileges, seccomp=, seccomp-allow=, apparmor=, label=, mask=, unmask=,"
                " proc-opts=, systempaths=",
            )
    if fields["seccomp_allow"] and fields.get("seccomp"):
        raise UsageError(
            f"--security-opt seccomp-allow has no effect with seccomp={fields['seccomp']}",
            hint="It changes what podpy adds to the default profile",
        )
    return fields


def check_capabilities(add: Sequence[str], drop: Sequence[str]) -> None:
    """Raise UsageError for unknown capabilities, and for those that are both added and dropped."""
    capabilities.merge(capabilities.DEFAULT, add, drop, capabilities.NAMES)


def parse_sysctls(items: Sequence[str]) -> dict[str, str]:
    """Return sysctls by name. Raises UsageError for one that no container namespace has."""
    pairs = parse_pairs("--sysctl", items)
    for name in pairs:
        sysctls.check_name(name)
    return pairs


def is_cdi_name(text: str) -> bool:
    """Return whether `--device` names a CDI device: VENDOR/CLASS=NAME."""
    kind, equals, name = text.partition("=")
    vendor, slash, device_class = kind.partition("/")
    if not (equals and slash and vendor and device_class and name) or not vendor[0].isalpha():
        return False
    return all(char.isalnum() or char in "_-." for char in vendor + device_class) and all(
        char.isalnum() or char in "_-.:" for char in name
    )


def parse_device(text: str) -> Device:
    """Return the device of `--device HOST[:CONTAINER][:PERMISSIONS]`. Raises UsageError."""
    parts = text.split(":")
    host, container, permissions = parts[0], parts[0], "rwm"
    if len(parts) == 2 and not parts[1].startswith("/"):
        permissions = parts[1]
    elif len(parts) >= 2:
        container = parts[1]
        permissions = parts[2] if len(parts) == 3 else permissions
    if len(parts) > 3 or not host or not container.startswith("/"):
        raise UsageError(f"invalid device specification: {text}", hint="It is HOST[:CONTAINER][:rwm]")
    if not permissions or not _MODES.issuperset(permissions):
        raise UsageError(f"invalid device mode: {permissions}", hint="It is made of r, w and m")
    return Device(host=host, container=container, permissions=permissions)


def parse_device_rule(text: str, *, rootless: bool) -> dict[str, Any]:
    """Return a `--device-cgroup-rule` in the OCI runtime spec's format. Raises NotSupportedError, UsageError."""
    words = text.split()
    numbers = words[1].split(":") if len(words) == 3 else []
    if len(numbers) != 2:
        wrong = f'invalid device cgroup rule requires type, major:Minor, and access rules: "{text}"'
        raise UsageError(wrong, hint=_RULE)
    if words[0] not in ("a", "b", "c"):
        raise UsageError(f"invalid device type in device-access-add: {words[0]}", hint=_RULE)
    if not _MODES.issuperset(words[2]):
        raise UsageError(f"invalid device access in device-access-add: {words[2]}", hint=_RULE)
    rule: dict[str, Any] = {"allow": True, "type": words[0], "access": words[2]}
    for name, number in zip(("major", "minor"), numbers, strict=True):
        if number != "*":
            rule[name] = whole(number, _LARGEST_DEVICE)
            if rule[name] is None:
                raise UsageError(f'strconv.ParseUint: parsing "{number}": invalid syntax', hint=_RULE)
    if rootless:
        raise NotSupportedError("device cgroup rules are not supported in rootless mode or in a user namespace")
    return rule


def check_seccomp(value: str) -> str:
    """Return the profile's absolute path, or "unconfined". Raises UsageError if the file isn't there."""
    if value == "unconfined":
        return value
    path = os.path.abspath(value)
    if not os.path.exists(path):
        raise UsageError(f"opening seccomp profile failed: open {value}: no such file or directory")
    return path


def _families(value: str) -> list[str]:
    from podpy.spec.families import NUMBERS, numbers

    wanted = numbers(value.split(","))
    return [name for name, number in NUMBERS.items() if number in wanted]


def check_apparmor(value: str) -> str:
    """Return the profile's name, empty for "unconfined". Raises NotSupportedError where the kernel has no AppArmor."""
    if value == "unconfined":
        return ""
    try:
        with open("/sys/module/apparmor/parameters/enabled", encoding="utf-8") as file:
            enabled = file.read().startswith("Y")
    except OSError:
        enabled = False
    if not enabled:
        raise NotSupportedError(f'apparmor profile "{value}" specified, but Apparmor is not enabled on this system')
    return value


def _is_true(value: str) -> bool:
    if value.lower() not in ("", "true", "false"):
        raise UsageError(f"no-new-privileges must be true or false, not {value!r}")
    return value.lower() != "false"
