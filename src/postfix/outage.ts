// What smtpd does with mail while a policy service does not answer (SMTPD_POLICY_README, "Error handling").
import type { Lookup } from './configuration';
import { attributeOf, isCheckOf } from './policy-check';
import { policyChecks } from './restrictions';

export interface Outage {
  /** As access(5) writes it: "451 4.3.5 Try again later", "DUNNO". */
  readonly action: string;
  /** `passes`: whatever is not understood, too. */
  readonly kind: 'temporary' | 'permanent' | 'passes';
}

/** `target`: what follows check_policy_service. Its own default_action counts before that of the service's -o and of main.cf. */
function outageOf(target: string, lookup: Lookup): Outage {
  const action = attributeOf(target, 'default_action') ?? lookup('smtpd_policy_service_default_action') ?? '';
  const code = codeOf(action, lookup);
  return { action, kind: code === '4' ? 'temporary' : code === '5' ? 'permanent' : 'passes' };
}

/** What becomes of mail while `policy` does not answer: one for each check of it that the service has. */
export const outagesOf = (lookup: Lookup, policy: string): Outage[] =>
  policyChecks(lookup)
    .filter(({ target }) => isCheckOf(policy, target))
    .map(({ target }) => outageOf(target, lookup));

/** The first digit of the reply that an action leads to, or null. */
function codeOf(action: string, lookup: Lookup): string | null {
  const [word = ''] = action.toLowerCase().split(/\s/);
  if (/^[45]\d\d$/.test(word)) return word.charAt(0);
  if (word === 'defer' || word === 'defer_if_permit') return lookup('access_map_defer_code')?.charAt(0) ?? null;
  return word === 'reject' ? (lookup('access_map_reject_code')?.charAt(0) ?? null) : null;
}
