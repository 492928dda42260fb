// Text as learn reads a file of it, to sightings in plain words.
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openInputs } from '../../src/maillog/input';
import { addressAt, userAt } from '../../src/maillog/packed';
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
    const texts: { user: string; address: string }[] = [];
    const options = { dovecot, onBytes: () => {} };
    const [reading] = await readLog(openInputs([file], now), options, (numbered) => {
      let number = numbered.firstNew;
      for (const at of numbered.newTextsAt()) {
        texts[number++] = { user: userAt(numbered, at), address: addressAt(numbered, at) };
      }
      for (let i = 0; i < numbered.sightings; i++) {
        const { user, address } = texts[numbered.textsOf(i)] ?? { user: 'none', address: 'none' };
        sighted.push({ user, address, seconds: numbered.secondsOf(i), times: numbered.timesOf(i) });
      }
    });
    return { sighted, reading: reading as Reading };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
