"""`podpy secret`, and `--secret`: what a container gets, and that nobody else ever sees it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.support import processes, wait
from tests.support.engine import Podpy, shared_directory

QUICK = ("run", "--rm", "--network=none")
MARKER = "the-marker-that-nobody-sees"


def _keep(podpy: Podpy, name: str, data: str = "hunter2", *words: str) -> str:
    return podpy.ok("secret", "create", *words, name, "-", input=data)


def test_secrets_are_created_listed_inspected_replaced_and_removed(podpy: Podpy) -> None:
    first = _keep(podpy, "one", "hunter2", "-l", "a=b")
    assert len(first) == 25 and set(first) <= set("0123456789abcdef")
    second = podpy.ok("secret", "create", "--env", "two", "VALUE", env={"VALUE": "from the environment"})
    path = podpy.home / "file"
    path.write_bytes(b"\0\xff")
    podpy.ok("secret", "create", "three", str(path))
    heading, *lines = podpy.ok("secret", "ls").splitlines()
    assert heading.split() == ["ID", "NAME", "DRIVER", "CREATED", "UPDATED"]
    assert [line.split()[1:3] for line in lines] == [["one", "file"], ["three", "file"], ["two", "file"]]
    assert podpy.ok("secret", "ls", "-q", "--filter", "name=^o").split() == [first]
    assert podpy.ok("secret", "ls", "-n", "--filter", f"id={second}", "--format", "{{.Name}}") == "two"
    (found,) = podpy.json("secret", "inspect", first[:7])
    assert list(found) == ["ID", "CreatedAt", "UpdatedAt", "Spec"]
    place = f"{podpy.graphroot}/secrets/filedriver"
    assert found["Spec"] == {
        "Name": "one",
        "Driver": {"Name": "file", "Options": {"path": place}},
        "Labels": {"a": "b"},
    }
    assert podpy.json("secret", "inspect", "--showsecret", "two")[0]["SecretData"] == "from the environment"
    assert [os.stat(place).st_mode & 0o777, os.stat(f"{place}/{first}").st_mode & 0o777] == [0o700, 0o600]
    assert " - a=b\nDriver:            file\n" in podpy.ok("secret", "inspect", "--pretty", "one")

    assert _keep(podpy, "one", "new", "--ignore") == first
    new = _keep(podpy, "one", "new", "--replace")
    (after,) = podpy.json("secret", "inspect", "--showsecret", "one")
    assert (after["ID"], after["SecretData"], after["CreatedAt"]) == (new, "new", found["CreatedAt"])
    assert after["UpdatedAt"] > found["UpdatedAt"]
    assert sorted(os.listdir(place)) == sorted(podpy.ok("secret", "ls", "-q").split())

    assert podpy.ok("secret", "rm", "two", "one") == f"{second}\n{new}"
    assert podpy("secret", "exists", "three").returncode == 0
    assert podpy("secret", "exists", "one").returncode == 1
    podpy.ok("secret", "rm", "--all")
    assert (podpy.ok("secret", "ls", "-q"), os.listdir(place)) == ("", [])
    with sqlite3.connect(podpy.graphroot / "podpy.sqlite") as database:
        told = database.execute("SELECT action, name FROM events WHERE type = 'secret' ORDER BY number").fetchall()
    actions = "create one|create two|create three|create one|remove two|remove one|remove three"
    assert [f"{action} {name}" for action, name in told] == actions.split("|")


@pytest.mark.parametrize(
    ("name", "data", "words", "text"),
    [
        ("a/b", "x", (), "secret name \"a/b\" can not include '=', '/', ',', or the '\\0' (NULL)"),
        ("..", "x", (), "between 1 and 253 characters: invalid secret name"),
        ("n" * 254, "x", (), "invalid secret name"),
        ("empty", "", (), "secret data must be larger than 0 and less than 512000 bytes"),
        ("large", "x" * 512_000, (), "secret data must be larger than 0 and less than 512000 bytes"),
        ("here", "x", (), "here: secret name in use"),
        ("here", "x", ("--ignore", "--replace"), "cannot use --ignore and --replace flags together"),
        ("n", "x", ("--env",), "cannot create store secret data: environment variable - is not set"),
        ("n", "x", ("--driver=nobodys",), "invalid driver"),
        ("n", "x", ("--driver=file", "--driver-opts=nothing=1"), "invalid file driver option"),
        ("n", "x", ("--driver=shell", "--driver-opts=list=true"), "missing config value"),
    ],
)
def test_a_secret_that_can_not_be_is_refused_in_podmans_words(
    podpy: Podpy, name: str, data: str, words: tuple[str, ...], text: str
) -> None:
    _keep(podpy, "here")
    podpy("secret", "create", *words, name, "-", input=data).fails(125, text)
    assert podpy.ok("secret", "ls", "--format", "{{.Name}}") == "here"


def test_a_missing_secret_is_named_and_the_others_are_shown(podpy: Podpy) -> None:
    _keep(podpy, "here")
    result = podpy("secret", "inspect", "--format", "{{.Spec.Name}}", "nosuch", "here", "neither")
    result.fails(125, 'Error: inspecting secret: no secret with name or id "nosuch": no such secret')
    assert result.stdout == "here\n" and 'error inspecting secret: no secret with name or id "neither"' in result.stderr
    assert podpy("secret", "inspect", "nosuch").stdout == "[]\n"
    podpy("secret", "rm", "nosuch").fails(125, 'no secret with name or id "nosuch": no such secret')
    assert podpy("secret", "rm", "--ignore", "nosuch", "here").returncode == 0
    podpy("secret", "rm").fails(125, "`podpy secret rm` requires one argument, or the --all flag")


SCRIPT = """cd /run/secrets; ls -ln | awk 'NR > 1 {print $1, $3, $4, $5, $9}'; cat s foo /etc/app/key; echo
env | grep hunter; touch /run/secrets/s && echo writable"""


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_each_use_of_a_secret_is_a_file_with_an_owner_and_a_mode_of_its_own(
    podpy: Podpy, busybox: str, runtime: str
) -> None:
    _keep(podpy, "s")
    words = ["s", "s,target=foo,uid=5,gid=6,mode=0440", "source=s,target=/etc/app/key,mode=400"]
    words += ["s,type=env", "s,type=env,target=OTHER"]
    options = [f"--secret={word}" for word in words]
    lines = podpy.ok("--runtime", runtime, *QUICK, *options, busybox, "sh", "-c", SCRIPT).splitlines()
    assert lines[:3] == ["-r--r----- 5 6 7 foo", "-r--r--r-- 0 0 7 s", "hunter2" * 3]
    assert sorted(lines[3:]) == ["OTHER=hunter2", "s=hunter2", "writable"]


def test_secrets_are_read_by_other_users_in_other_namespaces_and_on_read_only_roots(podpy: Podpy, busybox: str) -> None:
    _keep(podpy, "s")
    cat = (busybox, "cat", "/run/secrets/s")
    assert podpy.ok(*QUICK, "--user=7", "--read-only", "--secret=s,uid=7,mode=0400", *cat) == "hunter2"
    podpy(*QUICK, "--user=7", "--secret=s,mode=0400", *cat).fails(1, "Permission denied")
    assert podpy.ok(*QUICK, "--userns=auto", "--secret=s,uid=9", *cat) == "hunter2"


def test_a_secret_in_a_volume_is_mounted_where_no_link_leads(podpy: Podpy, busybox: str) -> None:
    _keep(podpy, "s")
    folder = shared_directory(podpy)
    volume = f"-v={folder}:/data"
    script = "cat /data/sub/key; touch /data/new || echo refused"
    result = podpy(*QUICK, f"{volume}:ro", "--secret=s,target=/data/sub/key", busybox, "sh", "-c", script)
    assert result.stdout == "hunter2refused\n", result.describe()
    assert (folder / "sub/key").read_bytes() == b"", "only the place is in the directory"
    for words in (["-v=v:/run"], [f"{volume}:bind", "-v=w:/run", "--userns=keep-id"]):
        assert podpy.ok(*QUICK, *words, "--secret=s", busybox, "cat", "/run/secrets/s") == "hunter2"

    podpy.run(["ln", "-s", "/etc", str(folder / "link")]).ok()
    podpy.run(["ln", "-s", "../../etc/passwd", str(folder / "file")]).ok()
    result = podpy(*QUICK, volume, "--secret=s,target=/data/link/key", busybox, "true")
    result.fails(125, "/data/link/key can't be mounted below /data: /data/link is a symbolic link")
    script = "cat /data/file; grep hunter2 /etc/passwd || echo; ls -A /etc"
    lines = podpy.ok(*QUICK, volume, "--secret=s,target=/data/file", busybox, "sh", "-c", script).splitlines()
    assert lines[0] == "hunter2" and "key" not in lines


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["nosuch"], 'no secret with name or id "nosuch": no such secret'),
        (["s,foo=1"], "option foo=1 invalid: parsing secret"),
        (["s,foo"], "option foo must be in form option=value: parsing secret"),
        (["s,type=bogus"], "type bogus is invalid: parsing secret"),
        (["s,type=env,type=mount"], "cannot set more than one secret type: parsing secret"),
        (["s,type=env,mode=400"], "UID, GID, Mode options cannot be set with secret type env: parsing secret"),
        (["s,mode=9"], "mode 9 invalid: parsing secret"),
        (["s,uid=4294967295"], "UID 4294967295 invalid: parsing secret"),
        (["target=x,mode=1"], "no source found target=x,mode=1: parsing secret"),
        (["s", "s,uid=1"], "/run/secrets/s: duplicate mount destination"),
        (["s,target=a", "s,target=a/b"], "/run/secrets/a/b: the secret at /run/secrets/a is a file"),
        (["s,type=env,target=A=B"], "'A=B' can't be a variable's name"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_made(
    podpy: Podpy, busybox: str, words: list[str], text: str
) -> None:
    _keep(podpy, "s")
    podpy("create", *(f"--secret={word}" for word in words), busybox, "true").fails(125, text)
    assert podpy.ok("ps", "-aq") == ""


def test_a_start_takes_what_the_secret_is_then_and_fails_without_it(podpy: Podpy, busybox: str) -> None:
    _keep(podpy, "s", "first")
    podpy.ok("create", "--name=c", "--network=none", "--secret=s", busybox, "cat", "/run/secrets/s")
    assert podpy.ok("start", "-a", "c") == "first"
    assert podpy.ok("start", "-a", "c") == "first"
    _keep(podpy, "s", "second", "--replace")
    assert podpy.ok("start", "-a", "c") == "second"
    podpy.ok("secret", "rm", "s")
    podpy("start", "c").fails(125, 'no secret with name or id "s": no such secret')
    _keep(podpy, "s", "third")
    assert podpy.ok("start", "-a", "c") == "third"


def test_nothing_that_podpy_writes_or_says_holds_a_secret(podpy: Podpy, busybox: str) -> None:
    _keep(podpy, "s", MARKER)
    said = []

    def told(*words: str) -> str:
        result = podpy("--log-level=debug", *words)
        assert result.returncode == 0, result.describe()
        said.append(result.stderr)
        return result.stdout

    options = ("--secret=s", "--secret=s,type=env,target=HIDDEN", "--secret=s,target=/etc/key")
    told("run", "-d", "--trace", "--name=c", "--network=none", *options, busybox, "sleep", "1000")
    identifier = podpy.ok("ps", "-q", "--no-trunc")
    # A variable must be in config.json, of which crun keeps a copy; both are in directories of the user's alone.
    known = [podpy.runroot / f"containers/{identifier}/bundle/config.json"]
    known += [path for path in [podpy.runroot / f"oci/{identifier}/config.json"] if path.exists()]
    assert sorted(_files_with(podpy, MARKER)) == sorted(known)
    assert os.stat(podpy.runroot).st_mode & 0o077 == 0
    assert podpy.ok("exec", "c", "sh", "-c", "echo $HIDDEN $(cat /etc/key)").split() == [MARKER, MARKER]
    for words in (["inspect", "c"], ["ps", "-a", "--format=json"], ["logs", "c"], ["secret", "inspect", "s"]):
        assert MARKER not in told(*words)
    environment = podpy.json("inspect", "c", "--format", "{{json .Config.Env}}")
    assert "HIDDEN=*******" in environment
    (file, _other) = podpy.json("inspect", "c", "--format", "{{json .Config.Secrets}}")
    assert (file["Name"], file["UID"], file["GID"], file["Mode"]) == ("s", 0, 0, 0o444)
    for pid in processes.mentioning([podpy.home, podpy.runtime_dir], podpy.marker):
        lines = Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
        assert (b"sleep" in lines) or MARKER.encode() not in lines
    told("stop", "-t0", "c")
    assert _files_with(podpy, MARKER) == []
    assert MARKER not in "".join(said)


def _files_with(podpy: Podpy, text: str) -> list[Path]:
    """Return the files of a podpy that hold a text, but for the driver's own."""
    driver = podpy.graphroot / "secrets/filedriver"
    found = []
    for top in (podpy.home, podpy.runtime_dir):
        for directory, _, names in os.walk(top):
            paths = [Path(directory, name) for name in names]
            found += [path for path in paths if path.is_file() and not path.is_symlink() and path.parent != driver]
    return [path for path in found if text.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    ("words", "point", "kept"),
    [
        (("create", "new", "-"), "secret:stored", ["old"]),
        (("create", "--replace", "old", "-"), "secret:stored", ["old"]),
        (("rm", "old"), "secret:deleted", ["old"]),
    ],
)
def test_a_killed_change_loses_no_row_and_leaves_no_data_for_long(
    podpy: Podpy, words: tuple[str, ...], point: str, kept: list[str]
) -> None:
    _keep(podpy, "old")
    assert podpy("secret", *words, input="x", env={"PODPY_CRASH_AT": point}).returncode == -9
    assert podpy.ok("secret", "ls", "--format", "{{.Name}}").split() == kept
    _keep(podpy, "other")
    podpy.ok("secret", "rm", "old")
    assert os.listdir(podpy.graphroot / "secrets/filedriver") == podpy.ok("secret", "ls", "-q").split()


def test_a_vault_of_ones_own_keeps_secrets_by_four_commands(podpy: Podpy, busybox: str) -> None:
    """containers.conf says the driver and its options; a command that fails is told, and its words aren't."""
    vault = shared_directory(podpy)
    conf = podpy.home / "containers.conf"
    conf.write_text(
        f"""[secrets]
driver = "shell"
[secrets.opts]
list = "ls {vault}"
lookup = "cat {vault}/$SECRET_ID"
store = "cat > {vault}/$SECRET_ID; grep -q wrong {vault}/$SECRET_ID && cat {vault}/$SECRET_ID >&2 && exit 3 || true"
delete = "rm {vault}/$SECRET_ID"
"""
    )
    conf.chmod(0o644)
    env = {"CONTAINERS_CONF": str(conf)}
    identifier = podpy.ok("secret", "create", "s", "-", input="hunter2", env=env)
    assert (vault / identifier).read_text() == "hunter2"
    assert podpy.ok(*QUICK, "--secret=s", busybox, "cat", "/run/secrets/s") == "hunter2"
    result = podpy("secret", "create", "bad", "-", input=f"wrong {MARKER}", env=env)
    result.fails(125, "the shell driver's store command: the command ended with 3")
    assert MARKER not in result.stderr and podpy.ok("secret", "ls", "--format={{.Name}}") == "s"
    assert os.listdir(vault) == [identifier]
    podpy.ok("secret", "rm", "s")
    assert os.listdir(vault) == []
    (vault / podpy.ok("secret", "create", "gone", "-", input="x", env=env)).unlink()
    podpy.ok("secret", "rm", "gone")  # the delete command fails: what it should delete isn't there


def test_a_password_store_keeps_secrets_encrypted(podpy: Podpy, busybox: str) -> None:
    home = shared_directory(podpy)
    store = podpy.home / ".password-store"
    home.chmod(0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch"]
    podpy.run([*gpg, "--passphrase", "", "--quick-gen-key", "s@example.com", "default", "default", "never"]).ok()
    podpy.run(["sh", "-c", f"mkdir {store} && echo s@example.com > {store}/.gpg-id"]).ok()
    try:
        driver = ("--driver=pass", f"--driver-opts=gpghomedir={home}")
        identifier = _keep(podpy, "s", "hunter2", *driver)
        assert b"hunter2" not in (store / f"{identifier}.gpg").read_bytes()
        assert podpy.json("secret", "inspect", "--showsecret", "s")[0]["SecretData"] == "hunter2"
        assert podpy.ok(*QUICK, "--secret=s", busybox, "cat", "/run/secrets/s") == "hunter2"
        podpy.ok("secret", "rm", "s")
        assert [path.name for path in store.iterdir()] == [".gpg-id"]
        podpy("secret", "create", *driver, "--driver-opts=key=nobody@example.com", "t", "-", input="x").fails(
            125, "encrypt the secret: the command ended with 2"
        )
    finally:
        podpy.run(["gpgconf", "--homedir", str(home), "--kill", "all"])


@pytest.mark.parametrize(
    ("words", "text", "hint"),
    [
        ("target=/run", "a secret at /run: it is a directory in every container", "target=/run/NAME"),
        ("target=/etc", "a secret at /etc: it is a directory in every container", "target=/etc/NAME"),
        ("target=/", "a secret at /: it is a directory in every container", "target=/NAME"),
        ("target=/sys/key", "/sys/key: no secret can be in /sys", "target="),
        ("target=/bin", "a secret at /bin: it is a directory in localhost/busybox", "target=/bin/NAME"),
        ("target=/v", "/v/data: the secret at /v is a file", ""),
        ("uid=4294967294", "secret s: uid=4294967294 is no id of the container: its ids end at", "/etc/subuid"),
        ("gid=2000000", "secret s: gid=2000000 is no id of the container: its ids end at", "/etc/subgid"),
    ],
)
def test_a_place_or_an_owner_that_can_not_be_is_told_with_what_helps(
    podpy: Podpy, busybox: str, words: str, text: str, hint: str
) -> None:
    _keep(podpy, "s")
    result = podpy(*QUICK, f"--secret=s,{words}", "-v=v:/v/data", busybox, "true")
    result.fails(125, text, hint)
    assert len(result.stderr.splitlines()) == (2 if hint else 1), result.describe()


def test_an_owner_outside_of_the_containers_own_user_namespace_is_refused(podpy: Podpy, busybox: str) -> None:
    _keep(podpy, "s")
    result = podpy(*QUICK, "--userns=auto:size=100", "--secret=s,uid=100", busybox, "true")
    result.fails(125, "secret s: uid=100 is no id of the container: its ids end at 99")
    podpy.ok(*QUICK, "--userns=auto:size=100", "--secret=s,uid=99", busybox, "true")


def test_whoever_reads_a_secret_keeps_its_memory_to_itself(podpy: Podpy) -> None:
    """Files in /proc of a process that isn't dumpable belong to root (proc(5))."""
    reading = podpy.popen("secret", "create", "s", "-", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    maps = Path(f"/proc/{reading.pid}/maps")
    wait.until(lambda: maps.stat().st_uid == 0, what="the process that waits for a secret is no one else's to read")
    reading.communicate(b"hunter2")
    assert reading.returncode == 0
    assert podpy.ok("secret", "inspect", "--showsecret", "--format={{.SecretData}}", "s") == "hunter2"


def test_a_secret_whose_driver_is_gone_can_be_removed(podpy: Podpy, busybox: str) -> None:
    first = _keep(podpy, "s")
    with sqlite3.connect(podpy.graphroot / "podpy.sqlite") as database:
        database.execute("UPDATE secrets SET driver = 'vault'")
    podpy("secret", "inspect", "--showsecret", "s").fails(125, "invalid driver: 'vault'")
    podpy(*QUICK, "--secret=s", busybox, "true").fails(125, "invalid driver: 'vault'")
    removed = podpy("secret", "rm", "s")
    assert (removed.returncode, removed.stdout) == (0, f"{first}\n"), removed.describe()
    assert f"the data of secret s stays with its driver, under {first}: invalid driver: 'vault'" in removed.stderr
    assert podpy.ok("secret", "ls", "-q") == ""


def test_a_check_finds_data_without_a_secret_and_a_secret_without_data(podpy: Podpy) -> None:
    lost, kept = _keep(podpy, "lost"), _keep(podpy, "kept")
    other = shared_directory(podpy)
    elsewhere = _keep(podpy, "elsewhere", "x", f"--driver-opts=path={other}")
    driver = podpy.graphroot / "secrets/filedriver"
    os.rename(driver / lost, driver / ("a" * 25))
    os.unlink(other / elsewhere)
    told = [f"secrets/filedriver/{'a' * 25}: no secret has it", "secret elsewhere: its data is missing"]
    told.append("secret lost: its data is missing")
    found = podpy("system", "check", "--quick")
    assert (found.returncode, sorted(found.stdout.splitlines())) == (1, sorted(told)), found.describe()
    repaired = podpy("system", "check", "--quick", "--repair")
    assert sorted(repaired.stdout.splitlines()) == sorted([f"{told[0]}: repaired", told[1], f"{told[2]}: repaired"])
    assert podpy.ok("secret", "ls", "--format={{.Name}}").split() == ["elsewhere", "kept"]
    assert os.listdir(driver) == [kept], "the other directory may just not be mounted: that row stays"
    podpy.ok("secret", "rm", "elsewhere")
    assert podpy.ok("system", "check", "--quick") == ""
