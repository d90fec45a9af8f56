"""Showing: rows of lists, --format, progress, notices, help.

report.render(format, rows, heading)   `--format` of lists: table, json, a template; render_each: of inspect
container_rows                         one container of `ps`: `json_row` is Podman's ListContainer
image_progress, notice, trace, help    what goes to standard error, and pages of help
"""
