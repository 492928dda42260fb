// allow-nets block: refuses a user from everywhere, whatever other entries allow, by the entry `none`.

import { type Command, ENTRY_OPTIONS, flag } from '../cli/command';
import { addEntries } from '../entries/change';

export const block: Command = {
  line: 'block <user>',
  summary: 'refuse a user from everywhere',
  about: [
    'For a stolen password: the entry none refuses the user whatever other entries allow, from the next recipient on. The other entries stay, and apply again after unblock. It blocks sending, not the login to the mailbox.',
    'Blocking a domain or * refuses only users without own entries.',
  ],
  positionals: { user: 'SASL user name, @example.com for a domain, or * for everybody' },
  options: { ...ENTRY_OPTIONS, force: flag('accept * (everybody), and a user name that looks like a domain') },
  examples: [
    ['allow-nets block carol@example.com --note "password stolen"', 'until allow-nets unblock'],
    ['allow-nets block carol@example.com --for 12h', 'for twelve hours'],
  ],
  run: (args) => addEntries(args, ['none']),
};
