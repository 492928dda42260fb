// allow-nets refused: finds in the mail log who was refused, and prints the command that lets them in.
import type { Command } from '../cli/command';
import { allowCommand } from '../cli/command-text';
import { hint, printError, printJsonArray } from '../cli/output';
import { printTable } from '../cli/table';
import { printable } from '../failure';
import { isSpread } from '../maillog/marks';
import { REFUSAL_LINES } from '../maillog/refusal-line';
import type { Tally, UserNetwork } from '../maillog/tally';
import { hintAtUnread, LOG_FILES, LOG_OPTIONS, secondsText, tallyLogs } from '../maillog/tally-logs';
import { shellLine } from '../postfix/run';

export const refused: Command = {
  line: 'refused [file..]',
  summary: 'show who was refused, and how to allow them',
  about: [
    "Reads the policy program's own lines in the mail log, of a trial too, and prints one line for each user and network (an IPv4 address, or an IPv6 /64): how often refused, first, last, why, and whether it would be allowed now. The most recent is the last. Below it stands the command that lets that user in, unless the user was refused in 10 networks, or at 5 providers, within 24 hours: then somebody else likely has the password.",
    'The exit status is 0 also when somebody was refused.',
  ],
  positionals: { file: LOG_FILES },
  options: { ...LOG_OPTIONS, json: { type: 'boolean', describe: 'as a JSON array' } },
  examples: [
    ['allow-nets refused', "in this server's mail log"],
    ['allow-nets refused --since 2h --user alice@example.com', 'the user who is on the phone'],
    ["journalctl -u 'postfix*' | allow-nets refused -", 'from the journal'],
  ],
  async run(args) {
    const { tally, readings } = await tallyLogs(args, Date.now(), { command: 'refused', kinds: [REFUSAL_LINES] });
    const rows = rowsOf(tally, args.db);
    if (args.flag('json')) printJsonArray(rows.map(({ answer, isStolen, ...row }) => row));
    else printRows(rows);
    hintAtUnread(readings);
    if (rows.length === 0) hint('no refusal was found; older logs: allow-nets refused FILE...');
    else if (!args.flag('json')) hintAtNext(rows);
    return 0;
  },
};

/** policy/log-line.ts truncates longer names, and a truncated name makes no entry. */
const LONGEST_NAME = 255;

/** The rows that --json prints, with `answer` and `isStolen` added. The most recent is the last. */
function rowsOf({ users }: Tally, db: string) {
  const rows = [...users.values()].flatMap((all) => {
    const networks = [...all.values()];
    // Somebody else likely has the password.
    const isStolen = isSpreadAt(networks, 'first') || isSpreadAt(networks, 'last');
    return networks.map((network) => ({ ...network, isStolen }));
  });
  return rows
    .sort((a, b) => a.last - b.last)
    .map(({ user, network, name, messages, first, last, address, reason, verdict, isStolen }) => {
      const answer = verdict?.kind === 'refused' ? verdict.why : 'allowed';
      // No entry helps a user who is blocked.
      const isLetIn = answer !== 'allowed' && answer !== 'blocked' && !isStolen && user.length <= LONGEST_NAME;
      return {
        user,
        network: network && name,
        refusals: messages,
        first: secondsText(first),
        last: secondsText(last),
        reason,
        allowed_now: answer === 'allowed',
        command: isLetIn ? allowCommand(user, address, db) : null,
        answer,
        isStolen,
      };
    });
}

type Row = ReturnType<typeof rowsOf>[number];

function isSpreadAt(networks: readonly UserNetwork[], when: 'first' | 'last'): boolean {
  return isSpread(networks.flatMap((one) => (one.network === null ? [] : { network: one.network, at: one[when] })));
}

const TITLES = ['USER', 'NETWORK', 'REFUSALS', 'FIRST', 'LAST', 'REASON', 'NOW'];
/** The right-aligned column. */
const REFUSALS = 2;

function printRows(rows: readonly Row[]): void {
  if (rows.length === 0) return;
  const lines = rows.map(({ user, network, refusals, first, last, reason, allowed_now }) => {
    const now = allowed_now ? 'allowed' : 'refused';
    const cells = [printable(user), network ?? 'unknown', String(refusals), first, last, printable(reason), now];
    return { cells, colour: allowed_now ? 'dim' : 'red' } as const;
  });
  printTable(TITLES, lines, [REFUSALS]);
}

/** Hints at the most recent user who is still refused, likely the one on the phone. */
function hintAtNext(rows: readonly Row[]): void {
  const last = rows.filter(({ allowed_now }) => !allowed_now).at(-1);
  if (last === undefined) return;
  const user = printable(last.user);
  if (last.isStolen) {
    hint(`${user} was refused in many networks within 24 hours: a stolen password? change it first`);
  } else if (last.answer === 'blocked') {
    hint(`${user} is blocked; this ends it: ${shellLine(['allow-nets', 'unblock', user])}`);
  } else if (last.command !== null) {
    hint(`if that is really ${user}, this lets the user in:`);
    printError(`${last.command}\n`);
  }
}
