// The fields of one row, by column, to a checked row for the database: or what is wrong with it and how it was likely meant.

import { isRefusal, isSetName, type Refusal, readNetwork, refuseSetName, refuseSubject } from '../cli/input';
import { momentOf } from '../cli/time';
import { formatInstant, parseInstant } from '../rules/expiry';
import type { RowText } from '../rules/known-rows';
import { keyOf, type Meaning, meaningText } from '../rules/meaning';
import { formatNetwork, networkKey, parseNetwork } from '../rules/network';
import type { IncomingRow } from '../rules/staging';
import { foldName } from '../rules/subject';
import type { Column } from './columns';

/** Of each column the text, null where it is empty, undefined where the input does not speak of it. */
export type Values = Readonly<Record<Column, string | null | undefined>>;

/** The row of the database that would be told in just these words, or null when there can be none. */
export function asWritten(values: Values): RowText | null {
  const { user, set, network, note, expires, local } = values;
  if (typeof network !== 'string' || (typeof local === 'string' && local !== '0')) return null;
  const { added_at: addedAt, added_by: addedBy } = values;
  if (typeof user === 'string' && typeof set !== 'string') {
    return { table: 'access', name: user, network, note, expires, addedAt, addedBy };
  }
  if (typeof set !== 'string' || typeof user === 'string' || typeof expires === 'string') return null;
  return { table: 'network_set', name: set, network, note, expires, addedAt, addedBy };
}

/** The rows that a line means (a network may be a list, as in Dovecot's allow_nets), or the first thing wrong with it. */
export function rowsFrom(values: Values, line: number): IncomingRow[] | Refusal {
  const owner = ownerOf(values);
  if ('problem' in owner) return owner;
  const expires = expiresOf(values.expires);
  if (typeof expires === 'object' && expires !== null) return expires;
  const local = localOf(values.local);
  if (typeof local === 'object') return local;
  if (owner.table === 'network_set' && typeof expires === 'string') {
    return {
      problem: 'the networks of a set do not expire',
      hint: 'let the entries that name the set expire',
    };
  }
  const text = values.network ?? '';
  if (text.trim() === '') return { problem: 'the network is empty', hint: 'a line is user and network' };
  const rows: IncomingRow[] = [];
  for (const part of text.includes(',') ? text.split(',').filter((each) => each.trim() !== '') : [text]) {
    const network = networkOf(part);
    if ('problem' in network) return network;
    if (owner.table === 'network_set' && network.kind === 'set') {
      return { problem: `a set cannot hold ${network.text}`, hint: 'give its networks' };
    }
    rows.push({
      line,
      table: owner.table,
      name: owner.name,
      network: network.text,
      key: network.key,
      note: values.note,
      expires,
      addedAt: values.added_at,
      addedBy: values.added_by,
      local,
    });
  }
  return rows;
}

function ownerOf({ user, set }: Values): Pick<IncomingRow, 'table' | 'name'> | Refusal {
  const named = set?.trim() ?? '';
  if (named === '') {
    const refusal = refuseSubject(user ?? '');
    return refusal ?? { table: 'access', name: foldName(user ?? '') };
  }
  if (user !== null && user !== undefined && user !== '') {
    return {
      problem: `a line is of the user ${user} or of the set ${named}, not of both`,
      hint: 'leave one empty',
    };
  }
  const name = foldName(named.replace(/^@/, ''));
  return isSetName(name) ? { table: 'network_set', name } : refuseSetName(named);
}

interface Read {
  readonly text: string;
  readonly key: Uint8Array;
  readonly kind: Meaning['kind'];
}

function networkOf(text: string): Read | Refusal {
  // The canonical spelling is the rule, and formatting is what costs: once for a row of a million.
  const parsed = parseNetwork(text);
  if (parsed !== null && !parsed.hostBits && formatNetwork(parsed.network) === text) {
    return { text, key: networkKey(parsed.network), kind: 'network' };
  }
  const meaning = readNetwork(text);
  return isRefusal(meaning)
    ? meaning
    : { text: meaningText(meaning), key: keyOf(meaning), kind: meaning.kind };
}

/** A date alone means to the end of that day in local time, as --until; a time without an offset is UTC, as in the database. */
function expiresOf(text: string | null | undefined): string | null | undefined | Refusal {
  const spelled = text?.trim();
  if (spelled === undefined || spelled === '') return text === undefined ? undefined : null;
  if (/^\d{4}-\d\d-\d\d$/.test(spelled) && parseInstant(spelled) !== null) {
    return formatInstant(momentOf(spelled, 'expires'));
  }
  const moment = parseInstant(spelled);
  if (moment !== null) return formatInstant(moment);
  return {
    problem: `the time of expiry ${JSON.stringify(spelled)} cannot be read`,
    hint: '2026-12-24, or 2026-12-24T18:00Z',
  };
}

function localOf(text: string | null | undefined): boolean | undefined | Refusal {
  if (text === undefined) return undefined;
  const word = text?.trim().toLowerCase() ?? '';
  if (['1', 'true', 't', 'yes', 'y'].includes(word)) return true;
  if (['', '0', 'false', 'f', 'no', 'n'].includes(word)) return false;
  return { problem: `local is ${text}`, hint: 'local is 1 (sync leaves the row alone) or 0' };
}
