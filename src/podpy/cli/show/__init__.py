"""Output: rows of lists, --format, progress, notices, help.

report.render(format, rows, heading)   `--format` of lists: table, json, a template; render_each is for inspect
container_rows                         one container of `ps`: `json_row` is Podman's ListContainer
image_progress, notice, trace          what goes to standard error
help                                   pages of help
"""
