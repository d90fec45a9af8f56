"""What a template sees of the plain data that `inspect` returns."""

from __future__ import annotations

import json

import pytest

from podpy.go.template import render
from podpy.go.view import image_view, pod_view, view

CONTAINER = {
    "Created": "2023-11-14T22:13:20.5Z",
    "Args": ["a", "b"],
    "HostConfig": {"CapAdd": None, "Binds": ["/x"], "PortBindings": None, "NanoCpus": 5},
    "Config": {"Labels": {"a": "1"}, "Volumes": {"/v": {}}, "Cmd": None},
    "Pod": None,
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.HostConfig.CapAdd}} {{len .HostConfig.CapAdd}} {{json .HostConfig.CapAdd}}", "[] 0 null"),
        ("{{.Pod}}", "<nil>"),
        ("{{.Args}} {{.HostConfig.Binds}} {{.HostConfig.NanoCpus}}", "[a b] [/x] 5"),
        ("{{.HostConfig.PortBindings}} {{json .HostConfig.PortBindings}}", "map[] null"),
        ("{{.Config.Labels.a}}{{.Config.Labels.b}}.", "1<no value>."),
        ("{{.Config.CreateCommand}} {{.Config.ExposedPorts}} {{.Config.Healthcheck}}", "[] map[] <nil>"),
        ("{{json .Config}}", '{"Labels":{"a":"1"},"Volumes":{"/v":{}},"Cmd":null}'),
        ("{{.Created.Year}} {{json .Created}}", '2023 "2023-11-14T22:13:20.5Z"'),
    ],
)
def test_a_container_is_structs_maps_lists_and_times(template: str, text: str) -> None:
    assert render(template, view(CONTAINER)) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.Id}} {{.ID}} {{.Config.Cmd}} {{.Config.Entrypoint}}", "abc abc [x] []"),
        ("{{json .Config}}", '{"Cmd":["x"]}'),
        ("{{(index .History 0).CreatedBy}} {{(index .History 0).EmptyLayer}}", "RUN x false"),
        ("{{(index .History 0).Created.Year}} {{(index .History 1).Created}}", "2023 <nil>"),
        ("{{json .History}}", '[{"created":"2023-11-14T22:13:20Z","created_by":"RUN x"},{"empty_layer":true}]'),
        ("{{.HealthCheck.Test}} {{.HealthCheck.Retries}}", "[CMD true] 0"),
    ],
)
def test_a_template_sees_all_fields_of_an_image_json_only_those_that_are_set(template: str, text: str) -> None:
    image = {
        "Id": "abc",
        "Config": {"Cmd": ["x"]},
        "History": [{"created": "2023-11-14T22:13:20Z", "created_by": "RUN x"}, {"empty_layer": True}],
        "Healthcheck": {"Test": ["CMD", "true"]},
    }
    assert render(template, image_view(image)) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.ID}} {{.RestartPolicy}}{{.Labels}} {{.CPUPeriod}} {{.MemoryLimit}}", "12 map[] 0 5"),
        ("{{.Mounts}} {{len .SecurityOpts}}", "[] 0"),
        ("{{.InfraConfig.PidNS}} {{.InfraConfig.UserNS}}", "host "),
        ("{{range .Containers}}{{.ID}} {{.Name}}{{end}}", "34 c"),
        ("{{json .Containers}}", '[{"Id":"34","Name":"c"}]'),
        ("{{json .InfraConfig}} {{json .ID}}", '{"pid_ns":"host"} "12"'),
    ],
)  # fmt: skip
def test_a_template_sees_a_pods_fields_by_gos_names_json_those_that_are_set(template: str, text: str) -> None:
    pod = {"Id": "12", "InfraConfig": {"pid_ns": "host"}, "Containers": [{"Id": "34", "Name": "c"}], "memory_limit": 5}
    assert render(template, pod_view(pod)) == text
    assert json.loads(render("{{json .}}", pod_view(pod))) == pod
