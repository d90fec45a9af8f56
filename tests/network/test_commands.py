"""The kinds of network, and the command lines of pasta and slirp4netns."""

from __future__ import annotations

import pytest

from podpy.config.containers_conf import ContainersConf
from podpy.errors import NotSupportedError, UsageError
from podpy.network import mode
from podpy.network.mode import Mode, parse
from podpy.network.private import pasta, slirp
from podpy.spec.container import PortMapping


def parsed(text: str, **conf: object) -> Mode:
    return parse(text, ContainersConf(conf))


@pytest.mark.parametrize("text", ["", "private", "default"])
def test_the_default_is_pasta(text: str) -> None:
    assert parsed(text).kind == mode.PASTA


def test_containers_conf_chooses_slirp4netns() -> None:
    assert parsed("", default_rootless_network_cmd="slirp4netns").kind == mode.SLIRP4NETNS


def test_without_pasta_it_is_slirp4netns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mode, "which", lambda name: "" if name == "pasta" else "/usr/bin/" + name)
    assert parsed("").kind == mode.SLIRP4NETNS
    with pytest.raises(NotSupportedError, match="apt install passt"):
        parsed("pasta")


def test_options_of_the_file_come_before_those_of_the_command_line() -> None:
    assert parsed("pasta:-4,--mtu,1400", pasta_options=["--map-gw"]).options == ["--map-gw", "-4", "--mtu", "1400"]


def test_bridge_is_a_mode_and_networks_stand_beside_it() -> None:
    assert parsed("bridge").kind == mode.BRIDGE
    for text in ("mynet", "bridge:ip=10.1.2.3"):
        with pytest.raises(UsageError):
            parsed(text)


@pytest.mark.parametrize("text", ["none:x", "host:x", "private:ip=10.1.2.3", "container:", "ns:"])
def test_values_that_make_no_sense(text: str) -> None:
    with pytest.raises(UsageError):
        parsed(text)


def command(*options: str, rootful: bool = False, published: tuple[PortMapping, ...] = ()) -> str:
    kind = Mode(kind=mode.PASTA, program="/usr/bin/pasta", options=list(options))
    return " ".join(pasta.command(kind, "/run/n/netns", "/run/n/pid", list(published), rootful=rootful))


def test_a_port_on_all_addresses_of_both_kinds_is_one_for_pasta() -> None:
    pair = [PortMapping(container_port=80, host_port=8080, host_ip=address) for address in ("0.0.0.0", "::")]
    other = PortMapping(container_port=81, host_port=8081, host_ip="::1")
    assert "-t ::1/8081:81 -t 8080:80" in command(published=(*pair, other))
    assert "-t 0.0.0.0/8080:80 -u ::/8080:80" in command(published=(pair[0], pair[1].replace(protocol="udp")))


def settled(*options: str, is_old: bool = False) -> Mode:
    return pasta.with_addresses(Mode(kind=mode.PASTA, options=list(options)), is_old=is_old)


@pytest.fixture
def route(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with a default route."""
    monkeypatch.setattr(pasta.hostinfo, "ipv4_interface", lambda: "eth7")


@pytest.mark.usefixtures("route")
def test_the_hosts_addresses_are_copied() -> None:
    options = settled().options
    assert options == ["--map-guest-addr", "169.254.1.2"]
    assert "--dns-forward 169.254.1.1 --map-guest-addr 169.254.1.2 -t none" in command(*options)
    assert pasta.host_address(settled()) == "169.254.1.2"
    assert pasta.host_address(settled("--map-guest-addr", "169.254.9.9")) == "169.254.9.9"
    assert pasta.host_address(settled("--map-guest-addr=none")) == ""
    assert pasta.name_server(settled("--dns-forward", "169.254.9.9")) == "169.254.9.9"


@pytest.mark.usefixtures("route")
def test_addresses_are_fixed_if_asked_for_or_if_pasta_is_old() -> None:
    for found in (settled("fixed"), settled("fixed", is_old=True), settled(is_old=True)):
        assert found.options == ["fixed"]
        assert "-a 10.0.2.100 -n 24 -g 10.0.2.2" in command(*found.options)
        assert "--dns-forward 10.0.2.3" in command(*found.options)


def test_addresses_are_fixed_on_a_host_without_a_default_route(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pasta.hostinfo, "ipv4_interface", lambda: "")
    assert settled("-m", "1400").options == ["fixed", "-m", "1400"]


@pytest.mark.usefixtures("route")
@pytest.mark.parametrize("options", [["-a", "10.9.9.9"], ["-i", "eth7"], ["--address=10.9.9.9"], ["--ipv4-only"]])
def test_an_option_about_addresses_is_pastas_own_way(options: list[str]) -> None:
    for found in (settled(*options), settled("fixed", *options), settled(*options, is_old=True)):
        assert "10.0.2.100" not in command(*found.options)
    assert "--map-guest-addr" not in command(*settled(*options, is_old=True).options)


@pytest.mark.parametrize("option", ["-f", "--foreground", "--netns=/x", "--help"])
def test_an_option_that_would_leave_the_container_unconnected_is_refused(option: str) -> None:
    with pytest.raises(UsageError, match="can't be given"):
        settled(option)


def test_fixed_in_containers_conf_is_no_choice_of_pasta(monkeypatch: pytest.MonkeyPatch) -> None:
    for options, kind in ((["fixed"], mode.SLIRP4NETNS), (["--map-gw"], mode.PASTA)):
        conf = ContainersConf({"pasta_options": options})
        assert mode.instead_of_old_pasta("", parse("", conf), conf).kind == kind


def test_nothing_is_forwarded_that_was_not_asked_for() -> None:
    assert "-t none -u none -T none -U none --no-map-gw" in command()


def test_map_gw_is_podmans_option_not_pastas() -> None:
    assert "map-gw" not in command("--map-gw")


def test_ports() -> None:
    published = (
        PortMapping(container_port=80, host_port=8080),
        PortMapping(container_port=90, host_port=9090, host_ip="127.0.0.1", count=3),
        PortMapping(container_port=53, host_port=5353, protocol="udp"),
    )
    words = command(published=published)
    assert "-t 8080:80 -t 127.0.0.1/9090-9092:90-92 -u 5353:53 -T none -U none" in words


def test_root_stays_root() -> None:
    assert "--runas 0:0" in command(rootful=True)
    assert "--runas" not in command()


def slirp_command(*options: str) -> list[str]:
    return slirp.command(
        Mode(kind=mode.SLIRP4NETNS, program="/usr/bin/slirp4netns", options=list(options)), "/n", "/s", 3
    )


def test_slirp4netns_keeps_the_hosts_loopback_closed_unless_asked() -> None:
    assert "--disable-host-loopback" in slirp_command()
    assert "--disable-host-loopback" not in slirp_command("allow_host_loopback=true")


def test_the_way_out_of_bridges_keeps_its_addresses_and_has_other_options() -> None:
    given = ["-m", "1400", "-a", "10.9.8.7", "--gateway=10.9.8.1", "-t", "80", "fixed", "--trace"]
    assert pasta.options_for_bridges(given) == ["-m", "1400", "--trace", "--no-map-gw"]
    assert pasta.options_for_bridges(["--map-gw"]) == []
    given = ["mtu=1400", "cidr=10.9.0.0/24", "enable_ipv6=true", "allow_host_loopback=true"]
    assert slirp.options_for_bridges(given) == ["--mtu=1400"]
    assert slirp.options_for_bridges([]) == ["--disable-host-loopback", "--mtu=65520"]
    with pytest.raises(UsageError, match="can't be given"):
        pasta.options_for_bridges(["--foreground"])


def test_slirp4netns_options_are_checked() -> None:
    assert "--mtu=1400" in slirp_command("mtu=1400")
    assert slirp.addresses(Mode(kind=mode.SLIRP4NETNS, options=["cidr=10.1.2.0/24"])).gateway == "10.1.2.2"
    for text in ("10.1", "10.1.2.0", "10.1.2.0/40", "10.1.2.0/x", "::/24", "/"):
        with pytest.raises(UsageError, match="cidr"):
            slirp.addresses(Mode(kind=mode.SLIRP4NETNS, options=[f"cidr={text}"]))
    for wrong in ("nonsense=1", "enable_ipv6=maybe", "port_handler=x"):
        with pytest.raises(UsageError):
            slirp_command(wrong)
