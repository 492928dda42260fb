// The options that install, uninstall and doctor share, and their first step: to open the Postfix instance.
import { type Arguments, value } from '../cli/command';
import { refusal, wrongUsage } from '../failure';
import { ConfigStore } from './config-store';
import { servicesOf } from './config-text';
import { entriesNamed } from './plan';
import { policyServiceOf } from './policy-service';
import { Postfix } from './postfix';

export const CONFIG_DIR = {
  alias: 'c',
  type: 'string',
  requiresArg: true,
  describe: 'folder of main.cf and master.cf, of another Postfix instance',
} as const;

const USUAL_NAME = 'allow-nets';

export const SERVICE = value(`name of the service in master.cf (${USUAL_NAME}, or the one that runs this program)`);

export const YES = { alias: 'y', type: 'boolean', describe: 'do not ask' } as const;

export const DRY_RUN = { alias: 'n', type: 'boolean', describe: 'only print what would be done' } as const;

/**
 * Opens the Postfix instance and its files. `name`: of the service; without --service, of the one in master.cf that runs
 * this program, so that a service that was installed with another name is not installed a second time. Throws Trouble if
 * Postfix cannot be read, or if the service of that name runs another program.
 */
export function openPostfix(args: Arguments) {
  const postfix = new Postfix(args.text('config-dir'));
  const store = new ConfigStore(postfix.configDir);
  const present = servicesOf(store.files.master)
    .filter((entry) => entry.type === 'unix' && policyServiceOf(entry) !== null)
    .map((entry) => entry.name);
  const usual = present.includes(USUAL_NAME) ? USUAL_NAME : (present[0] ?? USUAL_NAME);
  const name = args.text('service') ?? usual;
  // Only these characters can stand in `unix:private/NAME`.
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name)) {
    const hint = 'letters, digits, hyphens, dots and underscores';
    throw wrongUsage(`${name} is not a name for a service`, hint);
  }
  if (entriesNamed(store.files, name).some((entry) => policyServiceOf(entry) === null)) {
    throw refusal(`master.cf has a service ${name} that is not this program`, 'name another one: --service NAME');
  }
  return { postfix, store, name };
}
