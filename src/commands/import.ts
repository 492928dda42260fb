// allow-nets import: many rows at once, from a file or a pipe.
import * as fs from 'node:fs';
import type { Command } from '../cli/command';
import type { Refusal } from '../cli/input';
import { hint, printError, printLine } from '../cli/output';
import { Progress } from '../cli/progress';
import { printable, Trouble } from '../failure';
import { bytesOf } from '../formats/chunks';
import { FORMATS, type Format } from '../formats/format';
import { type Loaded, load } from '../formats/load';
import type { Read } from '../formats/read';
import type { Change, ImportResult } from '../rules/import';

export const importRows: Command = {
  line: 'import <file>',
  summary: 'take in many rows at once',
  about: [
    "The columns are user, network, note, expires, added_at, added_by, set, local; user and network are enough. A header line names them in any order; without one they stand in this order. A row of a named set has the name in the column set and no user. A network may be a list with commas, as in Dovecot's allow_nets. A date alone in expires means to the end of that day in local time; a time without an offset is UTC.",
    'csv: RFC 4180, as psql --csv prints it too; a semicolon, tab or bar may stand for the comma. tsv: as mysql --batch prints it, or psql -A. json: an array of objects, or one object after the other, as export writes it. dovecot: a passwd-file, of which user and allow_nets count; users without allow_nets are left out.',
    'All or nothing: every line is read and checked first, and with one wrong line nothing changes. An entry that is there already gets what the input says of it.',
    '--replace makes the database equal to the input. Rows with a local mark stay as they are, and so do all sets when the input has no column set. It refuses to take away more than half of the entries, to read an input without entries, or one whose last line has no line break (it may be cut off), unless --force is given.',
  ],
  positionals: { file: 'file to read, or - for standard input' },
  options: {
    format: { choices: FORMATS, requiresArg: true, describe: 'else guessed from the name or the beginning' },
    replace: { type: 'boolean', describe: 'make the database equal to the input' },
    'dry-run': { type: 'boolean', describe: 'print what would change, and change nothing' },
    verbose: { type: 'boolean', describe: 'name each row that was added, changed or removed' },
    force: {
      type: 'boolean',
      describe: 'also when most entries would go, the input is empty or cut off, or a set named in it does not exist',
    },
  },
  examples: [
    ["mysql --batch -e 'select user, network from access' testdb | allow-nets import -", 'from MySQL or MariaDB'],
    ['psql --csv -c \'select "user", network from access\' testdb | allow-nets import -', 'from PostgreSQL'],
    ['allow-nets import --replace --dry-run users.csv', 'what would become different'],
  ],
  async run(given) {
    const name = given.text('file') ?? '-';
    const options = {
      replace: given.flag('replace'),
      dryRun: given.flag('dry-run'),
      force: given.flag('force'),
    };
    const descriptor = openInput(name);
    const progress = new Progress(sizeOf(descriptor));
    const isShown = options.dryRun || given.flag('verbose');
    let loaded: Loaded;
    try {
      loaded = await load(
        given.db,
        {
          chunks: bytesOf(descriptor, progress.add),
          name,
          format: given.text('format') as Format | null,
        },
        {
          ...options,
          empty: {
            problem: 'the input is empty',
            hint: 'did the command before the pipe fail? To go on all the same add --force',
          },
          report: isShown ? (change) => printChange(change, options.dryRun) : undefined,
        },
        () => progress.say('comparing with the database, and writing what differs'),
      );
    } finally {
      progress.done();
    }
    const { read } = loaded;
    if (loaded.kind === 'unreadable') return printProblems(read);
    const { result } = loaded;
    if (read.unknownColumns.length > 0) hint(`columns left out: ${printable(read.unknownColumns.join(', '))}`);
    if (read.withoutNetworks > 0) hint(`users without allow_nets, left out: ${read.withoutNetworks}`);
    printLine(countsText(result, options.dryRun));
    if (result.repeated > 0) hint(`rows that mean the same as another one: ${result.repeated}`);
    if (result.refusal !== null) hint(`it would be refused without --force: ${result.refusal.message}`);
    return 0;
  },
};

export function countsText({ added, changed, removed, unchanged }: ImportResult, dryRun: boolean): string {
  return dryRun
    ? `would add ${added}, change ${changed}, remove ${removed}; unchanged ${unchanged}`
    : `added ${added}, changed ${changed}, removed ${removed}, unchanged ${unchanged}`;
}

/** The descriptor of a file, or of standard input for `-`. Throws Trouble. */
export function openInput(name: string): number {
  if (name === '-') return 0;
  try {
    const descriptor = fs.openSync(name, 'r');
    if (!fs.fstatSync(descriptor).isDirectory()) return descriptor;
    throw Object.assign(new Error(), { code: 'EISDIR' });
  } catch (error) {
    throw new Trouble({ kind: 'refused', ...unopened(name, error as NodeJS.ErrnoException) });
  }
}

function unopened(name: string, { code = '' }: NodeJS.ErrnoException): Refusal {
  const hint = 'allow-nets import FILE, or - for standard input';
  if (code === 'ENOENT') return { problem: `there is no file ${name}`, hint };
  if (code === 'EISDIR') return { problem: `${name} is a folder`, hint };
  const problem = `${name} cannot be read (${code})`;
  return { problem, hint: code === 'EACCES' ? `run the command as root, or: ls -l ${name}` : hint };
}

/** Of a file; null of a pipe. */
export function sizeOf(descriptor: number): number | null {
  const stat = fs.fstatSync(descriptor);
  return stat.isFile() ? stat.size : null;
}

/** The line for a row that was, or would be, added, changed or removed. */
export function printChange({ table, what, name, network }: Change, dryRun: boolean): void {
  const owner = table === 'network_set' ? `@${name}` : name;
  const done = { add: 'added', change: 'changed', remove: 'removed' }[what];
  printLine(printable(`${dryRun ? `would ${what}` : done} ${owner} ${network}`));
}

export function printProblems({ problems, problemCount }: Read): 1 {
  problems.forEach(({ line, problem, hint: likely }, i) => {
    printError(`allow-nets: error: line ${line}: ${printable(problem)}\n`);
    // Twenty times the same hint would hide the lines.
    if (problems[i + 1]?.hint !== likely) hint(printable(likely));
  });
  const more = problemCount - problems.length;
  const first = more > 0 ? `, of which these are the first ${problems.length}` : '';
  printError(
    `allow-nets: error: ${problemCount} ${problemCount === 1 ? 'line is' : 'lines are'} wrong${first}: nothing was changed\n`,
  );
  return 1;
}
