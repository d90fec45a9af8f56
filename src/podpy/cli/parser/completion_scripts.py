"""The completion scripts of bash, zsh and fish.

Each calls `podpy __complete WORD…` with the words up to the cursor. The answer has cobra's format, as Podman's has
(github.com/spf13/cobra), so Podman's own scripts work if `podman` is an alias of podpy. Each line is a word, a tab and
a description; the last is ":" and a sum of 2 (no space after the word), 4 (no file names), 16 (directories only).
"""

from __future__ import annotations

BASH = r"""# bash completion for podpy: source it, or put it into ~/.local/share/bash-completion/completions/podpy
_podpy() {
    local current line directive=4 program="${COMP_WORDS[0]}"
    local -a words
    COMPREPLY=()
    # A function doesn't see an alias: alias podman=podpy
    [[ "$(type -t "$program")" == alias ]] && program=podpy
    # Colons and equals signs break words in bash: put them together again.
    if declare -F _get_comp_words_by_ref >/dev/null; then
        local cur cword
        _get_comp_words_by_ref -n := -c cur -w words -i cword
        words=("${words[@]:1:cword}")
    else
        words=("${COMP_WORDS[@]:1:COMP_CWORD}")
    fi
    current="${words[-1]}"
    while IFS= read -r line; do
        case "$line" in
            :[0-9]*) directive="${line#:}" ;;
            ?*) COMPREPLY+=("${line%%$'\t'*}") ;;
        esac
    done < <("$program" __complete "${words[@]}" 2>/dev/null)
    if (( directive & 16 )); then
        compopt -o filenames 2>/dev/null
        COMPREPLY+=($(compgen -d -- "${current#*=}"))
    elif (( ! (directive & 4) )); then
        compopt -o filenames 2>/dev/null
        COMPREPLY+=($(compgen -f -- "${current#*=}"))
    fi
    (( directive & 2 )) && compopt -o nospace 2>/dev/null
    declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$current"
    return 0
}
complete -F _podpy podpy podman  # a real podman answers alike
"""

ZSH = r"""#compdef podpy
# zsh completion for podpy: put it into a directory of $fpath as _podpy
_podpy() {
    local line word text
    local -a described
    local -i directive=4
    for line in "${(@f)$("${words[1]}" __complete "${(@)words[2,$CURRENT]}" 2>/dev/null)}"; do
        word="${line%%$'\t'*}"
        text="${line#*$'\t'}"
        case "$line" in
            :[0-9]*) directive="${line#:}" ;;
            ?*) [[ "$text" == "$line" ]] && text=
                described+=("${word//:/\\:}${text:+:$text}") ;;
        esac
    done
    local -a after
    (( directive & 2 )) && after=(-S '')
    (( ${#described} )) && _describe -t podpy podpy described $after
    (( directive & 16 )) && _files -/
    (( directive & 20 )) || _files
    return 0
}
if [[ "${funcstack[1]}" == _podpy ]]; then
    _podpy "$@"
else
    compdef _podpy podpy
fi
"""

FISH = r"""# fish completion for podpy: put it into ~/.config/fish/completions/podpy.fish
function __podpy_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] __complete $words[2..-1] 2>/dev/null)
        switch $line
            case ':0' ':2'
                __fish_complete_path (commandline -ct)
            case ':16' ':18'
                __fish_complete_directories (commandline -ct)
            case ':*'
                true
            case '*'
                echo $line
        end
    end
end
complete -c podpy -f -a '(__podpy_complete)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
