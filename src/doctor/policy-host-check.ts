// Checks, on a server that asks a policy host (`check_policy_service inet:HOST:PORT`), that the host answers, and that
// mail is deferred while it does not.
import type { ConfigFiles } from '../postfix/configuration';
import { askLive, NoAnswer } from '../postfix/live-service';
import { attributesOf, portOf } from '../postfix/policy-check';
import { policyTargets } from '../postfix/restrictions';
import { type Finding, fail, ok } from './finding';
import type { AskedService } from './installed-service';
import { listFindings } from './list-check';
import { troubleFindings } from './trouble-check';

/** The port in examples/many-servers; a policy service on another port may be another program. */
const USUAL_PORT = '10031';

/** The policy hosts (`inet:HOST:PORT`) that lists ask. `wanted`: a port or HOST:PORT; null means the usual port. */
export function policyHostsIn(files: ConfigFiles, wanted: string | null): string[] {
  const hosts = policyTargets(files).map((target) => (attributesOf(target)[0] ?? '').toLowerCase());
  const named = wanted?.toLowerCase().replace(/^inet:/, '') ?? USUAL_PORT;
  const isNamed = (address: string) => address === `inet:${named}` || portOf(address) === named;
  return [...new Set(hosts)].filter((address) => address.startsWith('inet:') && isNamed(address));
}

export async function* policyHostFindings(asked: AskedService): AsyncIterable<Finding> {
  const [, host = '', port = ''] = /^inet:(?:\[?(.*?)\]?:)?(\d+)$/.exec(asked.target) ?? [];
  const check = `policy host ${asked.target}`;
  try {
    const { ms } = await askLive({ host: host || '127.0.0.1', port: Number(port) });
    yield ok(check, `answered in ${Math.ceil(ms)} ms`);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    const hint = `let this server reach port ${port}, and on that host run`;
    yield fail(check, `no answer (${error.message})`, { hint, command: 'allow-nets doctor' });
  }
  yield* troubleFindings(asked);
  yield* listFindings(asked);
}
