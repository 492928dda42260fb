// Reads an input of rows: checks the fields of each record and turns them into rows for the database, or explains what
// is wrong with them.

import { setImmediate as turn } from 'node:timers/promises';
import { parseNetworkArgument, parseSetArgument, parseSubjectArgument } from '../cli/input';
import { isDomainName } from '../cli/name-fault';
import { momentOf } from '../cli/time';
import { wrongUsage } from '../failure';
import type { ImportRow } from '../rules/import';
import { formatInstant, isDate, meaningText, parseInstant } from '../rules/meaning';
import { formatNetwork, parseNetwork } from '../rules/network';
import type { Table } from '../rules/schema';
import type { Values } from './columns';
import type { Reader } from './load';
import { type Format, recordsOf } from './records';

export interface ReadOptions {
  /** Null: guess it from the beginning of the input. */
  readonly format: Format | null;
  /** Whether to skip rows with a local mark: they belong to the server that exported them. */
  readonly leaveOutLocal?: boolean;
  /** Called regularly, after pending signals were delivered. If it throws, reading ends. */
  readonly check?: () => void;
}

/** The number of records between two runs of the event loop, which delivers signals. */
const RECORDS_IN_A_TURN = 1000;

export function rowReader({ format, leaveOutLocal, check }: ReadOptions): Reader {
  return async (lines, report, add) => {
    let count = 0;
    for (const { line, values } of recordsOf(lines, format, report)) {
      if (++count % RECORDS_IN_A_TURN === 0) {
        await turn();
        check?.();
      }
      const rows = values && report.attempt(line, () => rowsFrom(values, line));
      if (report.count > 0) continue;
      for (const row of rows ?? []) {
        if (row.table === 'network_set') report.hasSets = true;
        else if (isDomainName(row.name) === 'yes') report.domain ??= row.name;
        if (!(leaveOutLocal && row.local)) add(row);
      }
    }
  };
}

const EVERYWHERE =
  'for a user who may send from everywhere write any; leave out users who get what a wider entry allows';

/** The rows of a record; its network may be a list, as Dovecot's allow_nets. Throws Trouble. */
function rowsFrom(values: Values, line: number): ImportRow[] {
  const { user, set, note, added_at: addedAt, added_by: addedBy } = values;
  if (user && set) throw wrongUsage(`a row has a user or a set, not ${user} and ${set}`, 'leave one empty');
  const table = set ? 'network_set' : 'access';
  const name = set ? parseSetArgument(set.trim()) : parseSubjectArgument(user ?? '');
  const expires = expiresOf(values.expires);
  if (set && expires) {
    throw wrongUsage('the networks of a set do not expire', 'let the entries that name the set expire');
  }
  const local = localOf(values.local);
  const parts = (values.network ?? '').split(',').filter((part) => part.trim() !== '');
  if (parts.length === 0) throw wrongUsage('the network is empty', EVERYWHERE);
  return parts.map((part) => ({
    line,
    table,
    name,
    network: networkOf(part, table),
    note,
    expires,
    addedAt,
    addedBy,
    local,
  }));
}

function networkOf(text: string, table: Table): string {
  // Fast path: nearly all networks are canonical, and an input may have a million rows.
  const parsed = parseNetwork(text);
  if (parsed !== null && !parsed.hostBits && formatNetwork(parsed.network) === text) return text;
  const spelled = text.trim();
  if (/^(?:null|\\n)$/i.test(spelled)) throw wrongUsage(`${spelled} is not a network`, EVERYWHERE);
  const parts = spelled.split(/[\s;|]+/);
  if (parts.length > 1 && parts.every((part) => parseNetwork(part) !== null)) {
    throw wrongUsage(`"${spelled}" is not a network`, `commas separate networks: ${parts.join(',')}`);
  }
  return meaningText(parseNetworkArgument(text, table));
}

/** A date alone ends in local time, as --until; a time without an offset is UTC, as in the database. */
function expiresOf(text: string | null | undefined): string | null | undefined {
  if (!text?.trim()) return text === undefined ? undefined : null;
  const moment = parseInstant(text);
  if (moment !== null) return formatInstant(isDate(text) ? momentOf(text, 'expires') : moment);
  const hint = '2026-12-24, or 2026-12-24T18:00Z; empty: never';
  throw wrongUsage(`the time of expiry ${JSON.stringify(text.trim())} cannot be read`, hint);
}

function localOf(text: string | null | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  const word = text?.trim() ?? '';
  if (/^(?:1|t|true)$/i.test(word)) return true;
  if (/^(?:0|f|false)?$/i.test(word)) return false;
  throw wrongUsage(`local is ${text}`, 'local is 1 (sync leaves the row alone) or 0');
}
