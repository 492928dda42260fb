// How install and uninstall begin, and what they ask before they change anything.

import type { Arguments } from '../cli/command';
import { printLine } from '../cli/output';
import { ConfigStore } from './config-store';
import { servicesOf } from './master-cf';
import { programIndex, spawned } from './policy-service';
import { Postfix } from './postfix';
import { requireRoot, serviceName } from './postfix-options';
import { refused } from './run';
import { isForeign } from './service-changes';
import { askConsent } from './shown-plan';

export interface Opening {
  readonly postfix: Postfix;
  readonly store: ConfigStore;
  /** Of the service in master.cf: ours, or not there yet. */
  readonly name: string;
}

/** Throws Trouble when Postfix cannot be read, or the service of that name is another program. */
export function openPostfix(given: Arguments): Opening {
  const postfix = new Postfix(given.text('config-dir'));
  const store = new ConfigStore(postfix.configDir);
  const name = serviceName(given);
  if (isForeign(store.files, name)) {
    throw refused(`master.cf has a service ${name} that is not this program`, 'name another one: --service NAME');
  }
  return { postfix, store, name };
}

/** The services in master.cf that are this program under another name, for an administrator who has given none. */
export function otherNames(given: Arguments, { store, name }: Opening): string[] {
  if (given.text('service') !== null) return [];
  return servicesOf(store.files.master).flatMap((entry) => {
    const isOurs = entry.type === 'unix' && programIndex(spawned(entry)?.argv ?? []) >= 0;
    return isOurs && entry.name !== name ? [entry.name] : [];
  });
}

/** Whether the changes that were printed are to be made. Throws Trouble for who may not make them, and where nobody can be asked. */
export function isAgreed(command: string, given: Arguments, postfix: Postfix): boolean {
  if (given.flag('dry-run')) return false;
  requireRoot(command, postfix);
  const answer = askConsent('make these changes?', given.flag('yes'));
  if (answer === 'no terminal') {
    throw refused(
      'nothing was changed: standard input is not a terminal',
      `allow-nets ${command} --yes makes these changes, --dry-run only prints them`,
    );
  }
  if (answer === 'no') printLine('nothing was changed');
  return answer === 'yes';
}
