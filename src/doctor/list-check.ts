// Whether every smtpd service whose clients can authenticate asks the policy service, in which list and in which form.
import { overrideOf, type Service } from '../postfix/config-text';
import { type ConfigFiles, mainLookup, offersAuth, serviceLookup, smtpdServices } from '../postfix/configuration';
import type { Postfix } from '../postfix/postfix';
import { checksOf, RECIPIENT_LIST } from '../postfix/restrictions';
import { type Finding, type Fix, fail, ok, warn } from './finding';

/** What the lists have to have. */
export type Need = 'the check first' | 'enforcing' | 'request_limit' | 'no request_limit' | 'default_action';

/** The restriction lists, and how they are put right. */
export interface ListView {
  readonly postfix: Postfix;
  readonly files: ConfigFiles;
  /** As `isCheckOf` takes it. */
  readonly target: string;
  /** Whether the program goes on after its first answer. */
  readonly persistent: boolean;
  fix(need: Need): Fix;
}

export function* listFindings(view: ListView): Iterable<Finding> {
  const { files } = view;
  const services = smtpdServices(files).filter((service) => offersAuth(files, service));
  for (const service of services) yield askedFinding(view, service);
  if (services.length === 0) {
    const advice = 'set smtpd_sasl_auth_enable=yes, or -o smtpd_sasl_auth_enable=yes in the submission service';
    yield warn('asked', 'no smtpd service offers AUTH, so there is no user to ask about', { advice });
  }
  yield modeFinding(view, services);
  if (isOnTrial(view)) {
    const message = 'trial: who would be refused is logged as reject_warning, and nobody is refused';
    yield warn('trial', message, view.fix('enforcing'));
  } else {
    yield ok('trial', 'off: refusals are carried out');
  }
}

/** Whether any list asks the service on trial. */
export function isOnTrial({ files, target }: Pick<ListView, 'files' | 'target'>): boolean {
  const lookups = [mainLookup(files), ...smtpdServices(files).map((service) => serviceLookup(files, service))];
  return lookups.some((lookup) => checksOf(lookup, target).some(({ trial }) => trial));
}

function askedFinding(view: ListView, service: Service): Finding {
  const { files, target } = view;
  const check = `asked by ${service.name}/${service.type}`;
  const fix = view.fix('the check first');
  const [first] = checksOf(serviceLookup(files, service), target);
  if (first === undefined) return fail(check, absence(service), fix);
  const { list, skip } = first;
  if (skip === null) return ok(check, `in ${shown(service, list)}`);
  const where = `${skip.by} stands before it in ${shown(service, list)}`;
  if (skip.always) return fail(check, `never reached: ${where}`, fix);
  // A table that the administrator put first is left there by install.
  const byHand = { advice: `put the check before ${skip.by}, unless that is meant` };
  const message = `not reached by clients that are permitted before: ${where}`;
  return warn(check, message, skip.tables ? byHand : fix);
}

function absence(service: Service): string {
  const override = overrideOf(service, RECIPIENT_LIST);
  if (override === null) return `not asked: ${RECIPIENT_LIST} does not have it`;
  return `not asked: -o ${RECIPIENT_LIST}=${override} in master.cf replaces the list of main.cf`;
}

const shown = (service: Service, list: string) => (overrideOf(service, list) === null ? list : `${list} of master.cf`);

function modeFinding(view: ListView, services: readonly Service[]): Finding {
  const { files, target, persistent, postfix } = view;
  const asked = services.flatMap((service) => checksOf(serviceLookup(files, service), target));
  const everywhere = postfix.value('smtpd_policy_service_request_limit') === '1';
  const limited = asked.map(({ oneShot }) => everywhere || oneShot);
  if (!persistent && limited.includes(false)) {
    const message =
      'one process for each request, but without request_limit=1: Postfix waits a second before each further recipient of a session';
    return fail('mode', message, view.fix('request_limit'));
  }
  if (persistent && limited.includes(true)) {
    const message = 'the program serves on after its first answer, but request_limit=1 ends the connection';
    return warn('mode', message, view.fix('no request_limit'));
  }
  return ok('mode', persistent ? 'persistent: one process for each smtpd process' : 'one process for each request');
}
