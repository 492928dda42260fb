// The shipped program as Postfix's spawn(8) runs it: descriptors 0, 1 and 2 are one and the same socket, the environment is short, and
// the mail log is a fake postlog first in PATH, which writes "priority: line" to a file.
//
//     const { bytes, status, log } = await converse(['--db', db], request('alice', '192.0.2.1'));
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import * as net from 'node:net';
import { join } from 'node:path';
import { userIds } from './accounts';
import { type Outcome, PROGRAM, run } from './run';
import { atEnd, makeFolder } from './scratch';

export interface Ended {
  /** All that came out of the socket, one character a byte. */
  readonly bytes: string;
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The lines of the mail log, each with its priority before it. */
  readonly log: readonly string[];
}

export interface ServiceOptions {
  /** A program in place of the shipped one, with its arguments before those of the policy program. */
  readonly command?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** The account that runs it; needs root. */
  readonly as?: string;
  /** A shell script in place of the fake postlog; null: no postlog in PATH. */
  readonly postlog?: string | null;
}

/** `$4` is the priority that postlog is called with. */
const FAKE_POSTLOG = 'while IFS= read -r line; do printf "%s: %s\\n" "$4" "$line" >> "$FAKE_LOG"; done';

export type ServicePlace = ReturnType<typeof makePlace>;

/** A folder for one service, and its environment, with a mail log of its own. */
export function makePlace({ env = {}, postlog = FAKE_POSTLOG }: ServiceOptions = {}) {
  const folder = makeFolder('service');
  const log = join(folder, 'log');
  writeFileSync(log, '');
  chmodSync(log, 0o666);
  if (postlog !== null) writeFileSync(join(folder, 'postlog'), `#!/bin/sh\n${postlog}\n`, { mode: 0o755 });
  return {
    folder,
    env: {
      PATH: `${folder}:/usr/bin:/bin`,
      LANG: 'C',
      TZ: 'UTC',
      FAKE_LOG: log,
      // The machine's own postlog, tried when ours fails, must not take a line of a test.
      MAIL_CONFIG: '/no/such/folder',
      ...env,
    },
    /** The lines of its mail log so far. */
    log: () => readFileSync(log, 'utf8').split('\n').slice(0, -1),
  };
}

export class PolicyProgram {
  /** What has come, one character a byte. */
  bytes = '';
  readonly ended: Promise<Ended>;
  private isOver = false;
  private wake: () => void = () => {};

  private constructor(
    readonly socket: net.Socket,
    readonly child: ChildProcess,
    readonly place: ServicePlace,
  ) {
    const kill = atEnd(() => child.kill('SIGKILL'));
    const closed = new Promise((done) => socket.once('close', done));
    socket.on('error', () => {}); // the program may go while we still write
    socket.setEncoding('latin1').on('data', (text) => {
      this.bytes += text;
      this.wake();
    });
    socket.on('end', () => socket.end());
    this.ended = Promise.all([once(child, 'exit'), closed]).then(([[status, signal]]) => {
      kill();
      this.isOver = true;
      this.wake();
      return { bytes: this.bytes, status, signal, log: place.log() };
    });
  }

  static async start(words: readonly string[], options: ServiceOptions = {}): Promise<PolicyProgram> {
    const place = makePlace(options);
    const name = join(place.folder, 'socket');
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
    await once(server.listen(name), 'listening');
    const ours = net.connect({ path: name, allowHalfOpen: true });
    const [theirs] = (await once(server, 'connection')) as [net.Socket];
    server.close();
    const [command = process.execPath, ...before] = options.command ?? [process.execPath, PROGRAM];
    const child = spawn(command, [...before, ...words], {
      stdio: [theirs, theirs, theirs],
      env: place.env,
      cwd: '/',
      ...(options.as === undefined ? {} : userIds(options.as)),
    });
    theirs.destroy();
    return new PolicyProgram(ours, child, place);
  }

  write(text: string | Buffer): void {
    this.socket.write(text, 'latin1');
  }

  /** No more input. */
  end(): void {
    this.socket.end();
  }

  /** Waits until as many bytes have come, or the program has ended. Only one wait at a time. */
  async received(size: number): Promise<string> {
    await this.until(() => this.bytes.length >= size);
    return this.bytes;
  }

  /** Writes a request and waits for the answer, or the program's end: then it is empty. */
  async ask(text: string | Buffer): Promise<string> {
    const before = this.bytes.length;
    this.write(text);
    await this.until(() => this.bytes.length > before && this.bytes.endsWith('\n\n'));
    return this.bytes.slice(before);
  }

  /** Writes requests and waits for so many bytes of answers, or the program's end. What came before is forgotten. */
  exchange(text: Buffer, size: number): Promise<string> {
    this.bytes = '';
    this.write(text);
    return this.received(size);
  }

  /** @returns the first word of the action: `dunno` or `reject`; after the program's end, its status */
  async verdict(user: string, address: string): Promise<string> {
    const answer = await this.ask(request(user, address));
    return /^action=(\w+)/.exec(answer)?.[1] ?? `no answer, status ${(await this.ended).status}`;
  }

  /** Lets the test process end while the program still runs; it is killed then. */
  unref(): this {
    this.child.unref();
    this.socket.unref();
    return this;
  }

  private async until(isThere: () => boolean): Promise<void> {
    const waiting = setTimeout(() => {}, 60_000); // keeps the test process alive after `unref`
    while (!isThere() && !this.isOver) {
      await new Promise<void>((done) => {
        this.wake = done;
      });
    }
    clearTimeout(waiting);
  }
}

/** One connection with this input and then its end. */
export async function converse(
  words: readonly string[],
  input: string | Buffer,
  options: ServiceOptions = {},
): Promise<Ended> {
  const program = await PolicyProgram.start(words, options);
  program.write(input);
  program.end();
  return program.ended;
}

/** One run by hand: standard input and both outputs are files. `input`: one character a byte. */
export function runByHand(
  words: readonly string[],
  input: string,
  options: ServiceOptions = {},
): Outcome & { readonly log: readonly string[] } {
  const place = makePlace(options);
  const { command = [process.execPath, PROGRAM], as } = options;
  const account = as === undefined ? {} : { as };
  const outcome = run(words, { input: Buffer.from(input, 'latin1'), env: place.env, cwd: '/', command, ...account });
  return { ...outcome, log: place.log() };
}

/** A request as Postfix sends it, with the attributes that matter here. */
export function request(user: string, address: string): string {
  return [
    'request=smtpd_access_policy',
    'protocol_state=RCPT',
    'protocol_name=ESMTP',
    `client_address=${address}`,
    'client_name=unknown',
    'sender=a@example.com',
    'recipient=b@example.net',
    'sasl_method=PLAIN',
    `sasl_username=${Buffer.from(user, 'utf8').toString('latin1')}`,
    'size=12345',
    '',
    '',
  ].join('\n');
}
