"""What a `run` command says → a .container file: the table of keys, read the other way round.

What has no key goes into PodmanArgs=. A value stands in a key only if the generator reads it back as it is.
"""

from __future__ import annotations

import os

from podpy.quadlet.keys import CONTAINER, POD
from podpy.quadlet.words import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from podpy.quadlet.keys import Keys

_UNITS_OWN = ("--detach", "--rm", "--replace", "--cidfile", "--cgroups", "--sdnotify", "--name", "--restart", "--user",
              "--rootfs", "--log-level")  # fmt: skip
"""Options that the generator gives by itself, or that other sections and keys say."""

_PODS_OWN = ("--name", "--exit-policy", "--replace", "--restart", "--infra-conmon-pidfile", "--pod-id-file")
"""The same of a pod."""

_RESTART = {"always": "always", "unless-stopped": "always", "on-failure": "on-failure"}
_NOTIFY = {"container": "yes", "healthy": "healthy"}
_FORMS = {"networks": "each", "volumes": "each", "mounts": "args", "devices": "words", "ports": "each", "paths": "args"}
_LONG = {"-v": "--volume"}
_PATHS = ("--volume", "--env-file")  # options whose value may begin with a relative path


class Said:
    """One option that was given: its long name and its values; one that is on or off has `true` or `false`."""

    def __init__(self, name: str, values: Iterable[str], *, is_bool: bool = False) -> None:
        self.name, self.values, self.is_bool = name, list(values), is_bool


def container_file(
    options: list[Said], image: str, command: list[str], *, directory: str, root: str = "", pod: str = ""
) -> str:
    """Return the text of a file whose unit runs the same container. `directory`: where relative paths begin; `root`: of
    a container without an image; `pod`: the file of its pod, whose unit starts it.
    """
    _make_absolute(options, directory)
    lines = section(options, image, command, root=root, pod=pod)
    return _whole("Container", lines, options, is_wanted=not pod)


def pod_file(options: list[Said], name: str, *, directory: str) -> str:
    """Return the text of a file whose unit makes the same pod."""
    _make_absolute(options, directory)
    policy = "".join(value for option in options if option.name == "--exit-policy" for value in option.values)
    # Without one a pod stays when its containers have ended, a unit's pod doesn't.
    lines = [f"PodName={literal(name)}", f"ExitPolicy={policy or 'continue'}"]
    return _whole("Pod", [*lines, *_lines(options, _PODS_OWN, POD)], options, is_wanted=True)


def _make_absolute(options: list[Said], directory: str) -> None:
    for option in options:
        if option.name in _PATHS:
            option.values = [_absolute(value, directory) for value in option.values]


def _whole(section: str, lines: list[str], options: list[Said], *, is_wanted: bool) -> str:
    """Return a file's text. `is_wanted`: it starts by itself."""
    given = [value for option in options if option.name == "--restart" for value in option.values]
    restart = _RESTART.get("".join(given[:1]).partition(":")[0], "")
    service = ["", "[Service]", f"Restart={restart}"] if restart else []
    install = ["", "[Install]", "WantedBy=default.target"] if is_wanted else []
    return "\n".join([f"[{section}]", *lines, *service, *install, ""])


def section(options: list[Said], image: str, command: list[str], *, root: str = "", pod: str = "") -> list[str]:
    """Return the lines of [Container]. Options that the generator gives by itself are left out, and so is the restart
    policy, which is another section's.
    """
    given = {option.name: option for option in options}
    lines = [f"Image={literal(image)}"] if image else [f"Rootfs={literal(root)}"]
    for key, name in (("ContainerName", "--name"), ("CgroupsMode", "--cgroups")):
        value = "".join(given[name].values[:1]) if name in given else ""
        lines += [f"{key}={literal(value)}"] if value and value != "split" else []
    lines += [f"Pod={pod}"] if pod else []
    lines += _user(given)
    notify = _NOTIFY.get("".join(given["--sdnotify"].values[:1]), "") if "--sdnotify" in given else ""
    lines += [f"Notify={notify}"] if notify else []
    lines += _lines(options, _UNITS_OWN, CONTAINER)
    return [*lines, *([f"Exec={' '.join(quoted(literal(word)) for word in command)}"] if command else [])]


def _lines(options: list[Said], own: Iterable[str], table: Keys) -> list[str]:
    """Return the keys for options but for those in `own`; those that have none are in PodmanArgs, after the others."""
    keys = _keys(table)
    lines: list[str] = []
    more: list[str] = []
    for option in options:
        for value in option.values if option.name not in own else ():
            line = _line(option, value, keys.get(option.name, ()))
            if line:
                lines.append(line)
            else:
                more.append(option.name if option.is_bool and value == "true" else f"{option.name}={value}")
    return [*lines, *[f"PodmanArgs={quoted(literal(word))}" for word in more]]


def _user(given: dict[str, Said]) -> list[str]:
    if "--user" not in given or not given["--user"].values:
        return []
    user, colon, group = given["--user"].values[-1].partition(":")
    return [f"User={literal(user)}", *([f"Group={literal(group)}"] if colon else [])]


def _absolute(value: str, directory: str) -> str:
    """Return a path, or a source and what follows it, with a relative path made absolute."""
    path, colon, rest = value.partition(":")
    return f"{os.path.normpath(f'{directory}/{path}')}{colon}{rest}" if path.startswith(".") else value


def _line(option: Said, value: str, keys: Iterable[tuple[str, str, str]]) -> str:
    """Return the key that says an option with this value, or an empty text if none does."""
    for key, form, prefix in keys:
        if form == "flag":
            if value == prefix:
                return f"{key}=true"
        elif form == "bool":
            return f"{key}={'yes' if value == 'true' else 'no'}"
        elif value.startswith(prefix) and value != prefix:
            text = literal(value[len(prefix) :])
            if form in ("args", "pairs"):
                return f"{key}={quoted(text)}"
            if _stands_alone(text, form):
                return f"{key}={text}"
    return ""


def _keys(table: Keys) -> dict[str, list[tuple[str, str, str]]]:
    """Return, by option, its keys as (key, form, how its value begins); those with such a beginning come first."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for key, (form, option, _) in table.items():
        form = _FORMS.get(form, form)
        if (
            form not in ("one", "given", "each", "bool", "flag", "words", "lower", "pairs", "args")
            or key == "VolatileTmp"
        ):
            continue
        words = option.split(" ")
        name, _, rest = words[0].partition("=")
        prefix = words[1] if len(words) > 1 else rest
        found.setdefault(_LONG.get(name, name), []).append((key, form, prefix))
    for keys in found.values():
        keys.sort(key=lambda row: not row[2])
    return found


def literal(text: str) -> str:
    """Return a text in which systemd finds no specifier and no variable."""
    return text.replace("%", "%%").replace("$", "$$")


def _stands_alone(text: str, form: str) -> bool:
    """Return whether a value that isn't quoted is read back as it is."""
    if not text or not text.isprintable() or text != text.strip() or text.endswith("\\"):
        return False
    if form in ("words", "lower"):
        return not any(letter in text for letter in " \"'") and (form != "lower" or text == text.lower())
    return not (form in ("one", "given") and text[0] == '"' == text[-1])
