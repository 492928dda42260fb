// Finds sets of networks that are named like a webmail: a stolen password works through it from everywhere.
import { shellLine } from '../failure';
import type { Connection } from '../rules/database';
import { type Finding, warn } from './finding';
import type { InstalledService } from './installed-service';

export function* webmailFindings(connection: Connection, { db, postfix }: InstalledService): Iterable<Finding> {
  for (const set of commonSets(connection).filter((name) => /web/.test(name))) {
    const message = `every user may send from the set ${set}: if it is a webmail, a stolen password works there from everywhere`;
    const command = shellLine(['allow-nets', 'remove', 'USER', `@${set}`, '--db', db]);
    yield warn('webmail', message, {
      hint: 'let the webmail, at ADDRESS, name its clients with XCLIENT',
      command: postfix.postconfCommand('smtpd_authorized_xclient_hosts=ADDRESS'),
      more: [{ hint: 'then take the set from each user', command }],
    });
  }
}

/** The sets that every subject's entries name, if the entries are for more than one person. */
function commonSets(connection: Connection): string[] {
  const sql = `with total as (select count(distinct user collate nocase) as users from access)
    select lower(substr(network, 2)) from access, total where network like '@%' and (users > 1 or user = '*' or user like '@%')
    group by lower(network) having count(distinct user collate nocase) = users`;
  return connection.prepare(sql).pluck().all() as string[];
}
