// The command line of the policy program; trouble.test.ts has the wrong ones.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readCommandLine } from '../../src/policy/options';
import { DEFAULT_REJECT_TEXT } from '../../src/policy/protocol';

const DEFAULTS = {
  db: '/var/lib/allow-nets/access.db',
  persistent: false,
  rejectText: DEFAULT_REJECT_TEXT,
  log: 'reject',
};

const POLICY: [words: string[], options: Partial<Record<keyof typeof DEFAULTS, unknown>>, env?: NodeJS.ProcessEnv][] = [
  [[], {}],
  [['--persistent'], { persistent: true }],
  [['--persistent', '--persistent'], { persistent: true }],
  [['--db', '/x/y.db'], { db: '/x/y.db' }],
  [['--db=/x/y.db'], { db: '/x/y.db' }],
  [['--db', 'y.db'], { db: `${process.cwd()}/y.db` }],
  [['--db=/x/a=b.db'], { db: '/x/a=b.db' }],
  [['--db', '/a', '--db', '/b'], { db: '/b' }],
  [[], { db: '/from/environment' }, { ALLOW_NETS_DB: '/from/environment' }],
  [[], {}, { ALLOW_NETS_DB: '' }],
  [['--db', '/x'], { db: '/x' }, { ALLOW_NETS_DB: '/from/environment' }],
  [['--reject-text', 'Go away'], { rejectText: 'Go away' }],
  [['--reject-text=Go = away'], { rejectText: 'Go = away' }],
  [['--reject-text', '--persistent'], { rejectText: '--persistent' }],
  [['--reject-text', 'list'], { rejectText: 'list' }],
  [['--log', 'all'], { log: 'all' }],
  [['--log=none', '--persistent', '--db', '/x'], { log: 'none', persistent: true, db: '/x' }],
];

const COMMAND: [words: string[], word: string | null, optionError?: string][] = [
  [['list'], 'list'],
  [['--db', '/x', 'list'], 'list'],
  [['--db=/x', 'add', 'bob', '::1'], 'add'],
  [['serve', '--nonsense'], 'serve'],
  [['--DB', '/x'], '/x', 'unknown option --DB'],
  [['--db=', 'list'], 'list', '--db requires a value'],
  [['--help'], null],
  [['-h'], null],
  [['--version'], null],
  [['--persistent', '--help'], null],
  [['--nonsense', '--help'], null],
];

describe('the command line', () => {
  for (const [words, options, env] of POLICY) {
    test(`${JSON.stringify(words)}${env ? ` with ${JSON.stringify(env)}` : ''} starts the policy program`, () => {
      assert.deepEqual(readCommandLine(words, env ?? {}), {
        kind: 'policy',
        options: { ...DEFAULTS, ...options },
      });
    });
  }
  for (const [words, word, optionError = null] of COMMAND) {
    test(`${JSON.stringify(words)} is for the commands`, () => {
      assert.deepEqual(readCommandLine(words, {}), { kind: 'command', word, optionError });
    });
  }
});
