// allow-nets unblock: removes a block.

import type { Command } from '../cli/command';
import { printLine } from '../cli/output';
import { removeSelected } from '../entries/change';
import { refusal } from '../failure';
import { rowsOf } from '../rules/entries';
import { foldName, meaningOf } from '../rules/meaning';

export const unblock: Command = {
  line: 'unblock <user>',
  summary: 'remove a block',
  about: ['The other entries of the user apply again; the output says which ones decide.'],
  positionals: { user: 'SASL user name, @domain or *' },
  examples: [['allow-nets unblock carol@example.com', 'carol has a new password']],
  run(args) {
    const user = foldName(args.text('user') ?? '');
    return removeSelected(
      args.db,
      (connection) => {
        const blocks = rowsOf(connection, 'access', user).filter(
          ({ network }) => meaningOf('access', network)?.kind === 'none',
        );
        if (blocks.length > 0) return blocks;
        const hint = 'allow-nets list marks who is blocked; allow-nets check USER ADDRESS says which entries decide';
        throw refusal(`${user} is not blocked`, hint);
      },
      () => printLine(`${user} is no longer blocked`),
    );
  },
};
