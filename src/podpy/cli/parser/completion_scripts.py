"""The scripts that make a shell ask podpy what completes a command line.

Each calls `podpy __complete WORD…` with the words up to the cursor; an answer is a word, a tab and a description a
line, and ":files" or ":directories" where the shell's own file names fit.
"""

from __future__ import annotations

BASH = r"""# bash completion for podpy: source it, or put it into ~/.local/share/bash-completion/completions/podpy
_podpy() {
    local current line word
    local -a words
    COMPREPLY=()
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
        word="${line%%$'\t'*}"
        case "$word" in
            :files) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -f -- "${current#*=}")) ;;
            :directories) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -d -- "${current#*=}")) ;;
            ?*) COMPREPLY+=("$word") ;;
        esac
    done < <("${COMP_WORDS[0]}" __complete "${words[@]}" 2>/dev/null)
    declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$current"
    [[ ${#COMPREPLY[@]} -eq 1 && "${COMPREPLY[0]}" == *= ]] && compopt -o nospace
    return 0
}
complete -F _podpy podpy
"""

ZSH = r"""#compdef podpy
# zsh completion for podpy: put it into a directory of $fpath as _podpy
_podpy() {
    local line word text
    local -a described
    local files=
    for line in "${(@f)$("${words[1]}" __complete "${(@)words[2,$CURRENT]}" 2>/dev/null)}"; do
        word="${line%%$'\t'*}"
        text="${line#*$'\t'}"
        case "$word" in
            :files) files=f ;;
            :directories) files=d ;;
            ?*) [[ "$text" == "$line" ]] && text=
                described+=("${word//:/\\:}${text:+:$text}") ;;
        esac
    done
    (( ${#described} )) && _describe -t podpy podpy described
    [[ "$files" == f ]] && _files
    [[ "$files" == d ]] && _files -/
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
            case ':files'
                __fish_complete_path (commandline -ct)
            case ':directories'
                __fish_complete_directories (commandline -ct)
            case '*'
                echo $line
        end
    end
end
complete -c podpy -f -a '(__podpy_complete)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
