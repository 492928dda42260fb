// `learn` on a mail log, against `grep -c`, which does nothing but find the lines.
import { newPath } from '../rig/scratch';
import { allowNets, emptyDatabase } from './databases';
import { wholeProcesses } from './drivers';
import { writeMailLog } from './mail-log';
import type { Group } from './row';

const PARTS = 6;

/** The speed is that of reading; with many users, a third of the time goes into a table of 20,000 lines. */
const SERVERS = { usual: 1000, large: 10_000 };

export const learn: Group = {
  name: 'learn',
  needs: [],
  async measure() {
    const usual = learnProgram(SERVERS.usual);
    const large = learnProgram(SERVERS.large);
    const search = { argv: ['/bin/grep', '-c', 'sasl_username=', usual.log], output: /^\d+\n$/ };
    const [grep, some, many] = await wholeProcesses(4, [search, usual.program, large.program]);
    const against = { what: 'grep -c', value: grep.ms / 1000 };
    const what = `learn, a log of ${PARTS} x 64 MB`;
    return [
      {
        what: `${what}, ${SERVERS.usual} users`,
        measured: { value: some.ms / 1000, unit: 's' },
        against,
        goal: { atMost: 12 },
      },
      { what: `${what}, ${SERVERS.large} users`, measured: { value: many.ms / 1000, unit: 's' }, against },
      {
        what: `learn, ${SERVERS.large} users, memory`,
        measured: { value: many.rssMb, unit: 'MB' },
        goal: { atMost: 300 },
      },
    ];
  },
};

/** learn on a log of so many users. */
function learnProgram(users: number) {
  const log = newPath('mail.log');
  const messages = writeMailLog(log, PARTS, users);
  const words = allowNets('learn', log, '--db', emptyDatabase());
  // The table itself is more than the driver keeps.
  const argv = ['/bin/sh', '-c', 'exec "$@" > /dev/null', 'sh', ...words];
  return { log, program: { argv, output: new RegExp(`of ${users} users in ${messages} messages`) } };
}
