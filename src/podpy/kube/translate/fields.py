"""Fields of the pod, for variables and files (the downward API)."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.kube.translate.context import Context
    from podpy.yaml.places import Mapping

_KEY = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")


def pod_field(reference: Mapping, variable: str, context: Context) -> str:
    """Return the value of a fieldRef. Raises UsageError for a field that podpy's pods don't have (an address)."""
    path = reference.get("fieldPath", "")
    plain = {
        "metadata.name": context.pod_name,
        "metadata.namespace": context.namespace,
        "metadata.uid": context.pod_id,
        "spec.nodeName": context.node.name,
        "spec.serviceAccountName": "default",
    }
    if path in plain:
        return plain[path]
    if found := _KEY.fullmatch(path):
        values = context.labels if found[1] == "labels" else context.annotations
        return values.get(found[2], "")
    raise reference.wrong(
        "fieldPath",
        f"can not set env {variable}. Reason: fieldPath {path} is either not valid or not supported",
        hint=f"Known: {', '.join(plain)}, metadata.labels['KEY'] and metadata.annotations['KEY']",
    )


def field_lines(reference: Mapping, variable: str, context: Context) -> str:
    """Return the text of a fieldRef's file: all labels or annotations, a line for each; or one field."""
    path = reference.get("fieldPath", "")
    if path in ("metadata.labels", "metadata.annotations"):
        values = context.labels if path.endswith("labels") else context.annotations
        return "\n".join(f'{key}="{_escaped(value)}"' for key, value in sorted(values.items()))
    return pod_field(reference, variable, context)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
