// Finds the account of the installed service, for commands that prepare its database.
import * as path from 'node:path';
import { Trouble } from '../failure';
import { DEFAULT_DATABASE } from '../rules/database';
import { ConfigStore } from './config-store';
import { servicesOf } from './config-text';
import { policyServiceOf, programIndex, programOptions } from './policy-service';
import { Postfix } from './postfix';

/**
 * The `user=` of the service that reads this database in the default Postfix instance; null if there is no such service
 * or no Postfix.
 */
export function installedUser(db: string): string | null {
  try {
    const { files } = new ConfigStore(new Postfix(null).configDir);
    for (const entry of servicesOf(files.master)) {
      const policy = policyServiceOf(entry);
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
