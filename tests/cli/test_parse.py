"""What the everyday parser makes of command lines, and what it says about mistakes."""

from __future__ import annotations

import pytest

from podpy.cli.parser import tables
from podpy.cli.parser.parse import HelpRequested, Options, parse
from podpy.errors import UsageError

TABLE = tables.from_declarations()


def read(*argv: str) -> Options:
    return parse(list(argv), TABLE)[0]


def mistake(*argv: str) -> str:
    with pytest.raises(UsageError) as caught:
        read(*argv)
    assert "\n" not in str(caught.value)
    return str(caught.value)


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
    assert mistake("ps").startswith("ps: STORAGE_DRIVER=btrfs: one of overlay, fuse-overlayfs, vfs is needed")


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


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("run --foo x", "run: unknown flag: --foo. See 'podpy run --help'"),
        ("run --detatch x", "run: unknown flag: --detatch (did you mean --detach?). See 'podpy run --help'"),
        ("run -itX x", "run: unknown shorthand flag: 'X' in -X. See 'podpy run --help'"),
        ("run --name", "run: flag needs an argument: --name. See 'podpy run --help'"),
        ("run -e", "run: flag needs an argument: 'e' in -e. See 'podpy run --help'"),
        ("run", "run: IMAGE is missing. See 'podpy run --help'"),
        ("run --rm=maybe x", 'run: invalid argument "maybe" for "--rm": true or false is needed. See'),
        ("stop -t x y", 'stop: invalid argument "x" for "-t, --time": a whole number is needed. See'),
        ("run --pull=x y", "one of always, missing, never, newer is needed"),
        ("run ---x y", "run: bad flag syntax: ---x. See 'podpy run --help'"),
        ("container run --foo x", "container run: unknown flag: --foo. See 'podpy container run --help'"),
        ("rnu x", "unrecognized command 'podpy rnu'. See 'podpy --help'"),
        ("strat x", "unrecognized command 'podpy strat' (did you mean 'start'?). See 'podpy --help'"),
        ("container strt x", "(did you mean 'container start'?). See 'podpy container --help'"),
        ("container", "missing command 'podpy container COMMAND'. See 'podpy container --help'"),
        ("ps x", "ps: takes no arguments. See 'podpy ps --help'"),
        ("rename a", "rename: NAME is missing. See 'podpy rename --help'"),
        ("rename a b c", "rename: accepts at most 2 argument(s), received 3. See 'podpy rename --help'"),
        ("rm", "rm: you must provide at least one name or id. See 'podpy rm --help'"),
        ("rm -a x", "rm: no arguments are needed with --all. See 'podpy rm --help'"),
        ("rm -a -l", "rm: --all and --latest cannot be used together. See 'podpy rm --help'"),
        ("stop --filter name=x y", "stop: --filter takes no arguments. See 'podpy stop --help'"),
        ("exec x", "exec: a command to run is needed. See 'podpy exec --help'"),
        ("pod ps", "pod: comes with a later version of podpy"),
        ("volume create x", "volume: comes with a later version of podpy"),
        ("machine start", "machine: is for other machines"),
        ("run --pod x y", "run: --pod: pods come with a later version. See 'podpy run --help'"),
        ("run --cpu-rt-period 1 y", "run: --cpu-rt-period: it exists only on cgroup v1, and there only for root."),
        ("--remote ps", "--remote: podpy is an engine for this machine"),
    ],
)
def test_mistakes_are_one_line_that_says_what_to_do(line: str, text: str) -> None:
    assert text in mistake(*line.split())


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
    assert "a duration such as 250ms or 1h30m is needed" in mistake("wait", f"--interval={text}", "x")
