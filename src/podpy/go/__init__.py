"""Go's formats of values, which Podman's command line and API use.

json.compact, json.indented(value)     as encoding/json
time.GoTime(nanoseconds)               as Go prints times: JSON, %v, Format
table.align(text)                      text/tabwriter with Podman's settings
units.human_size, human_duration, ago  github.com/docker/go-units
values.duration, boolean, integer …    as strconv and pflag parse them; raises ValueError
view.view(data)                        plain data as a template sees it
template.render(text, data)            text/template, the part that `--format` uses; TemplateError
"""
