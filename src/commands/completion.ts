// allow-nets completion: the script for a shell, and what that script asks at each key press.
//
// What the script asks is never answered with an error: in trouble there is nothing to complete.
import { homedir } from 'node:os';
import * as path from 'node:path';
import type { Arguments, Command } from '../cli/command';
import { bashLine, bashWord } from '../cli/completion/bash-words';
import { type Candidates, candidates } from '../cli/completion/candidates';
import { namesOf } from '../cli/completion/names';
import { SCRIPTS, type Shell } from '../cli/completion/scripts';
import { print, printLine } from '../cli/output';
import { Trouble } from '../failure';

/** `others`: what can be completed beside this command. */
export function completionOf(others: readonly Command[]): Command {
  const completion: Command = {
    line: 'completion [shell]',
    summary: 'print a completion script for bash or zsh',
    about: ['Completes commands, options, and the users, sets and networks of the database.'],
    positionals: { shell: 'bash or zsh; that of $SHELL when not given' },
    examples: [
      ['allow-nets completion bash > /etc/bash_completion.d/allow-nets', 'for all users of bash'],
      ['eval "$(allow-nets completion bash)"', 'for this shell'],
    ],
    run(given) {
      const shell = shellOf(given);
      if (given.rest.length === 0) print(SCRIPTS[shell]);
      else answer(shell, given, [...others, completion]);
      return 0;
    },
  };
  return completion;
}

function shellOf(given: Arguments): Shell {
  const named = given.text('shell') ?? path.basename(process.env['SHELL'] ?? 'bash');
  if (named === 'bash' || named === 'zsh') return named;
  if (given.text('shell') === null) return 'bash';
  throw new Trouble({ kind: 'option', problem: `there is no completion for ${named}`, hint: 'bash or zsh' });
}

/** bash: `-- LINE [REPLACED]`, the line up to the cursor and the part of it that bash replaces. zsh: `-- WORD...`. */
function answer(shell: Shell, given: Arguments, commands: readonly Command[]): void {
  const names = (db: string | null) => namesOf(db === null ? given.db : path.resolve(db));
  if (shell === 'zsh') {
    printCandidates(candidates(given.rest.slice(1), commands, names), (word) => word);
    return;
  }
  const line = bashLine(given.rest[0] ?? '', homedir());
  // Before the program may stand others, and variables.
  const start = line.words.findLastIndex((word, i) => i < line.words.length - 1 && isProgram(word));
  const found = candidates(line.words.slice(start + 1), commands, names);
  printCandidates(found, (word) => bashWord(word, line, given.rest[1] ?? null));
}

function isProgram(word: string): boolean {
  return /^allow-nets(\.js)?$/.test(path.basename(word));
}

function printCandidates(found: Candidates, shown: (word: string) => string): void {
  printLine(found === null ? 'files' : 'words');
  for (const word of found ?? []) printLine(shown(word));
}
