// A conversation with one persistent policy program from here, for what the driver in C does not do: time a single answer
// after something else has happened, and look at the program while it waits. Adds some 0.1 ms to what it times.
import { startClean } from './clean-process';
import { type Ask, reply, request } from './requests';

/** How long (ms) an answer may take. */
const PATIENCE = 30_000;

export class Talk {
  private readonly child;
  private received = '';
  private serial = 0;
  private moved = () => {};

  constructor(private readonly argv: string[]) {
    this.child = startClean(argv);
    const take = (bytes: Buffer) => {
      this.received += bytes.toString();
      this.moved();
    };
    this.child.stdout?.on('data', take);
    // As when Postfix runs it: what stands on standard error is part of the answer.
    this.child.stderr?.on('data', take);
    this.child.once('exit', () => this.moved());
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.argv.join(' ')} was not started`);
    return this.child.pid;
  }

  /** Asks, and returns how long (ms) the answer took. Throws when it is not the right one. */
  async ask(ask: Ask): Promise<number> {
    const text = request(ask, this.serial++);
    const begin = performance.now();
    this.child.stdin?.write(text);
    await this.until(() => this.received.endsWith('\n\n'));
    const took = performance.now() - begin;
    const answer = this.received;
    this.received = '';
    if (answer !== reply(ask)) throw new Error(`${ask.user} ${ask.address} was answered with <${answer}>`);
    return took;
  }

  /** Ends the input, and throws unless the program ends well. */
  async end(): Promise<void> {
    this.child.stdin?.end();
    await this.until(() => this.hasEnded());
    const { exitCode, signalCode } = this.child;
    if (exitCode !== 0 || this.received !== '') {
      throw new Error(`${this.argv.join(' ')}: ${exitCode ?? signalCode} <${this.received}>`);
    }
  }

  private hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Waits until `done`, or until there is nothing more to wait for. */
  private until(done: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.child.kill('SIGKILL'), PATIENCE);
      this.moved = () => {
        if (!done() && !this.hasEnded()) return;
        clearTimeout(timer);
        resolve();
      };
      this.moved();
    });
  }
}
