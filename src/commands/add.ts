// allow-nets add: lets a user, a domain or everybody send mail from networks.

import { type Command, ENTRY_OPTIONS } from '../cli/command';
import { commandText } from '../cli/command-text';
import { entryWriter } from '../cli/entry-writer';
import { parseNetworkArgument, parseSubjectArgument, whoAmI } from '../cli/input';
import { nameHints, requireUserName } from '../cli/known-names';
import { nearest } from '../cli/nearest';
import { withWriteTransaction } from '../cli/open';
import { hint, printLine } from '../cli/output';
import { expiryOf, untilText } from '../cli/time';
import { Trouble } from '../failure';
import type { Connection } from '../rules/database';
import { hasRows, namesFrom } from '../rules/entries';
import { formatInstant } from '../rules/expiry';
import { type Deciders, decidersOf, inheritWider, widerSubjects } from '../rules/inherit';
import { type Meaning, meaningText } from '../rules/meaning';
import { EVERYBODY } from '../rules/subject';
import { hintAtSync } from '../sync/status';
import { blockText, requireForce } from './block';

export const add: Command = {
  line: 'add <user> <network..>',
  summary: 'let a user send mail from networks',
  about: [
    'The first entry of a user would replace what a wider entry (of the domain, or of *) allows. So add also writes the entry inherit, which keeps it; with --only it does not. A change takes effect at the next recipient.',
    'An existing entry gets the new note and time; without --until or --for its time stays.',
  ],
  positionals: {
    user: 'SASL user name, @example.com for a domain, or * for everybody',
    network: 'CIDR, address, @SET, any, inherit or none',
  },
  options: {
    only: { type: 'boolean', describe: 'do not keep what a wider entry allows' },
    ...ENTRY_OPTIONS,
    force: { type: 'boolean', describe: 'accept a user name that looks like a domain, and none for *' },
  },
  examples: [
    ['allow-nets add alice@example.com 192.0.2.0/24 2001:db8:1::/48', 'the office, IPv4 and IPv6'],
    ['allow-nets add bob @office --until 2026-12-24 --note "fair in Oslo"', 'a named set, until the end of that day'],
  ],
  run(args) {
    const now = Date.now();
    const user = parseSubjectArgument(args.text('user') ?? '');
    const networks = args.texts('network').map(parseNetworkArgument);
    const [only, local, force] = [args.flag('only'), args.flag('local'), args.flag('force')];
    const wanted = { note: args.text('note'), expires: expiryOf(args.text('until'), args.text('for'), now), local };
    const has = (kind: Meaning['kind']) => networks.some((network) => network.kind === kind);
    if (has('none')) requireForce(user, force, args.db);
    if (user === EVERYBODY && has('inherit')) {
      const problem = 'nothing is wider than *, so it cannot inherit';
      throw new Trouble({ kind: 'option', problem, hint: "allow-nets add '*' NETWORK" });
    }
    const { written, kept, lost, hints } = withWriteTransaction(args.db, (connection) => {
      requireUserName(connection, user, force);
      for (const network of networks) requireSet(connection, network, args.db);
      const origin = { addedAt: formatInstant(now), addedBy: whoAmI(), local };
      const before = decidersOf(connection, user, now);
      const lost = only ? widerSubjects(connection, user) : [];
      const kept = only || has('inherit') ? [] : inheritWider(connection, user, origin);
      const put = entryWriter(connection, 'access', now);
      const written = networks.map((network) => put(user, network, wanted));
      const hints = networks.some(({ kind }) => kind === 'none' || kind === 'inherit')
        ? []
        : blockHints(user, before, args.db);
      const [, ...inherited] = only ? decidersOf(connection, user, now).subjects : [];
      if (inherited.length > 0) {
        const command = commandText('remove', [user, 'inherit'], args.db);
        hints.push(`${user} still inherits what ${inherited.join(' or ')} allows; to end that: ${command}`);
      }
      hints.push(...nameHints(connection, user, args.db, 'add', networks.map(meaningText)));
      return { written, kept, lost, hints };
    });
    networks.forEach((network, i) => {
      const row = written[i] ?? null;
      printLine(`${grantText(user, network, row === null)}${untilText(row?.expires ?? null)}`);
    });
    if (kept.length > 0) printLine(`${user} also keeps what ${kept.join(' or ')} allows`);
    if (lost.length > 0) {
      hint(`the entries of ${lost.join(' or ')} no longer apply: ${user} now has own entries`);
    }
    for (const text of hints) hint(text);
    if (written.some((row) => row !== null && !row.local)) {
      hintAtSync(args.db, 'takes this away again, unless its list has it too or it is added with --local');
    }
    return 0;
  },
};

function grantText(user: string, meaning: Meaning, already: boolean): string {
  if (meaning.kind === 'none') return blockText(user, already);
  const [now, later] = already ? ['', ' already'] : [' now', ''];
  if (meaning.kind === 'inherit') return `${user}${now} inherits what the next wider entries allow${later}`;
  return `${user} may${now} send mail from ${meaningText(meaning)}${later}`;
}

/** Hints that a block of the user stays in force, or that a block of a wider subject does not affect own entries. */
function blockHints(user: string, { subjects, state }: Deciders, db: string): string[] {
  const blocked = subjects.at(-1);
  if (state !== 'blocked' || blocked === undefined) return [];
  const [text, command] =
    blocked === user
      ? [`${user} is blocked, and still refused from everywhere`, commandText('unblock', [user], db)]
      : [`${blocked} is blocked, but not ${user} at what is allowed now`, commandText('block', [user], db)];
  return [command === null ? text : `${text}: ${command}`];
}

/** Throws Trouble if the entry names a set that does not exist. */
function requireSet(connection: Connection, meaning: Meaning, db: string): void {
  if (meaning.kind !== 'set' || hasRows(connection, 'network_set', meaning.name)) return;
  const name = nearest(meaning.name, namesFrom(connection, 'network_set'));
  const hint =
    name === null ? `make it first: ${commandText('set add', [meaning.name, 'NETWORK'], db)}` : `did you mean @${name}`;
  throw new Trouble({ kind: 'refused', problem: `there is no set ${meaning.name}`, hint });
}
