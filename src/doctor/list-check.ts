// Whether every smtpd service whose clients can authenticate asks the policy service, in which list and in which form.
import type { Service } from '../postfix/master-cf';
import { overrideOf } from '../postfix/master-cf';
import type { Postfix } from '../postfix/postfix';
import {
  type AskedIn,
  askedIn,
  type ConfigFiles,
  mainLookup,
  offersAuth,
  RECIPIENT_LIST,
  serviceLookup,
  smtpdServices,
} from '../postfix/service-view';
import { type Finding, fail, ok, warn } from './finding';

/** What lists ask, and how that is put right. */
export interface Asking {
  readonly postfix: Postfix;
  readonly files: ConfigFiles;
  /** As `isCheckOf` takes it. */
  readonly target: string;
  /** Whether the program goes on after its first answer. */
  readonly persistent: boolean;
  /** What puts the check where it belongs, or gives it another form. */
  remedy(changes: { trial?: boolean; oneShot?: boolean }): string;
}

export function* listFindings(asking: Asking): Iterable<Finding> {
  const { files } = asking;
  const services = smtpdServices(files).filter((service) => offersAuth(files, service));
  for (const service of services) yield askedFinding(asking, service);
  if (services.length === 0) {
    const remedy = 'postconf smtpd_sasl_auth_enable=yes, or with -o in the submission service';
    yield warn('asked', 'no smtpd service offers AUTH, so there is no user to ask about', remedy);
  }
  yield modeFinding(asking, services);
  if (isOnTrial(asking)) {
    const message = 'trial: who would be refused is logged as reject_warning, and nobody is refused';
    yield warn('trial', message, asking.remedy({ trial: false }));
  } else {
    yield ok('trial', 'off: refusals are carried out');
  }
}

/** Whether any list asks the service on trial. */
export function isOnTrial({ files, target }: Pick<Asking, 'files' | 'target'>): boolean {
  const lookups = [
    mainLookup(files),
    ...smtpdServices(files).map((service) => serviceLookup(files, service)),
  ];
  return lookups.some((lookup) =>
    askedIn(lookup, target).some(({ reach }) => reach.kind !== 'absent' && reach.trial),
  );
}

function askedFinding(asking: Asking, service: Service): Finding {
  const { files, target } = asking;
  const check = `asked by ${service.name}/${service.type}`;
  const [first] = askedIn(serviceLookup(files, service), target);
  if (first === undefined) return fail(check, absence(service), asking.remedy({}));
  const { list, reach } = first;
  if (reach.kind === 'asked') return ok(check, `in ${shown(service, list)}`);
  if (reach.kind === 'absent') throw new Error(`absent from ${list}, but found`);
  const where = `${reach.by} stands before it in ${shown(service, list)}`;
  return reach.always
    ? fail(check, `never reached: ${where}`, asking.remedy({}))
    : warn(
        check,
        `not reached by clients that are permitted before: ${where}`,
        remedyOfSkip(asking, reach.by),
      );
}

function absence(service: Service): string {
  const override = overrideOf(service, RECIPIENT_LIST);
  if (override === null) return `not asked: ${RECIPIENT_LIST} does not have it`;
  return `not asked: -o ${RECIPIENT_LIST}=${override.value.text} in master.cf replaces the list of main.cf`;
}

/** A table that the administrator put first is left there by install. */
function remedyOfSkip(asking: Asking, by: string): string | null {
  return /^check_/.test(by) ? `put the check before ${by}, unless that is meant` : asking.remedy({});
}

const shown = (service: Service, list: string) =>
  overrideOf(service, list) === null ? list : `${list} of master.cf`;

function modeFinding(asking: Asking, services: readonly Service[]): Finding {
  const { files, target, persistent, postfix } = asking;
  const asked = services.flatMap((service): AskedIn[] => askedIn(serviceLookup(files, service), target));
  const everywhere = postfix.value('smtpd_policy_service_request_limit') === '1';
  const limited = asked.map(({ reach }) => everywhere || (reach.kind !== 'absent' && reach.oneShot));
  if (!persistent && limited.includes(false)) {
    const message =
      'one process for each request, but without request_limit=1: Postfix waits a second before each further recipient of a session';
    return fail('mode', message, asking.remedy({ oneShot: true }));
  }
  if (persistent && limited.includes(true)) {
    const message = 'the program serves on after its first answer, but request_limit=1 ends the connection';
    return warn('mode', message, asking.remedy({ oneShot: false }));
  }
  return ok(
    'mode',
    persistent ? 'persistent: one process for each smtpd process' : 'one process for each request',
  );
}
