// The policy program, run once as the service user before Postfix does: what stops it is known while nothing has been changed.
import * as fs from 'node:fs';
import { type Account, closedTo, runAs } from './account';
import { PROBE_REQUEST } from './live-service';
import type { PolicyService } from './policy-service';
import { complaintOf, type Ran } from './run';

export interface Hindrance {
  readonly problem: string;
  readonly hint: string | null;
}

/** What keeps the account from running the program or reading one of the files, or null. */
export function hindranceOf(
  account: Account,
  { argv }: PolicyService,
  surroundings: { queueDir: string; configDir: string },
): Hindrance | null {
  // Without a line in the mail log about the refusal.
  const ran = runAs(account, [...argv, '--log', 'none'], { ...surroundings, input: PROBE_REQUEST });
  if (ran.status === 0 && /^action=(dunno|reject [ -~]+)\n\n$/.test(ran.stdout)) return null;
  return {
    problem: `the policy program does not answer when ${account.name} runs it: ${said(ran)}`,
    hint: hintIn(ran),
  };
}

/** A file that the account cannot get at, in words, or null. */
export function closedFile(
  account: Account,
  files: readonly string[],
  surroundings: { queueDir: string; configDir: string },
): Hindrance | null {
  for (const file of files) {
    const step = closedTo(account, file, surroundings);
    if (step === null) continue;
    const way = step === file ? '' : ` because of ${step}`;
    return {
      problem: `${account.name} cannot read ${file}${way}`,
      hint: `chmod a+${isFolder(step) ? 'x' : 'r'} ${step}, or install Node.js and postfix-allow-nets where everybody can read them, or choose another --user; Postfix takes no supplementary groups: --user ${account.name}:GROUP names the one to have`,
    };
  }
  return null;
}

function isFolder(file: string): boolean {
  return fs.statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function said(ran: Ran): string {
  return /^allow-nets: error: (.*)$/m.exec(ran.stderr)?.[1] ?? complaintOf(ran);
}

function hintIn({ stderr }: Ran): string | null {
  return /^allow-nets: hint: (.*)$/m.exec(stderr)?.[1] ?? null;
}
