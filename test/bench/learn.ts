// `learn` on a mail log, against `grep -c`, which does nothing but find the lines.
import { newPath } from '../rig/scratch';
import { allowNets, emptyDatabase } from './databases';
import { wholeProcesses } from './drivers';
import { LOG_USERS, writeMailLog } from './mail-log';
import type { Group } from './row';

const PARTS = 6;

export const learn: Group = {
  name: 'learn',
  needs: [],
  async measure() {
    const log = newPath('mail.log');
    const messages = writeMailLog(log, PARTS);
    const words = allowNets('learn', log, '--db', emptyDatabase());
    const [grep, ours] = await wholeProcesses(4, [
      { argv: ['/bin/grep', '-c', 'sasl_username=', log], output: /^\d+\n$/ },
      {
        // The table itself is more than the driver keeps.
        argv: ['/bin/sh', '-c', 'exec "$@" > /dev/null', 'sh', ...words],
        output: new RegExp(`of ${LOG_USERS} users in ${messages} messages`),
      },
    ]);
    return [
      {
        what: `learn, a log of ${PARTS} x 64 MB`,
        measured: { value: ours.ms / 1000, unit: 's' },
        against: { what: 'grep -c', value: grep.ms / 1000 },
        goal: { atMost: 12 },
      },
      {
        what: `learn, ${LOG_USERS} users, memory`,
        measured: { value: ours.rssMb, unit: 'MB' },
        goal: { atMost: 300 },
      },
    ];
  },
};
