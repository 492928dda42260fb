// allow-nets import: adds many rows at once, from a file or a pipe.
import type { Command } from '../cli/command';
import { openInput, sizeOf } from '../cli/input-file';
import { hint, printLine } from '../cli/output';
import { Progress } from '../cli/progress';
import { blocksOf } from '../formats/lines';
import { countsText, load } from '../formats/load';
import { FORMATS, type Format } from '../formats/records';

export const importRows: Command = {
  line: 'import <file>',
  summary: 'import rows from a file',
  about: [
    "The columns are user, network, note, expires, added_at, added_by, set, local; user and network are enough. A header line may give them in any order; without one they come in this order. A row of a named set has its name in the column set and no user. A network may be a list with commas, as in Dovecot's allow_nets. A date alone in expires means the end of that day in local time; a time without an offset is UTC. local is 1 for a row of this server alone. A column that the input does not have stays as it is in existing entries.",
    'csv: RFC 4180, as psql --csv prints it too; a semicolon, tab or bar may stand for the comma. tsv: as mysql --batch prints it, or psql -A. json: an array of objects, or one object after the other, as export writes it. dovecot: a passwd-file, of which user and allow_nets count; users without allow_nets are left out.',
    'All or nothing: every line is read and checked first, and with one wrong line nothing changes. An existing entry gets what the input says.',
    '--replace makes the database equal to the input. Rows with a local mark stay as they are, and so do all sets when the input has no column set. Without --force it refuses to remove more than half of the entries, and an input without entries or without a line break at the end (it may be cut off).',
  ],
  positionals: { file: 'file to read, or - for standard input' },
  options: {
    format: { choices: FORMATS, requiresArg: true, describe: 'default: from the name of the file, or its beginning' },
    replace: { type: 'boolean', describe: 'make the database equal to the input' },
    'dry-run': { type: 'boolean', describe: 'print what would change, and change nothing' },
    verbose: { type: 'boolean', describe: 'print each row that was added, changed or removed' },
    force: {
      type: 'boolean',
      describe: 'even if most entries would go, the input is empty or cut off, or a set named in it does not exist',
    },
  },
  examples: [
    ["mysql --batch -e 'select user, network from access' testdb | allow-nets import -", 'from MySQL or MariaDB'],
    ['psql --csv -c \'select "user", network from access\' testdb | allow-nets import -', 'from PostgreSQL'],
    ['allow-nets import --replace --dry-run users.csv', 'what would change'],
  ],
  async run(args) {
    const name = args.text('file') ?? '-';
    const dryRun = args.flag('dry-run');
    const descriptor = openInput(name);
    const progress = new Progress(sizeOf(descriptor));
    const blocks = blocksOf(descriptor, progress.add);
    const { read, result } = await load(
      args.db,
      { blocks, name, format: args.text('format') as Format | null },
      {
        replace: args.flag('replace'),
        dryRun,
        force: args.flag('force'),
        verbose: args.flag('verbose'),
        empty: {
          problem: 'the input is empty',
          hint: 'did the command before the pipe fail? To go on all the same add --force',
        },
        onRead: () => progress.say('comparing with the database, and writing what differs'),
      },
    ).finally(() => progress.done());
    if (result === null) return read.problems.print();
    if (read.unknownColumns.size > 0) hint(`columns left out: ${[...read.unknownColumns].join(', ')}`);
    if (read.withoutNetworks > 0) hint(`users without allow_nets, left out: ${read.withoutNetworks}`);
    if (read.domainName !== null)
      hint(`${read.domainName} is the name of a user here; the domain is @${read.domainName}`);
    printLine(countsText(result, dryRun));
    if (result.repeated > 0) hint(`rows that mean the same as another one: ${result.repeated}`);
    if (result.refusal !== null) hint(`it would be refused without --force: ${result.refusal.message}`);
    return 0;
  },
};
