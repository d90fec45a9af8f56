"""docker-py, unchanged, against the service: images, containers, networks, volumes."""

from __future__ import annotations

import sys

from tests.support import programs
from tests.support.service import Service

SCRIPT = """
import docker, sys
client = docker.from_env()
image = sys.argv[1]
assert client.ping() and client.info()["OSType"] == "linux"
assert client.containers.run(image, ["echo", "hi"], remove=True, network_mode="none") == b"hi\\n"
network, volume = client.networks.create("shop", labels={"a": "b"}), client.volumes.create("data")
mounts = {"data": {"bind": "/data", "mode": "rw"}}
web = client.containers.run(image, ["sleep", "1000"], detach=True, name="web", network="shop", volumes=mounts)
web.reload()
assert (web.status, web.attrs["Mounts"][0]["Name"]) == ("running", "data")
assert web.exec_run(["echo", "in"]) == (0, b"in\\n")
network.reload()
assert [each.name for each in network.containers] == ["web"]
other = client.networks.create("other")
other.connect(web, aliases=["www"])
other.disconnect(web)
assert [each.name for each in client.networks.list(filters={"label": "a=b"})] == ["shop"]
assert {each.name for each in client.volumes.list()} == {"data"}
assert client.df()["Volumes"][0]["UsageData"]["RefCount"] == 1
web.stop(timeout=0)
web.remove()
for each in (network, other, volume):
    each.remove()
found = client.images.get(image)
assert found.tag("mine", "2") and client.images.get("mine:2").id == found.id
archive = b"".join(found.save(named=True))
client.images.remove("mine:2")
client.images.remove(image)
assert [each.tags for each in client.images.load(archive)] == [[image]]
try:
    client.images.get("none")
except docker.errors.ImageNotFound:
    print("all is well")
"""


def test_docker_py_finds_what_it_looks_for(service: Service, busybox: str) -> None:
    place = str(programs.directory("docker-py"))
    environment = {**service.docker_environment(), "PYTHONPATH": place}
    done = service.podpy.run([sys.executable, "-c", SCRIPT, busybox], env=environment)
    assert (done.ok(), done.stderr) == ("all is well", "")
