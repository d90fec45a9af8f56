"""Forms of Go that Podman's command line and API use: how values are written and read.

json.compact, json.indented(value)     as encoding/json
time.GoTime(nanoseconds)               as Go prints times: JSON, %v, Format
table.align(text)                      text/tabwriter with Podman's settings
units.human_size, human_duration, ago  github.com/docker/go-units
values.duration, boolean, integer …    as strconv and pflag read them; ValueError says what is wrong
view.view(data)                        plain data as a template sees it
template.render(text, data)            text/template, the part that `--format` uses; TemplateError
"""
