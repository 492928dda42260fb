// Looks up parameters as each smtpd service sees them: -o overrides, then main.cf, then the defaults, expanded by
// postconf(1).
//
// DIAGNOSTICS: throws Trouble if postconf cannot read the files, or if no temporary file can be created.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Service, servicesOf } from './config-text';
import { postconf } from './postfix';
import { withTemporaryFolder } from './run';

/** The texts of main.cf and master.cf. */
export interface ConfigFiles {
  readonly main: string;
  readonly master: string;
  /** The folder of both, for $config_directory. */
  readonly folder?: string | undefined;
}

/** The expanded value of a parameter; null if Postfix does not know it. */
export type Lookup = (name: string) => string | null;

/** All services that run smtpd. */
export function smtpdServices(files: ConfigFiles): Service[] {
  return servicesOf(files.master).filter(({ command }) => /^(.*\/)?smtpd$/.test(command));
}

/** Whether the service offers AUTH. */
export function offersAuth(files: ConfigFiles, service: Service): boolean {
  return !/^(no|false)$/i.test(serviceLookup(files, service)('smtpd_sasl_auth_enable') ?? 'no');
}

export const servicesWithAuth = (files: ConfigFiles): Service[] =>
  smtpdServices(files).filter((service) => offersAuth(files, service));

/** The values of main.cf, without overrides. */
export const mainLookup = (files: ConfigFiles): Lookup => lookupWith(files, '', []);

export function serviceLookup(files: ConfigFiles, service: Service, more: readonly string[] = []): Lookup {
  const overrides = [...service.overrides].map(([name, value]) => `${name}=${value}`);
  return lookupWith(files, service.name, [...overrides, ...more]);
}

/**
 * The values as they are otherwise, and those under overload, where they can differ: master(8) then adds the option
 * (STRESS_README).
 */
export function serviceLookups(files: ConfigFiles, service: Service): Lookup[] {
  const canDiffer = /\bstress\b/.test(files.main + files.master);
  return [serviceLookup(files, service), ...(canDiffer ? [serviceLookup(files, service, ['stress=yes'])] : [])];
}

/** Caches the lookups, as each one runs postconf. */
const cache = new Map<string, Lookup>();

function lookupWith({ main, master, folder }: ConfigFiles, service: string, overrides: readonly string[]): Lookup {
  const key = JSON.stringify([main, master, folder, service, overrides]);
  let lookup = cache.get(key);
  if (lookup === undefined) {
    // postconf overrides these two read-only parameters with its own values, so they are renamed.
    const named = (text: string) => text.replace(/\b(process_name|service_name)\b/g, 'allow_nets_$1');
    const own = ['allow_nets_process_name=smtpd', `allow_nets_service_name=${service}`];
    const values = expandedValues({ main: named(main), master, folder }, [...overrides.map(named), ...own]);
    lookup = (name) => values.get(name) ?? null;
    cache.set(key, lookup);
  }
  return lookup;
}

function expandedValues({ main, master, folder }: ConfigFiles, overrides: readonly string[]): Map<string, string> {
  return withTemporaryFolder((copy) => {
    fs.writeFileSync(path.join(copy, 'master.cf'), master);
    fs.writeFileSync(path.join(copy, 'main.cf'), main);
    // postconf would wait until main.cf is older than a second, in case it is still being written.
    fs.utimesSync(path.join(copy, 'main.cf'), 0, 0);
    const values = postconf(['-c', copy, '-x', ...overrides.flatMap((one) => ['-o', one])]);
    return new Map([...values].map(([name, value]) => [name, value.replaceAll(copy, folder ?? copy)]));
  });
}
