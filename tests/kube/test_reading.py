"""YAML is read as Podman reads it, every error names its place, and no file takes the reader's time or memory.

The readings of scalars were seen with Podman 5.4.2.
"""

from __future__ import annotations

import time

import pytest

from podpy.errors import UsageError
from podpy.kube.reading import schema_table
from podpy.kube.reading.objects import Source, read
from podpy.kube.reading.schema import Note, check
from podpy.kube.translate.quantities import parse, up
from podpy.yaml.load import load
from podpy.yaml.places import Plain
from podpy.yaml.scalars import resolve, text_of

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: main
    image: nginx
"""


def error_of(text: str | bytes, validate: str = "warn") -> str:
    """Return the error about a file "f.yaml"."""
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(UsageError) as caught:
        read([Source(file="f.yaml", data=data)], validate)
    return caught.value.message


def notes_of(text: str) -> list[str]:
    """Return what a person is told about a file."""
    return [note.text for note in read([Source(file="f.yaml", data=text.encode())])[1]]


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("on", "on"), ("yes", "yes"), ("true", "true"), ("TRUE", "true"), ("0755", "493"), ("0o17", "15"),
        ("1e3", "1000"), ("1000000.0", "1e+06"), ("0.00001", "1e-05"), ("1.10", "1.1"), ("1_000", "1000"),
        ("0x1F", "31"), ("0b101", "5"), ("-5", "-5"), ("+5", "5"), ("0855", "855"), ("12:30", "12:30"),
        ("2020-01-01", "2020-01-01T00:00:00Z"), ("2001-12-14t21:59:43.10-05:00", "2001-12-14T21:59:43.1-05:00"),
        ("2020-13-01", "2020-13-01"), ("1.2.3", "1.2.3"), ("~", ""), ("null", ""), (".inf", "+Inf"), ("-", "-"),
        ("123456.789", "123456.789"), ("99999999999999999999", "1e+20"),
    ],
)  # fmt: skip
def test_a_value_without_quotes_becomes_the_text_that_podman_makes_of_it(written: str, read_as: str) -> None:
    assert text_of(resolve(Plain(written))) == read_as


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: 2\na: 3", 'f.yaml:3: mapping key "a" already defined at line 1'),
        ("a: {\nb", "f.yaml:3: did not find expected ',' or '}'"),
        ("kind: Pod\n\tname: x", "f.yaml:2: found a tab character that violates indentation"),
        ("a: *b", "f.yaml:1: no complete value with the anchor &b precedes this alias"),
        ("a: &x [*x]", "f.yaml:1: no complete value with the anchor &x precedes this alias"),
        ("- " * 5000 + "a", "f.yaml:1: exceeded maximum nesting depth"),
        ("[" * 500 + "]" * 500, "f.yaml:1: lists and mappings may have at most 100 levels"),
        (
            f"a: &a {'[' * 60}{']' * 60}\nb: {'[' * 60}*a{']' * 60}",
            "f.yaml:2: lists and mappings may have at most 100 levels",
        ),
        ('a: "b\\0c"', "f.yaml:1: a text has a NUL character"),
        ("[a]: b", "f.yaml:1: a key must be a text, not a list or a mapping"),
        ("<<: x", "f.yaml:1: << needs a mapping, or a list of mappings"),
        ("just a text", "f.yaml:1: a Kubernetes object must be a mapping"),
    ],
)
def test_what_isnt_yaml_is_one_line_with_its_place(text: str, told: str) -> None:
    assert error_of(text) == told


def test_aliases_of_aliases_are_refused_before_they_grow() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    assert error_of("\n".join(lines)) == "f.yaml:5: aliases stand for more than 100000 values"


def test_anchors_and_merges_are_taken_and_what_is_written_stands_over_them() -> None:
    found = load(b"base: &b {x: 1, y: 2}\nown:\n  <<: *b\n  y: 3\nlist: [*b]", "f.yaml")[0]
    assert found["own"] == {"y": "3", "x": "1"}
    assert found["list"][0] is found["base"]


def test_documents_lists_marks_and_empty_ones_are_taken_as_podman_takes_them() -> None:
    other = POD.replace("name: web", "name: db")
    text = f"\ufeff---\r\n---\n{POD}...\n---\n# nothing\n---\nkind: Service\n---\n{other}---\n"
    objects, notes = read([Source(file="f.yaml", data=text.encode())])
    assert [(each.kind, each.name) for each in objects] == [("Pod", "web"), ("Pod", "db")]
    assert notes == []
    as_list = '{"kind": "List", "items": [{"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"1": "x"}}]}'
    objects, _ = read([Source(file="f.yaml", data=as_list.encode())])
    assert [(each.kind, each.name, each.value["data"]) for each in objects] == [("ConfigMap", "c", {"1": "x"})]


def test_a_long_file_is_read_in_reasonable_time() -> None:
    text = POD + "".join(
        f"  - {{name: c{number}, image: x, env: [{{name: A, value: b}}]}}\n" for number in range(20000)
    )
    assert len(text) > 1 << 20
    before = time.process_time()
    objects, _ = read([Source(file="f.yaml", data=text.encode())])
    assert time.process_time() - before < 20  # seconds; 1 to 2 on an idle machine
    assert len(objects[0].value["spec"]["containers"]) == 20001


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "image: nginx",
            'image: nginx\n    tty: "true"',
            '9: spec.containers[0].tty: true or false is expected, not the text "true" in quotes',
        ),
        (
            "image: nginx",
            "image: nginx\n    tty: yes",
            '9: spec.containers[0].tty: true or false is expected, not the text "yes"',
        ),
        ("image: nginx", "image: [nginx]", "8: spec.containers[0].image: a text is expected, not a list"),
        ("  containers:", "  hostNetwork: 1\n  containers:", "6: spec.hostNetwork: true or false is expected, not 1"),
        (
            "  - name: main\n    image: nginx\n",
            "    name: main\n",
            "6: spec.containers: a list is expected, not a mapping",
        ),
        ("  name: web", "  labels: {a: [x]}", "4: metadata.labels.a: a text is expected, not a list"),
        ("  name: web", "  name: ~", "3: metadata.name: this Pod does not have a name"),
        (
            "image: nginx",
            "ports: [{containerPort: http}]",
            '8: spec.containers[0].ports[0].containerPort: a whole number is expected, not the text "http"',
        ),
    ],
)
def test_a_value_of_the_wrong_type_is_one_line_with_file_line_and_field(old: str, new: str, told: str) -> None:
    assert error_of(POD.replace(old, new)) == f"f.yaml:{told}"


def test_an_unknown_field_is_named_with_the_nearest_known_one() -> None:
    text = POD.replace("    image", "    imgae: x\n    TTY: true\n    nonsense: 1\n    image")
    unknown = [
        'f.yaml:8: spec.containers[0].imgae: unknown field, did you mean "image"?',
        'f.yaml:9: spec.containers[0].TTY: unknown field, did you mean "tty"?',
        "f.yaml:10: spec.containers[0].nonsense: unknown field",
    ]
    assert notes_of(text) == unknown
    assert error_of(text, "strict") == f"{unknown[0]} (and 2 more)"
    objects, notes = read([Source(file="f.yaml", data=text.encode())], "ignore")
    assert notes == []
    assert objects[0].value["spec"]["containers"][0]["tty"] is True  # capitals don't count, as in Podman


def test_a_text_that_yaml_reads_as_another_one_is_told() -> None:
    text = POD.replace("image: nginx", "image: nginx\n    env: [{name: V, value: 1.10}, {name: W, value: '1.10'}]")
    told = 'f.yaml:9: spec.containers[0].env[0].value: 1.10 is read as "1.1"; write it in quotes'
    assert notes_of(text) == [told]


def test_wrong_base64_of_a_secret_is_told_without_the_value() -> None:
    secret = "kind: Secret\nmetadata: {name: s}\ndata:\n  key: not base64!\n"
    assert error_of(secret) == "f.yaml:4: data.key: isn't base64"


def test_every_type_of_the_table_is_there_and_every_field_is_taken() -> None:
    types = schema_table.fields()
    plain = {"string": "x", "int": "1", "bool": "true", "bytes": "eA==", "quantity": "1Gi", "time": "2020-01-01"}
    plain |= {"port": "80", "any": "{a: [1]}"}

    def sample(kind: str, depth: int) -> str:
        """Return flow YAML of a value of this kind, with every field, as deep as `depth`."""
        if kind in plain:
            return plain[kind]
        if kind[0] in "[{":
            inner = sample(kind[1:-1], depth)
            return f"[{inner}]" if kind[0] == "[" else f"{{key: {inner}}}"
        deeper = types[kind].items() if depth else ()
        return "{" + ", ".join(f"{name}: {sample(inner, depth - 1)}" for name, inner in deeper) + "}"

    for kind, fields in types.items():
        notes: list[Note] = []
        found = check(load(sample(kind, 3).encode(), "f")[0], kind, "f", notes)
        assert set(found) == set(fields), kind
        assert [note for note in notes if note.unknown] == [], kind


@pytest.mark.parametrize(
    ("text", "value"),
    [("500m", 0.5), ("64Mi", 67108864), ("1e3", 1000), ("0.5", 0.5), ("2k", 2000), ("1E", 10**18), (".5Ki", 512)],
)
def test_quantities_are_exact(text: str, value: float) -> None:
    assert parse(text) == value
    assert up(parse("1500m")) == 2


@pytest.mark.parametrize("text", ["", "64MB", "1 Gi", "Mi", "0x10", "٣", "1e999"])
def test_an_invalid_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity"):
        parse(text)
