// allow-nets completion: prints a shell script that runs this program to get completions (cli/completion.ts).
import * as path from 'node:path';
import yargs from 'yargs';
import type { Command } from '../cli/command';
import { COMPLETION_QUERY } from '../cli/completion';
import { print } from '../cli/output';
import { wrongUsage } from '../failure';

export const completion: Command = {
  line: 'completion [shell]',
  summary: 'print a completion script for bash or zsh',
  about: ['Completes commands, options, and the users and sets of the database.'],
  positionals: { shell: 'bash or zsh; that of $SHELL when not given' },
  examples: [
    ['allow-nets completion bash > /etc/bash_completion.d/allow-nets', 'for all users of bash'],
    ['eval "$(allow-nets completion bash)"', 'for this shell'],
  ],
  run(args) {
    const shell = args.text('shell') ?? (path.basename(process.env['SHELL'] ?? '') === 'zsh' ? 'zsh' : 'bash');
    if (shell !== 'bash' && shell !== 'zsh') throw wrongUsage(`there is no completion for ${shell}`, 'bash or zsh');
    // yargs chooses the shell by this variable, both here and when the script runs us.
    process.env['SHELL'] = shell;
    const parser = yargs([]).scriptName('allow-nets').exitProcess(false).completion('completion');
    parser.parse(['completion'], {}, (_error, _values, script) => {
      const query = `allow-nets ${COMPLETION_QUERY}`;
      // bash would split names at these characters; npm's completion removes them from the list, too.
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's
      if (shell === 'bash') print('COMP_WORDBREAKS=${COMP_WORDBREAKS//[@:=]/}\n');
      print(`${script.replace(query, `SHELL=${shell} ${query}`)}\n`);
    });
    return 0;
  },
};
