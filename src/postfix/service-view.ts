// A Postfix configuration as one smtpd service sees it: its -o overrides before main.cf, and which of its restriction lists ask.
import { parametersOf } from './main-cf';
import { overrideOf, type Service, servicesOf } from './master-cf';
import { expanded, itemsOf, type Lookup, type Reach, reachOf } from './restrictions';

/** The texts of main.cf and master.cf. */
export interface ConfigFiles {
  readonly main: string;
  readonly master: string;
}

/** All entries whose program is smtpd, whatever they listen on. */
export function smtpdServices(files: ConfigFiles): Service[] {
  return servicesOf(files.master).filter(({ command }) => command === 'smtpd');
}

/** As main.cf alone has it. */
export function mainLookup(files: ConfigFiles): Lookup {
  const values = new Map(parametersOf(files.main).map(({ name, value }) => [name, value.text]));
  return (name) => values.get(name) ?? null;
}

export function serviceLookup(files: ConfigFiles, service: Service): Lookup {
  const main = mainLookup(files);
  return (name) => overrideOf(service, name)?.value.text ?? main(name);
}

/** Whether the service offers AUTH. An expression that only Postfix can evaluate counts as yes. */
export function offersAuth(files: ConfigFiles, service: Service): boolean {
  const lookup = serviceLookup(files, service);
  const value = expanded(lookup('smtpd_sasl_auth_enable') ?? 'no', lookup);
  return /^(yes|true|.*\$.*)$/i.test(value.trim());
}

export const RECIPIENT_LIST = 'smtpd_recipient_restrictions';

/**
 * The lists in which a client's SASL user name is known, in the order of evaluation. With smtpd_delay_reject=no those of the client and of
 * HELO are evaluated before the client can authenticate.
 */
function listsWithUser(lookup: Lookup): string[] {
  const delayed = !/^(no|false)$/i.test(expanded(lookup('smtpd_delay_reject') ?? 'yes', lookup).trim());
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

/** The lists that hold a check of `policy`, those that ask it for sure first. */
export function askedIn(lookup: Lookup, policy: string): AskedIn[] {
  const found = listsWithUser(lookup).map((list) => ({
    list,
    reach: reachOf(itemsOf(lookup(list) ?? '', lookup), policy),
  }));
  const rank = ({ reach }: AskedIn) => (reach.kind === 'asked' ? 0 : 1);
  return found.filter(({ reach }) => reach.kind !== 'absent').sort((a, b) => rank(a) - rank(b));
}

/** What any list asks with check_policy_service, as written: in main.cf, and as each smtpd service sees it. */
export function policyTargets(files: ConfigFiles): string[] {
  const lookups = [
    mainLookup(files),
    ...smtpdServices(files).map((service) => serviceLookup(files, service)),
  ];
  const targets = lookups.flatMap((lookup) =>
    listsWithUser(lookup).flatMap((list) =>
      itemsOf(lookup(list) ?? '', lookup).flatMap(({ word, target }) =>
        word === 'check_policy_service' && target !== null ? [target] : [],
      ),
    ),
  );
  return [...new Set(targets)];
}
