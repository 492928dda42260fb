// Adds what `learn` found out to the database, in one transaction.

import { changing } from '../cli/open';
import { hint, printLine } from '../cli/output';
import { putter } from '../commands/add';
import { meaningOf } from '../rules/meaning';
import { hintAtSync } from '../sync/hint';
import type { Finding, Findings } from './findings';
import { noteOf } from './learn-output';
import { numbered } from './log-reading';

/** `tell`: where the result is told when standard output is for something else. */
export function applyFindings(
  findings: Findings,
  file: string,
  now: number,
  tell: ((text: string) => void) | null,
): void {
  const { added, users, narrowed } = changing(file, (connection) => {
    const put = putter(connection, 'access', now);
    let added = 0;
    const users = new Set<string>();
    const narrowed = new Set<string>();
    for (const finding of wanted(findings)) {
      const meaning = meaningOf('access', finding.network);
      if (meaning === null) throw new Error(`${finding.network} is no network`);
      const { user, by } = finding;
      if (put(user, meaning, { note: noteOf(finding), expires: null, local: false }) === null) continue;
      added++;
      users.add(user);
      if (by !== null && by.subject !== user) narrowed.add(user);
    }
    return { added, users, narrowed };
  });
  (tell ?? printLine)(`added ${numbered(added, 'entry', 'entries')} of ${numbered(users.size, 'user')}`);
  if (added > 0) hintAtSync(file, 'takes this away again, unless its list has it too');
  if (narrowed.size > 0) {
    hint(
      `wider entries decide no more about ${numbered(narrowed.size, 'user')} with entries of their own now`,
    );
  }
}

/**
 * Of a user of whom anything is new: all, since the first entry of its own ends what a wider one allowed. But not again what its own
 * entries allow already.
 */
function* wanted(findings: Findings): Iterable<Finding> {
  for (const ofUser of byUser(findings.all())) {
    if (ofUser.every(({ allowed }) => allowed === 'all')) continue;
    yield* ofUser.filter(({ user, allowed, by }) => allowed !== 'all' || by?.subject !== user);
  }
}

function* byUser(findings: Iterable<Finding>): Iterable<Finding[]> {
  let ofUser: Finding[] = [];
  for (const finding of findings) {
    if (ofUser.length > 0 && ofUser[0]?.user !== finding.user) {
      yield ofUser;
      ofUser = [];
    }
    ofUser.push(finding);
  }
  if (ofUser.length > 0) yield ofUser;
}
