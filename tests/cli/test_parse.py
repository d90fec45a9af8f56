"""What the everyday parser makes of command lines, and what it says about mistakes."""

from __future__ import annotations

import pytest

from podpy.cli.parser import tables
from podpy.cli.parser.failures import HelpRequested
from podpy.cli.parser.options import Options
from podpy.cli.parser.parse import parse
from podpy.cli.show.notice import error_lines
from podpy.errors import UsageError

TABLE = tables.from_declarations()


def read(*argv: str) -> Options:
    return parse(list(argv), TABLE)[0]


def mistake(*argv: str) -> str:
    with pytest.raises(UsageError) as caught:
        read(*argv)
    return "\n".join(error_lines(caught.value))


def test_what_follows_the_image_belongs_to_the_container() -> None:
    options = read("run", "--rm", "busybox", "ls", "-l", "--rm=false")
    assert (options.image, options.command, options.rm) == ("busybox", ["ls", "-l", "--rm=false"], True)


def test_other_commands_take_options_anywhere() -> None:
    options = read("stop", "one", "-t", "3", "two")
    assert (options.containers, options.time) == (["one", "two"], 3)


def test_two_dashes_end_the_options() -> None:
    assert read("rm", "--", "-f").containers == ["-f"]
    assert read("run", "--", "busybox", "--", "-x").command == ["--", "-x"]


def test_a_single_dash_is_an_argument() -> None:
    assert read("run", "busybox", "cat", "-").command == ["cat", "-"]
    assert read("load", "-i", "-").input == "-"


def test_short_options_can_be_put_together() -> None:
    options = read("run", "-itdeA=b", "-p8080:80", "busybox")
    assert (options.interactive, options.tty, options.detach) == (True, True, True)
    assert (options.env, options.publish) == (["A=b"], ["8080:80"])


def test_a_boolean_never_takes_the_next_word() -> None:
    options = read("run", "--rm", "false", "x")
    assert (options.rm, options.image) == (True, "false")


def test_lists_are_split_like_csv_but_environments_are_not() -> None:
    options = read("run", "-e", "A=b,c", "--cap-add", "NET_RAW,SYS_TIME", "--cap-add", "KILL", "busybox")
    assert options.env == ["A=b,c"]
    assert options.cap_add == ["NET_RAW", "SYS_TIME", "KILL"]
    assert read("run", "--dns-option", '"a,b",c', "busybox").dns_option == ["a,b", "c"]


def test_defaults_are_there_and_known_as_defaults() -> None:
    options = read("run", "busybox")
    assert (options.stop_timeout, options.pull, options.sig_proxy, options.env) == (10, "missing", True, [])
    assert (options.given("pull"), options.tls_verify) == (False, None)
    assert read("run", "--pull=missing", "busybox").given("pull")


def test_lists_of_defaults_are_not_shared() -> None:
    read("run", "busybox").env.append("A=b")
    assert read("run", "busybox").env == []


def test_an_environment_variable_gives_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_DRIVER", "vfs")
    options = read("ps")
    assert (options.globals.storage_driver, options.globals.given("storage_driver")) == ("vfs", False)
    assert read("--storage-driver=overlay", "ps").globals.storage_driver == "overlay"
    monkeypatch.setenv("STORAGE_DRIVER", "btrfs")
    assert mistake("ps").startswith(
        'Error: STORAGE_DRIVER=btrfs: "btrfs" is not a valid value.  Choose from: "overlay, fuse-overlayfs, vfs"\n'
    )


def test_global_options_stand_before_and_after_the_command() -> None:
    for argv in (["--root", "/x", "ps"], ["ps", "--root=/x"], ["container", "--root", "/x", "ls"]):
        assert read(*argv).globals.root == "/x"
    assert read("run", "busybox", "--root=/x").globals.root == ""


def test_aliases_are_the_same_command() -> None:
    assert {read(*line.split()).path for line in ("ps", "container ls", "container list", "container ps")} == {"ps"}
    assert read("image", "rm", "x").path == "rmi"


def test_old_spellings_are_still_understood() -> None:
    assert read("run", "--net", "none", "busybox").network == ["none"]
    assert read("stop", "--timeout", "3", "x").time == 3


@pytest.mark.parametrize(
    "argv", [["run", "--help"], ["ps", "-h"], ["exec", "--help", "x"], ["--help"], ["image", "-h"]]
)
def test_help_is_asked_for(argv: list[str]) -> None:
    with pytest.raises(HelpRequested):
        read(*argv)


def test_h_is_the_hostname_of_run_and_help_in_the_container_is_the_containers() -> None:
    assert read("run", "-h", "name", "busybox").hostname == "name"
    assert read("run", "busybox", "ls", "--help").command == ["ls", "--help"]


SEE_RUN = "\nSee 'podpy run --help'"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("run --foo x", f"unknown flag: --foo{SEE_RUN}"),
        ("run --detatch x", f"unknown flag: --detatch{SEE_RUN}\nHint: Did you mean --detach?"),
        ("run -itX x", f"unknown shorthand flag: 'X' in -X{SEE_RUN}"),
        ("run --name", f"flag needs an argument: --name{SEE_RUN}"),
        ("run -e", f"flag needs an argument: 'e' in -e{SEE_RUN}"),
        ("run", f"requires at least 1 arg(s), only received 0{SEE_RUN}"),
        (
            "run --rm=maybe x",
            f'invalid argument "maybe" for "--rm" flag: strconv.ParseBool: parsing "maybe": invalid syntax{SEE_RUN}',
        ),
        ("stop -t x y", 'invalid argument "x" for "-t, --time" flag: strconv.ParseInt: parsing "x": invalid syntax\n'),
        (
            "ps --last 99999999999999999999",
            'invalid argument "99999999999999999999" for "-n, --last" flag: strconv.ParseInt: '
            'parsing "99999999999999999999": value out of range\n',
        ),
        ("run --memory-swappiness", f"flag needs an argument: --memory-swappiness{SEE_RUN}"),
        (
            "ps --sort x",
            'invalid argument "x" for "--sort" flag: "x" is not a valid value.  '
            'Choose from: "command, created, id, image, names, runningfor, size, status"\n',
        ),
        ("run --pull=x y", f'unsupported pull policy "x"{SEE_RUN}'),
        ("--log-level foo ps", 'Log Level "foo" is not supported, choose from: trace, debug, info, warn, warning, '),
        ("wait --condition foo x", "unknown container state: foo: invalid argument\n"),
        ("run ---x y", f"bad flag syntax: ---x{SEE_RUN}"),
        ("container run --foo x", "unknown flag: --foo\nSee 'podpy container run --help'"),
        ("--foo ps", "unknown flag: --foo\nSee 'podpy --help'"),
        ("image --foo ls", "unknown flag: --foo\nSee 'podpy image --help'"),
        (
            "rnu x",
            "unrecognized command `podpy rnu`\n\nDid you mean this?\n\trun\n\trm\n\trmi\n\n"
            "Try 'podpy --help' for more information",
        ),
        (
            "container strt x",
            "unrecognized command `podpy container strt`\n\nDid you mean this?\n\tstart\n\tport\n\tstats\n\tstop\n\n"
            "Try 'podpy container --help' for more information",
        ),
        ("xyzzy x", "unrecognized command `podpy xyzzy`\nTry 'podpy --help' for more information"),
        ("container", "missing command 'podpy container COMMAND'"),
        ("ps x", "`podpy ps` takes no arguments\nSee 'podpy ps --help'"),
        ("rename a", "accepts 2 arg(s), received 1\nSee 'podpy rename --help'"),
        ("rename a b c", "accepts 2 arg(s), received 3\nSee 'podpy rename --help'"),
        ("images a b", "accepts at most 1 arg(s), received 2\nSee 'podpy images --help'"),
        ("push a b c", "accepts between 1 and 2 arg(s), received 3\nSee 'podpy push --help'"),
        ("tag a", "requires at least 2 arg(s), only received 1\nSee 'podpy tag --help'"),
        ("rm", "you must provide at least one name or id\nSee 'podpy rm --help'"),
        ("rm -a x", "no arguments are needed with --all\n"),
        ("rm -a -l", "--all and --latest cannot be used together\n"),
        ("rm --cidfile f x", "no arguments are needed with --latest or --cidfile\n"),
        ("stop --filter name=x y", "--filter takes no arguments\n"),
        ("start", "start requires at least one argument\n"),
        ("start --all x", "either start all containers or the container(s) provided in the arguments\n"),
        ("start --all -a", "you cannot start and attach all containers at once\n"),
        ("start -a x y", "you cannot start and attach multiple containers at once\n"),
        ("exec x", "must provide a non-empty command to start an exec session: invalid argument\n"),
        ("exec", "exec requires the name or ID of a container or the --latest or --cidfile flag\n"),
        ("attach", '"podpy attach" requires a name, id, or the "--latest" flag\n'),
        ("attach x y", "`podpy attach` accepts at most one argument\n"),
        ("logs", "specify at least one container name or ID to log\n"),
        ("port", "you must supply a running container name or id\n"),
        ("top", "you must provide the name or id of a running container\n"),
        ("inspect", "no names or ids specified\n"),
        ("diff", "container must be specified: podpy diff [options [...]] ID-NAME\n"),
        ("rmi", "image name or ID must be specified\n"),
        ("rmi -a x", "when using the --all switch, you may not pass any images names or IDs\n"),
        ("machine start", "machine: is for other machines"),
        ("run --cpu-rt-period 1 y", "--cpu-rt-period: it exists only on cgroup v1, and there only for root"),
        ("--remote ps", "--remote: podpy is an engine for this machine"),
    ],
)
def test_mistakes_are_told_as_podman_does(line: str, told: str) -> None:
    assert mistake(*line.split()).startswith(f"Error: {told}")


def test_podpy_isnt_remote_when_a_script_says_so() -> None:
    assert read("--remote=false", "ps").globals.remote is False


def test_exec_without_a_name() -> None:
    options = read("exec", "-l", "ls", "-l")
    assert (options.container, options.command, options.latest) == ("", ["ls", "-l"], True)
    assert read("exec", "--cidfile", "f", "ls").command == ["ls"]


@pytest.mark.parametrize(
    ("text", "seconds"), [("250ms", 0.25), ("1h30m", 5400), ("250", 0.25), ("1.5s", 1.5), ("-1m", -60)]
)
def test_durations(text: str, seconds: float) -> None:
    assert read("wait", "--interval", text, "x").interval == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "1x", "m", "1..2s", "s1"])
def test_durations_that_are_none(text: str) -> None:
    assert f'time: invalid duration "{text}"' in mistake("wait", f"--interval={text}", "x")
