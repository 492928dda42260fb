// The table of checks. A new check is a file and a line here. The most likely causes come first.
import { isCheckOf } from '../postfix/policy-check';
import { policyTargets } from '../postfix/restrictions';
import { syncCheck } from '../sync/status';
import { databaseFindings } from './database-check';
import { diskFindings } from './disk-check';
import { type Finding, type Findings, warn } from './finding';
import { type InstalledService, sudoCommand } from './installed-service';
import { type ListContext, listFindings } from './list-check';
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
  (service) => findingsOnLists(service, listFindings),
  (service) => findingsOnLists(service, troubleFindings),
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
      yield isConsequence ? { ...finding, advice: `see "${cause}" above`, remedy: null } : finding;
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
  if (sync !== null) yield { check: 'sync', status: sync.level, message: sync.text, advice: sync.remedy, remedy: null };
}

/**
 * Checks the restriction lists of this instance. An inet service usually serves other mail servers, whose lists cannot
 * be read here; this instance's lists are then checked only if they name the service.
 */
function findingsOnLists(
  service: InstalledService,
  check: (context: ListContext) => Iterable<Finding>,
): Iterable<Finding> {
  const { postfix, files, target, entry } = service;
  const isAsked = entry.type !== 'inet' || policyTargets(files).some((asked) => isCheckOf(target, asked));
  return isAsked ? check({ postfix, files, target, service }) : [];
}
