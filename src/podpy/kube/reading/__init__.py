"""Text → Kubernetes objects. Every value keeps its position, so that an error names file, line and field.

podpy.yaml (YAML → values) ← `schema` (checks names and types by `schema_table`) ← `objects` (documents by kind).
Raises UsageError: one line, "FILE:LINE: FIELD: what is wrong".
"""
