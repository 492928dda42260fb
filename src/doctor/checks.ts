// The table of checks: a new one is a file and a line here. What is wrong first is said first.
import { isCheckOf } from '../postfix/policy-check';
import { policyTargets } from '../postfix/restrictions';
import { shellLine } from '../postfix/run';
import { syncCheck } from '../sync/status';
import { databaseFindings, permissionFindings } from './database-check';
import { diskFindings } from './disk-check';
import { type Finding, type Findings, warn } from './finding';
import { type InstalledService, installCommand, targetOf } from './installed-service';
import { type ListView, listFindings } from './list-check';
import { liveFindings } from './live-check';
import { mailLogFindings } from './mail-log-check';
import { fixByHand } from './policy-host-check';
import { fileFindings, nodeFindings, programFindings } from './program-check';
import { rowFindings } from './rows-check';
import { runningFindings } from './running-check';
import { serviceFindings, timeLimitFindings } from './service-check';
import { argumentFindings, refusalFindings } from './smtpd-check';
import { troubleFindings } from './trouble-check';

const CHECKS: readonly ((service: InstalledService) => Findings)[] = [
  serviceFindings,
  timeLimitFindings,
  rootFindings,
  fileFindings,
  nodeFindings,
  databaseFindings,
  permissionFindings,
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
  liveFindings,
];

/** These fail where anything before them did: then its fix is theirs. */
const CONSEQUENCES: readonly unknown[] = [programFindings, liveFindings];

export async function* serviceExamination(service: InstalledService): AsyncIterable<Finding> {
  let cause: string | null = null;
  for (const check of CHECKS) {
    for await (const finding of check(service)) {
      const isConsequence = cause !== null && finding.status === 'fail' && CONSEQUENCES.includes(check);
      yield isConsequence ? { ...finding, advice: `see "${cause}" above`, remedy: null } : finding;
      if (finding.status === 'fail') cause ??= finding.check;
    }
  }
}

function* rootFindings(): Iterable<Finding> {
  if (process.getuid?.() !== 0) {
    yield warn('root', 'without root little can be tried', { command: 'sudo allow-nets doctor' });
  }
}

function* syncFindings({ db }: InstalledService): Iterable<Finding> {
  const check = syncCheck(db, Date.now());
  if (check === null) return;
  yield { check: 'sync', status: check.level, message: check.text, advice: check.remedy, remedy: null };
}

/** A policy host may ask its own service, too; the other servers ask it over the network, which cannot be seen from here. */
function ofLists(service: InstalledService, check: (view: ListView) => Iterable<Finding>): Iterable<Finding> {
  const { postfix, files, entry, options } = service;
  const target = targetOf(service);
  const isHost = entry.type === 'inet';
  if (isHost && !policyTargets(files).some((asked) => isCheckOf(target, asked))) return [];
  const fix = isHost ? fixByHand(postfix, target) : fixByInstall(service);
  return check({ postfix, files, target, persistent: options.persistent, fix });
}

function fixByInstall(service: InstalledService): ListView['fix'] {
  return (need) => {
    switch (need) {
      case 'enforcing': {
        const advice = `see first who would be refused; then: ${installCommand(service, { trial: false })}`;
        return {
          advice,
          command: shellLine(['allow-nets', 'replay', '--db', service.db, '/var/log/mail.log']),
        };
      }
      case 'request_limit':
        return { command: installCommand(service, { oneShot: true }) };
      case 'no request_limit':
        return { command: installCommand(service, { oneShot: false }) };
      case 'the check first':
      case 'default_action':
        return { command: installCommand(service) };
    }
  };
}
