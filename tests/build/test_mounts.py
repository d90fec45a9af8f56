"""RUN's mounts have BuildKit's keys, and Buildah's; what makes no sense is told with its place."""

from __future__ import annotations

from typing import Any

import pytest

from podpy.build.reading.instructions import Run
from podpy.build.reading.mounts import Mount, read, sources
from podpy.build.reading.parser import parse
from podpy.build.reading.variables import expanded
from podpy.errors import BuildFileError


def run_of(text: str) -> Run:
    """Return a RUN with one mount."""
    instruction = parse(f"FROM x\nRUN --mount={text} true".encode(), "f").instructions[1]
    assert isinstance(instruction, Run)
    return instruction


def mount_of(text: str) -> Mount:
    """Return the mount, with a variable V that is "value"."""
    run = run_of(text)
    return read(run, lambda word: expanded(run, word, {"V": "value"}))[0]


CASES: list[tuple[str, dict[str, Any]]] = [
    ("target=/x", {"type": "bind", "target": "/x", "read_only": True, "from_": "", "source": ""}),
    ("type=bind,from=base,source=/a,dst=/b,rw", {"from_": "base", "source": "/a", "target": "/b", "read_only": False}),
    ("TYPE=bind,SRC=a,destination=b,ro=false", {"source": "a", "target": "b", "read_only": False}),
    ("type=bind,target=/x,z,bind-propagation=rslave", {"options": ("z", "rslave")}),
    ("type=cache,target=/c", {"type": "cache", "read_only": False, "sharing": "shared", "id": ""}),
    ("type=cache,target=/c,id=$V,sharing=locked,mode=0700,uid=1,gid=2,ro",
     {"id": "value", "sharing": "locked", "mode": 0o700, "uid": 1, "gid": 2, "read_only": True}),
    ("type=tmpfs,target=/t,size=1m", {"size": 1 << 20, "read_only": False}),
    ("type=tmpfs,target=/t,tmpfs-size=10", {"size": 10}),
    ("type=secret,id=s", {"id": "s", "target": "", "is_file": True, "env": "", "required": False}),
    ("type=secret,target=/etc/token", {"id": "token", "target": "/etc/token"}),
    ("type=secret,src=s,env=TOKEN,required", {"id": "s", "env": "TOKEN", "is_file": False, "required": True}),
    ("type=secret,id=s,env=TOKEN,target=/s", {"env": "TOKEN", "is_file": True}),
    ("type=ssh,required=true", {"type": "ssh", "required": True, "id": ""}),
    ('type=bind,"source=a,b",target=/x', {"source": "a,b"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "fields"), CASES)
def test_each_kind_of_mount_is_read(text: str, fields: dict[str, Any]) -> None:
    mount = mount_of(text.replace('"', '\\"'))
    assert {name: getattr(mount, name) for name in fields} == fields


ERRORS = [
    ("type=foo,target=/x", 'unsupported mount type "foo"', ""),
    ("type=cahe,target=/x", 'unsupported mount type "cahe"', "Did you mean cache?"),
    ("type=cache,tagret=/x", "unexpected key 'tagret'", "Did you mean target?"),
    ("foo", "invalid field 'foo' must be a key=value pair", "Did you mean from?"),
    ("target", "invalid field 'target' must be a key=value pair", "Did you mean target?"),
    ("type=bind,target=/x,size=1", "unexpected key 'size' for mount type 'bind'", ""),
    ("type=bind,target=/x,required", "unexpected key 'required' for mount type 'bind'", ""),
    ("type=secret,id=s,from=x", "unexpected key 'from' for mount type 'secret'", ""),
    ("type=bind", "a bind mount needs a target", ""),
    ("type=secret", "invalid secret mount. one of source, target required", ""),
    ("type=secret,id=a,src=b", "both source and id can't be set", ""),
    ("type=cache,target=/x,sharing=foo", 'unsupported sharing value "foo"', ""),
    ("type=cache,target=/x,mode=9", "invalid value 9 for mode", ""),
    ("type=cache,target=/x,uid=4294967296", "invalid value 4294967296 for uid", ""),
    ("type=bind,target=/x,ro=x", "invalid value for readonly: x", ""),
    ("type=bind,target=/x,bind-propagation=x", 'unsupported propagation "x"', ""),
    ("type=tmpfs,target=/x,size=x", "", ""),
]


@pytest.mark.parametrize(("text", "reason", "hint"), ERRORS)
def test_a_wrong_mount_is_told_with_its_place(text: str, reason: str, hint: str) -> None:
    with pytest.raises(BuildFileError) as caught:
        mount_of(text)
    assert caught.value.message.startswith(f"f:2:13: {reason}")
    assert caught.value.hint == hint


def test_from_is_known_before_there_are_variables() -> None:
    assert sources(run_of("from=base,target=/x")) == ["base"]
    assert sources(run_of("type=cache,target=/x")) == []
    with pytest.raises(BuildFileError, match="'from' doesn't support variable expansion"):
        sources(run_of("from=$V,target=/x"))
