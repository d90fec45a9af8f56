"""Networks, volumes and what only a swarm has, by Docker's command line and by plain HTTP."""

from __future__ import annotations

import pytest

from tests.support.service import Service


@pytest.fixture(autouse=True)
def image(busybox: str) -> str:
    """Every test has the image."""
    return busybox


def test_a_network_is_made_used_and_removed(service: Service, image: str) -> None:
    created = service.docker("network", "create", "--label", "a=b", "--subnet", "10.231.7.0/24", "shop").ok()
    assert service.docker("network", "ls", "-q", "--no-trunc", "--filter", "label=a=b").ok() == created
    service.docker(
        "run", "-d", "--name", "web", "--network", "shop", "--network-alias", "www", image, "sleep", "1000"
    ).ok()
    data = service.get("/networks/shop").json
    [(container, endpoint)] = data["Containers"].items()
    assert container == service.get("/containers/web/json").json["Id"]
    assert (endpoint["Name"], endpoint["IPv4Address"]) == ("web", "10.231.7.2/24")
    assert data["IPAM"]["Config"] == [{"Subnet": "10.231.7.0/24", "Gateway": "10.231.7.1"}]
    said = service.docker("run", "--rm", "--network", "shop", image, "nslookup", "www")
    assert "10.231.7.2" in said.stdout
    service.docker("network", "rm", "shop").fails(1, "network shop has active endpoints")
    service.docker("rm", "-f", "web").ok()
    assert service.docker("network", "rm", "shop").ok() == "shop"
    missing = service.get("/networks/shop")
    assert (missing.status, missing.message) == (404, "network shop not found")


def test_the_default_network_is_dockers_bridge(service: Service) -> None:
    names = service.docker("network", "ls", "--format", "{{.Name}}").ok().splitlines()
    assert names == ["bridge"]
    assert service.get("/networks/bridge").json["Name"] == "bridge"
    assert service.request("DELETE", "/networks/bridge").status == 403
    made = service.post("/networks/create", {"Name": "host"})
    assert (made.status, made.message) == (403, "operation is not permitted on predefined host network")


def test_a_container_is_connected_and_taken_off(service: Service, image: str) -> None:
    service.docker("network", "create", "one").ok()
    service.docker("network", "create", "two").ok()
    service.docker("run", "-d", "--name", "web", "--network", "one", image, "sleep", "1000").ok()
    service.docker("network", "connect", "--alias", "www", "two", "web").ok()
    assert set(service.get("/containers/web/json").json["NetworkSettings"]["Networks"]) == {"one", "two"}
    service.docker("network", "connect", "two", "web").fails(1, "endpoint with name web already exists in network two")
    service.docker("network", "disconnect", "two", "web").ok()
    service.docker("network", "disconnect", "two", "web").fails(1, "is not connected to network two")
    service.docker("network", "connect", "two", "none").fails(1, "No such container: none")
    assert "two" in service.docker("network", "prune", "-f").ok()


def test_what_a_network_cannot_be_is_refused(service: Service) -> None:
    assert service.post("/networks/create", {"Name": "shop", "Driver": "bridge"}).status == 201
    again = service.post("/networks/create", {"Name": "shop"})
    assert (again.status, again.message) == (409, "network with name shop already exists")
    assert service.post("/networks/create", {}).status == 400
    plugin = service.post("/networks/create", {"Name": "x", "Driver": "zz"})
    assert (plugin.status, plugin.message) == (404, 'plugin "zz" not found')
    pool = {"Config": [{"Subnet": "10.231.8.0/24"}]}
    assert service.post("/networks/create", {"Name": "a", "IPAM": pool}).status == 201
    assert service.post("/networks/create", {"Name": "b", "IPAM": pool}).status == 403
    assert service.post("/networks/create", {"Name": "c", "ConfigOnly": True}).status == 501
    assert service.get('/networks?filters={"nonsense":["x"]}').status == 400


def test_a_volume_is_made_used_and_removed(service: Service, image: str) -> None:
    assert service.docker("volume", "create", "--label", "a=b", "data").ok() == "data"
    service.docker("run", "--rm", "--network=none", "-v", "data:/data", image, "sh", "-c", "echo hi > /data/f").ok()
    assert service.docker("volume", "ls", "-q", "--filter", "label=a=b").ok() == "data"
    data = service.get("/volumes/data").json
    assert (data["Driver"], data["Labels"], data["Options"], data["Scope"]) == ("local", {"a": "b"}, None, "local")
    again = service.post("/volumes/create", {"Name": "data", "Labels": {"c": "d"}})
    assert (again.status, again.json["Labels"]) == (201, {"a": "b"})
    service.docker("create", "--name", "web", "-v", "data:/data", image).ok()
    service.docker("volume", "rm", "-f", "data").fails(1, "volume is in use")
    service.docker("rm", "web").ok()
    assert service.docker("volume", "rm", "data").ok() == "data"
    assert service.request("DELETE", "/volumes/data?force=1").status == 204
    missing = service.request("DELETE", "/volumes/data")
    assert (missing.status, missing.message) == (404, "get data: no such volume")
    assert service.post("/volumes/create", {"Name": "x", "Driver": "zz"}).status == 404


def test_a_prune_takes_anonymous_volumes_unless_all_are_asked_for(service: Service) -> None:
    anonymous = service.post("/volumes/create").json
    assert anonymous["Labels"] == {"com.docker.volume.anonymous": ""}
    service.docker("volume", "create", "kept").ok()
    pruned = service.request("POST", "/volumes/prune").json
    assert pruned["VolumesDeleted"] == [anonymous["Name"]]
    assert service.request("POST", '/volumes/prune?filters={"all":["true"]}').json["VolumesDeleted"] == ["kept"]
    assert service.request("POST", "/volumes/prune").json == {"VolumesDeleted": [], "SpaceReclaimed": 0}


@pytest.mark.parametrize("path", ["/swarm", "/secrets", "/configs", "/services", "/nodes", "/tasks"])
def test_there_is_no_swarm(service: Service, path: str) -> None:
    answer = service.get(path)
    assert (answer.status, answer.message.startswith("This node is not a swarm manager.")) == (503, True)


def test_there_are_no_plugins(service: Service) -> None:
    assert service.docker("plugin", "ls", "-q").ok() == ""
    assert service.get("/plugins/some/one/json").message == 'plugin "some/one" not found'
    assert service.post("/swarm/init", {}).status == 501


def test_a_system_prune_leaves_nothing_unused(service: Service, image: str) -> None:
    service.docker("create", "--name", "web", image).ok()
    service.docker("network", "create", "shop").ok()
    said = service.request("POST", "/containers/prune").json["ContainersDeleted"]
    assert len(said) == 1
    assert service.request("POST", "/networks/prune").json == {"NetworksDeleted": ["shop"]}
    assert service.request("POST", '/images/prune?filters={"dangling":["false"]}').json["ImagesDeleted"]
