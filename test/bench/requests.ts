// Requests as smtpd(8) of Postfix 3.7 sends them, all 31 attributes, and the replies that they must get.
import { readFileSync } from 'node:fs';
import { newFile } from '../rig/scratch';

export interface Ask {
  user: string;
  address: string;
  allowed: boolean;
}

const EXAMPLE = readFileSync('examples/requests/allowed.txt', 'utf8');

/** The whole request, with the empty line; `serial` makes recipient, port and instance differ. */
export function request({ user, address }: Ask, serial = 0): string {
  const values: Record<string, string> = {
    client_address: address,
    client_port: `${20_000 + (serial % 40_000)}`,
    recipient: `recipient${serial}@example.org`,
    instance: `3f2a.${serial.toString(16)}.65a1b2c3.0`,
    sasl_username: user,
  };
  return EXAMPLE.replace(/^(\w+)=.*$/gm, (line, name) => (name in values ? `${name}=${values[name]}` : line));
}

/** The reply with the default --reject-text. */
export function reply({ user, address, allowed }: Ask): string {
  return allowed ? 'action=dunno\n\n' : `action=reject 5.7.1 ${user} may not send mail from ${address}\n\n`;
}

/** Files of the requests and of their replies. */
export function conversation(asks: Ask[]): { requests: string; replies: string } {
  return {
    requests: newFile(asks.map((ask, serial) => request(ask, serial)).join(''), 'requests'),
    replies: newFile(asks.map(reply).join(''), 'replies'),
  };
}
