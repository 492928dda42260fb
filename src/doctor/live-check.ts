// Last of all: a request through the socket, to the program as Postfix runs it now, and whether the answer is what the database says.
import { decide } from '../policy/decide';
import { askLive, NoAnswer, PROBE, socketOf } from '../postfix/live-service';
import { openForReading, translating } from '../rules/database';
import { rulesOf } from '../rules/lookup';
import { type Finding, fail, ok } from './finding';
import type { Patient } from './patient';

export async function liveFinding(patient: Patient): Promise<Finding> {
  const { postfix, policy, db } = patient;
  const check = 'answer';
  if (!postfix.isRunning()) {
    return fail(check, 'Postfix is not running', ['postfix', ...postfix.chosen, 'start'].join(' '));
  }
  const socket = socketOf(postfix.queueDir, policy.name);
  try {
    const { action, ms } = await askLive(socket);
    const expected = expectedVerdict(db);
    const verdict = action.startsWith('action=reject ')
      ? 'refused'
      : action === 'action=dunno'
        ? 'allowed'
        : null;
    if (verdict === null)
      return fail(check, `the answer at ${socket} is no reply of ours: ${action}`, reload(patient));
    if (expected !== null && verdict !== expected) {
      const message = `${PROBE.user} is ${verdict} at ${socket}, but ${expected} by ${db}`;
      return fail(check, message, reload(patient));
    }
    return ok(check, `${socket} answered in ${Math.max(1, Math.round(ms))} ms`);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return fail(
      check,
      `no answer at ${socket} (${error.message})`,
      `the mail log says why; ${reload(patient)}`,
    );
  }
}

const reload = ({ postfix }: Patient) => ['postfix', ...postfix.chosen, 'reload'].join(' ');

/** What the database as it is now says about the request, or null when it cannot be read here. */
function expectedVerdict(db: string): 'allowed' | 'refused' | null {
  try {
    return translating(db, () => {
      const connection = openForReading(db);
      try {
        const asked = { user: PROBE.user, address: PROBE.address, wellFormed: true };
        return decide(asked, () => rulesOf(connection), Date.now()).kind === 'refused'
          ? 'refused'
          : 'allowed';
      } finally {
        connection.close();
      }
    });
  } catch {
    return null;
  }
}
