// Checks that every smtpd service with AUTH asks the policy service, in the right list and form.
import { overrideOf, type Service } from '../postfix/config-text';
import { type ConfigFiles, servicesWithAuth } from '../postfix/configuration';
import type { Postfix } from '../postfix/postfix';
import { type Check, ownServices, RECIPIENT_LIST, serviceChecks } from '../postfix/restrictions';
import { shellLine } from '../postfix/run';
import { type Finding, type Fix, fail, ok, warn } from './finding';
import {
  type InstallChanges,
  type InstalledService,
  installCommand,
  reloadCommand,
  servicesOnTrial,
} from './installed-service';

/**
 * The restriction lists to check, and the policy service that they should ask: one of this instance, or one on a policy
 * host (`service` is null).
 */
export interface ListContext {
  readonly postfix: Postfix;
  readonly files: ConfigFiles;
  /** The policy service, as the first argument of `isCheckOf`. */
  readonly target: string;
  readonly service: InstalledService | null;
}

export function* listFindings(context: ListContext): Iterable<Finding> {
  const { files, target, service, postfix } = context;
  const services = servicesWithAuth(files);
  for (const smtpd of services) yield askedFinding(context, smtpd);
  if (services.length === 0) {
    const hint = 'set smtpd_sasl_auth_enable=yes, with -o in the submission service as a rule; then';
    const command = reloadCommand(postfix);
    yield warn('asked', 'no smtpd service offers AUTH, so there is no user to ask about', { hint, command });
  }
  if (service !== null) yield modeFinding(context, service, services);
  const onTrial = servicesOnTrial(files, target);
  if (onTrial.length > 0) {
    const where = onTrial.length === services.length ? '' : ` for ${onTrial.map(({ name }) => name).join(', ')}`;
    const message = `trial${where}: who would be refused is logged as reject_warning, and nobody is refused`;
    yield warn('trial', message, fixList(context, 'enforcing'));
  } else yield ok('trial', 'off: refusals are carried out');
}

function askedFinding(context: ListContext, smtpd: Service): Finding {
  const check = `asked by ${smtpd.name}/${smtpd.type}`;
  const fix = fixList(context, 'the check first');
  const checkOf = (policy: string) => serviceChecks(context.files, smtpd, policy)[0];
  const first = checkOf(context.target);
  if (first === undefined) {
    const isAsked = (check?: Check) => check?.skip === null && !check.trial;
    const other = ownServices(context.files).find((service) => isAsked(checkOf(service)));
    if (other !== undefined) return ok(check, `it asks ${other} in place of this service`);
    const override = overrideOf(smtpd, RECIPIENT_LIST);
    const where = `-o ${RECIPIENT_LIST}=${override} in master.cf replaces the list of main.cf`;
    return fail(check, `not asked: ${override === null ? `${RECIPIENT_LIST} does not have it` : where}`, fix);
  }
  const { list, skip } = first;
  const where = overrideOf(smtpd, list) === null ? list : `${list} of master.cf`;
  if (skip === null) return ok(check, `in ${where}`);
  const why = `${skip.by} stands before it in ${where}`;
  if (skip.always) return fail(check, `never reached: ${why}`, fix);
  // install does not move a table that the administrator put first, so the fix is a manual edit.
  const byHand = {
    hint: `put the check before ${skip.by}, unless that is meant; then`,
    command: reloadCommand(context.postfix),
  };
  return warn(check, `not reached by clients that are permitted before: ${why}`, skip.tables ? byHand : fix);
}

function modeFinding(context: ListContext, { policy }: InstalledService, services: readonly Service[]): Finding {
  const { files, target, postfix } = context;
  const { persistent } = policy;
  const everywhere = postfix.value('smtpd_policy_service_request_limit') === '1';
  const asked = services.flatMap((smtpd) => serviceChecks(files, smtpd, target));
  const limited = asked.map(({ oneShot }) => everywhere || oneShot);
  if (!persistent && limited.includes(false)) {
    const message =
      'one process for each request, but without request_limit=1: Postfix waits a second before each further recipient';
    return fail('mode', message, fixList(context, 'request_limit'));
  }
  if (persistent && limited.includes(true)) {
    const message = 'the program serves on after its first answer, but request_limit=1 ends the connection';
    return warn('mode', message, fixList(context, 'no request_limit'));
  }
  return ok('mode', persistent ? 'persistent: one process for each smtpd process' : 'one process for each request');
}

/** Each fault of the lists, with the changes for `install`, and the manual edit where `install` cannot be used. */
const NEEDS = {
  'the check first': [{}, 'put check_policy_service TARGET first in LISTS'],
  enforcing: [{ trial: false }, 'take warn_if_reject out of LISTS'],
  request_limit: [{ oneShot: true }, 'put request_limit=1 behind TARGET in LISTS'],
  'no request_limit': [{ oneShot: false }, 'take request_limit=1 out of LISTS'],
  default_action: [{}, 'put { default_action = 451 4.3.5 Try again later } behind TARGET in LISTS'],
} as const satisfies Record<string, readonly [InstallChanges, string]>;

const LISTS = `${RECIPIENT_LIST}, in main.cf and in each -o of master.cf; then`;

export function fixList({ postfix, target, service }: ListContext, need: keyof typeof NEEDS): Fix {
  const [changes, edit] = NEEDS[need];
  if (service === null || service.entry.type === 'inet') {
    const hint = edit.replace('TARGET', target).replace('LISTS', LISTS);
    return { hint, command: reloadCommand(postfix) };
  }
  const install = installCommand(service, changes);
  if (need !== 'enforcing') return { command: install };
  const log = postfix.value('maillog_file') || '/var/log/mail.log';
  const command = shellLine(['allow-nets', 'replay', '--db', service.db, log]);
  return { hint: `see who would be refused before you run: ${install}`, command };
}
