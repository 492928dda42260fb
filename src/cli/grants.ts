// Whether a database lets anybody send mail at all.
import { eachRow, hasRows, isExpired, problemOf } from '../rules/entries';
import { reading } from './open';

/** True as soon as one entry is in force. */
export function grantsAnything(file: string): boolean {
  const now = Date.now();
  return reading(file, (connection) => {
    const hasSet = (name: string) => hasRows(connection, 'network_set', name);
    for (const row of eachRow(connection, 'access')) {
      if (problemOf('access', row, hasSet) === null && !isExpired(row, now)) return true;
    }
    return false;
  });
}
