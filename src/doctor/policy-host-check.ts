// A server that asks a policy host, `check_policy_service inet:HOST:PORT`: whether that host answers, and what becomes of mail while it does not.
import { askLive, NoAnswer, PROBE_REQUEST } from '../postfix/live-service';
import { attributesOf, portOf } from '../postfix/policy-check';
import type { Postfix } from '../postfix/postfix';
import { shellLine } from '../postfix/run';
import { secondsOf } from '../postfix/service-changes';
import { type ConfigFiles, policyTargets } from '../postfix/service-view';
import { type Finding, fail, ok, warn } from './finding';
import { type Asking, listFindings } from './list-check';

/** The port of examples/many-servers. A policy service on another one is ours only when it is named. */
const USUAL_PORT = '10031';

/** The policy hosts that lists ask, `inet:HOST:PORT`: those at the port or address that `wanted` names, without it those at the usual port. */
export function policyHostsIn(files: ConfigFiles, wanted: string | null): string[] {
  const hosts = policyTargets(files)
    .map((target) => (attributesOf(target)[0] ?? '').toLowerCase())
    .filter((address) => address.startsWith('inet:'));
  const asked = wanted?.toLowerCase().replace(/^inet:/, '') ?? USUAL_PORT;
  return [...new Set(hosts)].filter((address) => address === `inet:${asked}` || portOf(address) === asked);
}

export async function* policyHostFindings(
  postfix: Postfix,
  files: ConfigFiles,
  target: string,
): AsyncIterable<Finding> {
  const [, host = '', port = ''] = /^inet:(?:(.*):)?(\d+)$/.exec(target) ?? [];
  const check = `policy host ${target}`;
  const remedy = `there: allow-nets doctor; here: let this server reach port ${port}`;
  let persistent = true;
  try {
    const to = { host: host.replace(/^\[|\]$/g, '') || '127.0.0.1', port: Number(port) };
    const { action, ms, goesOn } = await askLive(to, PROBE_REQUEST, { again: true });
    persistent = goesOn;
    yield /^action=(dunno|reject )/.test(action)
      ? ok(check, `answered in ${Math.max(1, Math.round(ms))} ms`)
      : fail(check, `the answer is no reply of this program: ${action}`, remedy);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    yield fail(check, `no answer (${error.message})`, remedy);
  }
  yield* outageFindings(postfix, files, target);
  yield* listFindings({ postfix, files, target, persistent, remedy: remedyByHand(postfix, target) });
}

/** install knows nothing of a service that is asked over the network: what to do is said in words. */
export function remedyByHand(postfix: Postfix, target: string): Asking['remedy'] {
  const where = 'smtpd_recipient_restrictions, in main.cf and in each -o of master.cf';
  const reload = `then: ${shellLine(['postfix', ...postfix.chosen, 'reload'])}`;
  return ({ trial, oneShot }) => {
    if (trial === false) return `take warn_if_reject out of ${where}, ${reload}`;
    if (oneShot === true) return `put request_limit=1 behind ${target} in ${where}, ${reload}`;
    if (oneShot === false) return `take request_limit=1 out of ${where}, ${reload}`;
    return `put check_policy_service ${target} first in ${where}, ${reload}`;
  };
}

/** The longest time (s) that a client should wait for a host that is gone without a word; Postfix tries twice. */
const PATIENCE = 30;

function* outageFindings(postfix: Postfix, files: ConfigFiles, target: string): Iterable<Finding> {
  const forms = policyTargets(files)
    .map(attributesOf)
    .filter(([address]) => address?.toLowerCase() === target);
  for (const words of new Set(forms.map((form) => form.slice(1).join('\n')))) {
    const attributes = words.split('\n');
    const timeout = attribute(attributes, 'timeout') ?? postfix.value('smtpd_policy_service_timeout');
    const action =
      attribute(attributes, 'default_action') ?? postfix.value('smtpd_policy_service_default_action');
    if (!/^(4\d\d|defer)/i.test(action)) {
      const message = `while ${target} does not answer the default_action is "${action}": ${/^(5\d\d|reject)/i.test(action) ? 'all mail is refused for good' : 'everybody may send from everywhere'}`;
      yield fail('host down', message, `default_action = 451 4.3.5 Try again later, behind ${target}`);
    } else if ((secondsOf(timeout) ?? 0) > PATIENCE) {
      const message = `a host that is gone without a word holds each client for twice ${timeout}`;
      yield warn('host down', message, `timeout=10s behind ${target}`);
    } else yield ok('host down', `mail is put off (${action}), after ${timeout} at the most, twice`);
  }
}

function attribute(words: readonly string[], name: string): string | null {
  for (const word of words) {
    const [, key, value] = /^\{?\s*(\w+)\s*=\s*(.*?)\s*\}?$/.exec(word) ?? [];
    if (key === name && value !== undefined) return value;
  }
  return null;
}
