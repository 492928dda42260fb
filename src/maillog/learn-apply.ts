// Adds what `learn` found out to the database, in one transaction.

import { changing } from '../cli/open';
import { hint, printLine } from '../cli/output';
import { putter } from '../commands/add';
import { meaningOf } from '../rules/meaning';
import { hintAtSync } from '../sync/hint';
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
  const { added, users, narrowed } = changing(file, (connection) => {
    const put = putter(connection, 'access', now);
    let added = 0;
    const users = new Set<string>();
    const narrowed = new Set<string>();
    for (const finding of wanted(taken)) {
      const meaning = meaningOf('access', finding.network);
      if (meaning === null) throw new Error(`${finding.network} is not a network`);
      const { user, by } = finding;
      const note = options.note ?? noteOf(finding);
      if (put(user, meaning, { note, expires: options.expires, local: false }) === null) continue;
      added++;
      users.add(user);
      if (by !== null && by.subject !== user) narrowed.add(user);
    }
    return { added, users, narrowed };
  });
  say(`added ${counted(added, 'entry', 'entries')} of ${counted(users.size, 'user')}`);
  if (!options.force) hintAtLeftOut(all.filter(({ allowed }) => allowed !== 'all'));
  if (added > 0) hintAtSync(file, 'takes this away again, unless its list has it too');
  if (narrowed.size > 0) {
    hint(
      `wider entries decide no more about ${counted(narrowed.size, 'user')} with entries of their own now`,
    );
  }
}

function hintAtLeftOut(fresh: readonly Finding[]): void {
  const users = new Set(fresh.filter(isSpreadUser).map(({ user }) => user));
  const networks = new Set(fresh.filter(isGateway).map(({ network }) => network));
  if (users.size > 0) hint(`not added, --force adds them: the networks of ${someOf(users)} (many-networks)`);
  if (networks.size > 0) hint(`not added, --force adds them: ${someOf(networks)} (gateway)`);
}

/**
 * Of a user of whom anything is new: all, since the first entry of its own ends what a wider one allowed. But not again what its own
 * entries allow already.
 */
function wanted(findings: readonly Finding[]): Finding[] {
  const fresh = new Set(findings.filter(({ allowed }) => allowed !== 'all').map(({ user }) => user));
  return findings.filter(
    ({ user, allowed, by }) => fresh.has(user) && (allowed !== 'all' || by?.subject !== user),
  );
}
