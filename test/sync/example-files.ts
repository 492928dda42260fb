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
