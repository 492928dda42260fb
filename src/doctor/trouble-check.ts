// Checks what smtpd does while the policy service does not answer (SMTPD_POLICY_README, "Error handling"). Any reply
// but a temporary error would let mail pass or refuse it permanently.
import { type Lookup, mainLookup, serviceLookups, servicesWithAuth } from '../postfix/configuration';
import { secondsOf } from '../postfix/plan';
import { attributeOf, isCheckOf } from '../postfix/policy-check';
import { policyChecks } from '../postfix/restrictions';
import { type Finding, fail, ok, warn } from './finding';
import { reloadCommand } from './installed-service';
import { fixList, type ListContext } from './list-check';

const CHECK = 'trouble';

/** Checks main.cf and each smtpd service with AUTH. */
export function* troubleFindings(context: ListContext): Iterable<Finding> {
  const { files, target, postfix } = context;
  const effects = new Map<string, string | null>();
  const timeouts = new Set<string>();
  for (const lookup of [
    mainLookup(files),
    ...servicesWithAuth(files).flatMap((smtpd) => serviceLookups(files, smtpd)),
  ]) {
    for (const check of policyChecks(lookup).filter((one) => isCheckOf(target, one.target))) {
      const attribute = (name: string) =>
        attributeOf(check.target, name) ?? lookup(`smtpd_policy_service_${name}`) ?? '';
      effects.set(attribute('default_action'), effectOf(attribute('default_action'), lookup));
      timeouts.add(attribute('timeout'));
    }
  }
  let isGood = effects.size > 0;
  for (const [action, effect] of effects) {
    if (effect === null) continue;
    isGood = false;
    const message = `while the program does not answer, default_action is "${action}": ${effect}`;
    yield fail(CHECK, message, fixList(context, 'default_action'));
  }
  if (!isGood) return;
  // Postfix tries twice.
  const slow = [...timeouts].find((timeout) => (secondsOf(timeout) ?? 0) > LONGEST_WAIT);
  if (/^inet:[^*]/.test(target) && slow !== undefined) {
    const message = `while the policy host does not answer at all, each client waits for twice ${slow}`;
    yield warn(CHECK, message, { hint: `add timeout=10s after ${target}; then`, command: reloadCommand(postfix) });
  } else yield ok(CHECK, `while the program does not answer, mail is deferred (${[...effects.keys()].join('; ')})`);
}

/** The longest timeout (s) for a policy host that is not reported. */
const LONGEST_WAIT = 30;

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
