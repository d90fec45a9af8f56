"""A mistake in one file: it has no unit, the others do, and every mistake is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quadlet.bundle import complaints, texts, units_of

GOOD = "=== good.container\n[Container]\nImage=localhost/t\n"
WAIT = "podpy-user-wait-network-online.service"

FATAL = [
    ("x.container", "[Container]\nImage=localhost/t\nLable=a", "x.container:3: unsupported key 'Lable' in group"
     " 'Container' (did you mean Label?)"),
    ("x.container", "[Container]\nImage=localhost/t\nSubnet=a", "x.container:3: unsupported key 'Subnet' in group"
     " 'Container' (it is a key of [Network])"),
    ("x.container", "[Container]\nImage=localhost/t\n[Quadlet]\nFoo=1", "x.container:4: unsupported key 'Foo' in group"
     " 'Quadlet'"),
    ("x.container", "[Foo]\nA=1", "x.container: no Image or Rootfs key specified"),
    ("x.container", "[Container]\nImage=localhost/t\nRootfs=/r", "x.container:3: the Image And Rootfs keys conflict"
     " can not be specified together"),
    ("x.container", "[Container]\nImage=localhost/t\nVolume=/a:/a\nVolume=nosuch.volume:/d", "x.container:4: requested"
     " Quadlet source nosuch.volume was not found"),
    ("x.container", "[Container]\nImage=localhost/t\nNetwork=nosuch.network", "x.container:3: requested Quadlet unit"
     " nosuch.network was not found"),
    ("x.container", "[Container]\nImage=god.image", "x.container:2: requested Quadlet image god.image was not found"),
    ("x.container", "[Container]\nImage=localhost/t\nNetwork=goood.container", "x.container:3: requested Quadlet unit"
     " goood.container was not found (did you mean good.container?)"),
    ("x.container", "[Container]\nImage=localhost/t\nNetwork=good.container:ip=1.1.1.1", "x.container:3: extra options"
     " are not supported when joining another container's network"),
    ("x.container", "[Container]\nImage=localhost/t\nPod=foo", "x.container:3: pod foo is not Quadlet based (is there a"
     " file foo.pod?)"),
    ("x.container", "[Container]\nImage=localhost/t\nPod=foo.pod", "x.container:3: quadlet pod unit foo.pod does not"
     " exist"),
    ("x.container", "[Unit]\nAfter=no.volume\n[Container]\nImage=localhost/t", "x.container:2: unable to translate"
     " dependency for no.volume"),
    ("x.container", "[Container]\nImage=localhost/t\n[Service]\nType=simple", "x.container:4: invalid service Type"
     " 'simple' (notify or oneshot)"),
    ("x.container", "[Container]\nImage=localhost/t\n[Service]\nKillMode=process", "x.container:4: invalid KillMode"
     " 'process' (mixed or control-group)"),
    ("x.container", "[Container]\nImage=localhost/t\nGroup=1", "x.container:3: invalid Group set without User"),
    ("x.container", "[Container]\nImage=localhost/t\nExposeHostPort=80/x", "x.container:3: invalid port format '80/x'"),
    ("x.container", "[Container]\nImage=localhost/t\nReloadCmd=a\nReloadSignal=HUP", "x.container:4: ReloadCmd and"
     " ReloadSignal are mutually exclusive but both are set"),
    ("x.container", "[Container]\nImage=localhost/t\nUserNS=auto\nRemapUsers=auto", "x.container:4: deprecated Remap"
     " keys are set along with explicit mapping keys"),
    ("x.container", "[Container]\nImage=localhost/t\nRemapUid=1:2:3", "x.container:3: UidMap set without RemapUsers"),
    ("x.container", "[Container]\nImage=localhost/t\nRemapUsers=often", "x.container:3: unsupported RemapUsers option"
     " 'often'"),
    ("x.container", "[Container]\nImage=localhost/t\nMount=type=bind,target=/a", "x.container:3: source parameter is"
     " required for mount type bind"),
    ("x.container", "[Container]\nImage=localhost/t\nServiceName=../../escape", "x.container:3: ../../escape.service"
     " can't be a unit's name (systemd allows letters, digits and :-_.\\, and one @)"),
    ("x y.container", "[Container]\nImage=localhost/t", "x y.container: x y.service can't be a unit's name (systemd"
     " allows letters, digits and :-_.\\, and one @)"),
    ("x.container", "[Container]\nImage=localhost/t\n[Install]\nAlias=../up.service", "x.container:4:"
     " Alias=../up.service: not the name of a service"),
    ("good.kube", "[Kube]\nYaml=/y", "good.kube: good.service is already the unit of good.container (ServiceName="
     " names it otherwise)"),
    ("x.volume", "[Volume]\nDriver=image", "x.volume:2: the key Image is mandatory when using the image driver"),
    ("x.volume", "[Volume]\nType=tmpfs", "x.volume:2: key Type can't be used without Device"),
    ("x.volume", "[Volume]\nUser=nobody-here", "x.volume:2: User=nobody-here: there is no such user"),
    ("x.volume", "[Volume]\nGroup=4294967296", "x.volume:2: Group=4294967296: not a number of a group"),
    ("x.network", "[Network]\nGateway=1.1.1.1", "x.network:2: cannot set gateway or range without subnet"),
    ("x.network", "[Network]\nSubnet=1.1.1.0/24\nIPRange=a\nIPRange=b", "x.network:4: cannot set more ranges than"
     " subnets"),
    ("x.image", "[Image]", "x.image: no Image key specified"),
    ("x.artifact", "[Artifact]", "x.artifact: no Artifact key specified"),
    ("x.build", "[Build]\nSetWorkingDirectory=unit", "x.build: no ImageTag key specified"),
    ("x.build", "[Build]\nImageTag=t", "x.build: neither SetWorkingDirectory, nor File key specified"),
    ("x.build", "[Build]\nImageTag=t\nFile=rel", "x.build:3: relative path in File key requires SetWorkingDirectory key"
     " to be set"),
    ("x.build", "[Build]\nImageTag=t\nSetWorkingDirectory=yaml", "x.build:3: SetWorkingDirectory=yaml is only supported"
     " in .kube files"),
    ("x.kube", "[Kube]", "x.kube: no Yaml key specified"),
    ("x.kube", "[Kube]\nYaml=/a\nSetWorkingDirectory=/x", "x.kube:3: unsupported value for WorkingDirectory: /x (yaml"
     " or unit)"),
    ("x.kube", "[Kube]\nYaml=/a\nRemapUsers=manual", "x.kube:3: RemapUsers=manual is not supported"),
    ("x.container", "[Container", "x.container:1: “[Container” is not a key-value pair, group, or comment"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "problem"), FATAL, ids=[problem for _, _, problem in FATAL])
def test_a_mistake_is_told_and_stops_no_other_file(name: str, text: str, problem: str, tmp_path: Path) -> None:
    generated = units_of(f"{GOOD}=== {name}\n{text}\n", tmp_path)
    assert [line for line in complaints(generated, tmp_path) if ": warning: " not in line] == [problem]
    assert set(texts(generated)) == {WAIT, "good.service"}


WARNINGS = [
    ("ReadOnly=maybe", "x.container:3: warning: ReadOnly=maybe: neither yes nor no. It counts as no"),
    ("Environment=A=\\q", "x.container:3: warning: Environment=A=\\q: unsupported escape char. It is left out"),
    ('LogOpt="a', 'x.container:3: warning: LogOpt="a: unbalanced quotes. It is left out'),
    ("[Service]\nUser=root", "x.container:4: warning: using key User in the Service group is not supported - use at"
     " your own risk (a user's own units are in ~/.config/containers/systemd)"),
    ("[Install]\nWantedBy=a/b", "x.container:4: warning: WantedBy=a/b: not a unit's name. It is left out"),
    ("Notify=healthy", "x.container:3: warning: Notify=healthy without HealthCmd: the start waits for the image's "
     "health check (without one it fails)"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "problem"), WARNINGS)
def test_what_does_no_harm_is_told_and_the_unit_is_made(lines: str, problem: str, tmp_path: Path) -> None:
    generated = units_of(f"=== x.container\n[Container]\nImage=localhost/t\n{lines}\n", tmp_path)
    assert complaints(generated, tmp_path) == [problem]
    assert "x.service" in texts(generated)


def test_a_volumes_user_and_group_may_be_named(tmp_path: Path) -> None:
    made = texts(units_of("=== x.volume\n[Volume]\nUser=root\nGroup=daemon\nOptions=rw\n", tmp_path))
    assert " --opt o=uid=0,gid=1,rw systemd-x" in made["x-volume.service"]


def test_an_image_without_a_registry_is_told(tmp_path: Path) -> None:
    generated = units_of("=== x.container\n[Container]\nImage=alpine\n", tmp_path)
    assert complaints(generated, tmp_path) == [
        'x.container:2: warning: the image "alpine" is not a fully qualified image name: what it means depends on'
        " registries.conf (write docker.io/library/alpine, localhost/alpine …)"
    ]


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    text = "=== x.container\n[Container]\nImgae=a\nGroup=1\nPod=p\n[Service]\nType=simple\n"
    assert [line.partition(" (")[0] for line in complaints(units_of(text, tmp_path), tmp_path)] == [
        "x.container:2: unsupported key 'Imgae' in group 'Container'",
        "x.container: no Image or Rootfs key specified",
        "x.container:3: invalid Group set without User",
        "x.container:4: pod p is not Quadlet based",
        "x.container:6: invalid service Type 'simple'",
    ]


def test_what_needs_a_broken_file_has_no_unit_either(tmp_path: Path) -> None:
    bundle = (
        "=== c.container\n[Container]\nImage=localhost/t\nVolume=v.volume:/v\n"
        "=== v.volume\n[Volume]\nDriver=image\nImage=i.image\n=== i.image\n[Image]\nNo=1\n" + GOOD
    )
    generated = units_of(bundle, tmp_path)
    assert set(texts(generated)) == {WAIT, "good.service"}
    assert complaints(generated, tmp_path) == [
        "i.image:2: unsupported key 'No' in group 'Image'",
        "i.image: no Image key specified",
        "v.volume:3: i.image, which it needs, has errors",
        "c.container:3: v.volume, which it needs, has errors",
    ]


def test_a_mistake_in_a_drop_in_is_told_with_its_place(tmp_path: Path) -> None:
    generated = units_of(f"{GOOD}=== good.container.d/10-x.conf\n[Container]\nBogus=1\n", tmp_path)
    assert texts(generated) == {}
    assert complaints(generated, tmp_path) == [
        "good.container.d/10-x.conf:2: unsupported key 'Bogus' in group 'Container'"
    ]


def test_a_pod_goes_without_its_broken_container(tmp_path: Path) -> None:
    member = "=== {}.container\n[Container]\nImage=localhost/t\nPod=p.pod\n{}\n"
    bundle = "=== p.pod\n[Pod]\n" + member.format("one", "") + member.format("two", "Bogus=1")
    made = texts(units_of(bundle, tmp_path))
    assert "Wants=one.service\nBefore=one.service\n" in made["p-pod.service"]
    assert "two.service" not in made["p-pod.service"]


def test_containers_that_use_each_others_network_end_no_generator(tmp_path: Path) -> None:
    text = "=== {}.container\n[Container]\nImage=localhost/t\nNetwork={}.container\n"
    made = texts(units_of(text.format("a", "b") + text.format("b", "a"), tmp_path))
    assert "--network container:systemd-b" in made["a.service"]


def test_directories_are_no_specifiers_and_no_variables(tmp_path: Path) -> None:
    directory = tmp_path / "50%n $HOME"
    directory.mkdir()
    bundle = "=== x.container\n[Container]\nImage=localhost/t\nVolume=./d%i:/d\nEnvironmentFile=e\n"
    text = texts(units_of(bundle, directory))["x.service"]
    escaped = f"{tmp_path}/50%%n"
    assert f'-v "{escaped} $$HOME/d%i:/d" --env-file "{escaped} $$HOME/e"' in text
    assert f"SourcePath={escaped} $HOME/x.container\n" in text
    assert f'RequiresMountsFor="{escaped} $HOME/d%i"\n' in text


def test_a_directory_adds_no_lines_to_a_unit(tmp_path: Path) -> None:
    directory = tmp_path / "line\nExecStartPre=x"
    generated = units_of(GOOD, directory)
    assert texts(generated) == {}
    assert [problem.text for problem in generated.problems] == ["its path has letters that can't stand in a unit"]
