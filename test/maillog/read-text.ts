// Text as learn reads a file of it, to sightings in plain words.
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openInputs } from '../../src/maillog/input';
import { SECONDS, TIMES } from '../../src/maillog/packed';
import { type Reading, readLog } from '../../src/maillog/read-log';

export interface Sighted {
  readonly user: string;
  readonly address: string;
  readonly seconds: number;
  readonly times: number;
}

export interface ReadText {
  readonly sighted: Sighted[];
  readonly reading: Reading;
}

/** `now`: seconds since 1970; the file was changed then. */
export async function readText(
  text: string | Buffer,
  { dovecot = false, now = Date.now() / 1000 } = {},
): Promise<ReadText> {
  const folder = mkdtempSync(join(tmpdir(), 'allow-nets-maillog-'));
  try {
    const file = join(folder, 'mail.log');
    writeFileSync(file, text);
    utimesSync(file, now, now);
    const sighted: Sighted[] = [];
    const [reading] = await readLog(openInputs([file], now), { dovecot, onBytes: () => {} }, (packed) => {
      for (let at = 0; at < packed.used; at = packed.after(at)) {
        const [seconds = 0, times = 0] = [packed.words[at + SECONDS], packed.words[at + TIMES]];
        sighted.push({
          user: packed.userAt(at),
          address: packed.addressAt(at),
          seconds: seconds >>> 0,
          times,
        });
      }
    });
    return { sighted, reading: reading as Reading };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
