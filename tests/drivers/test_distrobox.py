"""The calls of distrobox 1.4.2.1 (Debian 12) and 1.8.1.2 (Debian 13): create, enter, list, stop, rm.

What it runs first inside, distrobox-init, wants an image with a hundred packages; here a few lines stand in its place.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.drivers.conftest import Machine
from tests.support import wait

IMAGE = "localhost/busybox:latest"
INIT = "#!/bin/sh\ntrap 'exit 0' TERM\necho container_setup_done\nwhile :; do sleep 0.1; done\n"
ROWS = "--format={{.ID}}|{{.Image}}|{{.Names}}|{{.Status}}|{{.Labels}}{{.Mounts}}"

CREATE = {
    "1.4.2.1": [
        *("--hostname", "box.host", "--ipc", "host", "--name", "box", "--network", "host", "--privileged"),
        *("--security-opt", "label=disable", "--user", "root:root", "--pid", "host", "--label", "manager=distrobox"),
        *("--env", "SHELL=/bin/sh", "--env", "HOME={home}", "--volume", "/:/run/host:rslave"),
        *("--volume", "/dev:/dev:rslave", "--volume", "/sys:/sys:rslave", "--volume", "/tmp:/tmp:rslave"),
        *("--volume", "{init}:/usr/bin/entrypoint:ro", "--volume", "{home}:{home}:rslave"),
        *("--volume", "/var/log/journal", "--volume", "/etc/hosts:/etc/hosts:ro"),
        *("--volume", "/etc/resolv.conf:/etc/resolv.conf:ro", "--ulimit", "host"),
        *("--annotation", "run.oci.keep_original_groups=1", "--mount", "type=devpts,destination=/dev/pts"),
        *("--userns", "keep-id", "--entrypoint", "/usr/bin/entrypoint", IMAGE, "-v", "--name", "{user}"),
        *("--user", "{uid}", "--group", "{gid}", "--home", "{home}", "--init", "0", "--pre-init-hooks", "", "--", ""),
    ],
    "1.8.1.2": [
        *("--hostname", "host", "--name", "box", "--privileged", "--security-opt", "label=disable"),
        *("--security-opt", "apparmor=unconfined", "--pids-limit=-1", "--user", "root:root", "--ipc", "host"),
        *("--network", "host", "--pid", "host", "--label", "manager=distrobox"),
        *("--label", "distrobox.unshare_groups=0", "--env", "SHELL=sh", "--env", "HOME={home}"),
        *("--env", "container=podman", "--env", "TERMINFO_DIRS=/usr/share/terminfo:/run/host/usr/share/terminfo"),
        *("--env", "CONTAINER_ID=box", "--volume", "/tmp:/tmp:rslave", "--volume", "{init}:/usr/bin/entrypoint:ro"),
        *("--volume", "{home}:{home}:rslave", "--volume", "/:/run/host/:rslave", "--volume", "/dev:/dev:rslave"),
        *("--volume", "/sys:/sys:rslave", "--volume", "/dev/pts", "--volume", "/dev/null:/dev/ptmx"),
        *("--volume", "/var/log/journal", "--volume", "/etc/hosts:/etc/hosts:ro"),
        *("--volume", "/etc/resolv.conf:/etc/resolv.conf:ro", "--annotation", "run.oci.keep_original_groups=1"),
        *("--ulimit", "host", "--userns", "keep-id", "--entrypoint", "/usr/bin/entrypoint", IMAGE, "--verbose"),
        *("--name", "{user}", "--user", "{uid}", "--group", "{gid}", "--home", "{home}", "--init", "0"),
        *("--nvidia", "0", "--pre-init-hooks", "", "--additional-packages", "", "--", ""),
    ],
}
STATUS = {
    "1.4.2.1": "container_status={{.State.Status}};\n\t{{range .Config.Env}}"
    '{{if slice . 0 5 | eq "HOME="}}container_home={{slice . 5 | printf "%q"}};{{end}}{{end}}',
    "1.8.1.2": "container_status={{.State.Status}};\n\t{{range .Config.Env}}"
    '{{if and (ge (len .) 5) (eq (slice . 0 5) "HOME=")}}container_home={{slice . 5 | printf "%q"}};{{end}}{{end}}',
}


def place_init(machine: Machine) -> Path:
    init = machine.home / "distrobox-init"
    init.write_text(INIT)
    init.chmod(0o755)
    return init


@pytest.mark.parametrize("version", CREATE)
def test_a_box_is_made_entered_listed_and_removed(machine: Machine, version: str) -> None:
    user, home = machine.podpy.user, str(machine.home)
    known = {"home": home, "user": user.name, "uid": str(user.uid), "gid": str(user.gid), "init": place_init(machine)}
    machine("inspect", "--type", "container", "box").fails(125)
    machine.ok("create", *(word.format(**known) for word in CREATE[version]))
    assert "|box|Created|" in machine.ok("ps", "-a", "--no-trunc", ROWS)
    assert machine.ok("cp", "box:/etc/group", f"{home}/group") == "" and os.path.exists(f"{home}/group")

    machine.ok("start", "box")
    logs = machine.popen("logs", "--since", "2026-01-01T00:00:00.000000000+00:00", "-f", "box")
    assert logs.stdout
    wait.for_text(logs.stdout, b"container_setup_done\n")
    told = machine.ok("inspect", "--type", "container", "--format", STATUS[version], "box")
    assert told.split() == ["container_status=running;", f'container_home="{home}";']
    entered = ("exec", "--interactive", "--detach-keys=", f"--user={user.name}", f"--workdir={home}", "--env=A=b c")
    script = 'id -un; id -u; pwd; echo "$A"; test -e /run/host/etc/passwd; exit 7'
    done = machine(*entered, "box", "sh", "-c", script)
    assert (done.returncode, done.stdout.splitlines()) == (7, [user.name, str(user.uid), home, "b c"]), done.describe()
    *_, status, labels = machine.ok("ps", "-a", "--no-trunc", ROWS).split("|")
    assert status.startswith("Up ") and "distrobox" in labels

    machine.ok("stop", "box")
    wait.for_end(logs.pid)
    logs.wait()
    logs.stdout.close()
    assert machine.ok("inspect", "--type", "container", "--format", "{{.State.Status}}", "box") == "exited"
    machine.ok("rm", "--force", "--volumes", "box")
