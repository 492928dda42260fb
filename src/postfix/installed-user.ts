// The account of the service that is installed already, for commands that prepare its database.
import * as path from 'node:path';
import { Trouble } from '../failure';
import { DEFAULT_DATABASE } from '../rules/database';
import { ConfigStore } from './config-store';
import { servicesOf } from './config-text';
import { programIndex, programOptions, spawned } from './policy-service';
import { Postfix } from './postfix';

/**
 * `user=` of the service of the default Postfix instance that reads this database; null where there is none, or no
 * Postfix.
 */
export function installedUser(db: string): string | null {
  try {
    const { files } = new ConfigStore(new Postfix(null).configDir);
    for (const entry of servicesOf(files.master)) {
      const policy = spawned(entry);
      const index = programIndex(policy?.argv ?? []);
      if (policy === null || index < 0) continue;
      const read = programOptions(policy.argv.slice(index + 1)).db ?? DEFAULT_DATABASE;
      if (path.resolve(read) === db) return policy.user;
    }
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
  }
  return null;
}
