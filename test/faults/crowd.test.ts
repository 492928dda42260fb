// 40 SMTP clients at once, in both modes, half of their recipients to be refused: every verdict is right, none is put off, Postfix complains
// of nothing, and no program is left when the clients have gone.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { askPolicy, type PolicySetUp, programLines, setUpPolicy } from '../postfix/policy-set-up';
import { type PrivatePostfix, startPrivatePostfix } from '../postfix/private-postfix';
import { needs } from '../requires';
import { waitFor } from '../wait-for';
import { Crowd } from './crowd';
import { ASKS, writeLists } from './crowd-lists';

const SOAK = process.env['SOAK'] === '1';
const CLIENTS = 40;
/** In all; a program for each costs a start of Node. */
const RECIPIENTS = SOAK ? { persistent: 20_000, oneRequest: 20_000 } : { persistent: 800, oneRequest: 240 };

describe('40 clients at once', needs('root', 'postfix', 'dovecot', 'openssl'), () => {
  let policy: PolicySetUp;
  let postfix: PrivatePostfix<'persistent' | 'oneRequest'>;

  before(async () => {
    policy = setUpPolicy('crowd');
    writeLists(policy);
    postfix = await startPrivatePostfix({
      listeners: {
        persistent: [askPolicy('unix:private/persistent')],
        oneRequest: [askPolicy('{ unix:private/one-request, request_limit=1 }')],
      },
      services: [policy.service('persistent', '--persistent'), policy.service('one-request')],
      // So that it is soon seen what stays behind: smtpd ends when it has been idle, and its program with it.
      parameters: { max_idle: '1s' },
    });
  });
  after(() => {
    postfix?.stop();
    policy?.remove();
  });

  for (const mode of ['persistent', 'oneRequest'] as const) {
    test(`${mode}: ${RECIPIENTS[mode]} recipients`, { timeout: 3_600_000 }, async (t) => {
      const from = postfix.log().length;
      const begun = performance.now();
      const crowd = new Crowd({
        ports: [postfix.ports[mode]],
        clients: CLIENTS,
        asks: ASKS,
        recipients: RECIPIENTS[mode] / CLIENTS,
        deliver: true,
      });
      await crowd.ended;
      const { answers } = crowd;
      const seconds = (performance.now() - begun) / 1000;
      t.diagnostic(`${answers.length} recipients in ${seconds.toFixed(1)} s`);
      assert.equal(answers.length, RECIPIENTS[mode]);
      for (const { ask, code, text } of answers) {
        assert.equal(code, ask.right['A'], `${ask.user} from ${ask.address}: ${code} ${text}`);
        if (code !== 554) continue;
        const reason = `Recipient address rejected: ${ask.user} may not send mail from ${ask.address}`;
        assert.ok(text.startsWith('5.7.1 ') && text.endsWith(reason), text);
      }
      const refusals = answers.filter(({ code }) => code === 554).length;
      assert.ok(Math.abs(refusals / answers.length - 0.5) < 0.02, `${refusals} were refused`);

      await waitFor('the end of all policy programs', () => programs().length === 0, postfix.log, 60_000);
      // Each refusal is in the log. A machine so slow that postlog takes more than 5 s may lose lines of programs that end.
      const lines = programLines(postfix.log().slice(from));
      const logged = lines.filter((line) => line.startsWith('verdict=reject ')).length;
      assert.equal(logged, lines.length);
      assert.ok(
        logged <= refusals && logged >= refusals * (mode === 'persistent' ? 1 : 0.8),
        `${logged} of ${refusals}`,
      );
    });
  }

  /** Policy programs and what they have started. */
  function programs() {
    return postfix
      .processes()
      .filter(
        ({ command }) => command.startsWith(`${policy.program.node} `) || /^(\S*\/)?(postlog|logger) /.test(command),
      );
  }

  test('nothing of all this made Postfix or the program complain', () => {
    const complaints = postfix.log().match(/^.*(warning|error|fatal|panic):.*$/gm) ?? [];
    // Of a virtual machine's clock, not of us.
    const clock = /file system clock is|resetting file time stamps/;
    assert.deepEqual(
      complaints.filter((line) => !clock.test(line)),
      [],
    );
  });
});
