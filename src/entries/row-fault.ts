// Explains why a row grants nothing, or likely not what was meant.
import { isDomainName, nameFault } from '../cli/name-fault';
import { needsTidy, type Row } from '../rules/entries';
import { expiryMoment, meaningOf } from '../rules/meaning';
import { formatNetwork, parseNetwork } from '../rules/network';
import { nameColumn, type Table } from '../rules/schema';

/** Why a row grants nothing even if it has not expired, or null. `hasSet`: whether a set exists. */
export function problemOf(table: Table, row: Row, hasSet: (name: string) => boolean): string | null {
  if (typeof row.user !== 'string') return `the ${nameColumn(table)} is not text`;
  const fault = table === 'access' ? nameFault(row.user) : null;
  if (fault !== null) return fault.problem;
  const meaning = meaningOf(table, row.network);
  if (meaning === null) return 'the network cannot be read';
  if (meaning.kind === 'set' && !hasSet(meaning.name)) return `there is no set ${meaning.name}`;
  if (expiryMoment(row.expires) === Number.NEGATIVE_INFINITY) return 'the time of expiry cannot be read';
  return needsTidy(table, row) ? 'allow-nets tidy makes it count' : null;
}

/** Why a row that grants something likely does not grant what was meant, or null. */
export function warningOf(table: Table, row: Row): string | null {
  const network = String(row.network);
  const parsed = parseNetwork(network);
  if (parsed?.hostBits) return `${network.trim()} grants all of ${formatNetwork(parsed.network)}`;
  const isDomain = table === 'access' && isDomainName(String(row.user)) === 'yes';
  return isDomain ? `${row.user} is a login name here; the domain is @${row.user}` : null;
}

/** The row, as messages name it. */
export function rowText(table: Table, { user, network }: Row): string {
  return `${table === 'access' ? user : `@${user}`} ${network}`;
}
