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

export interface PrivatePostfix<Name extends string> {
  ports: Ports<Name>;
  /** The folder with main.cf and master.cf, for `postfix -c`. */
  configDir: string;
  queueDir: string;
  /** The instance's whole mail log. */
  log(): string;
  /** The lines of the log in which Postfix or the program warns of something. */
  complaints(): string[];
  /** Waits until a line of the log matches; only what comes after the first `from` characters is searched. */
  waitForLog(pattern: RegExp, from?: number): Promise<RegExpExecArray>;
  /** Runs a Postfix command (`postconf`, `postfix`, ...) with `-c configDir`. @returns its stdout */
  command(name: string, ...args: string[]): Promise<string>;
  /** `postfix reload`, and waits until the instance has done it. */
  reload(): Promise<void>;
  /** All of the instance: Postfix, Dovecot, and what spawn(8) has started. */
  processes(): RunningProcess[];
  /** Ends all of it at once and removes its folder. */
  stop(): void;
}

/** Starts an instance. Takes about 2 s. Needs root. */
export async function startPrivatePostfix<Name extends string>(
  options: PrivatePostfixOptions<Name>,
): Promise<PrivatePostfix<Name>> {
  for (let attempt = 1; ; attempt++) {
    const root = makeFolder('postfix');
    const log = () => (existsSync(logIn(root)) ? readFileSync(logIn(root), 'utf8') : '');
    try {
      const names = Object.keys(options.listeners) as Name[];
      const free = await freePorts(names.length);
      const ports = Object.fromEntries(names.map((name, index) => [name, free[index]])) as Record<Name, number>;
      const places = makeInstance(root, options, ports);
      const socket = join(places.queueDir, 'private/auth');
      await startSaslServer(places.dovecotDir, socket, options.users ?? {}, options.passdbs);
      await run('postfix', ['-c', places.configDir, 'start']);
      return handle(root, places, ports, log);
    } catch (error) {
      const context = log();
      removeFolder(root);
      // Another suite was faster with one of the ports.
      if (attempt < 5 && context.includes('Address already in use')) continue;
      throw new Error(`${error}\n${context}`);
    }
  }
}

function handle<Name extends string>(
  root: string,
  { configDir, queueDir }: { configDir: string; queueDir: string },
  ports: Ports<Name>,
  log: () => string,
): PrivatePostfix<Name> {
  const waitForLog = (pattern: RegExp, from = 0) =>
    waitFor(`a log line ${pattern}`, () => pattern.exec(log().slice(from)), log);
  return {
    ports,
    configDir,
    queueDir,
    log,
    complaints: () => log().match(/^.*(warning|error|fatal|panic):.*$/gm) ?? [],
    waitForLog,
    command: (name, ...args) => run(name, ['-c', configDir, ...args]),
    async reload() {
      const before = log().length;
      const isDone = () => /postfix\/master\[\d+\]: reload/.test(log().slice(before));
      const reload = async () => {
        await run('postfix', ['-c', configDir, 'reload']);
        await waitFor('the reload of Postfix', isDone, log, 15_000);
      };
      // Once more when the line does not come: it has been missing on a busy machine.
      await reload().catch(reload);
    },
    processes: () => processesIn(root),
    stop: () => removeFolder(root),
  };
}

async function run(name: string, args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program(name), args, { encoding: 'utf8' });
  return stdout;
}
