// `learn` on a mail log, against `grep -c`, which does nothing but find the lines.
import { findProgram, runClean } from './clean-process';
import { allowNets } from './databases';
import { textFile, wholeProcesses } from './drivers';
import { LOG_USERS, writeMailLog } from './mail-log';
import { type Group, LeftOut, median } from './row';
import { scratchPath } from './scratch';

const PARTS = 6;

export const learn: Group = {
  name: 'learn',
  async measure() {
    const grep = findProgram('grep');
    if (!grep) throw new LeftOut('learn: grep is not installed');
    const log = scratchPath('mail.log');
    const messages = writeMailLog(log, PARTS);
    const requests = textFile('');
    const db = scratchPath('learn.db');
    await runClean(allowNets('init', '--db', db));
    const words = allowNets('learn', log, '--db', db);
    const [seek, ours] = await wholeProcesses(3, 30, [
      { argv: [grep, '-c', 'sasl_username=', log], requests, output: /^\d+\n$/ },
      {
        // The table itself is more than the driver keeps.
        argv: ['/bin/sh', '-c', 'exec "$@" > /dev/null', 'sh', ...words],
        requests,
        output: new RegExp(`of ${LOG_USERS} users in ${messages} messages`),
      },
    ]);
    return [
      {
        what: `learn, a log of ${PARTS} x 64 MB`,
        measured: { value: median(ours?.ms ?? []) / 1000, unit: 's' },
        against: { what: 'grep -c', value: median(seek?.ms ?? []) / 1000 },
        goal: { atMost: 12 },
        more: { 'MB/s': (PARTS * 64e3) / median(ours?.ms ?? []) },
      },
      {
        what: `learn, ${LOG_USERS} users, memory`,
        measured: { value: Math.max(...(ours?.rssMb ?? [])), unit: 'MB' },
        goal: { atMost: 300 },
      },
    ];
  },
};
