"""RUN's `--device=VENDOR/CLASS=NAME[,required]`: a device of CDI, in BuildKit's words."""

from __future__ import annotations

from podpy.go.values import boolean, split_csv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.build.reading.instructions import Run


def devices(run: Run) -> list[tuple[str, bool]]:
    """Return the names of an instruction's devices, and whether each is required. Raises BuildFileError."""
    return [_device(run, text) for text in run.devices]


def _device(run: Run, text: str) -> tuple[str, bool]:
    name, is_required = "", False
    try:
        for word in split_csv(text):
            key, _, value = word.partition("=")
            if key == "required":
                is_required = boolean(value or "true")
            elif key == "name" or not name:
                name = value if key == "name" else word
            else:
                raise ValueError(f"unexpected key '{key}'")
    except ValueError as error:
        raise run.wrong(f"invalid device: {error}", text) from None
    if not name:
        raise run.wrong("a device needs a name", text, hint="VENDOR/CLASS=NAME is one")
    return name, is_required
