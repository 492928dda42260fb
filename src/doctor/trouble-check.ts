// Checks what smtpd does while the policy service does not answer (SMTPD_POLICY_README, "Error handling"). Any reply
// but a temporary error would let mail pass or refuse it permanently.
import { type Lookup, mainLookup, serviceLookups, servicesWithAuth } from '../postfix/configuration';
import { attributeOf, isCheckOf } from '../postfix/policy-check';
import { policyChecks } from '../postfix/restrictions';
import { type Finding, fail, ok } from './finding';
import { type AskedService, listFix } from './installed-service';

const CHECK = 'trouble';

/** Checks main.cf and each smtpd service with AUTH. */
export function* troubleFindings(asked: AskedService): Iterable<Finding> {
  const { files, target } = asked;
  const effects = new Map<string, string | null>();
  const lookups = servicesWithAuth(files).flatMap((smtpd) => serviceLookups(files, smtpd));
  for (const lookup of [mainLookup(files), ...lookups]) {
    for (const check of policyChecks(lookup).filter((one) => isCheckOf(target, one.target))) {
      const ofMain = lookup('smtpd_policy_service_default_action') ?? '';
      const action = attributeOf(check.target, 'default_action') ?? ofMain;
      effects.set(action, effectOf(action, lookup));
    }
  }
  const wrong = [...effects].filter(([, effect]) => effect !== null);
  for (const [action, effect] of wrong) {
    const message = `while the program does not answer, default_action is "${action}": ${effect}`;
    yield fail(CHECK, message, listFix(asked));
  }
  if (wrong.length > 0 || effects.size === 0) return;
  yield ok(CHECK, `while the program does not answer, mail is deferred (${[...effects.keys()].join('; ')})`);
}

/** The effect of an action of access(5) on mail; null for a temporary error. An unknown action lets mail pass. */
function effectOf(action: string, lookup: Lookup): string | null {
  const [word = ''] = action.toLowerCase().split(/\s/);
  const [, kind] = /^(defer|reject)(?:$|_if_permit$)/.exec(word) ?? [];
  // access(5): a number without text permits.
  const ownCode = /\s/.test(action.trim()) ? word : null;
  const code = kind === undefined ? ownCode : lookup(`access_map_${kind}_code`);
  if (/^4\d\d$/.test(code ?? '')) return null;
  return /^5\d\d$/.test(code ?? '') ? 'all mail is refused for good' : 'users may send from everywhere';
}
