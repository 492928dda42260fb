// Checks that every smtpd service with AUTH asks the policy service, in the right list and form.
import { type Fix, shellLine } from '../failure';
import type { Service } from '../postfix/config-text';
import { servicesWithAuth } from '../postfix/configuration';
import { RECIPIENT_LIST, serviceCheck } from '../postfix/restrictions';
import { type Finding, fail, ok, warn } from './finding';
import { type AskedService, type InstalledService, listFix, servicesOnTrial } from './installed-service';

export function* listFindings(asked: AskedService): Iterable<Finding> {
  const { files, postfix } = asked;
  const services = servicesWithAuth(files);
  for (const smtpd of services) yield askedFinding(asked, smtpd);
  if (services.length === 0) {
    const fix = postfix.manualFix('set smtpd_sasl_auth_enable=yes, as a rule with -o in the submission service');
    yield warn('asked', 'no smtpd service offers AUTH, so there is no user to ask about', fix);
  }
  if (asked.policy !== null) yield modeFinding(asked, services);
  const onTrial = servicesOnTrial(asked);
  if (onTrial.length > 0) {
    const where = onTrial.length === services.length ? '' : ` for ${onTrial.map(({ name }) => name).join(', ')}`;
    const message = `trial${where}: who would be refused is logged as reject_warning, and no user is refused`;
    yield warn('trial', message, trialFix(asked));
  } else yield ok('trial', 'off: refusals are carried out');
}

function askedFinding(asked: AskedService, smtpd: Service): Finding {
  const check = `asked by ${smtpd.name}/${smtpd.type}`;
  const found = serviceCheck(asked.files, smtpd, asked.target);
  if (found === undefined) {
    const override = smtpd.overrides.get(RECIPIENT_LIST);
    const where = `-o ${RECIPIENT_LIST}=${override} in master.cf replaces the list of main.cf`;
    const why = override === undefined ? `${RECIPIENT_LIST} does not have it` : where;
    return fail(check, `not asked: ${why}`, listFix(asked));
  }
  const { list, skip } = found;
  const where = smtpd.overrides.has(list) ? `${list} of master.cf` : list;
  if (skip === null) return ok(check, `in ${where}`);
  const why = `${skip.by} stands before it in ${where}`;
  if (skip.certainty === 'always') return fail(check, `never reached: ${why}`, listFix(asked));
  // install does not move a table that the administrator put first, so the fix is a manual edit.
  const byHand = asked.postfix.manualFix(`put the check before ${skip.by}, unless that is meant`);
  const message = `not reached by clients that are permitted before: ${why}`;
  return warn(check, message, skip.certainty === 'table' ? byHand : listFix(asked));
}

function modeFinding(asked: InstalledService, services: readonly Service[]): Finding {
  const { files, target, postfix, policy } = asked;
  if (policy.persistent) return ok('mode', 'persistent: one process for each smtpd process');
  const everywhere = postfix.value('smtpd_policy_service_request_limit') === '1';
  const checks = services.map((smtpd) => serviceCheck(files, smtpd, target));
  if (everywhere || checks.every((check) => check?.oneShot !== false))
    return ok('mode', 'one process for each request');
  const message =
    'one process for each request, but without request_limit=1: Postfix waits a second before each further recipient';
  return fail('mode', message, listFix(asked));
}

function trialFix(asked: AskedService): Fix {
  const end = listFix(asked, { trial: false });
  if (asked.policy === null) return end;
  const { postfix, db } = asked;
  const log = postfix.value('maillog_file');
  const replay = shellLine(['allow-nets', 'replay', '--db', db, ...(log === '' ? [] : [log])]);
  return { hint: 'see who would be refused', command: replay, more: [{ hint: 'then end the trial', ...end }] };
}
