// allow-nets unblock: removes a block.

import type { Command } from '../cli/command';
import { withWriteTransaction } from '../cli/open';
import { hint, printLine } from '../cli/output';
import { Trouble } from '../failure';
import type { Connection } from '../rules/database';
import { handRows, type Row, rowWith } from '../rules/entries';
import { removeEntries } from '../rules/inherit';
import { meaningOf } from '../rules/meaning';
import { foldName } from '../rules/subject';
import { hintAtSync } from '../sync/status';

export const unblock: Command = {
  line: 'unblock <user>',
  summary: 'remove a block',
  about: ['The other entries of the user apply again; the output says which ones decide.'],
  positionals: { user: 'SASL user name, @domain or *' },
  examples: [['allow-nets unblock carol@example.com', 'carol has a new password']],
  run(args) {
    const user = foldName(args.text('user') ?? '');
    const { rows, changes } = withWriteTransaction(args.db, (connection) => {
      const blocks = blocksOf(connection, user);
      if (blocks.length === 0) throw notBlocked(user);
      return removeEntries(connection, blocks, Date.now());
    });
    printLine(`${user} is no longer blocked`);
    for (const text of changes) hint(text);
    if (rows.some(({ local }) => !local)) {
      hintAtSync(args.db, 'brings the block back, unless it is taken out of its list too');
    }
    return 0;
  },
};

/** The entries `none` of a user, including hand-written ones whose time of expiry cannot be read. */
function blocksOf(connection: Connection, user: string): Row[] {
  const meaning = { kind: 'none' } as const;
  const row = rowWith(connection, 'access', user, meaning);
  const byHand = handRows(connection, 'access').filter(
    (row) => foldName(String(row.user)) === user && meaningOf('access', row.network)?.kind === 'none',
  );
  return row === null ? byHand : [row, ...byHand];
}

function notBlocked(user: string): Trouble {
  const hint = 'allow-nets list marks who is blocked; allow-nets check USER ADDRESS says which entries decide';
  return new Trouble({ kind: 'refused', problem: `${user} has no entry none`, hint });
}
