// The completion scripts. They ask `allow-nets completion SHELL -- ...` at each key press, and complete file names where it says so.

const BASH = `# bash completion of allow-nets. To use it:
#   allow-nets completion bash > /etc/bash_completion.d/allow-nets
# or in ~/.bashrc:
#   eval "$(allow-nets completion bash)"
_allow_nets() {
  local line kind word
  if [[ -n \${COMP_LINE-} ]]; then
    line=\${COMP_LINE:0:\${COMP_POINT:-\${#COMP_LINE}}}
  else
    printf -v line '%q ' "\${COMP_WORDS[@]:0:COMP_CWORD}"
    line+=\${COMP_WORDS[COMP_CWORD]}
  fi
  COMPREPLY=()
  {
    IFS= read -r kind
    while IFS= read -r word; do COMPREPLY+=("$word"); done
  } < <(command "\${1:-allow-nets}" completion bash -- "$line" "\${@:2:1}" 2>/dev/null </dev/null)
  if [[ $kind == files ]]; then compopt -o default -o bashdefault 2>/dev/null; fi
  return 0
}
complete -F _allow_nets allow-nets
`;

const ZSH = `#compdef allow-nets
# zsh completion of allow-nets. To use it:
#   allow-nets completion zsh > /usr/local/share/zsh/site-functions/_allow-nets
# or in ~/.zshrc, after compinit:
#   eval "$(allow-nets completion zsh)"
_allow_nets() {
  local -a found
  found=("\${(@f)$(command allow-nets completion zsh -- \\
    "\${(@Q)words[1,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null </dev/null)}")
  if [[ $found[1] == files ]]; then
    _files
  elif (( $#found > 1 )); then
    compadd -M 'm:{[:lower:][:upper:]}={[:upper:][:lower:]}' -- "\${(@)found[2,-1]}"
  fi
}
if [[ $funcstack[1] == _allow_nets || $funcstack[1] == _allow-nets ]]; then
  _allow_nets "$@"
else
  compdef _allow_nets allow-nets
fi
`;

export const SCRIPTS = { bash: BASH, zsh: ZSH } as const;
export type Shell = keyof typeof SCRIPTS;
