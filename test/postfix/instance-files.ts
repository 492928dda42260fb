// The files and folders of a private Postfix: what a test can choose about them, where they are, and making them. Owners and modes are
// those that `postfix check` wants to see.
import { chmodSync, chownSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { groupId, userIds } from './accounts';
import { makeCertificate } from './certificate';
import type { Users } from './dovecot-sasl';
import { freePorts } from './free-ports';
import { mainCf } from './main-cf';
import { smallMasterCf } from './master-cf';
import { openPostlog } from './postlog-access';
import { beforeRemoval, makeScratchFolder } from './scratch-folder';

/** Port numbers by the names of the options' `listeners`. */
export type Ports<Name extends string> = Readonly<Record<Name, number>>;

export interface PrivatePostfixOptions<Name extends string> {
  /** smtpd services, each on a port of its own: name -> its `-o` overrides, `name=value`. */
  listeners: Readonly<Record<Name, readonly string[]>>;
  /** Lines for the end of master.cf, for example the policy service. */
  services?: readonly string[];
  /** A whole master.cf instead, from the ports chosen for `listeners` (whose overrides are then not used). */
  masterCf?: (ports: Ports<Name>) => string;
  /** main.cf parameters; they win over those of main-cf.ts. */
  parameters?: Readonly<Record<string, string>>;
  /** Who can log in: SASL user name -> password. */
  users?: Users;
  /** Whether clients on loopback may use XCLIENT. Default true. */
  xclient?: boolean;
}

/** Where the parts of an instance are. */
export interface Places {
  root: string;
  configDir: string;
  queueDir: string;
  dataDir: string;
  logDir: string;
  logFile: string;
  dovecotDir: string;
}

/** Makes the folder of an instance and those in it, empty. */
export function makePlaces(): Places {
  const root = makeScratchFolder('postfix');
  const at = (name: string) => join(root, name);
  const places: Places = {
    root,
    configDir: at('etc'),
    queueDir: at('spool'),
    dataDir: at('data'),
    logDir: at('log'),
    logFile: at('log/mail.log'),
    dovecotDir: at('dovecot'),
  };
  const { configDir, queueDir, dataDir, logDir, dovecotDir } = places;
  for (const folder of [configDir, queueDir, dataDir, logDir, dovecotDir]) mkdirSync(folder, { mode: 0o755 });
  const postfix = userIds('postfix');
  chownSync(dataDir, postfix.uid, postfix.gid);
  // The two of the queue's folders that are needed before Postfix's start makes the others.
  for (const [name, gid, mode] of [
    ['private', 0, 0o700],
    ['public', groupId('postdrop'), 0o2710],
  ] as const) {
    mkdirSync(join(queueDir, name));
    chownSync(join(queueDir, name), postfix.uid, gid);
    chmodSync(join(queueDir, name), mode);
  }
  return places;
}

export async function choosePorts<Name extends string>(options: PrivatePostfixOptions<Name>): Promise<Ports<Name>> {
  const names = Object.keys(options.listeners) as Name[];
  const ports = await freePorts(names.length);
  return Object.fromEntries(names.map((name, index) => [name, ports[index]])) as Record<Name, number>;
}

/** Writes main.cf, master.cf and the certificate, and opens the log to postlog. */
export function configure<Name extends string>(
  places: Places,
  options: PrivatePostfixOptions<Name>,
  ports: Ports<Name>,
): void {
  const listeners = (Object.keys(ports) as Name[]).map((name) => ({
    port: ports[name],
    overrides: options.listeners[name],
  }));
  const certificate = makeCertificate(places.configDir, 'private.test');
  const main = mainCf(places, certificate, options.xclient ?? true, options.parameters ?? {});
  const master = options.masterCf?.(ports) ?? smallMasterCf(listeners, options.services ?? []);
  writeFileSync(join(places.configDir, 'main.cf'), main);
  makeCold(join(places.configDir, 'main.cf'));
  writeFileSync(join(places.configDir, 'master.cf'), master);
  writeFileSync(places.logFile, '');
  beforeRemoval(places.root, openPostlog(places.configDir, join(places.queueDir, 'public')));
}

/** Postfix's programs wait up to two seconds for a main.cf that has just been written: have it look older. */
export function makeCold(file: string): void {
  const then = new Date(Date.now() - 60_000);
  utimesSync(file, then, then);
}
