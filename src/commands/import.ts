// allow-nets import: adds many rows at once, from a file or a pipe.
import { type Command, DRY_RUN, flag } from '../cli/command';
import { openInput } from '../cli/input-file';
import { blocksOf } from '../formats/lines';
import { load, printLoaded } from '../formats/load';
import { FORMATS, type Format } from '../formats/records';
import { rowReader } from '../formats/rows';

export const importRows: Command = {
  line: 'import <file>',
  summary: 'import rows from a file',
  about: [
    "The columns are user, network, note, expires, added_at, added_by, set, local; user and network are enough. A header line may give them in any order; without one they come in this order. A row of a named set has its name in the column set and no user. A network may be a list with commas, as in Dovecot's allow_nets. A date alone in expires means the end of that day in local time; a time without an offset is UTC. local is 1 for a row of this server alone. A column that the input does not have stays as it is in existing entries; other columns are refused.",
    'csv: RFC 4180, as psql --csv prints it too; a semicolon, tab or bar (psql -A) may stand for the comma. tsv: as mysql --batch prints it. json: an array of objects, or one object after the other, as export writes it. dovecot: a passwd-file, of which user and allow_nets count; users without allow_nets are left out.',
    'All or nothing: every line is read and checked first, and with one wrong line nothing changes. An existing entry gets what the input says.',
    '--replace makes the database equal to the input. Rows with a local mark stay as they are, and so do all sets when the input has no column set. Without --force it refuses to remove more than half of the entries, and an input without entries or without a line break at the end (it may be cut off).',
  ],
  positionals: { file: 'file to read, or - for standard input' },
  options: {
    format: { choices: FORMATS, requiresArg: true, describe: 'default: from the beginning of the file' },
    replace: flag('make the database equal to the input'),
    'dry-run': DRY_RUN,
    verbose: flag('print each row that was added, changed or removed'),
    force: flag('even if most entries would go, the input is empty or cut off, or a set named in it does not exist'),
  },
  examples: [
    ["mysql --batch -e 'select user, network from access' testdb | allow-nets import -", 'from MySQL or MariaDB'],
    ['psql --csv -c \'select "user", network from access\' testdb | allow-nets import -', 'from PostgreSQL'],
    ['allow-nets import --replace --dry-run users.csv', 'what would change'],
  ],
  async run(args) {
    const options = {
      blocks: blocksOf(openInput(args.text('file') ?? '-')),
      replace: args.flag('replace'),
      dryRun: args.flag('dry-run'),
      force: args.flag('force'),
      verbose: args.flag('verbose'),
    };
    const loaded = await load(args.db, options, rowReader({ format: args.text('format') as Format | null }));
    return printLoaded(loaded, options.dryRun);
  },
};
