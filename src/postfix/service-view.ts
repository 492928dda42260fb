// A Postfix configuration as one smtpd service sees it: its -o overrides before main.cf, expanded by Postfix itself, and which of its restriction
// lists ask.
import { type Service, servicesOf } from './master-cf';
import { type Outage, outageOf } from './outage';
import { isCheckOf } from './policy-check';
import { expandedValues } from './postfix';
import { itemsOf, type Lookup, type Reach, reachOf } from './restrictions';

/** The texts of main.cf and master.cf. */
export interface ConfigFiles {
  readonly main: string;
  readonly master: string;
  /** Where they lie, or will. */
  readonly folder?: string;
}

/** All services whose program is smtpd, whatever they listen on. */
export function smtpdServices(files: ConfigFiles): Service[] {
  return servicesOf(files.master).filter(({ command }) => /^(.*\/)?smtpd$/.test(command));
}

/** As main.cf alone has it. */
export const mainLookup = (files: ConfigFiles): Lookup => lookupWith(files, []);

export const serviceLookup = (files: ConfigFiles, service: Service): Lookup =>
  lookupWith(
    files,
    service.overrides.map(({ name, value }) => `${name}=${value.text}`),
  );

/** What Postfix said about a main.cf and overrides: the same texts are looked at many times, and each question is a process. */
const known = new Map<string, Lookup>();

function lookupWith({ main, folder }: ConfigFiles, overrides: readonly string[]): Lookup {
  const key = [main, folder, ...overrides].join('\0');
  const cached = known.get(key);
  if (cached !== undefined) return cached;
  const values = expandedValues(main, folder, overrides);
  const lookup: Lookup = (name) => values.get(name) ?? null;
  known.set(key, lookup);
  return lookup;
}

/** Whether the service offers AUTH. */
export function offersAuth(files: ConfigFiles, service: Service): boolean {
  return !/^(no|false)$/i.test(serviceLookup(files, service)('smtpd_sasl_auth_enable') ?? 'no');
}

export const servicesWithAuth = (files: ConfigFiles): Service[] =>
  smtpdServices(files).filter((service) => offersAuth(files, service));

export const RECIPIENT_LIST = 'smtpd_recipient_restrictions';

/**
 * The lists in which a client's SASL user name is known, in the order of evaluation. With smtpd_delay_reject=no those of the client and of
 * HELO are evaluated before the client can authenticate.
 */
function listsWithUser(lookup: Lookup): string[] {
  const delayed = !/^(no|false)$/i.test(lookup('smtpd_delay_reject') ?? 'yes');
  return [
    ...(delayed ? ['smtpd_client_restrictions', 'smtpd_helo_restrictions'] : []),
    'smtpd_sender_restrictions',
    'smtpd_relay_restrictions',
    RECIPIENT_LIST,
    'smtpd_data_restrictions',
    'smtpd_end_of_data_restrictions',
  ];
}

export interface AskedIn {
  readonly list: string;
  readonly reach: Reach;
}

/** The lists that hold a check of `policy`, those that ask it for sure first, then those in which only tables stand before it. */
export function askedIn(lookup: Lookup, policy: string): AskedIn[] {
  const found = listsWithUser(lookup).map((list) => ({
    list,
    reach: reachOf(itemsOf(lookup(list) ?? '', lookup), policy),
  }));
  const rank = ({ reach }: AskedIn) =>
    reach.kind === 'asked' ? (reach.trial ? 1 : 0) : reach.kind === 'skipped' && reach.tables ? 2 : 3;
  return found.filter(({ reach }) => reach.kind !== 'absent').sort((a, b) => rank(a) - rank(b));
}

/** What every list asks with check_policy_service, in the order of evaluation. */
function targetsIn(lookup: Lookup): string[] {
  return listsWithUser(lookup).flatMap((list) =>
    itemsOf(lookup(list) ?? '', lookup).flatMap(({ word, argument }) =>
      word === 'check_policy_service' && argument !== null ? [argument] : [],
    ),
  );
}

/** What becomes of mail while `policy` does not answer: one for each check of it that the service has. */
export const outagesOf = (lookup: Lookup, policy: string): Outage[] =>
  targetsIn(lookup)
    .filter((target) => isCheckOf(policy, target))
    .map((target) => outageOf(target, lookup));

/** What any list asks with check_policy_service: in main.cf, and as each smtpd service sees it. */
export function policyTargets(files: ConfigFiles): string[] {
  const lookups = smtpdServices(files).map((service) => serviceLookup(files, service));
  return [...new Set([mainLookup(files), ...lookups].flatMap(targetsIn))];
}
