// The table of checks. A new check is a file and a line here. The most likely causes come first.
import { isCheckOf } from '../postfix/policy-check';
import { policyTargets } from '../postfix/restrictions';
import { shellLine } from '../postfix/run';
import { syncCheck } from '../sync/status';
import { databaseFindings } from './database-check';
import { diskFindings } from './disk-check';
import { type Finding, type Findings, fail, ok, warn } from './finding';
import { type InstalledService, sudoCommand } from './installed-service';
import { listFindings } from './list-check';
import { liveFindings, masterFindings } from './live-check';
import { mailLogFindings } from './mail-log-check';
import { programFindings } from './program-check';
import { rowFindings } from './rows-check';
import { runningFindings } from './running-check';
import { serviceFindings } from './service-check';
import { argumentFindings, refusalFindings } from './smtpd-check';
import { troubleFindings } from './trouble-check';

const CHECKS: readonly ((service: InstalledService) => Findings)[] = [
  rootFindings,
  serviceFindings,
  databaseFindings,
  diskFindings,
  rowFindings,
  syncFindings,
  argumentFindings,
  (service) => (isAskedHere(service) ? listFindings(service) : []),
  (service) => (isAskedHere(service) ? troubleFindings(service) : []),
  refusalFindings,
  mailLogFindings,
  programFindings,
  runningFindings,
  masterFindings,
  liveFindings,
];

/** If one of these checks fails, the program cannot answer. */
const CAUSES = /^(service .*|database|content|integrity|program)$/;

/** These checks then fail too, and point to the cause for the fix. */
const CONSEQUENCES = ['program', 'answer'];

export async function* serviceExamination(service: InstalledService): AsyncIterable<Finding> {
  let cause: string | null = null;
  for (const check of CHECKS) {
    for await (const finding of check(service)) {
      const isFailed = finding.status === 'fail';
      const isConsequence = isFailed && cause !== null && CONSEQUENCES.includes(finding.check);
      yield isConsequence ? fail(finding.check, finding.message, { hint: `see "${cause}" above` }) : finding;
      if (isFailed && CAUSES.test(finding.check)) cause ??= finding.check;
    }
  }
}

function* rootFindings({ postfix }: InstalledService): Iterable<Finding> {
  if (process.getuid?.() !== 0) {
    yield warn('root', 'only root can try what the service user does', { command: sudoCommand(postfix) });
  }
}

function* syncFindings({ db }: InstalledService): Iterable<Finding> {
  const sync = syncCheck(db, Date.now());
  if (sync === null) return;
  if (!sync.isOld) yield ok('sync', sync.text);
  else {
    const hint = 'run its command by hand, and see that sync --every is running';
    yield warn('sync', sync.text, { hint, command: shellLine(['allow-nets', 'list', '--status', '--db', db]) });
  }
}

/**
 * Whether lists of this instance are to be checked. An inet service usually serves other mail servers, whose lists
 * cannot be read here; this instance's lists then count only if they name the service.
 */
const isAskedHere = ({ files, target, entry }: InstalledService): boolean =>
  entry.type !== 'inet' || policyTargets(files).some((asked) => isCheckOf(target, asked));
