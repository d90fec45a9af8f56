"""Text → Kubernetes objects. Every value keeps its place, so that an error names file, line and field.

`load` (YAML → values) ← `schema` (checks names and types by `schema_table`) ← `objects` (documents by kind).
Raises UsageError: one line, "FILE:LINE: FIELD: what is wrong".
"""
