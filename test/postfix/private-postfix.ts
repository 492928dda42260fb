// A Postfix of a test's own, beside any other on the machine: own configuration, queue, log and loopback ports, Dovecot
// for SMTP AUTH, and every message accepted is discarded. The facts that it is built on are in the Postfix manual: postfix(1) -c,
// MULTI_INSTANCE_README, MAILLOG_README, SASL_README, XCLIENT_README.
//
// In trouble: a start that fails throws with the instance's log. Whatever happens, the processes and the folder go with the test.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { program } from '../requires';
import { waitFor } from '../wait-for';
import { startDovecot } from './dovecot-sasl';
import {
  choosePorts,
  configure,
  makePlaces,
  type Places,
  type Ports,
  type PrivatePostfixOptions,
} from './instance-files';
import { processesIn, type RunningProcess, removeScratchFolder } from './scratch-folder';

export interface PrivatePostfix<Name extends string> {
  ports: Ports<Name>;
  /** The folder with main.cf and master.cf, for `postfix -c`. */
  configDir: string;
  queueDir: string;
  /** The instance's whole mail log. */
  log(): string;
  /** Waits until a line of the log matches; only what comes after the first `from` characters is looked at. */
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
    const places = makePlaces();
    try {
      const ports = await choosePorts(options);
      configure(places, options, ports);
      await startDovecot(places.dovecotDir, join(places.queueDir, 'private/auth'), options.users ?? {});
      await run('postfix', ['-c', places.configDir, 'start']);
      return handle(places, ports);
    } catch (error) {
      const log = readLog(places);
      removeScratchFolder(places.root);
      // Another suite was faster with one of the ports.
      if (attempt < 5 && log.includes('Address already in use')) continue;
      throw new Error(`${error}\n${log}`);
    }
  }
}

function handle<Name extends string>(places: Places, ports: Ports<Name>): PrivatePostfix<Name> {
  const { root, configDir, queueDir } = places;
  const log = () => readLog(places);
  const waitForLog = (pattern: RegExp, from = 0) =>
    waitFor(`a log line ${pattern}`, () => pattern.exec(log().slice(from)), log);
  return {
    ports,
    configDir,
    queueDir,
    log,
    waitForLog,
    command: (name, ...args) => run(name, ['-c', configDir, ...args]),
    async reload() {
      const before = log().length;
      await run('postfix', ['-c', configDir, 'reload']);
      await waitForLog(/postfix\/master\[\d+\]: reload/, before);
    },
    processes: () => processesIn(root),
    stop: () => removeScratchFolder(root),
  };
}

function readLog(places: Places): string {
  try {
    return readFileSync(places.logFile, 'utf8');
  } catch {
    return '';
  }
}

async function run(name: string, args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program(name), args, { encoding: 'utf8' });
  return stdout;
}
