// Text as learn and refused read a file of it.
import { utimesSync } from 'node:fs';
import { type LineKind, POSTFIX_LINES } from '../../src/maillog/line-kinds';
import { openLog } from '../../src/maillog/log-file';
import { readLog, type Sighting } from '../../src/maillog/read-log';
import { newFile } from '../rig/scratch';

export type ReadText = Awaited<ReturnType<typeof readText>>;

/** `now`: ms since 1970; the file was changed then. `unread`: the number of lines not understood, or with NUL bytes. */
export async function readText(text: string | Buffer, now = Date.now(), kind: LineKind = POSTFIX_LINES) {
  const file = newFile(text);
  utimesSync(file, now / 1000, now / 1000);
  const found: Sighting[] = [];
  const hints = await readLog(openLog(file, now), [kind], (sighting) => found.push(sighting));
  const counts = [
    ...hints.join('\n').matchAll(/: (?:left out )?(\d+) (?:broken )?lines? (?:not understood|with NUL)/g),
  ];
  return { found, unread: counts.reduce((sum, [, count]) => sum + Number(count), 0), hints };
}
