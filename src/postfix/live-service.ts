// Sends policy requests to the running service through the socket that smtpd uses.
//
// DIAGNOSTICS: only `action=dunno` or `action=reject ...` and an empty line are an answer. About anything else, such as
// the crash message of Node.js, a message says what happened and the likely cause.
import * as net from 'node:net';
import * as path from 'node:path';
import type { Message } from '../failure';
import type { Query } from '../policy/decide';

export type Action = 'dunno' | 'reject';

export interface Answer {
  readonly action: Action;
  readonly ms: number;
}

/** The longest time (ms) for an answer. It includes Postfix's second attempt if the program fails. */
const TIME_LIMIT = 10_000;

/** A user that no site has, to see how the service answers about a user without entries of his own. */
export const STRANGER: Query = { user: 'doctor@allow-nets.invalid', address: '192.0.2.1' };

export function requestOf({ user, address }: Query): string {
  const client = `client_address=${address}\nclient_name=unknown`;
  const sasl = `sasl_method=PLAIN\nsasl_username=${user}`;
  return `request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\n${client}\n${sasl}\n\n`;
}

/** Where the program listens: the path of a UNIX socket, or a TCP port. */
type LiveAddress = string | { readonly host: string; readonly port: number };

export const socketOf = (queueDir: string, service: string) => path.join(queueDir, 'private', service);

/** Parses `HOST:PORT`, `[HOST]:PORT` or `PORT`. */
export function tcpAddress(text: string, defaultHost: string) {
  const [, host, port] = /^(?:\[?(.*?)\]?:)?(\d+)$/.exec(text) ?? [];
  return { host: host || defaultHost, port: Number(port) };
}

/** `reply`: all bytes received. Null unless they are exactly one answer of this program. */
export function parseReply(reply: string): Action | null {
  const [, action] = /^action=(dunno|reject(?= [ -~]))[ -~]*\n\n$/.exec(reply) ?? [];
  return (action as Action | undefined) ?? null;
}

/** Matches the crash messages of V8 and Node.js. */
const CRASH = /Fatal (error|process)|Check failed|out of memory|Cannot allocate|core dumped/i;

const LIMITS =
  'Node.js ended on a signal while it started, as it does under MemoryDenyWriteExecute= or LimitAS= of the unit of Postfix: take the limit out of the unit, or let argv= in master.cf begin with NODE --jitless --no-expose-wasm';

/** `why`: what ended the connection. */
function noAnswer(received: string, why: string): Message {
  const hint = CRASH.test(received) ? LIMITS : 'the mail log says why';
  if (received === '') return { problem: why, hint };
  const text = JSON.stringify(received.trim().slice(0, 100)).replace(/[^ -~]/g, '?');
  return { problem: `not an answer of this program: ${text}`, hint };
}

/** The most connections for one request. */
const TRIES = 10;

/** Sends one request. Never rejects. */
export async function askLive(address: LiveAddress, request = requestOf(STRANGER)): Promise<Answer | Message> {
  for (let tries = 1; ; tries++) {
    const answer = await askOnce(address, request);
    // A program that crashes at once may be gone before the request is written. Node.js then drops what it had said.
    const isLost = 'problem' in answer && answer.problem === 'write EPIPE';
    if (!isLost || tries === TRIES) return answer;
  }
}

/** One request on a connection of its own. Never rejects. */
function askOnce(address: LiveAddress, request: string): Promise<Answer | Message> {
  return new Promise((resolve) => {
    const begin = performance.now();
    let received = '';
    const connection = net.connect(typeof address === 'string' ? { path: address } : address);
    const end = (why: string) => {
      connection.destroy();
      const action = parseReply(received);
      resolve(action === null ? noAnswer(received, why) : { action, ms: performance.now() - begin });
    };
    connection.write(request);
    connection.setTimeout(TIME_LIMIT, () => end(`no answer within ${TIME_LIMIT / 1000} s`));
    connection.on('error', (error) => end(error.message));
    connection.on('close', () => end('the connection was closed without an answer'));
    connection.on('data', (bytes) => {
      received += bytes.toString('latin1');
      // Do not stop at other text: the rest of a crash message may still come.
      if (received.length > 65_536 || /^action=[^\n]*\n\n/.test(received)) end('');
    });
  });
}
