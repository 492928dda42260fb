// The table of checks: a new one is a file and a line here. The most likely causes come first.
import { isCheckOf } from '../postfix/policy-check';
import { policyTargets } from '../postfix/restrictions';
import { syncCheck } from '../sync/status';
import { databaseFindings } from './database-check';
import { diskFindings } from './disk-check';
import { type Finding, type Findings, warn } from './finding';
import { asRoot, type InstalledService } from './installed-service';
import { type Asking, listFindings } from './list-check';
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
  (service) => ofLists(service, listFindings),
  (service) => ofLists(service, troubleFindings),
  refusalFindings,
  mailLogFindings,
  programFindings,
  runningFindings,
  masterFindings,
  liveFindings,
];

/** The checks that find what keeps the program from answering. */
const CAUSES = /^(service .*|database|content|integrity|program)$/;

/** The checks that fail with it: there the fix is that of the cause. */
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
    yield warn('root', 'only root can try what the service user does', { command: asRoot(postfix) });
  }
}

function* syncFindings({ db }: InstalledService): Iterable<Finding> {
  const sync = syncCheck(db, Date.now());
  if (sync !== null) yield { check: 'sync', status: sync.level, message: sync.text, advice: sync.remedy, remedy: null };
}

/**
 * A policy host may ask its own service, too; the other servers ask it over the network, which cannot be seen from
 * here.
 */
function ofLists(service: InstalledService, check: (asking: Asking) => Iterable<Finding>): Iterable<Finding> {
  const { postfix, files, target, entry } = service;
  const isAsked = entry.type !== 'inet' || policyTargets(files).some((asked) => isCheckOf(target, asked));
  return isAsked ? check({ postfix, files, target, service }) : [];
}
