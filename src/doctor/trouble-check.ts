// Checks what smtpd does while the policy service does not answer (SMTPD_POLICY_README, "Error handling"). Any reply
// but a temporary error would let mail pass or refuse it permanently.
import { type Lookup, mainLookup, serviceLookups, servicesWithAuth } from '../postfix/configuration';
import { secondsOf } from '../postfix/plan';
import { attributeOf, isCheckOf } from '../postfix/policy-check';
import { policyChecks } from '../postfix/restrictions';
import { type Finding, fail, ok, warn } from './finding';
import { type AskedService, listFix } from './installed-service';

const CHECK = 'trouble';

/** The longest timeout (s) for a policy host that is not reported. */
const LONGEST_WAIT = 30;

/** Checks main.cf and each smtpd service with AUTH. */
export function* troubleFindings(asked: AskedService): Iterable<Finding> {
  const { files, target, postfix } = asked;
  const effects = new Map<string, string | null>();
  const timeouts = new Set<string>();
  const lookups = servicesWithAuth(files).flatMap((smtpd) => serviceLookups(files, smtpd));
  for (const lookup of [mainLookup(files), ...lookups]) {
    for (const check of policyChecks(lookup).filter((one) => isCheckOf(target, one.target))) {
      const attribute = (name: string) =>
        attributeOf(check.target, name) ?? lookup(`smtpd_policy_service_${name}`) ?? '';
      const action = attribute('default_action');
      effects.set(action, effectOf(action, lookup));
      timeouts.add(attribute('timeout'));
    }
  }
  const wrong = [...effects].filter(([, effect]) => effect !== null);
  for (const [action, effect] of wrong) {
    const message = `while the program does not answer, default_action is "${action}": ${effect}`;
    yield fail(CHECK, message, listFix(asked));
  }
  if (wrong.length > 0 || effects.size === 0) return;
  // Postfix tries twice.
  const slow = [...timeouts].find((timeout) => (secondsOf(timeout) ?? 0) > LONGEST_WAIT);
  if (/^inet:[^*]/.test(target) && slow !== undefined) {
    const message = `while the policy host does not answer at all, each client waits for twice ${slow}`;
    yield warn(CHECK, message, postfix.manualFix(`add timeout=10s after ${target}`));
  } else yield ok(CHECK, `while the program does not answer, mail is deferred (${[...effects.keys()].join('; ')})`);
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
