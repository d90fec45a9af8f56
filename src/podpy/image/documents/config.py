"""An image's configuration (OCI image-spec, config.md; Docker's is the same with a few more fields)."""

from __future__ import annotations

from podpy.errors import ImageError, shorten
from podpy.image.documents.schema import CONFIG_LIMIT, LAYER_COUNT_LIMIT, Platform, load_object, same_machine
from podpy.image.names.reference import check_digest
from podpy.notice import warn
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TEXT_LIMIT = 64 << 10  # one variable, argument or label value: what execve takes as one string is 128 KiB
_ITEMS_LIMIT = 10_000


class Healthcheck(Record):
    """A health check: `test` begins with NONE, CMD or CMD-SHELL; times in nanoseconds, 0: not set."""

    test: list[str] = []
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    start_interval: int = 0
    retries: int = 0


class History(Record):
    """How one layer (or, with `empty_layer`, only the configuration) was made."""

    created: str = ""
    created_by: str = ""
    author: str = ""
    comment: str = ""
    empty_layer: bool = False


class ImageConfig(Record):
    """What an image says about running it. Everything is checked: nothing in it has a wrong type."""

    entrypoint: list[str] = []
    cmd: list[str] = []
    env: list[str] = []
    user: str = ""
    workdir: str = ""
    volumes: list[str] = []
    exposed_ports: list[str] = []
    labels: dict[str, str] = {}
    stop_signal: str = ""
    healthcheck: Healthcheck | None = None
    shell: list[str] = []
    on_build: list[str] = []
    architecture: str = ""
    variant: str = ""
    os: str = ""
    created: str = ""
    author: str = ""
    comment: str = ""  # Docker's
    diff_ids: list[str] = []
    history: list[History] = []

    @staticmethod
    def parse(data: bytes) -> ImageConfig:
        """Return the configuration in `data` (JSON). Raises ImageError that names the wrong field."""
        document = load_object(data, "the image's configuration", CONFIG_LIMIT)
        config = _object(document, "config")
        rootfs = _object(document, "rootfs")
        diff_ids = [check_digest(item) for item in _texts(rootfs, "diff_ids")]
        if len(diff_ids) > LAYER_COUNT_LIMIT:
            raise ImageError(f"the image's configuration has {len(diff_ids)} layers, more than {LAYER_COUNT_LIMIT}")
        return ImageConfig(
            entrypoint=_texts(config, "Entrypoint"),
            cmd=_texts(config, "Cmd"),
            env=[item for item in _texts(config, "Env") if _is_variable(item)],
            user=_text(config, "User"),
            workdir=_text(config, "WorkingDir"),
            volumes=_keys(config, "Volumes"),
            exposed_ports=_keys(config, "ExposedPorts"),
            labels=_labels(config),
            stop_signal=_text(config, "StopSignal"),
            healthcheck=_healthcheck(config),
            shell=_texts(config, "Shell"),
            on_build=_texts(config, "OnBuild"),
            architecture=_text(document, "architecture"),
            variant=_text(document, "variant"),
            os=_text(document, "os"),
            created=_text(document, "created"),
            author=_text(document, "author"),
            comment=_text(document, "comment"),
            diff_ids=diff_ids,
            history=_history(document),
        )


def warn_of_other_machine(config: ImageConfig, wanted: Platform) -> None:
    """Warn if an image is for another kind of machine than it is wanted for: it runs by emulation at best."""
    if not config.os or not config.architecture:
        return
    found = Platform(os=config.os, architecture=config.architecture)
    if not same_machine(found, wanted):
        warn(f"image platform ({found}) does not match the expected platform ({wanted})")


def _wrong(key: str, expected: str) -> ImageError:
    return ImageError(f"the image's configuration is wrong: {key} is not {expected}")


def _object(document: dict[str, Any], key: str) -> dict[str, Any]:
    value = document.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong(key, "an object")
    return value


def _check_text(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(key, "text")
    if len(value) > _TEXT_LIMIT:
        raise _wrong(key, f"text of at most {_TEXT_LIMIT} characters")
    if "\0" in value:
        raise _wrong(key, f'free of zero bytes: "{shorten(value, 40)}"')
    return value


def _text(document: dict[str, Any], key: str) -> str:
    value = document.get(key)
    return "" if value is None else _check_text(key, value)


def _texts(document: dict[str, Any], key: str) -> list[str]:
    value = document.get(key)
    if value is None:
        return []
    if isinstance(value, str):  # the oldest Docker images have a plain text here
        value = [value]
    if not isinstance(value, list) or len(value) > _ITEMS_LIMIT:
        raise _wrong(key, f"a list of at most {_ITEMS_LIMIT} texts")
    return [_check_text(key, item) for item in value]


def _keys(document: dict[str, Any], key: str) -> list[str]:
    value = _object(document, key)
    if len(value) > _ITEMS_LIMIT:
        raise _wrong(key, f"an object of at most {_ITEMS_LIMIT} keys")
    return [_check_text(key, item) for item in value]


def _labels(document: dict[str, Any]) -> dict[str, str]:
    value = _object(document, "Labels")
    if len(value) > _ITEMS_LIMIT:
        raise _wrong("Labels", f"an object of at most {_ITEMS_LIMIT} labels")
    return {_check_text("Labels", name): _check_text("Labels", text) for name, text in value.items()}


def _is_variable(text: str) -> bool:
    # crun refuses an entry without a name; Podman passes an entry without "=" by, so do we.
    return "=" in text and not text.startswith("=")


def _number(document: dict[str, Any], key: str) -> int:
    value = document.get(key)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 63:
        raise _wrong(key, "a number that is not negative")
    return value


def _healthcheck(config: dict[str, Any]) -> Healthcheck | None:
    value = _object(config, "Healthcheck")
    if not value:
        return None
    return Healthcheck(
        test=_texts(value, "Test"),
        interval=_number(value, "Interval"),
        timeout=_number(value, "Timeout"),
        start_period=_number(value, "StartPeriod"),
        start_interval=_number(value, "StartInterval"),
        retries=_number(value, "Retries"),
    )


def _history(document: dict[str, Any]) -> list[History]:
    value = document.get("history")
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _ITEMS_LIMIT:
        raise _wrong("history", "a list")
    entries = []
    for item in value:
        if not isinstance(item, dict):
            raise _wrong("history", "a list of objects")
        entries.append(
            History(
                created=_text(item, "created"),
                created_by=_text(item, "created_by"),
                author=_text(item, "author"),
                comment=_text(item, "comment"),
                empty_layer=item.get("empty_layer") is True,
            )
        )
    return entries
