// What install, uninstall and doctor have in common on the command line.

import type { Arguments } from '../cli/command';
import { Trouble } from '../failure';
import type { Postfix } from './postfix';

export const CONFIG_DIR = {
  alias: 'c',
  type: 'string',
  requiresArg: true,
  describe: 'folder of main.cf and master.cf, of another Postfix instance',
} as const;

export const SERVICE = {
  type: 'string',
  requiresArg: true,
  describe: 'name of the service in master.cf (allow-nets)',
} as const;

export const YES = { alias: 'y', type: 'boolean', describe: 'do not ask' } as const;

export const DRY_RUN = { alias: 'n', type: 'boolean', describe: 'only print what would be done' } as const;

/** Throws Trouble for a name that cannot stand in `unix:private/NAME`. */
export function serviceName(given: Arguments): string {
  const name = given.text('service') ?? 'allow-nets';
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name)) return name;
  throw new Trouble({
    kind: 'option',
    problem: `${name} is no name for a service`,
    hint: 'letters, digits, hyphens, dots and underscores',
  });
}

/** Throws Trouble for anybody but root, whom Postfix's own commands want. */
export function requireRoot(command: string, postfix: Postfix): void {
  if (process.getuid?.() === 0) return;
  throw new Trouble({
    kind: 'refused',
    problem: `only root may change ${postfix.configDir}`,
    hint: `sudo allow-nets ${command}, or allow-nets ${command} --dry-run to see what it would do`,
  });
}
