// Adds the findings of `learn` to the database.
import type { Arguments } from '../cli/command';
import { whoAmI } from '../cli/input';
import { withRowImport } from '../cli/open';
import { hint, printLine, quantity, someOf } from '../cli/output';
import type { Finding, Mark } from '../maillog/findings';
import { importRow } from '../rules/import';
import { formatInstant } from '../rules/meaning';
import { hintAtSync } from '../sync/status';
import { inheritWider } from './inherit';

/** The note of an entry made from a finding. */
export function noteOf({ messages, first, last }: Finding): string {
  return `learned from ${quantity(messages, 'message')}, ${formatInstant(first)} to ${formatInstant(last)}`;
}

/** Not added without --force. An entry of a blocked user's own would end the block of the domain. */
const DOUBTFUL: readonly Mark[] = ['many-networks', 'blocked', 'gateway'];

/** Adds findings, all or nothing. `args`: --note, --force, --json. `expires`: as formatInstant writes it. `now`: in ms. */
export async function applyFindings(
  all: readonly Finding[],
  args: Arguments,
  expires: string | null,
  now: number,
): Promise<void> {
  const force = args.flag('force');
  const fresh = all.filter(({ refused }) => refused > 0);
  const added = fresh.filter(({ marks }) => force || !marks.some((mark) => DOUBTFUL.includes(mark)));
  const addedBy = whoAmI();
  const changed: string[] = [];
  const inheriting: string[] = [];
  await withRowImport(args.db, (rows) => {
    for (const finding of added) {
      const { user, network } = finding;
      const more = { note: args.text('note') ?? noteOf(finding), expires: expires ?? undefined };
      rows.add(importRow('access', user, { kind: 'network', network }, more));
    }
    rows.apply({
      replace: false,
      dryRun: false,
      force,
      tables: ['access'],
      addedBy,
      now,
      report: ({ name }) => changed.push(name),
      before(connection) {
        // A user's first own entry replaces the wider entries for him, so `inherit` keeps them in force.
        const origin = { addedAt: formatInstant(now), addedBy };
        for (const user of new Set(added.map((finding) => finding.user))) {
          if (inheritWider(connection, user, origin).length > 0) inheriting.push(user);
        }
      },
    });
  });
  // With --json, standard output holds only the JSON.
  const printResult = args.flag('json') ? hint : printLine;
  printResult(`added ${quantity(changed.length, 'entry', 'entries')} of ${quantity(new Set(changed).size, 'user')}`);
  for (const mark of force ? [] : DOUBTFUL) {
    const marked = fresh.filter(({ marks }) => marks.includes(mark));
    const names = someOf(marked.map(({ user, name }) => (mark === 'gateway' ? name : user)));
    const what = mark === 'gateway' ? names : `the networks of ${names}`;
    if (names !== '') hint(`not added, --force adds them: ${what} (${mark})`);
  }
  if (changed.length > 0) hintAtSync(args.db, 'takes this away again, unless its list has it too');
  if (inheriting.length > 0) hint(`an entry inherit keeps what wider entries allow: ${someOf(inheriting)}`);
}
