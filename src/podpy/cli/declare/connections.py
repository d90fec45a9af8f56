"""The commands about services of other machines."""

from __future__ import annotations

from podpy.cli.declare.model import FILES, Argument, Command, flag, number, text

GROUPS = {"system connection": "Services of other machines, by name"}

_MODULE = "podpy.cli.commands.system.connection"
_NAME = Argument(name="name", metavar="NAME")

COMMANDS: tuple[Command, ...] = (
    Command(
        path="system connection add",
        handler=f"{_MODULE}:add",
        help="Give a service of another machine a name",
        description=(
            "DESTINATION is [USER@]HOST or ssh://[USER@]HOST[:PORT][/SOCKET]; without a socket the machine is asked "
            "for it. Or it is unix:///SOCKET, or tcp://HOST:PORT. `podpy image scp` takes the names of ssh's, and "
            "Podman's own clients read the same file."
        ),
        examples=(
            "podpy system connection add server admin@server.example.com",
            "podpy system connection add --identity ~/.ssh/key --port 2222 test ssh://admin@test/run/podman/podman.sock",
            "podpy system connection add --default here unix:///run/user/1000/podpy/podpy.sock",
        ),
        arguments=(_NAME, Argument(name="destination", metavar="DESTINATION")),
        options=(
            flag("--default -d", "Make it the default; the first one is it anyway"),
            text("--identity", "FILE", "File with ssh's key", complete=FILES),
            number("--port -p", "NUMBER", "ssh's port, if DESTINATION has none (22)"),
            text("--socket-path", "PATH", "The service's socket on that machine"),
            text("--tls-ca", "FILE", "File with the authority's certificate, for tcp", complete=FILES),
            text("--tls-cert", "FILE", "File with the client's certificate, for tcp", complete=FILES),
            text("--tls-key", "FILE", "File with the client's key, for tcp", complete=FILES),
        ),
    ),
    Command(
        path="system connection list",
        aliases=("system connection ls",),
        handler=f"{_MODULE}:ls",
        help="List services of other machines",
        examples=("podpy system connection ls", "podpy system connection ls --format '{{.Name}} {{.URI}}'"),
        rule="none",
        options=(
            text(
                "--format -f", "TEMPLATE", "Print as a Go template says, as table TEMPLATE, or as json; tls: keys, too"
            ),
            flag("--quiet -q", "Only names"),
        ),
    ),
    Command(
        path="system connection default",
        handler=f"{_MODULE}:default",
        help="Make a service the default",
        examples=("podpy system connection default server",),
        arguments=(_NAME,),
    ),
    Command(
        path="system connection rename",
        aliases=("system connection mv",),
        handler=f"{_MODULE}:rename",
        help="Give a service another name",
        examples=("podpy system connection rename server old-server",),
        arguments=(Argument(name="old", metavar="OLD"), Argument(name="new", metavar="NEW")),
    ),
    Command(
        path="system connection remove",
        aliases=("system connection rm",),
        handler=f"{_MODULE}:remove",
        help="Forget services",
        examples=("podpy system connection remove server", "podpy system connection rm --all"),
        arguments=(Argument(name="name", metavar="NAME", required=False),),
        options=(
            flag("--all -a", "All that stand in podman-connections.json"),
            flag("--force -f", "Accepted; does nothing", hidden=True),
        ),
    ),
)
