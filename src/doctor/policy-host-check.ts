// Checks, on a server that asks a policy host (`check_policy_service inet:HOST:PORT`), that the host answers.
import type { ConfigFiles } from '../postfix/configuration';
import { askLive, tcpAddress } from '../postfix/live-service';
import { attributesOf, portOf } from '../postfix/policy-check';
import { policyTargets } from '../postfix/restrictions';
import { type Finding, fail, ok } from './finding';
import type { PolicyHost } from './installed-service';

/** The port in examples/many-servers; a policy service on another port may be another program. */
const USUAL_PORT = '10031';

/** The policy hosts (`inet:HOST:PORT`) that lists ask. `wanted`: a port or HOST:PORT; null means the usual port. */
export function policyHostsIn(files: ConfigFiles, wanted: string | null): string[] {
  const hosts = policyTargets(files).map((target) => (attributesOf(target)[0] ?? '').toLowerCase());
  const named = wanted?.toLowerCase().replace(/^inet:/, '') ?? USUAL_PORT;
  const isNamed = (address: string) => address === `inet:${named}` || portOf(address) === named;
  return [...new Set(hosts)].filter((address) => address.startsWith('inet:') && isNamed(address));
}

export async function* policyHostFindings({ target }: PolicyHost): AsyncIterable<Finding> {
  const check = `policy host ${target}`;
  const address = tcpAddress(target.slice('inet:'.length), '127.0.0.1');
  const answer = await askLive(address);
  if ('action' in answer) yield ok(check, `answered in ${Math.ceil(answer.ms)} ms`);
  else {
    const hint = `let this server reach port ${address.port}, and on that host run`;
    yield fail(check, `no answer (${answer.problem})`, { hint, command: 'allow-nets doctor' });
  }
}
