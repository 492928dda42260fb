// allow-nets sync: keeps the database equal to a list that is kept elsewhere.
//
// DIAGNOSTICS: the database keeps answering whatever happens to the list. Only complete and valid output of COMMAND
// changes it, in one transaction, and only if the guard of `import --replace` accepts it. Otherwise nothing changes,
// and a warning says why.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Arguments, type Command, DRY_RUN, flag, value } from '../cli/command';
import { secondsOf } from '../cli/time';
import { failureOf, isFailure, refusal, Trouble, wrongUsage } from '../failure';
import { printCounts } from '../formats/load';
import { FORMATS, type Format } from '../formats/records';
import { logRun } from '../sync/log';
import { type Job, LONGEST_TIMER, syncOnce } from '../sync/run';
import { nextState, readState, writeState } from '../sync/state';

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 };
const TIMEOUT = 60;

export const sync: Command = {
  line: 'sync',
  tail: '-- <command> [arg..]',
  summary: 'make the database equal to what a command prints',
  about: [
    'Runs COMMAND (no shell, unless it is one) and reads all that it prints: the formats and columns of import. If it ends with status 0 and every line can be read, the database is made equal to the output, in one transaction. Otherwise nothing changes, and a warning says why.',
    'Only rows that differ are written. Rows with a local mark (add --local) stay as they are, and so do all sets when the output has no column set. Without --force it refuses to remove more than half of the entries: a table emptied by mistake must not lock everybody out.',
    'With --every it runs until SIGTERM, and logs one line for each change, for the first failure and for the recovery. allow-nets list --status shows the last success and the last error.',
  ],
  options: {
    every: value('repeat at this interval: 30s, 5m, 1h, give or take a tenth'),
    timeout: value(`how long COMMAND and the reading may take (${TIMEOUT}s)`),
    format: { choices: FORMATS, requiresArg: true, describe: 'default: from the beginning of the output' },
    force: flag('even if most entries would go, or the output is cut off'),
    'dry-run': DRY_RUN,
  },
  examples: [
    [
      "allow-nets sync --every 30s -- mysql --batch -e 'select user, network from access' mail",
      'from MySQL or MariaDB',
    ],
    ['allow-nets sync -- ssh admin@mx1.example.com allow-nets export', 'once, from another server'],
  ],
  async run(args) {
    const job = jobOf(args);
    const stop = stopSignal();
    let state = readState(job.db);
    for (;;) {
      const begin = Date.now();
      let outcome = await syncOnce(job, stop).catch(failureOf);
      if (isFailure(outcome)) {
        if (outcome.kind === 'bug' || (stop.aborted && job.every === null)) throw new Trouble(outcome);
        if (stop.aborted) return 0;
      }
      if (!job.dryRun) {
        const before = state;
        state = nextState(before, job, begin, outcome);
        try {
          writeState(job.db, state);
        } catch (error) {
          if (!isFailure(outcome)) outcome = failureOf(error);
          state = nextState(before, job, begin, outcome);
        }
        await logRun(job, outcome, before, (Date.now() - begin) / 1000);
      }
      if (job.every === null) {
        if (isFailure(outcome)) throw new Trouble(outcome);
        printCounts(outcome, job.dryRun);
        return 0;
      }
      // Random, so that servers started together spread out; at least a tenth, so that a slow COMMAND gets a pause.
      const next = Math.min(LONGEST_TIMER, job.every * 1000 * (0.9 + 0.2 * Math.random()));
      await sleep(Math.max(next - (Date.now() - begin), next / 10), null, { signal: stop }).catch(() => {});
      if (stop.aborted) return 0;
    }
  },
};

function jobOf(args: Arguments): Job {
  if (args.rest.length === 0 || args.rest[0] === '') {
    const likely = "allow-nets sync -- mysql --batch -e 'select user, network from access' mail";
    throw wrongUsage('sync requires a command after --', likely);
  }
  const every = args.text('every');
  const dryRun = args.flag('dry-run');
  if (dryRun && every !== null) throw wrongUsage('--dry-run goes without --every', 'leave one of them out');
  return {
    db: args.db,
    source: args.rest,
    format: args.text('format') as Format | null,
    force: args.flag('force'),
    dryRun,
    timeout: secondsOf(args.text('timeout') ?? `${TIMEOUT}s`, '--timeout', UNITS),
    every: every === null ? null : secondsOf(every, '--every', UNITS),
  };
}

/** Returns an AbortSignal that SIGTERM, SIGINT or SIGHUP aborts, with Trouble as its reason. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const reason = refusal('sync was ended by a signal', 'nothing was changed');
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => controller.abort(reason));
  return controller.signal;
}
