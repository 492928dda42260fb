// The tests' own Postfix: two instances at once do not see each other, start without a warning, and leave nothing behind.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { needs } from '../requires';
import { type PrivatePostfix, startPrivatePostfix } from './private-postfix';
import { SmtpClient } from './smtp-client';

describe('two private instances at once', needs('root', 'postfix', 'dovecot', 'openssl'), () => {
  let one: PrivatePostfix<'smtp'>;
  let other: PrivatePostfix<'smtp'>;

  before(async () => {
    [one, other] = await Promise.all([
      startPrivatePostfix({ listeners: { smtp: [] }, users: { anna: 'of one' } }),
      startPrivatePostfix({ listeners: { smtp: [] }, users: { anna: 'of the other' }, xclient: false }),
    ]);
  });
  after(() => {
    one?.stop();
    other?.stop();
  });

  test('each knows its own users, and XCLIENT only where it is wanted', async () => {
    const cases = [
      [one, 'of one', true],
      [other, 'of the other', false],
    ] as const;
    for (const [postfix, password, xclient] of cases) {
      const client = await SmtpClient.connect({ port: postfix.ports.smtp });
      assert.equal(/^XCLIENT /m.test((await client.ehlo()).text), xclient);
      assert.equal((await client.authPlain('anna', password)).code, 235);
      await client.quit();
    }
  });

  test('no warning at the start, by postfix check or after a reload', async () => {
    for (const postfix of [one, other]) {
      const start = postfix.log();
      assert.match(start, /daemon started/);
      await postfix.command('postfix', 'check');
      await postfix.reload();
      const complaints = postfix.log().match(/^.*(warning|error|fatal|panic):.*$/gm) ?? [];
      assert.deepEqual(complaints, []);
    }
  });

  test('stop ends all of one and nothing of the other', async () => {
    assert.ok(one.processes().length > 0);
    one.stop();
    assert.deepEqual(one.processes(), []);
    assert.equal(existsSync(dirname(one.configDir)), false);
    const client = await SmtpClient.connect({ port: other.ports.smtp });
    await client.quit();
    other.stop();
    assert.deepEqual(other.processes(), []);
  });
});
