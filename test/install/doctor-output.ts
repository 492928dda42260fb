// What doctor prints of what is not ok, with names in place of paths and ports, and the form that every fix must have: a sentence, then each
// command alone on its line, ready for a shell.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { Outcome } from '../rig/run';

const COMMAND =
  /\b(allow-nets (install|uninstall|doctor|init|add|remove|list|tidy|learn|replay)|postfix (-c|reload)|postconf -|chmod|chown|chgrp|sqlite3 |useradd)/;

/**
 * The findings that are not ok, `STATUS CHECK: MESSAGE`, with their fixes, `  WORDS: $ COMMAND`. `names`: text -> the name that stands for it; the
 * longest is replaced first.
 */
export function faultsIn({ stdout }: Outcome, names: Readonly<Record<string, string>>): string {
  const blocks = stdout.split(/^(?=ok {4}|warn {2}|fail {2})/m).filter((block) => !block.startsWith('ok'));
  for (const line of blocks.flatMap((block) => block.split('\n').slice(1))) {
    if (line.startsWith('        ')) {
      assert.equal(spawnSync('sh', ['-n', '-c', line.trim()]).status, 0, line);
    } else assert.doesNotMatch(line, COMMAND);
  }
  const longest = Object.entries(names).sort(([a], [b]) => b.length - a.length);
  const named = longest.reduce((text, [from, name]) => text.replaceAll(from, name), blocks.join(''));
  return named
    .replace(/^(\w+) +(\S.*?\S) {2,}/gm, '$1 $2: ')
    .replace(/^ {6}fix: run:\n {8}/gm, '  $ ')
    .replace(/^ {6}fix: (.*):\n {8}/gm, '  $1: $ ')
    .replace(/^ {6}fix: /gm, '  ')
    .replace(/^fail (program|answer): .*\n {2}see (".*") above$/gm, 'fail $1, see $2');
}

/** `expected`: the text, where `...` stands for anything on its line. */
export function assertFaults(found: string, expected: string): void {
  const pattern = expected
    .replace(/^\n/, '')
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('\\.\\.\\.', '.*');
  if (!new RegExp(`^${pattern}$`).test(found)) assert.equal(found, expected.replace(/^\n/, ''));
}

/** The commands of the fixes, in order. */
export const commandsIn = ({ stdout }: Outcome): string[] =>
  [...stdout.matchAll(/^ {8}(.*)$/gm)].map(([, command = '']) => command);
