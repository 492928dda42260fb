// Last of all: a request through the socket, to the program as Postfix runs it now, and whether the answer is what the database says.
import { askLive, type LiveAddress, NoAnswer, PROBE, requestOf, socketOf } from '../postfix/live-service';
import { type Finding, fail, ok } from './finding';
import type { Patient } from './patient';
import { probeOf } from './probe';

export async function liveFinding(patient: Patient): Promise<Finding> {
  const { postfix, db } = patient;
  const check = 'answer';
  if (!postfix.isRunning()) {
    return fail(check, 'Postfix is not running', ['postfix', ...postfix.chosen, 'start'].join(' '));
  }
  const to = addressOf(patient);
  const at = typeof to === 'string' ? to : `${to.host}:${to.port}`;
  try {
    const allowed = probeOf(db);
    const { user, address } = allowed ?? PROBE;
    const { action, ms } = await askLive(to, requestOf(user, address));
    if (!/^action=(dunno$|reject )/.test(action))
      return fail(check, `the answer at ${at} is no reply of this program: ${action}`, reload(patient));
    if (allowed !== null && action !== 'action=dunno') {
      const message = `${user} from ${address} is refused at ${at}, but allowed by ${db}`;
      return fail(check, message, reload(patient));
    }
    return ok(check, `${at} answered in ${Math.max(1, Math.round(ms))} ms`);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return fail(check, `no answer at ${at} (${error.message})`, `the mail log says why; ${reload(patient)}`);
  }
}

/** An inet service without an address listens where the instance does (inet_interfaces). */
function addressOf({ postfix, policy, entry }: Patient): LiveAddress {
  if (entry.type !== 'inet') return socketOf(postfix.queueDir, policy.name);
  const [, host = '', port = ''] = /^(?:(.*):)?(\d+)$/.exec(policy.name) ?? [];
  const [first = ''] = postfix.value('inet_interfaces').split(/[\s,]+/);
  const own = /^(all|loopback-only)?$/.test(first) ? '127.0.0.1' : first;
  return { host: (host || own).replace(/^\[|\]$/g, ''), port: Number(port) };
}

const reload = ({ postfix }: Patient) => ['postfix', ...postfix.chosen, 'reload'].join(' ');
