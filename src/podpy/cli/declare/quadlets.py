"""The commands about Quadlet's files."""

from __future__ import annotations

from podpy.cli.declare.common import template_format
from podpy.cli.declare.model import CONTAINERS, DIRECTORIES, FILES, Argument, Command, flag, many, text

GROUPS = {"quadlet": "Files that systemd makes services of"}

_RELOAD = flag("--reload-systemd", "Let systemd read its units anew", default=True)
_OUTPUT = text("--output-dir -o", "DIR", "Write the files into this directory", complete=DIRECTORIES)
_REPLACE = flag("--replace -r", "Overwrite files that are there")
_ONE = Argument(name="quadlet", metavar="QUADLET")

COMMANDS: tuple[Command, ...] = (
    Command(
        path="quadlet from-run",
        handler="podpy.cli.commands.quadlets.from_run:run",
        help="Print the file of Quadlet for a command line of run or create",
        description="Options that have no key go into PodmanArgs=. Relative paths become absolute ones.",
        examples=(
            "podpy quadlet from-run -- run -d --name web -p 8080:80 docker.io/library/nginx",
            "podpy quadlet from-run -- podman run --rm -v data:/data quay.io/me/app > app.container",
        ),
        arguments=(Argument(name="command", metavar="run …", many=True),),
        interspersed=False,
    ),
    Command(
        path="quadlet from-compose",
        handler="podpy.cli.commands.quadlets.from_compose:run",
        help="Print the files of Quadlet for a compose file",
        description=(
            "One file for each service, network, volume and build, all in one text, which `podpy quadlet install` "
            "takes as NAME.quadlets. What has no form in a unit is told with file, line and key, and then nothing is "
            "written. Without FILE it is the one that COMPOSE_FILE names, or compose.yaml, or docker-compose.yaml, of "
            "the current directory."
        ),
        examples=(
            "podpy quadlet from-compose > shop.quadlets",
            "podpy quadlet from-compose --output-dir ~/.config/containers/systemd compose.yaml",
            "podpy quadlet from-compose --profile debug --partial ./shop",
        ),
        options=(
            many("--env-file", "FILE", "Read variables from this file, not from .env", complete=FILES),
            _OUTPUT,
            flag("--partial", "Write what can be said, although something can't"),
            many("--profile", "NAME", "Convert services of this profile, too (repeatable)"),
            text("--project-name -p", "NAME", "The project's name; without, the file's, or the directory's"),
            _REPLACE,
        ),
        arguments=(Argument(name="file", metavar="FILE|DIR", required=False, complete=FILES),),
    ),
    Command(
        path="generate quadlet",
        handler="podpy.cli.commands.quadlets.generate:run",
        help="Print the files of Quadlet for containers, and for pods with theirs",
        description=(
            "They say what the create commands said, which inspect shows as CreateCommand. Relative paths in these are "
            "taken from the current directory. Several files come in one text, which `podpy quadlet install` takes as "
            "NAME.quadlets."
        ),
        examples=(
            "podpy generate quadlet web > web.container",
            "podpy generate quadlet shop > shop.quadlets  # a pod",
            "podpy generate quadlet --output-dir units web db shop",
        ),
        options=(_OUTPUT, _REPLACE),
        arguments=(Argument(name="names", metavar="CONTAINER|POD", many=True, complete=CONTAINERS),),
    ),
    Command(
        path="quadlet install",
        handler="podpy.cli.commands.quadlets.quadlet:install",
        help="Install files of Quadlet, for you or (as root) for the machine",
        description=(
            "Files, directories, archives (.tar, .tar.gz), addresses of web servers, or a file NAME.quadlets that has "
            "several ones between lines of three dashes, each with a comment `# FileName=NAME`. All of them are "
            "checked, together with those that are there, before the first one is written. Files of other kinds may "
            "follow the first one: they are removed with it."
        ),
        examples=(
            "podpy quadlet install web.container",
            "podpy quadlet install --replace web.container nginx.conf",
            "podpy quadlet install --application shop ./shop",
            "podpy quadlet install https://example.com/web.container https://example.com/nginx.conf",
        ),
        options=(
            text("--application", "NAME", "Install into a directory of this name, for rm --recursive"),
            _RELOAD,
            flag("--replace -r", "Overwrite files that are there"),
        ),
        arguments=(Argument(name="paths", metavar="FILE|DIR|URL", many=True, complete=FILES),),
    ),
    Command(
        path="quadlet list",
        aliases=("quadlet ls",),
        handler="podpy.cli.commands.quadlets.quadlet:ls",
        help="List the files of Quadlet and the states of their units",
        examples=(
            "podpy quadlet list",
            "podpy quadlet list --filter status=active/running",
            "podpy quadlet list --format '{{.UnitName}}'",
        ),
        options=(
            many("--filter -f", "KEY=VALUE", "Only files for which this is true: name, status, app, pod (repeatable)"),
            template_format("--format", what="each file"),
            flag("--noheading -n", "Leave the heading out"),
        ),
    ),
    Command(
        path="quadlet print",
        aliases=("quadlet cat",),
        handler="podpy.cli.commands.quadlets.quadlet:print_",
        help="Print a file of Quadlet",
        examples=(
            "podpy quadlet print web.container",
            "podpy quadlet print --unit web.container  # what systemd gets",
        ),
        options=(flag("--unit", "Print its unit, and the command that the unit runs"),),
        arguments=(_ONE,),
    ),
    Command(
        path="quadlet rm",
        handler="podpy.cli.commands.quadlets.quadlet:rm",
        help="Remove files of Quadlet",
        examples=(
            "podpy quadlet rm web.container",
            "podpy quadlet rm --force --recursive shop",
        ),
        options=(
            flag("--all -a", "Remove all of yours"),
            flag("--force -f", "Stop units that run"),
            flag("--ignore -i", "A file that isn't there is no error"),
            flag("--recursive", "Remove directories of files that were installed together"),
            _RELOAD,
        ),
        arguments=(Argument(name="quadlets", metavar="QUADLET|APPLICATION", required=False, many=True),),
    ),
    Command(
        path="quadlet verify",
        handler="podpy.cli.commands.quadlets.quadlet:verify",
        help="Check files of Quadlet",
        description=(
            "Prints each mistake with file, line, what is wrong, and the nearest key that there is. The exit code is 1 "
            "if a file has no unit. Without a path it checks all that the generator reads."
        ),
        examples=(
            "podpy quadlet verify",
            "podpy quadlet verify web.container ./shop",
            "podpy quadlet verify --format json web.container  # for editors",
        ),
        options=(text("--format", "FORMAT", "text, or json", default="text", choices=("text", "json")),),
        arguments=(Argument(name="paths", metavar="FILE|DIR", required=False, many=True, complete=FILES),),
    ),
)
