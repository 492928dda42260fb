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

const policy = (options: Partial<Record<keyof typeof DEFAULTS, unknown>>) => ({
  kind: 'policy',
  options: { ...DEFAULTS, ...options },
});
const command = (word: string | null, optionError: string | null = null) => ({ kind: 'command', word, optionError });

const CASES: [words: string[], result: object, environment?: NodeJS.ProcessEnv][] = [
  [[], policy({})],
  [['--persistent'], policy({ persistent: true })],
  [['--persistent', '--persistent'], policy({ persistent: true })],
  [['--db', '/x/y.db'], policy({ db: '/x/y.db' })],
  [['--db=/x/y.db'], policy({ db: '/x/y.db' })],
  [['--db', 'y.db'], policy({ db: `${process.cwd()}/y.db` })],
  [['--db=/x/a=b.db'], policy({ db: '/x/a=b.db' })],
  [['--db', '/a', '--db', '/b'], policy({ db: '/b' })],
  [[], policy({ db: '/from/environment' }), { ALLOW_NETS_DB: '/from/environment' }],
  [[], policy({}), { ALLOW_NETS_DB: '' }],
  [['--db', '/x'], policy({ db: '/x' }), { ALLOW_NETS_DB: '/from/environment' }],
  [['--reject-text', 'Go away'], policy({ rejectText: 'Go away' })],
  [['--reject-text=Go = away'], policy({ rejectText: 'Go = away' })],
  [['--reject-text', '--persistent'], policy({ rejectText: '--persistent' })],
  [['--reject-text', 'list'], policy({ rejectText: 'list' })],
  [['--log', 'all'], policy({ log: 'all' })],
  [['--log=none', '--persistent', '--db', '/x'], policy({ log: 'none', persistent: true, db: '/x' })],
  [['list'], command('list')],
  [['--db', '/x', 'list'], command('list')],
  [['--db=/x', 'add', 'bob', '::1'], command('add')],
  [['serve', '--nonsense'], command('serve')],
  [['--DB', '/x'], command('/x', 'unknown option --DB')],
  [['--db=', 'list'], command('list', '--db requires a value')],
  [['--help'], command(null)],
  [['-h'], command(null)],
  [['--version'], command(null)],
  [['--persistent', '--help'], command(null)],
  [['--nonsense', '--help'], command(null)],
];

describe('the command line', () => {
  for (const [words, result, environment = {}] of CASES) {
    test(`${JSON.stringify(words)} with ${JSON.stringify(environment)}`, () =>
      assert.deepEqual(readCommandLine(words, environment), result));
  }
});
