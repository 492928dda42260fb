// allow-nets export: prints all rows, so that import --replace can restore the same database from them.
import type { Command } from '../cli/command';
import { withReadTransaction } from '../cli/open';
import { hint } from '../cli/output';
import { problemOf } from '../entries/row-fault';
import { printRecords, recordOf, WRITTEN_FORMATS, type WrittenFormat } from '../formats/write';
import { eachRow, namesFrom } from '../rules/entries';

export const exportRows: Command = {
  line: 'export',
  summary: 'print all rows, for import to read back',
  about: [
    'Entries and sets, with expiry, note and origin. A row of a set has its name in the column set and no user. Hand-written rows are printed in canonical form; an unreadable row is printed as it is, and import refuses it.',
  ],
  options: {
    format: { choices: WRITTEN_FORMATS, requiresArg: true, describe: 'CSV when not given' },
  },
  examples: [
    ['allow-nets export > allow-nets.csv', 'a copy that allow-nets import --replace restores'],
    ['allow-nets export --format json | ssh mx2 allow-nets import --replace -', 'the same list on another server'],
  ],
  run(args) {
    let faulty = 0;
    withReadTransaction(args.db, (connection) => {
      const sets = new Set(namesFrom(connection, 'network_set'));
      function* records() {
        for (const table of ['network_set', 'access'] as const) {
          for (const row of eachRow(connection, table)) {
            if (problemOf(table, row, (name) => sets.has(name)) !== null) faulty++;
            // A name that is not text matches nobody. As text it might.
            if (typeof row.user === 'string') yield recordOf(table, row);
          }
        }
      }
      printRecords((args.text('format') ?? 'csv') as WrittenFormat, records());
    });
    if (faulty > 0) hint(`rows that grant nothing: ${faulty}; allow-nets list marks them, and import may refuse them`);
    return 0;
  },
};
