// A policy request through the socket that smtpd would use, answered by the program as Postfix itself runs it.
import * as net from 'node:net';
import * as path from 'node:path';

export interface Answer {
  /** What came back, without the empty line. */
  readonly action: string;
  readonly ms: number;
  /** Whether a second request on the same connection was answered too. */
  readonly goesOn: boolean;
}

/** Why there was no answer: no socket yet, not allowed, or the connection ended. */
export class NoAnswer extends Error {}

/** How long (ms) an answer may take: Postfix itself tries a program that fails once more after a second. */
const PATIENCE = 10_000;

/** A user that no site has, so that the answer tells what the database says about a stranger. */
export const PROBE = { user: 'doctor@allow-nets.invalid', address: '192.0.2.1' } as const;

export const requestOf = (user: string, address: string) =>
  [
    'request=smtpd_access_policy',
    'protocol_state=RCPT',
    'protocol_name=ESMTP',
    `client_address=${address}`,
    'client_name=unknown',
    'sasl_method=PLAIN',
    `sasl_username=${user}`,
    '',
    '',
  ].join('\n');

export const PROBE_REQUEST = requestOf(PROBE.user, PROBE.address);

export const socketOf = (queueDir: string, service: string) => path.join(queueDir, 'private', service);

/** Where the program listens: a socket of Postfix's, or a port. */
export type LiveAddress = string | { readonly host: string; readonly port: number };

/**
 * One request on a connection of its own; with `again` the same once more on that connection, whose answer may be missing. Throws NoAnswer.
 */
export function askLive(
  address: LiveAddress,
  request = PROBE_REQUEST,
  { again = false } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const begin = performance.now();
    let received = '';
    let first: Answer | null = null;
    const ask = () => connection.write(request);
    const connection =
      typeof address === 'string' ? net.connect(address, ask) : net.connect(address.port, address.host, ask);
    const fail = (why: string) => {
      connection.destroy();
      if (first === null) reject(new NoAnswer(why));
      else resolve(first);
    };
    connection.setTimeout(PATIENCE, () => fail(`no answer within ${PATIENCE / 1000} s`));
    connection.on('error', (error) => fail(error.message));
    connection.on('close', () => fail('the connection was closed without an answer'));
    connection.on('data', (bytes) => {
      received += bytes.toString('latin1');
      const end = received.indexOf('\n\n');
      if (end < 0) return;
      const answer = { action: received.slice(0, end), ms: performance.now() - begin };
      if (again && first === null) {
        first = { ...answer, goesOn: false };
        received = received.slice(end + 2);
        ask();
        return;
      }
      resolve({ ...(first ?? answer), goesOn: first !== null });
      connection.destroy();
    });
  });
}

/** The same again and again for as long as Postfix may need after a reload. */
export async function awaitLive(socket: string): Promise<Answer> {
  const end = Date.now() + PATIENCE;
  for (;;) {
    try {
      return await askLive(socket);
    } catch (error) {
      if (!(error instanceof NoAnswer) || Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
