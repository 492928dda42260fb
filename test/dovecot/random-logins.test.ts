// A real Dovecot and `check` say the same about 1,000 users and addresses.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import Database from 'better-sqlite3';
import { decide } from '../../src/policy/decide';
import { formatAddress, parseAddress } from '../../src/rules/address';
import { rulesOf } from '../../src/rules/lookup';
import { randomAnchors, randomQuestion, randomRows } from '../faults/random-database';
import { needs } from '../requires';
import { insertRows, type TestRow } from '../rig/database';
import { forRandom } from '../rig/random';
import { type Login, MailStore, onePassword } from './server';

interface Trial {
  readonly rows: readonly TestRow[];
  readonly onlyCommands: boolean;
  readonly logins: readonly Login[];
}

function randomTrials(): Trial[] {
  const trials: Trial[] = [];
  forRandom(20, (pick) => {
    const anchors = randomAnchors(pick);
    const onlyCommands = pick(2) === 0;
    const rows = Array.from({ length: 4 }, () => randomRows(pick, anchors))
      .flat()
      .filter(({ byHand }) => !onlyCommands || byHand !== true)
      .map((row) => ({ ...row, expires: pick(4) === 0 ? '2026-01-01T00:00:00Z' : null }));
    const logins: Login[] = [];
    while (logins.length < 50) {
      const { user, address } = randomQuestion(pick, anchors);
      const parsed = parseAddress(address);
      // Dovecot passes no NUL and no bad address on, and spells ::/96, where no client is, as ::192.0.2.1, which the view does not read.
      const isPassedOn =
        parsed !== null && !user.includes('\0') && !/^::[0-9a-f]+:[0-9a-f]+$/.test(formatAddress(parsed));
      if (isPassedOn) logins.push({ user, from: address });
    }
    trials.push({ rows, onlyCommands, logins });
  });
  return trials;
}

describe(
  '1,000 logins',
  needs('root', 'dovecot', 'imap-login', 'pop3-login', 'managesieve-login', 'lmtp', 'libdriver_sqlite.so'),
  () => {
    test('get what check says', async () => {
      const store = await MailStore.start('allow-nets', onePassword());
      const connection = new Database(store.db);
      let allowed = 0;
      for (const { rows, onlyCommands, logins } of randomTrials()) {
        connection.exec('delete from access; delete from network_set');
        insertRows(connection, rows);
        const answers = await store.authenticate(logins);
        for (const [i, { user, from }] of logins.entries()) {
          const expected =
            decide({ user: `${user}`, address: from }, rulesOf(connection), Date.now()).kind === 'allowed';
          const question = `${JSON.stringify([user, from])} of ${JSON.stringify(rows)}`;
          if (answers[i]) assert.ok(expected, `Dovecot lets in ${question}`);
          // Of what SQL cannot read it may let in less.
          if (onlyCommands && /^[ -~]+$/.test(`${user}`))
            assert.equal(answers[i], expected, `Dovecot refuses ${question}`);
          if (answers[i]) allowed++;
        }
      }
      connection.close();
      store.remove();
      assert.ok(allowed > 50, `${allowed}`);
    });
  },
);
