// allow-nets refused: who was refused lately, by the policy program's own lines in the mail log, and how to let them in.

import type { Command } from '../cli/command';
import { letInCommand } from '../cli/let-in';
import { hint, printError, printJsonArray } from '../cli/output';
import { printTable } from '../cli/table';
import { printable } from '../failure';
import { type Answer, Judge } from '../maillog/judge';
import { LOG_FILES, LOG_OPTIONS, readLogs, reportUnread, spanOf } from '../maillog/log-reading';
import { REFUSAL_LINES, type RefusedPlace, RefusedPlaces } from '../maillog/refusals';
import { shellLine } from '../postfix/run';
import { openForReading } from '../rules/database';
import { formatInstant } from '../rules/expiry';
import { formatNetwork } from '../rules/network';

export const refused: Command = {
  line: 'refused [file..]',
  summary: 'see who was refused, and how to let them in',
  about: [
    "Reads the policy program's own lines in the mail log, of a trial too, and prints one line for each user and network (an IPv4 address, or an IPv6 /64): how often refused, first, last, why, and whether it would be allowed now. The most recent is the last. Below it stands the command that lets that user in, unless the user was refused in 10 networks, or at 5 providers, within 24 hours: then somebody else likely has the password.",
    'The exit status is 0 also when somebody was refused.',
  ],
  positionals: { file: LOG_FILES },
  options: { ...LOG_OPTIONS, json: { type: 'boolean', describe: 'as a JSON array' } },
  examples: [
    ['allow-nets refused', "in this server's mail log"],
    ['allow-nets refused --since 2h --user alice@example.com', 'who is on the phone'],
    ["journalctl -u 'postfix*' | allow-nets refused -", 'from the journal'],
  ],
  async run(given) {
    const now = Date.now();
    const places = new RefusedPlaces(spanOf(given, now));
    const connection = openForReading(given.db);
    const rows: Row[] = [];
    try {
      const readings = await readLogs('refused', given, now, [REFUSAL_LINES], (line, seconds) =>
        places.record(line, seconds),
      );
      const judge = new Judge(connection, given.db, now);
      const spread = places.spreadUsers();
      for (const place of places.all()) {
        const answer = judge.ask(place.user, place.address);
        const isStolen = spread.has(place.user);
        rows.push({
          ...place,
          answer,
          isStolen,
          command: isStolen ? null : commandFor(place, answer, given.db),
        });
      }
      judge.rest();
      if (given.flag('json')) printJsonArray(rows.map(asJson));
      else printPlaces(rows);
      reportUnread(readings);
    } finally {
      connection.close();
    }
    if (rows.length === 0) hint('no refusal was found; older logs: allow-nets refused FILE...');
    else if (!given.flag('json')) hintAtNext(rows);
    return 0;
  },
};

interface Row extends RefusedPlace {
  readonly answer: Answer;
  readonly isStolen: boolean;
  /** That lets the user in, where one is advised. */
  readonly command: string | null;
}

/** policy/log-line.ts cuts a name that is longer, and an entry needs all of it. */
const LONGEST_NAME = 255;

function commandFor({ user, address }: RefusedPlace, answer: Answer, db: string): string | null {
  // No entry lets in a user who is blocked.
  if (isAllowed(answer) || answer === 'blocked' || user.length > LONGEST_NAME) return null;
  return letInCommand(user, address, db);
}

function isAllowed(answer: Answer): boolean {
  return typeof answer !== 'string';
}

const TITLES = ['USER', 'NETWORK', 'REFUSALS', 'FIRST', 'LAST', 'REASON', 'NOW'];
/** The column of numbers. */
const REFUSALS = 2;

function printPlaces(rows: readonly Row[]): void {
  if (rows.length === 0) return;
  const lines = rows.map(
    (row) =>
      ({
        cells: [
          printable(row.user),
          networkOf(row) ?? 'unknown',
          String(row.refusals),
          momentText(row.first),
          momentText(row.last),
          printable(row.reason),
          isAllowed(row.answer) ? 'allowed' : 'refused',
        ],
        colour: isAllowed(row.answer) ? 'dim' : 'red',
      }) as const,
  );
  printTable(TITLES, lines, [REFUSALS]);
}

function asJson(row: Row): unknown {
  return {
    user: row.user,
    network: networkOf(row),
    refusals: row.refusals,
    first: momentText(row.first),
    last: momentText(row.last),
    reason: row.reason,
    allowed_now: isAllowed(row.answer),
    command: row.command,
  };
}

function networkOf({ network }: RefusedPlace): string | null {
  return network && formatNetwork(network);
}

/** Seconds since 1970 as text. */
function momentText(seconds: number): string {
  return formatInstant(seconds * 1000);
}

/** About the most recent that is still refused: who is on the phone. */
function hintAtNext(rows: readonly Row[]): void {
  const last = rows.filter(({ answer }) => !isAllowed(answer)).at(-1);
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
