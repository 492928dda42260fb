// A Postfix that asks a site's copy, and a client that sends through it without a pause while the copy is being changed.
import { chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { askPolicy, clientAs, type PolicySetUp } from '../rig/policy-set-up';
import { type PrivatePostfix, startPrivatePostfix } from '../rig/postfix';

/** @param db a database that the service user can read */
export function startMailServer({ program }: PolicySetUp, db: string): Promise<PrivatePostfix<'smtp'>> {
  for (let folder = dirname(db); folder !== '/tmp'; folder = dirname(folder)) chmodSync(folder, 0o755);
  const argv = `${program.node} ${program.script} --db ${db} --persistent`;
  return startPrivatePostfix({
    listeners: { smtp: [askPolicy('unix:private/allow-nets')] },
    services: [`allow-nets unix - n n - 0 spawn user=nobody argv=${argv}`],
  });
}

export interface MailFlow {
  /** Ends the client. @returns how many recipients were asked about, and each answer that no list gives */
  end(): Promise<{ asked: number; wrong: string[] }>;
}

/** Users and addresses of the examples' lists, and the codes that some list gives; carol comes and goes. */
const ASKED: [user: string, address: string, codes: number[]][] = [
  ['alice@example.com', '192.0.2.9', [250]],
  ['alice@example.com', '2001:db8:1::9', [250]],
  ['alice@example.com', '198.51.100.7', [554]],
  ['bob@example.com', '198.51.100.7', [250]],
  ['bob@example.com', '192.0.2.9', [554]],
  ['carol@example.com', '203.0.113.5', [250, 554]],
  ['carol@example.com', '192.0.2.9', [554]],
  ['dave@example.com', '10.0.0.1', [554]],
];

export function startMailFlow(port: number): MailFlow {
  const wrong: string[] = [];
  let asked = 0;
  let ended = false;
  const flow = (async () => {
    for (let i = 0; !ended; i++) {
      const [user, address, codes] = ASKED[i % ASKED.length] ?? ['', '', []];
      const client = await clientAs(port, user, address);
      for (let recipient = 0; recipient < 3; recipient++) {
        const { code, text } = await client.rcpt(`someone${recipient}@example.net`);
        asked++;
        if (!codes.includes(code)) wrong.push(`${user} at ${address}: ${code} ${text}`);
      }
      client.close();
    }
  })();
  return {
    async end() {
      ended = true;
      await flow;
      return { asked, wrong };
    },
  };
}
