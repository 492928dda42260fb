// `learn` and `replay` on a log of 10,000 users in the page cache, against grep, which only looks for the lines.
import { findProgram, runClean } from './clean-process';
import { emptyDatabase } from './databases';
import { type Process, type Runs, textFile, wholeProcesses } from './drivers';
import { LOG_USERS, writeMailLog } from './mail-log';
import { allowNets } from './product';
import { type Group, LeftOut, median, type Row } from './row';
import { scratchPath } from './scratch';

/** Of 64 MB: small against the logs that it is for, but what a benchmark of a few minutes can write. */
const DAYS = 28;
const ROUNDS = 5;

export const learn: Group = {
  name: 'learn',
  async measure() {
    const grep = findProgram('grep');
    if (!grep) throw new LeftOut('learn: grep is not installed');
    const log = scratchPath('mail.log');
    const messages = writeMailLog(log, DAYS);
    const database = await emptyDatabase('learned');
    await quietly('learn', '--apply', log, '--db', database);
    const requests = textFile('');
    const process = (output: RegExp, ...words: string[]): Process => {
      return { argv: [...QUIET, ...allowNets(...words)], requests, output };
    };
    const [seek, learned, replayed] = await wholeProcesses(ROUNDS, 60, [
      { argv: [grep, '-c', 'sasl_username=', log], requests, output: /^\d+\n$/ },
      process(
        new RegExp(`of ${LOG_USERS} users in ${messages} messages`),
        'learn',
        log,
        '--db',
        scratchPath('none.db'),
      ),
      // Exit status 0: nobody would be refused.
      process(/^$/, 'replay', log, '--db', database),
    ]);
    if (!seek || !learned || !replayed) throw new Error('a program was not run');
    return [...rows('learn', learned, seek), ...rows('replay', replayed, seek)];
  },
};

/** The driver keeps what is written, and of tables that is too much. */
const QUIET = ['/bin/sh', '-c', 'exec "$@" > /dev/null', 'sh'];

async function quietly(...words: string[]): Promise<void> {
  await runClean([...QUIET, ...allowNets(...words)]);
}

function rows(what: string, runs: Runs, seek: Runs): Row[] {
  return [
    {
      what: `${what}, a log of ${DAYS} x 64 MB`,
      measured: seconds(runs),
      against: { what: 'grep -c', figure: seconds(seek) },
      goal: { of: 'ratio', is: 'at most', bound: 12 },
      more: { 'cpu x': median(runs.cpuMs) / median(seek.cpuMs) },
    },
    {
      what: `${what}, ${LOG_USERS} users, most memory`,
      measured: { value: Math.max(...runs.rssMb), unit: 'MB' },
      goal: { of: 'value', is: 'at most', bound: 300 },
    },
  ];
}

function seconds({ ms }: Runs): Row['measured'] {
  return { value: median(ms) / 1000, unit: 's' };
}
