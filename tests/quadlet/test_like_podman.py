"""Units are those that Podman's own generator makes of the same files, as recorded (tests/quadlet/bundle.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from podpy.cli.parser.parse import parse
from podpy.cli.parser.tables import load
from podpy.errors import UsageError
from podpy.quadlet.keys import KINDS
from podpy.quadlet.words import split
from tests.quadlet.bundle import DIRECTORY, HERE, PODPY, complaints, lay_out, sections, texts, units_of, value, words

CASES = (HERE / "cases.txt").read_text()
NEWER = (HERE / "newer.txt").read_text()
PODMAN: dict[str, dict[str, list[str]]] = json.loads((HERE / "podman-5.8.6.json").read_text())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[str]]]:
    directory = tmp_path_factory.mktemp("units")
    generated = units_of(CASES, directory)
    return {name: sections(text.replace(str(directory), DIRECTORY)) for name, text in texts(generated).items()}


def parts(command: str) -> tuple[list[str], list[str]]:
    """Return a command's words in order of the alphabet, `--option=value` as two, and the last one."""
    found = words(command.replace("/usr/bin/podman", "/usr/bin/podpy", 1))
    split = [part for word in found for part in (word.split("=", 1) if word.startswith("--") else [word])]
    return sorted(split), found[-1:]


def comparable(lines: list[str]) -> list[object]:
    """Return a section's lines so that two generators' are equal if they mean the same."""
    found: list[object] = []
    for line in lines:
        key, _, text = line.partition("=")
        if key.startswith("Exec") and text.startswith(("/usr/bin/pod", "-/usr/bin/pod")):
            found.append((key, parts(text)))
        else:
            found.append(line.replace("podman-user-wait", "podpy-user-wait"))
    return sorted(found, key=str)


@pytest.mark.parametrize("name", sorted(PODMAN))
def test_a_unit_says_the_same(name: str, made: dict[str, dict[str, list[str]]]) -> None:
    theirs, ours = PODMAN[name], made[name]
    assert list(ours) and set(ours) == set(theirs)
    for section, lines in theirs.items():
        assert comparable(ours[section]) == comparable(lines)


def test_podman_makes_no_unit_that_podpy_does_not(made: dict[str, dict[str, list[str]]]) -> None:
    assert set(PODMAN) == set(made) - {"podpy-user-wait-network-online.service"}


def test_every_key_is_compared(tmp_path: Path) -> None:
    directory = lay_out(CASES + NEWER, tmp_path)
    missing = []
    for end, (section, _, _, keys) in KINDS.items():
        lines = "\n".join(path.read_text() for path in directory.rglob(f"*{end}"))
        missing += [f"[{section}] {key}" for key in keys if f"\n{key}=" not in lines]
    assert missing == []


def test_all_files_are_right(tmp_path: Path) -> None:
    generated = units_of(CASES + NEWER, tmp_path)
    assert [problem for problem in generated.problems if problem.fatal] == []
    assert complaints(generated, tmp_path) == []


def test_keys_that_are_newer_than_the_recorded_podman(tmp_path: Path) -> None:
    made = texts(units_of(NEWER, tmp_path))
    run = words(value(made["newer.service"], "ExecStart"))
    assert run[run.index("--image-volume") + 1] == "tmpfs"
    assert run[run.index("--umask") + 1] == "0077"
    assert "--entrypoint=" in run
    mounts = [run[number + 1] for number, word in enumerate(run) if word == "--mount"]
    assert mounts == [
        "type=volume,destination=/anonymous",
        "type=artifact,source=quay.io/a/b:c,destination=/a",
    ]
    assert "Requires=asvc.service" in made["newer.service"]
    assert " --pod systemd-same-name " in value(made["same-name.service"], "ExecStart")
    assert "BindsTo=same-name-pod.service" in made["same-name.service"]
    assert made["same-name-pod.service"].count("Restart=") == 1
    assert value(made["same-name-pod.service"], "Restart") == "no"
    volume = "/usr/bin/podpy volume create --ignore --uid 5 --gid 6 --opt o=size=1m systemd-newer"
    assert value(made["newer-volume.service"], "ExecStart") == volume
    pull = (
        "/usr/bin/podpy --module=/m.conf --log-level=debug artifact pull --authfile /a --cert-dir /c --creds u:p"
        " --decryption-key k --retry 5 --retry-delay 10s --quiet --tls-verify=false --x quay.io/a/b:c"
    )
    assert value(made["asvc.service"], "ExecStart") == pull
    assert value(made["other-path.service"], "Conflicts") == "elsewhere@.service there-pod@.service"


def test_the_same_files_make_the_same_text(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    one, other = texts(units_of(CASES, first)), texts(units_of(CASES, second))
    assert {name: text.replace(str(first), "") for name, text in one.items()} == {
        name: text.replace(str(second), "") for name, text in other.items()
    }


def test_root_waits_for_the_network_itself(tmp_path: Path) -> None:
    made = texts(units_of("=== m.container\n[Container]\nImage=localhost/t\n", tmp_path, user=False))
    assert list(made) == ["m.service"]
    assert "Wants=network-online.target\nAfter=network-online.target\n" in made["m.service"]


REFUSED = ("comes with a later version of podpy", "which a later version has", "podpy can't decrypt images", "decrypt")


def test_every_command_of_the_units_is_one_of_podpys(tmp_path: Path) -> None:
    """What podpy refuses it refuses with a reason."""
    for name, text in texts(units_of(CASES + NEWER, tmp_path)).items():
        for line in text.splitlines():
            key, _, command = line.partition("=")
            if key.startswith("Exec") and PODPY in command:
                # Without the PodmanArgs= of the cases.
                given = [word for word in split(command)[1:] if word not in ("--x", "--foo")]
                try:
                    parse(given, load())
                except UsageError as error:
                    assert error.message.endswith(REFUSED), f"{name}: {error.message}"
