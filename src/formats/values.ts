// Checks the fields of one record and turns them into rows for the database, or explains what is wrong with them.
import { isRefusal, isSetName, type Refusal, readNetwork, refuseSetName, refuseSubject } from '../cli/input';
import { refuseInvisible } from '../cli/pasted';
import { momentOf } from '../cli/time';
import { formatInstant, parseInstant } from '../rules/expiry';
import type { ImportRow } from '../rules/import';
import { keyOf, meaningText } from '../rules/meaning';
import { formatNetwork, networkKey, parseNetwork } from '../rules/network';
import { foldName } from '../rules/subject';
import type { Values } from './columns';

/** The rows of a record (its network may be a list, as Dovecot's allow_nets), or the first problem. */
export function rowsFrom(values: Values, line: number): ImportRow[] | Refusal {
  const owner = ownerOf(values);
  if ('problem' in owner) return owner;
  const expires = expiresOf(values.expires);
  if (typeof expires === 'object' && expires !== null) return expires;
  const local = localOf(values.local);
  if (typeof local === 'object') return local;
  if (owner.table === 'network_set' && typeof expires === 'string') {
    return { problem: 'the networks of a set do not expire', hint: 'let the entries that name the set expire' };
  }
  const text = values.network ?? '';
  if (text.trim() === '') return { problem: 'the network is empty', hint: EVERYWHERE };
  const { note, added_at: addedAt, added_by: addedBy } = values;
  const rows: ImportRow[] = [];
  for (const part of text.includes(',') ? text.split(',').filter((each) => each.trim() !== '') : [text]) {
    const network = networkOf(part);
    if ('problem' in network) return network;
    if (owner.table === 'network_set' && /^(?:@|inherit|none)/.test(network.network)) {
      return { problem: `a set cannot hold ${network.network}`, hint: 'give its networks' };
    }
    rows.push({ line, ...owner, ...network, note, expires, addedAt, addedBy, local });
  }
  return rows;
}

const EVERYWHERE =
  'for a user who may send from everywhere write any; leave out who shall get what a wider entry allows';

function ownerOf({ user, set }: Values): Pick<ImportRow, 'table' | 'name'> | Refusal {
  const setName = set?.trim() ?? '';
  if (setName !== '') {
    if (user)
      return { problem: `a row belongs to a user or to a set, not to ${user} and ${setName}`, hint: 'leave one empty' };
    const name = foldName(setName.replace(/^@/, ''));
    return isSetName(name) ? { table: 'network_set', name } : refuseSetName(setName);
  }
  const name = user ?? '';
  if (name.includes('\ufffd')) {
    const hint = 'save it as UTF-8, or convert it: iconv -f windows-1252 -t utf-8 FILE';
    return { problem: `the user ${name} holds bytes that are not UTF-8`, hint };
  }
  return refuseSubject(name) ?? { table: 'access', name: foldName(name) };
}

function networkOf(text: string): Pick<ImportRow, 'network' | 'key'> | Refusal {
  // Fast path: nearly all networks are canonical, and an input may have a million rows.
  const parsed = parseNetwork(text);
  if (parsed !== null && !parsed.hostBits && formatNetwork(parsed.network) === text) {
    return { network: text, key: networkKey(parsed.network) };
  }
  const meaning = readNetwork(text);
  if (!isRefusal(meaning)) return { network: meaningText(meaning), key: keyOf(meaning) };
  return refuseOther(text) ?? meaning;
}

/** Explains a text that is not a network, or returns null. */
function refuseOther(text: string): Refusal | null {
  if (/^\s*(?:null|\\n)\s*$/i.test(text)) return { problem: `${text.trim()} is not a network`, hint: EVERYWHERE };
  const parts = text.trim().split(/[\s;|]+/);
  if (parts.length > 1 && parts.every((part) => parseNetwork(part) !== null)) {
    return {
      problem: `${JSON.stringify(text)} is not a network`,
      hint: `commas separate networks: ${parts.join(',')}`,
    };
  }
  return refuseInvisible('network', text);
}

/**
 * Parses `expires`. A date alone ends in local time, as --until; a time without an offset is UTC, as in the database.
 */
function expiresOf(text: string | null | undefined): string | null | undefined | Refusal {
  if (text === undefined || text === null || text.trim() === '') return text === undefined ? undefined : null;
  const moment = parseInstant(text);
  if (moment === null) {
    const hint = '2026-12-24, or 2026-12-24T18:00Z; empty: never';
    return { problem: `the time of expiry ${JSON.stringify(text.trim())} cannot be read`, hint };
  }
  return formatInstant(/^\d{4}-\d\d-\d\d$/.test(text.trim()) ? momentOf(text, 'expires') : moment);
}

function localOf(text: string | null | undefined): boolean | undefined | Refusal {
  if (text === undefined) return undefined;
  const word = text?.trim().toLowerCase() ?? '';
  if (['1', 'true', 't', 'yes', 'y'].includes(word)) return true;
  if (['', '0', 'false', 'f', 'no', 'n'].includes(word)) return false;
  return { problem: `local is ${text}`, hint: 'local is 1 (sync leaves the row alone) or 0' };
}
