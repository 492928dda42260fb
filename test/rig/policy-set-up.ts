// What the Postfix tests have in common: the shipped program, its database, its lines in master.cf and main.cf, and a suite with a private
// Postfix that asks it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { type PrivatePostfix, startPrivatePostfix } from './postfix';
import type { PrivatePostfixOptions } from './postfix-files';
import { mustRun } from './run';
import { makeFolder, removeFolder } from './scratch';
import { serviceProgram } from './service-program';
import { type Reply, SmtpClient } from './smtp-client';

export type PolicySetUp = ReturnType<typeof setUpPolicy>;

/** Makes an empty database in a folder that the service user can read. */
export function setUpPolicy(name: string) {
  const folder = makeFolder(name);
  const db = join(folder, 'access.db');
  /** Runs an admin command on the database, or on another one that a later `--db` names. @returns its stdout @throws when its status is not 0 */
  const allowNets = (...words: string[]) => mustRun(['--db', db, ...words]);
  allowNets('init');
  const program = serviceProgram();
  /** @returns a master.cf service with these options of the program. A word with spaces is kept together. */
  const service = (name: string, ...options: string[]) => {
    const words = [program.node, program.script, '--db', db, ...options];
    const argv = words.map((word) => (word.includes(' ') ? `{ ${word} }` : word)).join(' ');
    return `${name} unix - n n - 0 spawn user=nobody argv=${argv}`;
  };
  return { folder, db, program, allowNets, service, remove: () => removeFolder(folder) };
}

/** Filled in before the first test of the suite runs. */
export interface Suite<Name extends string> {
  policy: PolicySetUp;
  postfix: PrivatePostfix<Name>;
}

/**
 * A suite with a database and a Postfix of its own.
 * @param needed the result of `needs`
 * @param prepare writes the entries. @returns what Postfix is started with
 */
export function describeWithPostfix<Name extends string>(
  title: string,
  needed: { skip: string | false },
  prepare: (policy: PolicySetUp) => PrivatePostfixOptions<Name>,
  tests: (suite: Suite<Name>) => void,
): void {
  describe(title, needed, () => {
    const suite = {} as Suite<Name>;
    before(async () => {
      suite.policy = setUpPolicy('suite');
      suite.postfix = await startPrivatePostfix(prepare(suite.policy));
    });
    after(() => {
      suite.postfix?.stop();
      suite.policy?.remove();
    });
    tests(suite);
  });
}

const INSTALLED = '/usr/bin/env node /usr/local/lib/node_modules/postfix-allow-nets/bin/allow-nets.js';

/** A file of examples/ without its comments. */
export function example(name: string): string {
  return readFileSync(`examples/${name}`, 'utf8').replace(/^#.*\n/gm, '');
}

/** The service in a master.cf of the documentation, with this program and database in place of the installed ones. */
export function installedService({ program, db }: PolicySetUp, text: string): string {
  if (!text.includes(INSTALLED)) throw new Error(`${text} does not run ${INSTALLED}`);
  return text.replace(INSTALLED, `${program.node} ${program.script} --db ${db}`).trim();
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

/** The reply to one recipient in a session of its own. */
export async function rcptAs(
  port: number,
  user: string | Buffer | null,
  address: string,
  to = 'friend@example.net',
): Promise<Reply> {
  const client = await clientAs(port, user, address);
  const reply = await client.rcpt(to);
  await client.quit();
  return reply;
}

/** The texts of the program's own lines in a mail log. */
export function programLines(log: string): string[] {
  return [...log.matchAll(/^\w+ +\d+ [\d:]+ \S+ postfix\/allow-nets\[\d+\]: (.*)$/gm)].map((match) => match[1] ?? '');
}
