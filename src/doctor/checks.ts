// The tables of checks. A new check is a file and a line here. The most likely causes come first.
import { shellLine } from '../failure';
import { isCheckOf } from '../postfix/policy-check';
import { policyTargets } from '../postfix/restrictions';
import { syncCheck } from '../sync/status';
import { answerFindings } from './answer-check';
import { contentFindings } from './content-check';
import { databaseFindings } from './database-check';
import { diskFindings } from './disk-check';
import { type Finding, type Findings, ok, warn } from './finding';
import { type InstalledService, type PolicyHost, sudoFix } from './installed-service';
import { listFindings } from './list-check';
import { mailLogFindings } from './mail-log-check';
import { policyHostFindings } from './policy-host-check';
import { programFindings } from './program-check';
import { refusalFindings } from './refusal-check';
import { runningFindings } from './running-check';
import { serviceFindings } from './service-check';
import { smtpdOptionFindings } from './smtpd-option-check';
import { troubleFindings } from './trouble-check';

const SERVICE_CHECKS: readonly ((service: InstalledService) => Findings)[] = [
  rootFindings,
  serviceFindings,
  databaseFindings,
  diskFindings,
  contentFindings,
  syncFindings,
  smtpdOptionFindings,
  (service) => (isAskedHere(service) ? listFindings(service) : []),
  (service) => (isAskedHere(service) ? troubleFindings(service) : []),
  refusalFindings,
  mailLogFindings,
  programFindings,
  runningFindings,
  answerFindings,
];

const HOST_CHECKS: readonly ((host: PolicyHost) => Findings)[] = [policyHostFindings, troubleFindings, listFindings];

/** If one of these checks fails, the program cannot answer. */
const CAUSES = /^(service .*|database|content|integrity|program)$/;

/** These checks then fail too, and point to the cause for the fix. */
const CONSEQUENCES = ['program', 'answer'];

export async function* serviceExamination(service: InstalledService): AsyncIterable<Finding> {
  let cause: string | null = null;
  for (const check of SERVICE_CHECKS) {
    for await (const finding of check(service)) {
      const isFailed = finding.status === 'fail';
      const isConsequence = isFailed && cause !== null && CONSEQUENCES.includes(finding.check);
      yield isConsequence ? { ...finding, fix: { hint: `see "${cause}" above` } } : finding;
      if (isFailed && CAUSES.test(finding.check)) cause ??= finding.check;
    }
  }
}

export async function* hostExamination(host: PolicyHost): AsyncIterable<Finding> {
  for (const check of HOST_CHECKS) yield* check(host);
}

function* rootFindings({ postfix }: InstalledService): Iterable<Finding> {
  if (process.getuid?.() !== 0) yield warn('root', 'only root can try what the service user does', sudoFix(postfix));
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
