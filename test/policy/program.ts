// The shipped program as Postfix's spawn(8) runs it: descriptors 0, 1 and 2 are one and the same socket, the environment is short, and
// the mail log is a fake postlog first in PATH, which writes "priority: line" to a file.
import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as path from 'node:path';
import { makeScratch } from './scratch';

export const PROGRAM = path.resolve('bin/allow-nets.js');

export interface Ended {
  /** All that came out of the socket, one character a byte. */
  readonly bytes: string;
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The lines of the mail log, each with its priority before it. */
  readonly log: readonly string[];
}

export interface Surroundings {
  /** A program other than the built file, with its arguments before those of the policy program. */
  readonly command?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  /** A shell script instead of the fake postlog; null: no postlog in PATH. */
  readonly postlog?: string | null;
}

const scratch = makeScratch();
let count = 0;

/** `$4` is the priority that postlog is called with. */
const FAKE_POSTLOG = 'while IFS= read -r line; do printf "%s: %s\\n" "$4" "$line" >> "$FAKE_LOG"; done';

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface Place {
  /** For this run alone. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** The lines of its mail log so far. */
  log(): string[];
}

/** Folder and environment for one run, with a mail log of its own. */
export function makePlace({ env = {}, postlog = FAKE_POSTLOG }: Surroundings): Place {
  const folder = path.join(scratch, `${count++}`);
  fs.mkdirSync(folder);
  const log = path.join(folder, 'log');
  fs.writeFileSync(log, '');
  fs.chmodSync(log, 0o666);
  if (postlog !== null) {
    fs.writeFileSync(path.join(folder, 'postlog'), `#!/bin/sh\n${postlog}\n`, { mode: 0o755 });
  }
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
    log: () => fs.readFileSync(log, 'utf8').split('\n').slice(0, -1),
  };
}

export class PolicyProgram {
  private readonly chunks: Buffer[] = [];
  private size = 0;
  private wanted: { size: number; done: () => void } | null = null;
  readonly ended: Promise<Ended>;

  private constructor(
    readonly socket: net.Socket,
    readonly child: ChildProcess,
    readonly place: Place,
  ) {
    running.add(child);
    const exit = new Promise<[number | null, NodeJS.Signals | null]>((done) =>
      child.once('exit', (...how) => {
        running.delete(child);
        done(how);
      }),
    );
    const closed = new Promise<void>((done) => socket.once('close', () => done()));
    socket.on('error', () => {}); // the program may go while we still write
    socket.on('data', (chunk) => {
      this.chunks.push(chunk);
      this.size += chunk.length;
      this.satisfy();
    });
    socket.on('end', () => socket.end());
    this.ended = Promise.all([exit, closed]).then(([[status, signal]]) => {
      this.wanted?.done();
      return { bytes: this.bytes, status, signal, log: place.log() };
    });
  }

  static async start(words: readonly string[], surroundings: Surroundings = {}): Promise<PolicyProgram> {
    const place = makePlace(surroundings);
    const name = path.join(place.folder, 'socket');
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
    await new Promise<void>((done) => server.listen(name, done));
    const accepted = new Promise<net.Socket>((done) => server.once('connection', done));
    const ours = net.connect({ path: name, allowHalfOpen: true });
    const theirs = await accepted;
    server.close();
    const [command = process.execPath, ...before] = surroundings.command ?? [process.execPath, PROGRAM];
    const child = spawn(command, [...before, ...words], {
      stdio: [theirs, theirs, theirs],
      env: place.env,
      cwd: '/',
      ...(surroundings.uid === undefined ? {} : { uid: surroundings.uid, gid: surroundings.uid }),
    });
    theirs.destroy();
    return new PolicyProgram(ours, child, place);
  }

  /** What has come so far, one character a byte. */
  get bytes(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  write(text: string | Buffer): void {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
  }

  /** No more input. */
  end(): void {
    this.socket.end();
  }

  /** Waits until as many bytes have come, or the program has ended. Only one wait at a time. */
  async received(size: number): Promise<string> {
    await new Promise<void>((done) => {
      this.wanted = { size, done };
      this.satisfy();
      void this.ended.then(() => done());
    });
    return this.bytes;
  }

  /** Writes a request and waits for the answer, or the program's end: then it is empty. */
  async ask(text: string | Buffer): Promise<string> {
    const before = this.size;
    this.write(text);
    for (;;) {
      const answer = this.bytes.slice(before);
      if (answer.endsWith('\n\n')) return answer;
      const size = this.size;
      await this.received(size + 1);
      if (this.size === size) return answer;
    }
  }

  /** Writes requests and waits for so many bytes of answers, or the program's end. What came before is forgotten. */
  async exchange(text: Buffer, size: number): Promise<string> {
    this.chunks.length = 0;
    this.size = 0;
    this.write(text);
    return this.received(size);
  }

  private satisfy(): void {
    if (this.wanted !== null && this.size >= this.wanted.size) {
      this.wanted.done();
      this.wanted = null;
    }
  }
}

/** One connection with this input and then its end. */
export async function run(
  words: readonly string[],
  input: string | Buffer,
  surroundings: Surroundings = {},
): Promise<Ended> {
  const program = await PolicyProgram.start(words, surroundings);
  program.write(input);
  program.end();
  return program.ended;
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
