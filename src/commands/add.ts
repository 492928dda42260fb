// allow-nets add: let a user, a domain or everybody send mail from networks.

import type { Command } from '../cli/command';
import { nearest, networkTyped, subjectTyped, whoAmI } from '../cli/input';
import { changing } from '../cli/open';
import { hint, printLine } from '../cli/output';
import { expiryOf, toldMoment } from '../cli/time';
import { Trouble } from '../failure';
import type { Connection } from '../rules/database';
import { hasRows, namesFrom, type Row, rowWith, rowWriter } from '../rules/entries';
import { expiryMoment, formatInstant } from '../rules/expiry';
import { type Meaning, meaningText } from '../rules/meaning';
import type { Table } from '../rules/schema';
import { hintAtSync } from '../sync/hint';
import { decidingSubject } from './remove';

export const add: Command = {
  line: 'add <user> <network..>',
  summary: 'let a user send mail from networks',
  about: [
    'The first entry of a user ends what a wider entry (of the domain, or of *) allowed to that user. It counts from the next recipient on.',
    'An entry that is there already gets the note and the time that are given; one given without --until or --for keeps its time.',
  ],
  positionals: {
    user: 'SASL user name, @example.com for a domain, or * for everybody',
    network: 'CIDR, address, @SET or any',
  },
  options: {
    note: { type: 'string', requiresArg: true, describe: 'why, for whoever asks later' },
    until: {
      type: 'string',
      requiresArg: true,
      describe: 'until that time; a date means the end of that day',
    },
    for: { type: 'string', requiresArg: true, describe: 'for that long: 7d, 12h, 30m' },
    local: { type: 'boolean', describe: 'only on this server: sync leaves it alone' },
  },
  examples: [
    ['allow-nets add alice@example.com 192.0.2.0/24 2001:db8:1::/48', 'the office, IPv4 and IPv6'],
    ['allow-nets add bob @office --until 2026-12-24 --note "fair in Oslo"', 'a named set, for a time'],
  ],
  run(given) {
    const now = Date.now();
    const user = subjectTyped(given.text('user') ?? '');
    const networks = given.texts('network').map(networkTyped);
    const expires = expiryOf(given.text('until'), given.text('for'), now);
    const { written, before } = changing(given.db, (connection) => {
      for (const network of networks) requireSet(connection, network);
      const before = decidingSubject(connection, user);
      const put = putter(connection, 'access', now);
      const { local, note } = { local: given.flag('local'), note: given.text('note') };
      const written = networks.map((meaning) => put(user, meaning, { note, expires, local }));
      return { written, before };
    });
    networks.forEach((meaning, i) => {
      const already = written[i] === null ? ' already' : '';
      const until = expiryMoment(written[i]?.expires ?? null);
      const told = Number.isFinite(until) ? ` until ${toldMoment(until)}` : '';
      printLine(
        `${user} may${already ? '' : ' now'} send mail from ${meaningText(meaning)}${already}${told}`,
      );
    });
    if (written.some((row) => row !== null && !row.local)) {
      hintAtSync(given.db, 'takes this away again, unless its list has it too or it is added with --local');
    }
    if (before !== null && before !== user) {
      hint(`the entries of ${before} decide no more about ${user}: it has entries of its own now`);
    }
    return 0;
  },
};

/** Throws Trouble when a set is named that has no network. */
export function requireSet(connection: Connection, meaning: Meaning): void {
  if (meaning.kind !== 'set' || hasRows(connection, 'network_set', meaning.name)) return;
  const name = nearest(meaning.name, namesFrom(connection, 'network_set'));
  const hint =
    name === null ? `make it first: allow-nets set add ${meaning.name} NETWORK` : `did you mean @${name}`;
  throw new Trouble({ kind: 'refused', problem: `there is no set ${meaning.name}`, hint });
}

interface Wanted {
  readonly note: string | null;
  readonly expires: string | null;
  readonly local: boolean;
}

type Written = Pick<Wanted, 'expires' | 'local'>;

/** A function that adds an entry or changes the one of the same meaning, and gives what was written, or null where nothing changed. */
export function putter(connection: Connection, table: Table, now: number) {
  const write = rowWriter(connection, table);
  const addedBy = whoAmI();
  const addedAt = formatInstant(now);
  return (user: string, meaning: Meaning, wanted: Wanted): Written | null => {
    const present = rowWith(connection, table, user, meaning);
    const row = {
      user,
      meaning,
      note: wanted.note === '' ? null : (wanted.note ?? present?.note ?? null),
      expires: wanted.expires ?? keptExpiry(present, now),
      local: wanted.local || present?.local === true,
    };
    const isSame = present !== null && present.note === row.note && present.expires === row.expires;
    if (isSame && present.local === row.local) return null;
    write({ ...row, addedAt, addedBy });
    return { expires: row.expires, local: row.local };
  };
}

/** An entry that is over is new when it is added again. */
function keptExpiry(present: Row | null, now: number): string | null {
  const moment = expiryMoment(present?.expires);
  return Number.isFinite(moment) && moment > now ? formatInstant(moment) : null;
}
