// allow-nets add: lets a user, a domain or everybody send mail from networks.

import { type Command, ENTRY_OPTIONS, flag } from '../cli/command';
import { addEntries } from '../entries/change';

export const add: Command = {
  line: 'add <user> <network..>',
  summary: 'let a user send mail from networks',
  about: [
    'The first entry of a user would replace what a wider entry (of the domain, or of *) allows. So add also writes the entry inherit, which keeps it; with --only it does not. A change takes effect at the next recipient.',
    'An existing entry gets the new note and time; without --until or --for its time stays.',
  ],
  positionals: {
    user: 'SASL user name, @example.com for a domain, or * for everybody',
    network: 'CIDR, address, @SET, any, inherit or none',
  },
  options: {
    only: flag('do not keep what a wider entry allows'),
    ...ENTRY_OPTIONS,
    force: flag('accept a user name that looks like a domain, and none for *'),
  },
  examples: [
    ['allow-nets add alice@example.com 192.0.2.0/24 2001:db8:1::/48', 'the office, IPv4 and IPv6'],
    ['allow-nets add bob @office --until 2026-12-24 --note "fair in Oslo"', 'a named set, until the end of that day'],
  ],
  run: (args) => addEntries(args, args.texts('network')),
};
