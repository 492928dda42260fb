// Text as learn reads a file of it.
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLog } from '../../src/maillog/input';
import { POSTFIX_LINES } from '../../src/maillog/postfix-line';
import type { Sighting } from '../../src/maillog/read-log';
import { type ReadReport, readLog } from '../../src/maillog/read-log';

export interface ReadText {
  readonly sighted: (Sighting & { readonly seconds: number })[];
  readonly reading: ReadReport;
}

/** `now`: seconds since 1970; the file was changed then. */
export async function readText(
  text: string | Buffer,
  { now = Date.now() / 1000 }: { now?: number } = {},
): Promise<ReadText> {
  const folder = mkdtempSync(join(tmpdir(), 'allow-nets-maillog-'));
  try {
    const file = join(folder, 'mail.log');
    writeFileSync(file, text);
    utimesSync(file, now, now);
    const sighted: ReadText['sighted'] = [];
    const onFound = (sighting: Sighting, seconds: number) => sighted.push({ ...sighting, seconds });
    return { sighted, reading: await readLog(openLog(file, now), [POSTFIX_LINES], onFound, () => {}) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
