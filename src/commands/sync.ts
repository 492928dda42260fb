// allow-nets sync: a local copy of a list that lives elsewhere, made equal to it again and again.
//
// The copy goes on answering whatever happens to the list: only complete and valid output of COMMAND changes the database, in one
// transaction and past the guard of `import --replace`. In trouble nothing changes, and the warning says why.
import * as path from 'node:path';
import type { Arguments, Command } from '../cli/command';
import { printLine } from '../cli/output';
import { secondsOf } from '../cli/time';
import { Trouble } from '../failure';
import { FORMATS, type Format } from '../formats/format';
import { SyncLog } from '../sync/log';
import { repeating, stopping } from '../sync/loop';
import { isNothing, type Job, type Run, syncOnce } from '../sync/run';
import { readState } from '../sync/state';

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 };
const TIMEOUT = 60;

export const sync: Command = {
  line: 'sync',
  tail: '-- <command> [arg..]',
  summary: 'make the database equal to what a command prints',
  about: [
    'Runs COMMAND (no shell, unless it is one) and reads all that it prints: the formats and columns of import. Only when it has ended with status 0 and every line is good, the database is made equal to it, in one transaction. Otherwise nothing changes, and the warning says why.',
    'Only rows that differ are written. Rows with a local mark (add --local) stay as they are, and so do all sets when the output has no column set. It refuses to take away more than half of the entries, or all of them, unless --force is given: a table emptied by mistake must not lock everybody out.',
    'With --every it goes on until it is told to end (SIGTERM), with one line in the mail log for each change, for the first failure and for the recovery. allow-nets list --status shows the last success and the last error.',
  ],
  options: {
    every: { type: 'string', requiresArg: true, describe: 'again and again: 30s, 5m, 1h' },
    jitter: {
      type: 'boolean',
      describe: 'not at the same moments as other servers: the second run comes earlier by chance',
    },
    timeout: { type: 'string', requiresArg: true, describe: `how long COMMAND may take (${TIMEOUT}s)` },
    format: { choices: FORMATS, requiresArg: true, describe: 'else guessed from the beginning' },
    force: { type: 'boolean', describe: 'also when most entries would go, or all' },
    'dry-run': { type: 'boolean', describe: 'print what would change, and change nothing' },
  },
  examples: [
    [
      "allow-nets sync --every 30s -- mysql --batch -e 'select user, network from access' mail",
      'from MySQL or MariaDB',
    ],
    ['allow-nets sync -- ssh admin@mx1.example.com allow-nets export', 'once, from another server'],
  ],
  async run(given) {
    const job = jobOf(given);
    const stop = stopping();
    const state = readState(job.db);
    const failing = state !== null && state !== 'forbidden' && state.error !== null;
    const log = new SyncLog(path.basename(job.source[0] ?? ''), failing, job.every === null);
    const unwritten: Parameters<typeof syncOnce>[2] = (failure) => void log.failed(failure, 'state');
    if (job.every === null) {
      const run = await syncOnce(job, stop, unwritten);
      if (!job.dryRun || run.kind === 'failed') await log.tell(run);
      return statusOf(run, job.dryRun);
    }
    await repeating(job.every, given.flag('jitter') ? Math.random() : 0, stop, async () => {
      await log.tell(await syncOnce(job, stop, unwritten));
    });
    return 0;
  },
};

function jobOf(given: Arguments): Job {
  if (given.rest.length === 0 || given.rest[0] === '') {
    const likely = "allow-nets sync -- mysql --batch -e 'select user, network from access' mail";
    throw usage('sync wants a command after --', likely);
  }
  const every = given.text('every') !== null;
  if (given.flag('jitter') && !every) throw usage('--jitter goes with --every', '--every 30s --jitter');
  if (given.flag('dry-run') && every) throw usage('--dry-run goes without --every', 'leave one of them out');
  const seconds = (option: string) => {
    const text = given.text(option);
    return text === null ? null : secondsOf(text, `--${option}`, UNITS);
  };
  return {
    db: given.db,
    source: given.rest,
    format: given.text('format') as Format | null,
    force: given.flag('force'),
    dryRun: given.flag('dry-run'),
    timeout: seconds('timeout') ?? TIMEOUT,
    every: seconds('every'),
  };
}

function usage(problem: string, hint: string): Trouble {
  return new Trouble({ kind: 'option', problem, hint });
}

function statusOf(run: Run, dryRun: boolean): 0 | 1 {
  if (run.kind === 'stopped') {
    throw new Trouble({
      kind: 'refused',
      problem: 'told to end before COMMAND had ended',
      hint: 'nothing was changed',
    });
  }
  if (run.kind === 'failed') return 1;
  const { added, changed, removed } = run.changes;
  const would = dryRun ? 'would be ' : '';
  const what = isNothing(run.changes)
    ? 'no difference'
    : `${would}added ${added}, ${would}changed ${changed}, ${would}removed ${removed}`;
  printLine(`${what}: ${run.rows} rows, ${run.took.toFixed(1)} s`);
  return 0;
}
