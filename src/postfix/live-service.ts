// A policy request through the socket that smtpd would use, answered by the program as Postfix itself runs it.
//
// DIAGNOSTICS: only `action=dunno` or `action=reject ...`, alone before the empty line, is an answer. Whatever else comes, as the last words of a Node.js that
// died, is NoAnswer with the likely cause.
import * as net from 'node:net';
import * as path from 'node:path';

export interface Answer {
  readonly action: 'dunno' | 'reject';
  readonly ms: number;
  /** Whether a second request on the same connection was answered too. */
  readonly goesOn: boolean;
}

/** Why there was no answer. `message`: what was seen; `hint`: the likely cause. */
export class NoAnswer extends Error {
  constructor(
    message: string,
    readonly hint = 'the mail log says why',
  ) {
    super(message);
  }
}

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

/** What was answered, or null for anything but one answer of this program. `reply`: all that came, with the empty line. */
export function actionIn(reply: string): Answer['action'] | null {
  const [, action] = /^action=(dunno|reject(?= [ -~]))[ -~]*\n\n$/.exec(reply) ?? [];
  return action === 'dunno' || action === 'reject' ? action : null;
}

/** The last words of V8 and Node.js. */
const DEATH = /Fatal (error|process)|Check failed|out of memory|Cannot allocate|core dumped/i;

const LIMITS =
  'Node.js ended on a signal while it started, as it does under MemoryDenyWriteExecute= or LimitAS= of the unit of Postfix: take the limit out of the unit, or let argv= in master.cf begin with NODE --jitless --no-expose-wasm';

function noAnswerIn(reply: string): NoAnswer {
  const shown = JSON.stringify(reply.trim().slice(0, 100)).replace(/[^ -~]/g, '?');
  return new NoAnswer(`not an answer of this program: ${shown}`, DEATH.test(reply) ? LIMITS : undefined);
}

/**
 * One request on a connection of its own; with `again` the same once more on that connection, whose answer may be missing. Throws NoAnswer.
 */
export function askLive(address: LiveAddress, request = PROBE_REQUEST, { again = false } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const begin = performance.now();
    let received = '';
    let first: Answer | null = null;
    const ask = () => connection.write(request);
    const connection =
      typeof address === 'string' ? net.connect(address, ask) : net.connect(address.port, address.host, ask);
    const fail = (why: NoAnswer) => {
      connection.destroy();
      if (first === null) reject(why);
      else resolve(first);
    };
    const endWith = (why: string) => fail(received === '' ? new NoAnswer(why) : noAnswerIn(received));
    connection.setTimeout(PATIENCE, () => endWith(`no answer within ${PATIENCE / 1000} s`));
    connection.on('error', (error) => endWith(error.message));
    connection.on('close', () => endWith('the connection was closed without an answer'));
    connection.on('data', (bytes) => {
      received += bytes.toString('latin1');
      const action = actionIn(received);
      if (action === null) {
        // Of the last words of a process the rest is still to come, and then the end of the connection.
        const isOver = received.length > 65_536 || /^action=[^\n]*\n\n/.test(received);
        return isOver ? fail(noAnswerIn(received)) : undefined;
      }
      if (again && first === null) {
        first = { action, ms: performance.now() - begin, goesOn: false };
        received = '';
        return void ask();
      }
      resolve(first === null ? { action, ms: performance.now() - begin, goesOn: false } : { ...first, goesOn: true });
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
