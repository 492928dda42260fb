// Text as learn reads a file of it.
import { utimesSync } from 'node:fs';
import { openLog } from '../../src/maillog/input';
import { POSTFIX_LINES } from '../../src/maillog/postfix-line';
import type { Sighting } from '../../src/maillog/read-log';
import { type ReadReport, readLog } from '../../src/maillog/read-log';
import { newFile } from '../rig/scratch';

export interface ReadText {
  readonly sighted: (Sighting & { readonly seconds: number })[];
  readonly reading: ReadReport;
}

/** `now`: seconds since 1970; the file was changed then. */
export async function readText(
  text: string | Buffer,
  { now = Date.now() / 1000 }: { now?: number } = {},
): Promise<ReadText> {
  const file = newFile(text, 'mail.log');
  utimesSync(file, now, now);
  const sighted: ReadText['sighted'] = [];
  const onFound = (sighting: Sighting, seconds: number) => sighted.push({ ...sighting, seconds });
  return { sighted, reading: await readLog(openLog(file, now), [POSTFIX_LINES], onFound, () => {}) };
}
