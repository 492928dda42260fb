// Runs the policy program once as the service user, to find what stops it before anything is changed.
import * as fs from 'node:fs';
import { parseErrorLines, type Words } from '../failure';
import { type Account, closedTo, runAs, type Surroundings } from './account';
import { actionIn, requestOf, STRANGER } from './live-service';
import type { PolicyService } from './policy-service';
import { complaintOf, shellLine } from './run';

/** What keeps the account from running the program or reading one of the files, or null. */
export function hindranceOf(account: Account, { argv }: PolicyService, surroundings: Surroundings): Words | null {
  // Without a line in the mail log about the refusal.
  const ran = runAs(account, [...argv, '--log', 'none'], surroundings, requestOf(STRANGER));
  if (ran.status === 0 && actionIn(ran.stdout) !== null) return null;
  const printed = parseErrorLines(ran.stderr) ?? { problem: complaintOf(ran) };
  return { ...printed, problem: `the policy program does not answer when ${account.name} runs it: ${printed.problem}` };
}

/** The first file that the account cannot read, with the command that lets it, or null. */
export function closedFile(account: Account, files: readonly string[], surroundings: Surroundings): Words | null {
  for (const file of files) {
    const step = closedTo(account, file, surroundings);
    if (step === null) continue;
    const found = fs.statSync(step, { throwIfNoEntry: false });
    if (found === undefined) return { problem: `there is no ${file} any more` };
    const way = step === file ? '' : ` because of ${step}`;
    return {
      problem: `${account.name} cannot read ${file}${way}`,
      command: shellLine(['chmod', found.isDirectory() ? 'a+x' : 'a+r', step]),
    };
  }
  return null;
}
