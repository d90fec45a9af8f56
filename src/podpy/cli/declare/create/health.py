"""The options of `create` and `run` about health checks."""

from __future__ import annotations

from podpy.cli.declare.model import DIRECTORIES, Option, count, flag, text

CREATE_HEALTH: tuple[Option, ...] = (
    text(
        "--health-cmd",
        "COMMAND",
        "Command that tells whether the container is well: text for its shell or a JSON list; none: no check",
        aliases=("--healthcheck-command",),
    ),
    text(
        "--health-interval",
        "DURATION",
        "Time between two checks; disable: only podpy healthcheck run checks",
        default="30s",
        aliases=("--healthcheck-interval",),
    ),
    text(
        "--health-log-destination",
        "WHERE",
        "Where results are kept, too: local, events_logger, or a directory",
        default="local",
        complete=DIRECTORIES,
    ),
    count("--health-max-log-count", "N", "How many results are kept; 0: as many as can be", default=5),
    count("--health-max-log-size", "N", "How many bytes of an output are kept; 0: as many as can be", default=500),
    text(
        "--health-on-failure",
        "ACTION",
        "What is done about an unhealthy container",
        default="none",
        choices=("none", "kill", "restart", "stop"),
    ),
    count(
        "--health-retries",
        "N",
        "Failures in a row until it is unhealthy",
        default=3,
        aliases=("--healthcheck-retries",),
    ),
    text("--health-start-interval", "DURATION", "Docker's: time between two checks in the start period"),
    text(
        "--health-start-period",
        "DURATION",
        "Time after the start in which failures don't count",
        default="0s",
        aliases=("--healthcheck-start-period",),
    ),
    text("--health-startup-cmd", "COMMAND", "Command that must succeed before the other checks begin"),
    text("--health-startup-interval", "DURATION", "Time between two of those; disable: none by itself", default="30s"),
    count("--health-startup-retries", "N", "Failures of that command until the container is restarted; 0: never"),
    count("--health-startup-success", "N", "Successes in a row until the container counts as up; 0: one"),
    text("--health-startup-timeout", "DURATION", "Time for one run of that command", default="30s"),
    text(
        "--health-timeout",
        "DURATION",
        "Time for one check, after which it is killed and has failed",
        default="30s",
        aliases=("--healthcheck-timeout",),
    ),
    flag("--no-healthcheck", "Don't run the image's health check"),
)
