// Whether every smtpd service whose clients can authenticate asks the policy service, in which list and in which form.
import type { Service } from '../postfix/master-cf';
import { overrideOf } from '../postfix/master-cf';
import {
  type AskedIn,
  askedIn,
  offersAuth,
  RECIPIENT_LIST,
  serviceLookup,
  smtpdServices,
} from '../postfix/service-view';
import { type Finding, fail, ok, warn } from './finding';
import { installCommand, isOnTrial, type Patient } from './patient';

export function* listFindings(patient: Patient): Iterable<Finding> {
  const { files } = patient;
  const services = smtpdServices(files).filter((service) => offersAuth(files, service));
  for (const service of services) yield askedFinding(patient, service);
  if (services.length === 0) {
    const remedy = 'postconf smtpd_sasl_auth_enable=yes, or with -o in the submission service';
    yield warn('asked', 'no smtpd service offers AUTH, so there is no user to ask about', remedy);
  }
  yield modeFinding(patient, services);
  if (isOnTrial(patient)) {
    const message = 'trial: who would be refused is logged as reject_warning, and nobody is refused';
    yield warn('trial', message, installCommand(patient, { trial: false }));
  } else {
    yield ok('trial', 'off: refusals are carried out');
  }
}

function askedFinding(patient: Patient, service: Service): Finding {
  const { files, policy } = patient;
  const check = `asked by ${service.name}/${service.type}`;
  const [first] = askedIn(serviceLookup(files, service), policy.name);
  if (first === undefined) return fail(check, absence(service), installCommand(patient));
  const { list, reach } = first;
  if (reach.kind === 'asked') return ok(check, `in ${shown(service, list)}`);
  if (reach.kind === 'absent') throw new Error(`absent from ${list}, but found`);
  const where = `${reach.by} stands before it in ${shown(service, list)}`;
  return reach.always
    ? fail(check, `never reached: ${where}`, installCommand(patient))
    : warn(
        check,
        `not reached by clients that are permitted before: ${where}`,
        remedyOfSkip(patient, reach.by),
      );
}

function absence(service: Service): string {
  const override = overrideOf(service, RECIPIENT_LIST);
  if (override === null) return `not asked: ${RECIPIENT_LIST} does not have it`;
  return `not asked: -o ${RECIPIENT_LIST}=${override.value.text} in master.cf replaces the list of main.cf`;
}

/** A table that the administrator put first is left there by install. */
function remedyOfSkip(patient: Patient, by: string): string | null {
  return /^check_/.test(by) ? `put the check before ${by}, unless that is meant` : installCommand(patient);
}

const shown = (service: Service, list: string) =>
  overrideOf(service, list) === null ? list : `${list} of master.cf`;

function modeFinding(patient: Patient, services: readonly Service[]): Finding {
  const { files, policy, options, postfix } = patient;
  const asked = services.flatMap((service): AskedIn[] => askedIn(serviceLookup(files, service), policy.name));
  const everywhere = postfix.value('smtpd_policy_service_request_limit') === '1';
  const limited = asked.map(({ reach }) => everywhere || (reach.kind !== 'absent' && reach.oneShot));
  if (!options.persistent && limited.includes(false)) {
    const message =
      'one process for each request, but without request_limit=1: Postfix waits a second before each further recipient of a session';
    return fail('mode', message, installCommand(patient));
  }
  if (options.persistent && limited.includes(true)) {
    const message = 'the program serves on after its first answer, but request_limit=1 ends the connection';
    return warn('mode', message, installCommand(patient));
  }
  return ok(
    'mode',
    options.persistent ? 'persistent: one process for each smtpd process' : 'one process for each request',
  );
}
