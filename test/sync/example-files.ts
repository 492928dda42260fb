// The files of examples/many-servers as a test runs them: with its own paths, addresses and intervals in the place of those written there.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param changes what stands in the file -> what is to stand there
 * @throws when the file does not hold it: the example or the test has gone stale
 */
export function example(name: string, changes: Readonly<Record<string, string>> = {}): string {
  let text = readFileSync(join('examples/many-servers', name), 'utf8');
  for (const [from, to] of Object.entries(changes)) {
    if (!text.includes(from)) throw new Error(`${name} does not hold ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}

/** A main.cf as postconf(5) reads it: comments left out, continued lines joined. */
export function parametersOf(mainCf: string): Record<string, string> {
  const lines = mainCf.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const logical = lines.join('\n').replace(/\n\s+/g, ' ').split('\n');
  return Object.fromEntries(
    logical.map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    }),
  );
}

/** A master.cf without its comments. */
export function servicesOf(masterCf: string): string[] {
  return masterCf.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
}
