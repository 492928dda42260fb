// Finds the account of the installed service, for commands that prepare its database.
import * as path from 'node:path';
import { Trouble } from '../failure';
import { ConfigStore } from './config-store';
import { servicesOf } from './config-text';
import { policyServiceOf } from './policy-service';
import { Postfix } from './postfix';

/**
 * The `user=` of the service that reads this database in the default Postfix instance; null if there is no such service
 * or no Postfix.
 */
export function installedUser(db: string): string | null {
  try {
    const { files } = new ConfigStore(new Postfix(null).configDir);
    const services = servicesOf(files.master).flatMap((entry) => policyServiceOf(entry) ?? []);
    return services.find((service) => path.resolve(service.db) === db)?.user ?? null;
  } catch (error) {
    if (error instanceof Trouble) return null;
    throw error;
  }
}
