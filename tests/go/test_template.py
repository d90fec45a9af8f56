"""--format does what Go's text/template does. Expected texts marked (go) were printed by podman 4.3."""

from __future__ import annotations

import pytest

from podpy.go.template import TemplateError, render
from podpy.go.template.values import Struct
from podpy.go.time import GoTime

MOUNTS = [Struct(Source="/a", Destination="/b", RW=True), Struct(Source="/c", Destination="/d", RW=False)]
DATA = Struct(
    ID="abcdef",
    Names=["one", "two"],
    Labels={"x": "1", "a.b": "2"},
    Count=3,
    Ratio=1.5,
    Running=True,
    Nothing=None,
    Empty=[],
    Config=Struct(Env=["A=b"], Image="busybox"),
    Label=lambda name: f"label {name}",
    Mounts=MOUNTS,
    Created=GoTime(1_700_000_000_123_456_789, utc=True),
)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.ID}}", "abcdef"),
        ("{{ .Config.Image }}", "busybox"),
        (
            "{{.Names}} {{.Labels}} {{.Count}} {{.Ratio}} {{.Running}} {{.Nothing}}",
            "[one two] map[a.b:2 x:1] 3 1.5 true <nil>",
        ),
        ("{{.Config}}", "{[A=b] busybox}"),
        ("{{.Mounts}}", "[{/a /b true} {/c /d false}]"),
        ("{{.Labels.x}} {{.Labels.none}}", "1 <no value>"),
        ('{{index .Labels "a.b"}}{{index .Labels "none"}} {{index .Names 1}} {{(index .Mounts 1).Source}}', "2 two /c"),
        ('{{.Label "q"}} {{"q" | .Label}}', "label q label q"),
        ("{{range .Mounts}}{{.Source}}:{{.Destination}} {{end}}", "/a:/b /c:/d "),
        ("{{range $i, $m := .Mounts}}{{if $i}},{{end}}{{$m.Source}}{{end}}", "/a,/c"),
        ("{{range $m := .Mounts}}{{$m.Source}}{{end}}", "/a/c"),
        ("{{range $k, $v := .Labels}}{{$k}}={{$v}};{{end}}", "a.b=2;x=1;"),
        ("{{range .Empty}}x{{else}}none{{end}}", "none"),
        ('{{range .Names}}{{if eq . "two"}}{{break}}{{end}}{{.}}{{end}}', "one"),
        ('{{range .Names}}{{if eq . "one"}}{{continue}}{{end}}{{.}}{{end}}', "two"),
        ("{{if .Running}}yes{{else}}no{{end}}", "yes"),
        ("{{if .Nothing}}a{{else if eq .Count 3}}b{{else}}c{{end}}", "b"),
        ("{{if .Empty}}a{{else}}{{if not .Running}}b{{else}}c{{end}}{{end}}", "c"),
        ("{{with .Config}}{{.Image}} {{$.ID}}{{else}}none{{end}}", "busybox abcdef"),
        ("{{with .Nothing}}x{{else with .ID}}{{.}}{{end}}", "abcdef"),
        ("{{with $x := .ID}}{{$x}}{{end}}", "abcdef"),
        ("{{$x := 1}}{{range .Names}}{{$x = 2}}{{end}}{{$x}}", "2"),
        ("{{$x := 1}}{{range .Names}}{{$x := 2}}{{end}}{{$x}}", "1"),
        ("a {{- .ID -}} b", "aabcdefb"),
        ("a {{/* comment */}} b{{- /* another */ -}} c", "a  bc"),
        (
            "{{json .Names}} {{json .Labels}} {{json .Config}}",
            '["one","two"] {"a.b":"2","x":"1"} {"Env":["A=b"],"Image":"busybox"}',
        ),
        (
            "{{json .Created}} {{json .Nothing}} {{json .Running}} {{json .Ratio}}",
            '"2023-11-14T22:13:20.123456789Z" null true 1.5',
        ),
        ('{{json "<&>\\n\\""}}', '"<&>\\n\\""'),
        ('{{join .Names ", "}} {{upper "a"}} {{lower "A"}} {{title "ab cd"}}', "one, two A a Ab Cd"),
        ('{{split "a,b" ","}} {{len .Names}} {{len .ID}} {{slice .ID 1 3}} {{slice .Names 1}}', "[a b] 2 6 bc [two]"),
        ('{{printf "%s|%10s|%-10s|%.2s" .ID "a" "b" .ID}}', "abcdef|         a|b         |ab"),
        ('{{printf "%d|%5d|%-5d|%05d|%+d|%x|%X|%o|%b" 3 3 3 3 3 255 255 8 5}}', "3|    3|3    |00003|+3|ff|FF|10|101"),
        (
            '{{printf "%q %v %t %f %.1f %g %e %%" "a\\"b" .Names true 1.5 1.25 1.5 1.5}}',
            '"a\\"b" [one two] true 1.500000 1.2 1.5 1.500000e+00 %',
        ),
        ('{{printf "%T %T %T %#v" 1 "a" .Names .Names}}', 'int string []string []string{"one", "two"}'),
        (
            '{{printf "%d" "x"}} {{printf "%d"}} {{printf "x" 1}} {{printf "%z" 1}}',
            "%!d(string=x) %!d(MISSING) x%!(EXTRA int=1) %!z(int=1)",
        ),
        ('{{printf "%6.2f|%*d" 3.14159 4 7}}', "  3.14|   7"),
        ('{{print 1 2 "a" 3}} {{println "a" 1}}', "1 2a3 a 1\n"),
        (
            "{{eq 1 1}} {{eq 1 2 3 1}} {{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge 1 2}}",
            "true true true true true false false",
        ),
        (
            "{{and .Running .Count}} {{or .Nothing 5}} {{and false (index .Names 9)}} {{or true (index .Names 9)}}",
            "3 5 false true",
        ),
        ('{{.ID | upper | printf "%s!"}}', "ABCDEF!"),
        ("{{ .Names | len }}{{(len .Names)}}", "22"),
        ("{{true}} {{nil | printf \"%v\"}} {{0x10}} {{'a'}} {{1e3}} {{`raw\\n`}}", "true <nil> 16 97 1000 raw\\n"),
        ("{{.Created}}", "2023-11-14 22:13:20.123456789 +0000 UTC"),
        (
            '{{.Created.Format "02 Jan 06 15:04 MST"}} {{.Created.Unix}} {{.Created.Year}}',
            "14 Nov 23 22:13 UTC 1700000000 2023",
        ),
        ("{{with .Created}}{{.Month}} {{.Day}} {{.Weekday}} {{.YearDay}}{{end}}", "November 14 Tuesday 318"),
        ("{{with .Created}}{{.Hour}} {{.Minute}} {{.Second}} {{.Nanosecond}}{{end}}", "22 13 20 123456789"),
        ("{{.Created.UnixMilli}} {{.Created.UnixMicro}}", "1700000000123 1700000000123456"),
        ("{{range 3}}{{.}}{{end}}", "012"),
        ('{{pad "a" 1 2}}|{{truncate "abc" 2}}|{{html "<a>"}}', " a  |ab|&lt;a&gt;"),
    ],
)
def test_a_template_prints(template: str, text: str) -> None:
    assert render(template, DATA) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.Sate}}", "line 1, column 3: no field Sate. Similar ones are: "),
        ("{{.Config.Imgae}}", "no field Imgae. Similar ones are: .Image"),
        ("a\n{{.ID}} {{.Nmaes}}", "line 2, column 11: no field Nmaes. Similar ones are: .Names"),
        ("{{.Nothing.Foo}}", "nil has no field Foo"),
        ("{{.ID.Foo}}", "abcdef has no field Foo"),
        ("{{if}}x{{end}}", "line 1, column 5: a value is missing before }}"),
        ("{{range .Mounts}}", "{{end}} is missing for {{range}}"),
        ("{{end}}", "unexpected {{end}}"),
        ("{{.ID", "unclosed action: }} is missing"),
        ('{{"abc}}', 'unterminated string: " is missing'),
        ("{{uper .ID}}", "function 'uper' not defined. Did you mean upper?"),
        ("{{ID}}", "function 'ID' not defined. A field is written with a dot: .ID"),
        ("{{$x}}", "undefined variable '$x'"),
        ("{{index .Names 5}}", "index out of range: 5 (there are 2)"),
        ('{{eq .Count "3"}}', "eq: a number and a string can't be compared"),
        ("{{join .ID}}", "wrong number or kind of arguments for join"),
        ('{{join .ID ","}}', "join needs a list, this is a string"),
        ("{{.ID 3}}", "ID has arguments but isn't a method"),
        ("{{range .ID}}{{end}}", "range can't iterate over abcdef"),
        ('{{define "x"}}{{end}}', "{{define}} isn't supported"),
        ("{{break}}", "{{break}} outside {{range}}"),
        ("{{(.ID}}", ") is missing"),
        ("{{.ID | 3}}", "a pipe needs a function or method behind |"),
        ("{{/* x }}", "unclosed comment"),
        ("{{#}}", "unexpected character '#' in an action"),
    ],
)
def test_an_error_names_its_position_in_the_template(template: str, text: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render(template, DATA)
    assert text in str(caught.value)
    assert str(caught.value).startswith("--format: line ")
