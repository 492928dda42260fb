// allow-nets refused: finds in the mail log who was refused, and prints the command that lets them in.
import { type Command, flag } from '../cli/command';
import { remedyFor, withCommand } from '../cli/command-text';
import { hint, printError, printJsonArray } from '../cli/output';
import { printTable } from '../cli/table';
import { printable } from '../failure';
import { hasManyNetworks } from '../maillog/findings';
import { REFUSAL_LINES } from '../maillog/line-kinds';
import { groupBy, isLater, type UserNetwork } from '../maillog/tally';
import { LOG_FILES, LOG_OPTIONS, tallyLogs } from '../maillog/tally-logs';
import { STRANGER } from '../postfix/live-service';
import { formatInstant } from '../rules/meaning';

export const refused: Command = {
  line: 'refused [file..]',
  summary: 'show who was refused, and how to allow them',
  about: [
    "Reads the policy program's own lines in the mail log, of a trial too, and prints one line for each user and network (an IPv4 address, or an IPv6 /64): how often refused, first, last, why, and whether it would be allowed now. The most recent is the last. Below it stands the command that lets that user in, unless the user was refused in 10 networks, or at 5 providers, within 24 hours: then somebody else likely has the password.",
    'The exit status is 0 also when somebody was refused.',
  ],
  positionals: { file: LOG_FILES },
  options: { ...LOG_OPTIONS, json: flag('as a JSON array') },
  examples: [
    ['allow-nets refused', "in this server's mail log"],
    ['allow-nets refused --since 2h --user alice@example.com', 'the user who is on the phone'],
    ["journalctl -u 'postfix*' | allow-nets refused -", 'from the journal'],
  ],
  async run(args) {
    const { networks, unread } = await tallyLogs(args, Date.now(), 'refused', [REFUSAL_LINES]);
    const rows = rowsOf(networks, args.db);
    if (args.flag('json')) printJsonArray(rows.map(({ isStolen, blocked, remedy, ...row }) => row));
    else printRows(rows);
    for (const text of unread) hint(text);
    if (rows.length === 0) hint('no refusal was found; older logs: allow-nets refused FILE...');
    else if (!args.flag('json')) hintAtNext(rows);
    return 0;
  },
};

/** The rows that --json prints, with `isStolen`, `blocked` and `remedy` added. The most recent is the last. */
function rowsOf(networks: readonly UserNetwork[], db: string) {
  const refused = networks.filter(({ user }) => user !== STRANGER.user).sort((a, b) => (isLater(a, b) ? 1 : -1));
  const spread = groupBy(refused, ({ user }) => user).filter(
    (all) => hasManyNetworks(all) || hasManyNetworks(all.map((one) => ({ ...one, first: one.last }))),
  );
  const stolen = new Set(spread.map(([{ user }]) => user));
  return refused.map((one) => rowOf(one, stolen.has(one.user), db));
}

/** `isStolen`: whether somebody else likely has the password. `blocked`: who is blocked, the user or a wider subject. */
function rowOf({ user, network, name, parts, messages, first, last }: UserNetwork, isStolen: boolean, db: string) {
  const { address, reason, verdict } = parts.reduce((latest, one) => (isLater(one, latest) ? one : latest));
  const refusal = verdict.kind === 'refused' ? verdict : null;
  const blocked = refusal?.why === 'blocked' ? refusal.subject : null;
  const remedy = refusal && remedyFor(refusal, user, address, db);
  return {
    user,
    network: network && name,
    refusals: messages,
    first: formatInstant(first),
    last: formatInstant(last),
    reason,
    allowed_now: refusal === null,
    // A script may run it: it must end no block.
    command: isStolen || blocked !== null ? null : remedy,
    isStolen,
    blocked,
    remedy,
  };
}

type Row = ReturnType<typeof rowOf>;

const TITLES = ['USER', 'NETWORK', 'REFUSALS', 'FIRST', 'LAST', 'REASON', 'NOW'];

function printRows(rows: readonly Row[]): void {
  if (rows.length === 0) return;
  const lines = rows.map(({ user, network, refusals, first, last, reason, allowed_now }) => {
    const now = allowed_now ? 'allowed' : 'refused';
    const cells = [printable(user), network ?? 'unknown', String(refusals), first, last, printable(reason), now];
    return { cells, colour: allowed_now ? 'dim' : 'red' } as const;
  });
  printTable(TITLES, lines, [2]);
}

/** Hints at the most recent user who is still refused, likely the one on the phone. */
function hintAtNext(rows: readonly Row[]): void {
  const last = rows.filter(({ allowed_now }) => !allowed_now).at(-1);
  if (last === undefined) return;
  if (last.isStolen) {
    hint(`${last.user} was refused in many networks within 24 hours: a stolen password? change it first`);
  } else if (last.blocked !== null) {
    hint(withCommand(`${last.blocked} is blocked; to unblock`, last.remedy));
  } else if (last.command !== null) {
    hint(`if that is really ${last.user}, this lets the user in:`);
    printError(`${last.command}\n`);
  }
}
