// Adds what `learn` found out to the database, in one transaction.

import { whoAmI } from '../cli/input';
import { changing } from '../cli/open';
import { hint, printLine } from '../cli/output';
import { putter } from '../commands/add';
import { formatInstant } from '../rules/expiry';
import { inheritWider } from '../rules/inherit';
import { meaningOf } from '../rules/meaning';
import { hintAtSync } from '../sync/status';
import type { Finding, Findings } from './findings';
import { isGateway, isSpreadUser, noteOf, someOf } from './learn-output';
import { counted } from './log-reading';

export interface ApplyOptions {
  /** Instead of one that says what was learned from. */
  readonly note: string | null;
  /** As formatInstant writes it. */
  readonly expires: string | null;
  /** Takes the networks of a user who is likely not the only one with the password, and gateways, too. */
  readonly force: boolean;
}

/** `now`: ms since 1970. `say`: where the result goes. */
export function applyFindings(
  { all }: Findings,
  file: string,
  now: number,
  options: ApplyOptions,
  say: (text: string) => void = printLine,
): void {
  const taken = options.force ? all : all.filter((finding) => !isGateway(finding) && !isSpreadUser(finding));
  const { added, users, inheriting } = changing(file, (connection) => {
    const put = putter(connection, 'access', now);
    const origin = { addedAt: formatInstant(now), addedBy: whoAmI() };
    let added = 0;
    const users = new Set<string>();
    const inheriting = new Set<string>();
    for (const finding of taken) {
      const { user, network, allowed } = finding;
      if (allowed === 'all') continue;
      const meaning = meaningOf('access', network);
      if (meaning === null) throw new Error(`${network} is not a network`);
      // Without it the first entry of a user's own would end what a wider one allows.
      if (inheritWider(connection, user, origin).length > 0) inheriting.add(user);
      const note = options.note ?? noteOf(finding);
      if (put(user, meaning, { note, expires: options.expires, local: false }) === null) continue;
      added++;
      users.add(user);
    }
    return { added, users, inheriting };
  });
  say(`added ${counted(added, 'entry', 'entries')} of ${counted(users.size, 'user')}`);
  if (!options.force) hintAtLeftOut(all.filter(({ allowed }) => allowed !== 'all'));
  if (added > 0) hintAtSync(file, 'takes this away again, unless its list has it too');
  if (inheriting.size > 0) {
    hint(`by the entry inherit, also what wider entries allow is kept: ${someOf(inheriting)}`);
  }
}

function hintAtLeftOut(fresh: readonly Finding[]): void {
  const users = new Set(fresh.filter(isSpreadUser).map(({ user }) => user));
  const networks = new Set(fresh.filter(isGateway).map(({ network }) => network));
  if (users.size > 0) hint(`not added, --force adds them: the networks of ${someOf(users)} (many-networks)`);
  if (networks.size > 0) hint(`not added, --force adds them: ${someOf(networks)} (gateway)`);
}
