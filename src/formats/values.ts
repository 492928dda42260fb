// The fields of one row, by column, to a checked row for the database: or what is wrong with it and how it was likely meant.

import { isRefusal, isSetName, type Refusal, readNetwork, refuseSetName, refuseSubject } from '../cli/input';
import { momentOf } from '../cli/time';
import { formatInstant, parseInstant } from '../rules/expiry';
import type { ImportRow } from '../rules/import';
import { keyOf, type Meaning, meaningText } from '../rules/meaning';
import { formatNetwork, networkKey, parseNetwork } from '../rules/network';
import { networksOf, parseRange } from '../rules/range';
import { foldName } from '../rules/subject';
import type { Column } from './columns';
import { refuseInvisible } from './look';

/** Of each column the text, null where it is empty, undefined where the input does not speak of it. */
export type Values = Readonly<Partial<Record<Column, string | null | undefined>>>;

/** The rows that a line means (a network may be a list, as in Dovecot's allow_nets), or the first thing wrong with it. */
export function rowsFrom(values: Values, line: number): ImportRow[] | Refusal {
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
  if (text.trim() === '') return { problem: 'the network is empty', hint: EVERYWHERE };
  const rows: ImportRow[] = [];
  for (const part of text.includes(',') ? text.split(',').filter((each) => each.trim() !== '') : [text]) {
    const network = networkOf(part);
    if ('problem' in network) return network;
    if (owner.table === 'network_set' && network.kind !== 'network' && network.kind !== 'any') {
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

const EVERYWHERE =
  'for a user who may send from everywhere write any; leave out who shall get what a wider entry allows';

function ownerOf({ user, set }: Values): Pick<ImportRow, 'table' | 'name'> | Refusal {
  const named = set?.trim() ?? '';
  if (named === '') {
    const name = user ?? '';
    const refusal = refuseSubject(name);
    return refusal ?? { table: 'access', name: foldName(name) };
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
    ? (explained(text) ?? meaning)
    : { text: meaningText(meaning), key: keyOf(meaning), kind: meaning.kind };
}

/** Why a text that is not a network is none, where that can be said. */
function explained(text: string): Refusal | null {
  if (/^\s*(?:null|\\n)\s*$/i.test(text)) return { problem: `${text.trim()} is not a network`, hint: EVERYWHERE };
  const range = parseRange(text);
  if (range !== null) {
    const networks = networksOf(range).map(formatNetwork);
    const shown = `${networks.slice(0, SHOWN_NETWORKS).join(',')}${networks.length > SHOWN_NETWORKS ? ',...' : ''}`;
    return { problem: `${text.trim()} is a range, not a network`, hint: `its networks are ${shown}` };
  }
  return refuseInvisible('network', text);
}

const SHOWN_NETWORKS = 8;

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
