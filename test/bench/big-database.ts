// The commands on a database of 1,000,000 rows: its import, against the sqlite3 program that imports the same rows into a
// table of the same shape, and single changes, against `allow-nets --version`, the least that a command can cost.
//
// sqlite3 reads text only, so that it stores the binary keys as hexadecimal text of twice the length, and an empty text where a
// column has none.
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import Database from 'better-sqlite3';
import { findProgram } from './clean-process';
import { emptyDatabase, familyOf, inside, MILLION, millionUsers, network, userName } from './databases';
import { type Process, type Runs, textFile, wholeProcesses } from './drivers';
import { allowNets } from './product';
import { type Group, LeftOut, median, type Row } from './row';
import { scratchPath } from './scratch';

const IMPORTS = 2;
const CHANGES = 15;

function* asInput(): Iterable<string> {
  yield 'user,network\n';
  for (let n = 0; n < MILLION; n++) yield `${userName(n)},${network(n, familyOf(n))}\n`;
}

/** All columns of `access`, in the order of the table. */
function* asStored(path: string): Iterable<string> {
  const database = new Database(path, { readonly: true });
  const columns = database.pragma('table_info(access)') as { name: string }[];
  const names = columns.map(({ name }) => (name === 'key' ? 'hex(key)' : name)).join(', ');
  const rows = database.prepare(`select ${names} from access where user <> '*'`).raw();
  for (const row of rows.iterate() as Iterable<unknown[]>) yield `${row.map((cell) => cell ?? '').join(',')}\n`;
  database.close();
}

async function writeLines(name: string, lines: Iterable<string>): Promise<string> {
  const path = scratchPath(name);
  await pipeline(Readable.from(lines), createWriteStream(path));
  return path;
}

/** An empty database for each round of an import; in the path that is returned, %r stands for the round. */
async function emptyDatabases(name: string, rounds: number): Promise<string> {
  for (let round = 0; round < rounds; round++) await emptyDatabase(`${name}-${round}`);
  return scratchPath(`${name}-%r.db`);
}

let stored: Promise<string> | null = null;

/** The sqlite3 program that imports the rows of `millionUsers`, in each of the rounds into an empty database of its own. */
export async function sqliteImport(name: string, rounds: number): Promise<Process> {
  const sqlite3 = findProgram('sqlite3');
  if (!sqlite3) throw new LeftOut(`${name}: sqlite3 is not installed (Debian package sqlite3)`);
  stored ??= writeLines('stored.csv', asStored(await millionUsers()));
  const database = await emptyDatabases(name, rounds);
  const argv = [sqlite3, database, '-cmd', '.mode csv', `.import ${await stored} access`];
  return { argv, requests: textFile(''), output: '' };
}

function requireMillion(paths: string): void {
  for (let round = 0; round < IMPORTS; round++) {
    const path = paths.replace('%r', `${round}`);
    const database = new Database(path, { readonly: true });
    const count = database.prepare('select count(*) from access').pluck().get();
    database.close();
    if (count !== MILLION) throw new Error(`${path} holds ${count} rows after the import`);
  }
}

function seconds(runs: Runs): Row['measured'] {
  return { value: median(runs.ms) / 1000, unit: 's' };
}

/** The same of users and networks alone, into a table without an index: the least that an import can cost. */
export function bareImport(input: string, name: string): Process {
  const database = scratchPath(`${name}-bare-%r.db`);
  const commands = ['-cmd', 'create table access (user, network)', '-cmd', '.mode tabs'];
  const argv = [findProgram('sqlite3') ?? '', database, ...commands, `.import --skip 1 ${input} access`];
  return { argv, requests: textFile(''), output: '' };
}

async function imports(): Promise<Row[]> {
  const input = await writeLines('input.csv', asInput());
  const database = await emptyDatabases('imported', IMPORTS);
  const theirProgram = await sqliteImport('by-sqlite3', IMPORTS);
  const [ours, theirs] = await wholeProcesses(
    IMPORTS,
    60,
    [
      {
        argv: allowNets('import', input, '--db', database),
        requests: textFile(''),
        output: /1,?000,?000/,
      },
      theirProgram,
    ],
    0,
  );
  if (!ours || !theirs) throw new Error('a program was not run');
  for (const path of [database, theirProgram.argv[1] ?? '']) requireMillion(path);
  return [
    {
      what: 'import of 1,000,000 rows',
      measured: seconds(ours),
      against: { what: 'sqlite3 .import', figure: seconds(theirs) },
      goal: { of: 'ratio', is: 'at most', bound: 4 },
    },
    {
      what: 'import of 1,000,000 rows, most memory',
      measured: { value: Math.max(...ours.rssMb), unit: 'MB' },
      goal: { of: 'value', is: 'at most', bound: 500 },
      more: { 'sqlite3 MB': Math.max(...theirs.rssMb) },
    },
  ];
}

async function changes(): Promise<Row[]> {
  const database = await millionUsers();
  const command = (output: RegExp, ...args: string[]): Process => {
    return { argv: allowNets(...args), requests: textFile(''), output };
  };
  const all = {
    check: ['check', userName(0), inside(0, 4)],
    add: ['add', 'new%r@example.com', '192.0.2.1'],
    remove: ['remove', 'new%r@example.com', '192.0.2.1'],
    'set add': ['set', 'add', 'office%r', '192.0.2.0/24'],
    'set remove': ['set', 'remove', 'office%r', '--all'],
  };
  const [version, ...runs] = await wholeProcesses(CHANGES, 20, [
    command(/^\d+\.\d+\.\d+/, '--version'),
    ...Object.values(all).map((args) => command(/./, ...args, '--db', database)),
  ]);
  return Object.keys(all).map((name, i) => {
    const one = runs[i];
    if (!one || !version) throw new Error('a program was not run');
    return {
      what: `${name}, 1,000,000 rows`,
      measured: { value: median(one.ms), unit: 'ms' },
      against: { what: 'allow-nets --version', figure: { value: median(version.ms), unit: 'ms' } },
      goal: { of: 'ratio', is: 'at most', bound: 1.5 },
      more: { 'cpu x': median(one.cpuMs) / median(version.cpuMs) },
    };
  });
}

export const importing: Group = { name: 'import', measure: imports };
export const changing: Group = { name: 'changes', measure: changes };
