// What smtpd does when the policy service does not answer. Anything but a temporary error lets mail pass, or refuses it for good.
import { type Lookup, mainLookup, offersAuth, serviceLookup, smtpdServices } from '../postfix/configuration';
import { outagesOf } from '../postfix/outage';
import { secondsOf } from '../postfix/plan';
import { attributeOf, isCheckOf } from '../postfix/policy-check';
import { policyTargets } from '../postfix/restrictions';
import { type Finding, fail, ok, warn } from './finding';
import type { ListView } from './list-check';

const CHECK = 'trouble';

const EFFECT = {
  permanent: 'all mail is refused for good',
  passes: 'users may send from everywhere',
} as const;

/** Anything but a temporary error, in main.cf or in an smtpd service whose clients can authenticate. */
export function* troubleFindings(view: ListView): Iterable<Finding> {
  const { files, postfix, target, fix } = view;
  const services = smtpdServices(files).filter((service) => offersAuth(files, service));
  const lookups = [mainLookup(files), ...services.map((service) => serviceLookup(files, service))];
  const withDefaults = lookups.map(
    (lookup): Lookup =>
      (name) =>
        lookup(name) ?? postfix.value(name),
  );
  const outages = new Map(
    withDefaults.flatMap((lookup) => outagesOf(lookup, target)).map((outage) => [outage.action, outage.kind]),
  );
  for (const [action, kind] of outages) {
    if (kind === 'temporary') continue;
    const message = `while the program does not answer, default_action is "${action}": ${EFFECT[kind]}`;
    yield fail(CHECK, message, fix('default_action'));
  }
  if (outages.size === 0 || [...outages.values()].some((kind) => kind !== 'temporary')) return;
  yield hangFinding(view) ??
    ok(CHECK, `while the program does not answer, mail is put off (${[...outages.keys()].join('; ')})`);
}

/** The longest time (s) that a client should wait for a policy host that is gone without a word; Postfix tries twice. */
const PATIENCE = 30;

function hangFinding({ files, postfix, target }: ListView): Finding | null {
  if (!target.startsWith('inet:') || target.startsWith('inet:*')) return null;
  const timeouts = policyTargets(files)
    .filter((asked) => isCheckOf(target, asked))
    .map((asked) => attributeOf(asked, 'timeout') ?? postfix.value('smtpd_policy_service_timeout'));
  const slow = timeouts.find((timeout) => (secondsOf(timeout) ?? 0) > PATIENCE);
  if (slow === undefined) return null;
  const advice = `write timeout=10s behind ${target}`;
  return warn(CHECK, `a host that is gone without a word holds each client for twice ${slow}`, { advice });
}
