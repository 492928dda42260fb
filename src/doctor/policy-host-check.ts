// A server that asks a policy host, `check_policy_service inet:HOST:PORT`: whether that host answers, and what becomes of mail while it does not.

import type { ConfigFiles } from '../postfix/configuration';
import { askLive, NoAnswer, PROBE_REQUEST } from '../postfix/live-service';
import { attributesOf, portOf } from '../postfix/policy-check';
import type { Postfix } from '../postfix/postfix';
import { policyTargets } from '../postfix/restrictions';
import { type Finding, fail, ok } from './finding';
import { reloadCommand } from './installed-service';
import { type ListView, listFindings } from './list-check';
import { troubleFindings } from './trouble-check';

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
  let persistent = true;
  try {
    const to = { host: host.replace(/^\[|\]$/g, '') || '127.0.0.1', port: Number(port) };
    const { ms, goesOn } = await askLive(to, PROBE_REQUEST, { again: true });
    persistent = goesOn;
    yield ok(check, `answered in ${Math.max(1, Math.round(ms))} ms`);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    const advice = `there: allow-nets doctor; here: let this server reach port ${port}`;
    yield fail(check, `no answer (${error.message})`, { advice });
  }
  const view = { postfix, files, target, persistent, fix: fixByHand(postfix, target) };
  yield* troubleFindings(view);
  yield* listFindings(view);
}

/** install knows nothing of a service that is asked over the network: what to do is said in words. */
export function fixByHand(postfix: Postfix, target: string): ListView['fix'] {
  const where = 'smtpd_recipient_restrictions, in main.cf and in each -o of master.cf';
  const edits = {
    'the check first': `put check_policy_service ${target} first in ${where}`,
    enforcing: `take warn_if_reject out of ${where}`,
    request_limit: `put request_limit=1 behind ${target} in ${where}`,
    'no request_limit': `take request_limit=1 out of ${where}`,
    default_action: `put { default_action = 451 4.3.5 Try again later } behind ${target} in ${where}`,
  };
  return (need) => ({ advice: `${edits[need]}; then: ${reloadCommand(postfix)}` });
}
