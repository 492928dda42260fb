// Requests through the socket, to the program as Postfix runs it now: whether the answers are what the database says, to somebody who is allowed and
// to somebody who is not. The second leaves a line in the mail log.
import { askLive, type LiveAddress, NoAnswer, PROBE, requestOf, socketOf } from '../postfix/live-service';
import { shellLine } from '../postfix/run';
import { type Finding, fail, ok } from './finding';
import { type InstalledService, isDatabaseFile, reloadCommand } from './installed-service';
import { probesOf } from './probe';

export async function* liveFindings(service: InstalledService): AsyncIterable<Finding> {
  if (process.getuid?.() !== 0) return;
  const { postfix, db } = service;
  const check = 'answer';
  if (!postfix.isRunning()) {
    yield fail(check, 'Postfix is not running', {
      command: shellLine(['postfix', ...postfix.chosen, 'start']),
    });
    return;
  }
  const to = addressOf(service);
  const at = typeof to === 'string' ? to : `${to.host}:${to.port}`;
  const command = reloadCommand(postfix);
  let slowest = 1;
  try {
    const probes = isDatabaseFile(service) ? probesOf(db) : [{ ...PROBE, expected: null }];
    for (const { user, address, expected } of probes) {
      const { action, ms } = await askLive(to, requestOf(user, address));
      slowest = Math.max(slowest, Math.round(ms));
      if (expected === null || action === expected) continue;
      const [found, wanted] = action === 'reject' ? ['refused', 'allowed'] : ['allowed', 'refused'];
      yield fail(check, `${user} from ${address} is ${found} at ${at}, but ${wanted} by ${db}`, { command });
      return;
    }
    yield ok(check, `${at} answered in ${slowest} ms`);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    yield fail(check, `no answer at ${at} (${error.message})`, { advice: error.hint, command });
  }
}

/** An inet service without an address listens where the instance does (inet_interfaces). */
function addressOf({ postfix, policy, entry }: InstalledService): LiveAddress {
  if (entry.type !== 'inet') return socketOf(postfix.queueDir, policy.name);
  const [, host = '', port = ''] = /^(?:(.*):)?(\d+)$/.exec(policy.name) ?? [];
  const [first = ''] = postfix.value('inet_interfaces').split(/[\s,]+/);
  const own = /^(all|loopback-only)?$/.test(first) ? '127.0.0.1' : first;
  return { host: (host || own).replace(/^\[|\]$/g, ''), port: Number(port) };
}
