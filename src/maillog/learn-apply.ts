// Adds the findings of `learn` to the database, all or nothing.
import type { Arguments } from '../cli/command';
import { whoAmI } from '../cli/input';
import { withRowImport } from '../cli/open';
import { hint, printLine, quantity } from '../cli/output';
import { formatInstant } from '../rules/expiry';
import { importRow } from '../rules/import';
import { inheritWider } from '../rules/inherit';
import { hintAtSync } from '../sync/status';
import type { Finding } from './findings';
import { hintAtSkipped, noteOf, someOf } from './learn-output';
import type { Mark } from './marks';

/** An entry of a blocked user's own would end the block of the domain. */
const DOUBTFUL: ReadonlySet<Mark> = new Set(['many-networks', 'gateway', 'blocked']);

/** `args`: --note, --force and --json. `expires`: as formatInstant writes it. `now`: ms since 1970. */
export async function applyFindings(
  all: readonly Finding[],
  args: Arguments,
  expires: string | null,
  now: number,
): Promise<void> {
  const [note, force] = [args.text('note'), args.flag('force')];
  const fresh = all.filter(({ refused }) => refused > 0);
  const isDoubtful = ({ marks }: Finding) => marks.some((mark) => DOUBTFUL.has(mark));
  const taken = force ? fresh : fresh.filter((finding) => !isDoubtful(finding));
  const addedBy = whoAmI();
  const changed: string[] = [];
  const inheriting = new Set<string>();
  await withRowImport(args.db, (rows) => {
    for (const finding of taken) {
      const { user, network } = finding;
      const more = { note: note ?? noteOf(finding), expires: expires ?? undefined };
      rows.add(importRow('access', user, { kind: 'network', network }, more));
    }
    rows.apply({
      ...{ replace: false, dryRun: false, force, tables: ['access'], addedBy, now },
      report: ({ name }) => changed.push(name),
      before(connection) {
        // A user's first own entry replaces the wider entries for him, so `inherit` keeps them in force.
        const origin = { addedAt: formatInstant(now), addedBy };
        for (const user of new Set(taken.map((finding) => finding.user))) {
          if (inheritWider(connection, user, origin).length > 0) inheriting.add(user);
        }
      },
    });
  });
  const say = args.flag('json') ? hint : printLine;
  say(`added ${quantity(changed.length, 'entry', 'entries')} of ${quantity(new Set(changed).size, 'user')}`);
  if (!force) hintAtSkipped(fresh);
  if (changed.length > 0) hintAtSync(args.db, 'takes this away again, unless its list has it too');
  if (inheriting.size > 0) {
    hint(`an entry inherit keeps what wider entries allow: ${someOf(inheriting)}`);
  }
}
