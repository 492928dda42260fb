// What the Postfix tests have in common: the shipped program, its database, and its lines in master.cf and main.cf.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { makeScratchFolder, removeScratchFolder } from './scratch-folder';
import { type ServiceProgram, serviceProgram, shippedScript } from './service-program';
import { SmtpClient } from './smtp-client';

export interface PolicySetUp {
  /** A folder that the service user can read, for this suite's files. */
  folder: string;
  /** The database that `service` and `allowNets` use. */
  db: string;
  program: ServiceProgram;
  /** Runs an admin command on the database, or on another one that a later `--db` names. @returns its stdout @throws when its status is not 0 */
  allowNets(...words: string[]): string;
  /** @returns a master.cf service with these options of the program. A word with spaces is kept together. */
  service(name: string, ...options: string[]): string;
  remove(): void;
}

/** Makes the folder and an empty database. */
export function setUpPolicy(name: string): PolicySetUp {
  const folder = makeScratchFolder(name);
  const db = join(folder, 'access.db');
  const allowNets = (...words: string[]) =>
    execFileSync(process.execPath, [shippedScript(), '--db', db, ...words], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
  allowNets('init');
  const program = serviceProgram(folder, db);
  return {
    folder,
    db,
    program,
    allowNets,
    service: (service, ...options) => {
      const words = [program.node, program.script, '--db', db, ...options];
      const argv = words.map((word) => (word.includes(' ') ? `{ ${word} }` : word)).join(' ');
      return `${service} unix - n n - 0 spawn user=nobody argv=${argv}`;
    },
    remove: () => removeScratchFolder(folder),
  };
}

/** The restrictions of a usual server, without and with the policy before them. */
export const usualRestrictions = 'permit_sasl_authenticated, permit_mynetworks, reject_unauth_destination';

/** @param entry what comes after check_policy_service @returns the override for a listener */
export function askPolicy(entry: string, then = usualRestrictions): string {
  return `smtpd_recipient_restrictions=check_policy_service ${entry}, ${then}`;
}

/**
 * A client that is taken for this user (null: one that has not logged in) at this address, ready for its first recipient.
 * @param address as XCLIENT wants it: `[UNAVAILABLE]` for an unknown one
 */
export async function clientAs(port: number, user: string | Buffer | null, address: string): Promise<SmtpClient> {
  const client = await SmtpClient.connect({ port });
  await client.ehlo();
  await client.xclient(user === null ? { ADDR: address } : { ADDR: address, LOGIN: user });
  await client.mail('sender@example.com');
  return client;
}

/** The texts of the program's own lines in a mail log. */
export function programLines(log: string): string[] {
  return [...log.matchAll(/^.* postfix\/allow-nets\[\d+\]: (.*)$/gm)].map((match) => match[1] ?? '');
}
