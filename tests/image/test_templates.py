"""What `--format` of `image inspect`, `images` and `history` offers: every field, absent or not, by Podman's names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.engine import Podpy
from tests.support.images import CREATED, Image, Layer, sha256

NAME = "localhost/bare:latest"
HEALTHCHECK = {"Test": ["CMD", "true"], "Interval": 90_000_000_000, "Timeout": 1_500_000_000, "Retries": 3}


@pytest.fixture
def bare(podpy: Podpy, session_base: Path) -> str:
    """An image whose configuration says nothing; its id."""
    image = Image([Layer().add("f", b"x").tar()])
    podpy.ok("load", "-qi", str(image.write_oci_archive(session_base / "bare.tar", NAME)))
    return sha256(image.config())[7:]


def shown(podpy: Podpy, template: str, name: str = NAME) -> str:
    return podpy.ok("image", "inspect", "--format", template, name)


def test_what_a_configuration_leaves_out_is_empty_and_no_error(podpy: Podpy, bare: str) -> None:
    lists = "{{.Config.Env}}{{.Config.Entrypoint}}{{.Config.Cmd}}"
    maps = "{{.Config.Volumes}}{{.Config.ExposedPorts}}{{.Config.Labels.x}}{{.Labels.x}}"
    texts = "{{.Config.User}}{{.Config.WorkingDir}}{{.Config.StopSignal}}"
    assert shown(podpy, lists) == "[][][]"
    assert shown(podpy, maps) == "map[]map[]<no value><no value>"
    assert shown(podpy, f"{texts}|{{{{.Config.ArgsEscaped}}}}") == "|false"
    assert shown(podpy, "{{json .Config}} {{json .Labels}} {{json .Config.Env}}") == "{} null null"
    assert shown(podpy, '{{index .Labels "x"}}{{index .Config.Volumes "x"}}') == "{}"
    assert podpy.json("image", "inspect", NAME)[0]["Labels"] is None


def test_the_id_in_all_spellings(podpy: Podpy, bare: str) -> None:
    template = "{{.Id}} {{ .Id }} {{.ID}}"
    assert shown(podpy, template) == " ".join([bare] * 3)
    assert podpy.ok("inspect", "--type", "image", "--format", template, NAME) == " ".join([bare] * 3)


def test_the_history_of_an_image(podpy: Podpy, bare: str) -> None:
    template = "{{range .History}}{{.Created.Year}}|{{.CreatedBy}}|{{.Author}}|{{.Comment}}|{{.EmptyLayer}}{{end}}"
    assert shown(podpy, template) == "2026|tests|||false"
    assert podpy.json("image", "inspect", NAME)[0]["History"] == [{"created": CREATED, "created_by": "tests"}]


def test_a_health_check(podpy: Podpy, bare: str, session_base: Path) -> None:
    assert shown(podpy, "{{.HealthCheck}} {{.Config.Healthcheck}}") == "<nil> <nil>"
    image = Image([Layer().add("f", b"x").tar()], {"Healthcheck": HEALTHCHECK})
    podpy.ok("load", "-qi", str(image.write_docker_archive(session_base / "ill.tar", "localhost/ill:1")))
    assert podpy.json("image", "inspect", "ill:1")[0]["Healthcheck"] == HEALTHCHECK
    assert shown(podpy, "{{.HealthCheck}}", "ill:1") == "{[CMD true] 0s 0s 1m30s 1.5s 3}"
    assert shown(podpy, "{{.Config.Healthcheck.Interval}} {{json .HealthCheck}}", "ill:1").startswith('1m30s {"Test"')


def test_images_as_json_lines(podpy: Podpy, bare: str) -> None:
    podpy.ok("tag", NAME, "localhost/second:2")
    lines = [json.loads(line) for line in podpy.ok("images", "--format", "{{json .}}").splitlines()]
    assert [(line["repository"], line["tag"]) for line in lines] == [
        ("localhost/second", "2"),
        ("localhost/bare", "latest"),
    ]
    for line in lines:
        assert line["Id"] == bare
        assert isinstance(line["Size"], int)
        assert isinstance(line["Created"], int)
    assert podpy.ok("images", "-n", "--format", "{{.IsDangling}} {{.IsReadOnly}}", NAME) == "false false"


def test_history_as_json_lines(podpy: Podpy, bare: str) -> None:
    step = json.loads(podpy.ok("history", "--format", "{{json .}}", NAME))
    assert step == {"id": bare, "created": CREATED, "CreatedBy": "tests", "size": 1, "tags": [NAME]}
    elsewhere = {"TZ": "XYZ-5:30"}
    assert podpy.ok("history", "--format", "{{.CreatedAt}}", NAME, env=elsewhere) == CREATED  # in UTC, as Podman's
