// A Postfix of a test's own, beside any other on the machine: own configuration, queue, log and loopback ports, Dovecot
// for SMTP AUTH, and every accepted message is discarded. It relies on what the Postfix manual says of postfix(1) -c and in
// MULTI_INSTANCE_README, MAILLOG_README, SASL_README and XCLIENT_README.
//
// In trouble: a start that fails throws with the instance's log. Processes and folder are removed at the latest when the test ends.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { program } from '../requires';
import { startSaslServer } from './dovecot';
import { freePorts } from './ports';
import { logIn, makeInstance, type Ports, type PrivatePostfixOptions } from './postfix-files';
import { makeFolder, processesIn, type RunningProcess, removeFolder } from './scratch';
import { waitFor } from './wait-for';

export class PrivatePostfix<Name extends string> {
  constructor(
    private readonly root: string,
    readonly ports: Ports<Name>,
    /** The folder with main.cf and master.cf, for `postfix -c`. */
    readonly configDir: string,
    readonly queueDir: string,
  ) {}

  /** The instance's whole mail log. */
  readonly log = () => readFileSync(logIn(this.root), 'utf8');

  /** The lines of the log in which Postfix or the program warns of something. */
  complaints(): string[] {
    return this.log().match(/^.*(warning|error|fatal|panic):.*$/gm) ?? [];
  }

  /** Waits until a line of the log matches; only what comes after the first `from` characters is searched. */
  waitForLog(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    return waitFor(`a log line ${pattern}`, () => pattern.exec(this.log().slice(from)), this.log);
  }

  /** Runs a Postfix command (`postconf`, `postfix`, ...) with `-c configDir`. @returns its stdout */
  async command(name: string, ...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(program(name), ['-c', this.configDir, ...args]);
    return stdout;
  }

  /** `postfix reload`, and waits until the instance has done it. */
  async reload(): Promise<void> {
    const before = this.log().length;
    const isDone = () => /postfix\/master\[\d+\]: reload/.test(this.log().slice(before));
    const reload = async () => {
      await this.command('postfix', 'reload');
      await waitFor('the reload of Postfix', isDone, this.log, 15_000);
    };
    // Once more when the line does not come: it has been missing on a busy machine.
    await reload().catch(reload);
  }

  /** All of the instance: Postfix, Dovecot, and what spawn(8) has started. */
  processes(): RunningProcess[] {
    return processesIn(this.root);
  }

  /** Ends all of it at once and removes its folder. */
  stop(): void {
    removeFolder(this.root);
  }
}

/** Starts an instance. Takes about 2 s. Needs root. */
export async function startPrivatePostfix<Name extends string>(
  options: PrivatePostfixOptions<Name>,
): Promise<PrivatePostfix<Name>> {
  const names = Object.keys(options.listeners) as Name[];
  for (let attempt = 1; ; attempt++) {
    const root = makeFolder('postfix');
    try {
      const free = await freePorts(names.length);
      const ports = Object.fromEntries(names.map((name, index) => [name, free[index]])) as Record<Name, number>;
      const { configDir, queueDir, dovecotDir } = makeInstance(root, options, ports);
      await startSaslServer(dovecotDir, join(queueDir, 'private/auth'), options.users ?? {}, options.passdbs);
      const postfix = new PrivatePostfix(root, ports, configDir, queueDir);
      await postfix.command('postfix', 'start');
      return postfix;
    } catch (error) {
      const log = existsSync(logIn(root)) ? readFileSync(logIn(root), 'utf8') : '';
      removeFolder(root);
      // Another program was faster with one of the ports.
      if (attempt === 5 || !log.includes('Address already in use')) throw new Error(`${error}\n${log}`);
    }
  }
}
