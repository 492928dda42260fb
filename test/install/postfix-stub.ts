// A `postfix` command that does something else for some words and is the real one otherwise.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program } from '../requires';
import { makeFolder } from '../rig/scratch';

/** @param words word -> shell commands @returns a PATH in which it comes first */
export function pathWith(words: Readonly<Record<string, string>>): string {
  const bin = makeFolder('bin');
  const cases = Object.entries(words).map(([word, commands]) => `${word}) ${commands};;`);
  const script = `#!/bin/sh\nfor word; do case $word in ${cases.join(' ')} esac; done\nexec ${program('postfix')} "$@"\n`;
  writeFileSync(join(bin, 'postfix'), script, { mode: 0o755 });
  return `${bin}:${process.env['PATH']}`;
}
