// allow-nets completion: the script that a shell asks at each key press (cli/completion.ts).
import * as path from 'node:path';
import yargs from 'yargs';
import type { Command } from '../cli/command';
import { completionScript } from '../cli/completion';
import { print } from '../cli/output';
import { Trouble } from '../failure';

const SHELLS = ['bash', 'zsh'];

export const completion: Command = {
  line: 'completion [shell]',
  summary: 'print a completion script for bash or zsh',
  about: ['Completes commands, options, and the users, sets and networks of the database.'],
  positionals: { shell: 'bash or zsh; that of $SHELL when not given' },
  examples: [
    ['allow-nets completion bash > /etc/bash_completion.d/allow-nets', 'for all users of bash'],
    ['eval "$(allow-nets completion bash)"', 'for this shell'],
  ],
  run(given) {
    const named = given.text('shell');
    const shell = named ?? path.basename(process.env['SHELL'] ?? '');
    if (named !== null && !SHELLS.includes(named)) {
      const problem = `there is no completion for ${named}`;
      throw new Trouble({ kind: 'option', problem, hint: 'bash or zsh' });
    }
    print(completionScript(yargsScript(shell === 'zsh' ? 'zsh' : 'bash')));
    return 0;
  },
};

function yargsScript(shell: string): string {
  // yargs looks at nothing else.
  process.env['SHELL'] = shell;
  let script = '';
  yargs([])
    .scriptName('allow-nets')
    .exitProcess(false)
    .completion('completion')
    .parse(['completion'], {}, (_error: unknown, _values: unknown, output: string) => {
      script = `${output}\n`;
    });
  return script;
}
