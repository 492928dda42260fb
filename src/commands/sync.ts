// allow-nets sync: a local copy of a list that lives elsewhere, made equal to it again and again.
//
// The copy goes on answering whatever happens to the list: only complete and valid output of COMMAND changes the database, in one
// transaction and past the guard of `import --replace`. In trouble nothing changes, and the warning says why.
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Arguments, Command } from '../cli/command';
import { flush, printError, printLine } from '../cli/output';
import { secondsOf } from '../cli/time';
import { asErrorLines, asLogLine, Trouble } from '../failure';
import { FORMATS, type Format } from '../formats/format';
import { MailLog, type Priority } from '../postfix/mail-log';
import { parseInstant } from '../rules/expiry';
import { pause, Stopped, stopSignal } from '../sync/limits';
import { changesOf, type Job, type Run, runOnce } from '../sync/run';
import { ageText, readState, type SyncState, writeState } from '../sync/state';

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
    every: {
      type: 'string',
      requiresArg: true,
      describe: 'again and again: 30s, 5m, 1h, each time a tenth more or less',
    },
    timeout: {
      type: 'string',
      requiresArg: true,
      describe: `how long COMMAND and the reading may take (${TIMEOUT}s)`,
    },
    format: { choices: FORMATS, requiresArg: true, describe: 'else guessed from the beginning' },
    force: { type: 'boolean', describe: 'also when most entries would go, or all, or the output is cut off' },
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
    const stop = stopSignal();
    const found = readState(job.db);
    let state = found === 'forbidden' ? null : found;
    let isRemembered = true;
    for (;;) {
      const begin = performance.now();
      const run = await runOnce(job, state, stop);
      if (run.kind !== 'stopped' && !job.dryRun) {
        isRemembered = remember(job.db, run.state, isRemembered);
        await logRun(job, run, state);
        state = run.state;
      }
      if (run.kind === 'failed' && (job.every === null || state?.failing === state?.attempted)) {
        printError(asErrorLines(run.failure));
      }
      if (job.every === null) return statusOf(run, job.dryRun);
      // Servers that were started together do not ask together for ever; a slow COMMAND does not run without a pause.
      const next = job.every * 1000 * (0.9 + 0.2 * Math.random());
      await pause(Math.max(next - (performance.now() - begin), next / 10), stop);
      if (stop.aborted) return 0;
    }
  },
};

/** Whether the state could be written. `before`: whether the last one could, so that it is said once. */
function remember(db: string, state: SyncState, before: boolean): boolean {
  if (!fs.existsSync(db)) return before;
  try {
    writeState(db, state);
    return true;
  } catch (error) {
    const problem = `what is known of sync cannot be written beside ${db} (${(error as Error).message})`;
    const remedy = 'rows are synced all the same; let the user of sync write in that folder';
    if (before) printError(asErrorLines({ kind: 'refused', problem, hint: remedy }));
    return false;
  }
}

/** One line in the mail log for a change, for the first failure, and for the recovery. */
async function logRun(job: Job, run: Exclude<Run, { kind: 'stopped' }>, before: SyncState | null): Promise<void> {
  const isFailing = (before?.error ?? null) !== null;
  if (run.kind === 'failed') {
    if (!isFailing) await toMailLog('warning', `sync: ${asLogLine(run.failure)}`);
    return;
  }
  const source = path.basename(job.source[0] ?? '');
  const lines: string[] = [];
  if (isFailing) {
    const since = parseInstant(before?.failing ?? '');
    const age = since === null ? '' : ` after ${ageText(Math.max(0, Math.round((Date.now() - since) / 1000)))}`;
    lines.push(`sync: works again${age} source=${source}`);
  }
  const { added, removed, changed } = run.result;
  if (changesOf(run.result) > 0) {
    lines.push(
      `sync: added=${added} removed=${removed} changed=${changed} took=${run.took.toFixed(1)}s source=${source}`,
    );
  }
  for (const line of lines) {
    if (job.every !== null) printLine(line);
    flush();
    await toMailLog('info', line);
  }
}

/** With a log program of its own: lines are rare here, and one that waited for hours could miss that the log was rotated. */
function toMailLog(priority: Priority, line: string): Promise<void> {
  const log = new MailLog(priority);
  log.write(line.replace(/[^ -~]/g, '?'));
  return new Promise((resolve) => log.close(resolve));
}

function jobOf(given: Arguments): Job {
  if (given.rest.length === 0 || given.rest[0] === '') {
    const likely = "allow-nets sync -- mysql --batch -e 'select user, network from access' mail";
    throw usage('sync requires a command after --', likely);
  }
  const every = given.text('every') !== null;
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
  if (run.kind === 'stopped') throw new Stopped();
  if (run.kind === 'failed') return 1;
  const { added, changed, removed } = run.result;
  const would = dryRun ? 'would be ' : '';
  const what =
    changesOf(run.result) === 0
      ? 'no difference'
      : `${would}added ${added}, ${would}changed ${changed}, ${would}removed ${removed}`;
  printLine(`${what}: ${run.state.rows} rows, ${run.took.toFixed(1)} s`);
  return 0;
}
