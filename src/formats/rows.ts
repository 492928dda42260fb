// Reads an input of rows: checks the fields of each record and turns them into rows for the database, or explains what
// is wrong with them.

import { setImmediate as turn } from 'node:timers/promises';
import { isRefusal, isSetName, type Refusal, readNetwork, refuseSetName, refuseSubject } from '../cli/input';
import { isDomainName } from '../cli/name-fault';
import { refuseInvisible } from '../cli/pasted';
import { momentOf } from '../cli/time';
import type { ImportRow } from '../rules/import';
import { foldName, formatInstant, isDate, keyOf, meaningText, parseInstant } from '../rules/meaning';
import { formatNetwork, networkKey, parseNetwork } from '../rules/network';
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
    for (const { line, content } of recordsOf(lines, format, report)) {
      if (++count % RECORDS_IN_A_TURN === 0) {
        await turn();
        check?.();
      }
      const rows = 'problem' in content ? content : rowsFrom(content, line);
      if ('problem' in rows) report.add(line, rows);
      else if (report.count === 0) {
        for (const row of rows) {
          if (row.table === 'network_set') report.hasSets = true;
          else if (isDomainName(row.name) === 'yes') report.domain ??= row.name;
          if (!(leaveOutLocal && row.local)) add(row);
        }
      }
    }
  };
}

const EVERYWHERE =
  'for a user who may send from everywhere write any; leave out who shall get what a wider entry allows';

/** The rows of a record (its network may be a list, as Dovecot's allow_nets), or the first problem. */
function rowsFrom(values: Values, line: number): ImportRow[] | Refusal {
  const owner = ownerOf(values);
  if ('problem' in owner) return owner;
  const isSet = owner.table === 'network_set';
  const expires = expiresOf(values.expires);
  if (expires !== null && typeof expires === 'object') return expires;
  if (isSet && expires) {
    return { problem: 'the networks of a set do not expire', hint: 'let the entries that name the set expire' };
  }
  const local = localOf(values.local);
  if (typeof local === 'object') return local;
  const { note, added_at: addedAt, added_by: addedBy } = values;
  const rows: ImportRow[] = [];
  for (const part of (values.network ?? '').split(',')) {
    if (part.trim() === '') continue;
    const network = networkOf(part);
    if ('problem' in network) return network;
    if (isSet && /^(?:@|inherit|none)/.test(network.network)) {
      return { problem: `a set cannot hold ${network.network}`, hint: 'give its networks' };
    }
    rows.push({ line, ...owner, ...network, note, expires, addedAt, addedBy, local });
  }
  return rows.length > 0 ? rows : { problem: 'the network is empty', hint: EVERYWHERE };
}

function ownerOf({ user, set }: Values): Pick<ImportRow, 'table' | 'name'> | Refusal {
  if (!set) return refuseSubject(user ?? '') ?? { table: 'access', name: foldName(user ?? '') };
  if (user) return { problem: `a row has a user or a set, not ${user} and ${set}`, hint: 'leave one empty' };
  const name = foldName(set.trim().replace(/^@/, ''));
  return isSetName(name) ? { table: 'network_set', name } : refuseSetName(set);
}

function networkOf(text: string): Pick<ImportRow, 'network' | 'key'> | Refusal {
  // Fast path: nearly all networks are canonical, and an input may have a million rows.
  const parsed = parseNetwork(text);
  if (parsed !== null && !parsed.hostBits && formatNetwork(parsed.network) === text) {
    return { network: text, key: networkKey(parsed.network) };
  }
  const meaning = readNetwork(text);
  if (!isRefusal(meaning)) return { network: meaningText(meaning), key: keyOf(meaning) };
  const parts = text.trim().split(/[\s;|]+/);
  const areNetworks = parts.length > 1 && parts.every((part) => parseNetwork(part) !== null);
  const several = areNetworks ? `commas separate networks: ${parts.join(',')}` : null;
  const everywhere = /^\s*(?:null|\\n)\s*$/i.test(text) ? EVERYWHERE : null;
  return refuseInvisible('network', text) ?? { ...meaning, hint: several ?? everywhere ?? meaning.hint };
}

/** A date alone ends in local time, as --until; a time without an offset is UTC, as in the database. */
function expiresOf(text: string | null | undefined): string | null | undefined | Refusal {
  if (!text?.trim()) return text === undefined ? undefined : null;
  const moment = parseInstant(text);
  if (moment !== null) return formatInstant(isDate(text) ? momentOf(text, 'expires') : moment);
  const hint = '2026-12-24, or 2026-12-24T18:00Z; empty: never';
  return { problem: `the time of expiry ${JSON.stringify(text.trim())} cannot be read`, hint };
}

function localOf(text: string | null | undefined): boolean | undefined | Refusal {
  if (text === undefined) return undefined;
  const word = text?.trim() ?? '';
  if (/^(?:1|t|true)$/i.test(word)) return true;
  if (/^(?:0|f|false)?$/i.test(word)) return false;
  return { problem: `local is ${text}`, hint: 'local is 1 (sync leaves the row alone) or 0' };
}
