// What the commands show on a terminal, and what they leave out elsewhere: colours and column titles.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { needs } from '../requires';
import { change, newDatabase } from '../rig/database';
import { onTerminal, programFolder, run } from '../rig/run';
import { makeFolder } from '../rig/scratch';

const ESC = '\x1b';

describe('on a terminal', needs('script'), () => {
  const db = newDatabase([
    { name: 'alice', network: '10.0.0.0/8' },
    { name: 'bob@example.com', network: '192.0.2.0/24', expires: '2020-01-01T00:00:00Z' },
    { name: 'carol', network: '10.0.0', byHand: true },
    { name: `da${ESC}[31mve`, network: '10.0.0.0/8', byHand: true },
  ]);
  const onScreen = (words: string, env = {}) => onTerminal(`allow-nets ${words}`, { db, env });
  const TITLES = 'USER             NETWORK       UNTIL                 STATE AND NOTE';
  const ROWS_OF_LIST = [
    'alice            10.0.0.0/8    -',
    'bob@example.com  192.0.2.0/24  2020-01-01T00:00:00Z  EXPIRED',
    'carol            10.0.0        -                     GRANTS NOTHING: the network cannot be read',
    'da?[31mve        10.0.0.0/8    -',
  ];

  test('list has titles and colours on a terminal, and neither elsewhere', () => {
    const coloured = (code: number, text: string | undefined) => `${ESC}[${code}m${text}${ESC}[0m`;
    const [alice, bob, carol, dave] = ROWS_OF_LIST;
    const table = `${[coloured(1, TITLES), alice, coloured(2, bob), coloured(31, carol), dave].join('\n')}\n`;
    for (const env of [{}, { NO_COLOR: '' }]) assert.equal(onScreen('list', env), table);
    for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
      assert.equal(onScreen('list', env), `${[TITLES, ...ROWS_OF_LIST].join('\n')}\n`);
    }
    const bytes = `${ROWS_OF_LIST.join('\n')}\n`.replace('?', ESC);
    assert.deepEqual(run(['list'], { db }), { status: 0, stdout: bytes, stderr: '' });
    assert.equal(onScreen('list | cat'), bytes);
    assert.ok(onScreen('check alice 10.0.0.1').startsWith(`${coloured(32, 'allowed')}\n`));
    assert.ok(onScreen('check alice 11.0.0.1 || true').startsWith(`${coloured(31, 'refused')}\n`));
  });

  test('no control or bidirectional character of a name or note reaches the terminal, in any output; a file gets all', () => {
    const hostile = newDatabase();
    // ESC, C1 (CSI), BEL, right-to-left override, isolate, line separator, a line break that would forge a line.
    const bad =
      "char(27) || '[31m' || char(155) || '2J' || char(7) || char(8238) || char(8294) || char(8232) || char(10) || 'x'";
    change(
      hostile,
      `insert into access (user, network, note) values ('eve' || ${bad}, 'any', ${bad}), ('eve' || ${bad}, '10.' || ${bad}, null);
      insert into network_set (name, network, note) values ('set' || ${bad}, '10.0.0.0/8', ${bad})`,
    );
    const name = '"$(printf \'eve\\033[31m\\302\\2332J\\007\\342\\200\\256\\342\\201\\246\\342\\200\\250\\nx\')"';
    const listing = ['list', 'list --json', 'export', 'export --format tsv', 'export --format json'];
    for (const words of listing) assert.ok(run(words.split(' '), { db: hostile }).stdout.includes('\u009b'), words);
    // biome-ignore format: one list
    const commands = [...listing, 'set list', 'set list --json', 'tidy',
      'NAME', 'list NAME', 'list --notsNAME', 'check NAME 10.0.0.1', 'check NAME 10.0.0.1 --json', 'block NAME', 'add NAME 10.0.0.x', 'remove NAME 10.0.0.9', 'remove NAME --all'];
    for (const command of commands) {
      const words = command.replace('NAME', () => name);
      const output = onTerminal(`allow-nets ${words} || true`, { db: hostile, env: { NO_COLOR: '1' } });
      assert.notEqual(output, '');
      assert.match(output, /^(?:\t|\n|[^\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}])*$/u, words);
      // A field of csv may hold a line break, between quotes.
      if (!words.startsWith('export')) assert.doesNotMatch(output, /^x/m, `${words}: a forged line`);
    }
  });

  test('no run on a terminal writes to the mail log', () => {
    const folder = makeFolder();
    const log = path.join(folder, 'logged');
    const logger = `#!/bin/sh\necho "$@" >> '${log}'\n`;
    for (const name of ['postlog', 'logger']) fs.writeFileSync(path.join(folder, name), logger, { mode: 0o755 });
    const env = { PATH: `${folder}:${programFolder()}:${process.env['PATH']}` };
    const typed = (line: string) => onTerminal(line, { db: '/no/such.db', env });
    const options = ['-h', '-V', '-v', '-?', '--nonsense', '--log', '--log all nonsense'];
    for (const words of [...options, 'help', 'help add', 'del', 'list']) {
      typed(`allow-nets ${words} < /dev/null || true`);
    }
    for (const request of ['sasl_username=a\\n\\n', 'nonsense', 'nonsense\\n\\n']) {
      typed(`printf '${request}' | allow-nets || true`);
    }
    assert.equal(fs.existsSync(log), false);
    typed('printf nonsense | allow-nets 2> /dev/null || true');
    assert.equal(fs.existsSync(log), true, 'elsewhere it does');
  });

  test('help and version, as people ask for them', () => {
    const same = [
      ['--help', '-h', '-?', 'help'],
      ['add --help', 'help add', 'add -h', 'add -?', 'add alice --help'],
      ['set --help', 'set help', 'help set'],
      ['set add --help', 'set help add'],
      ['--version', '-V', '-v'],
    ];
    for (const [first = '', ...others] of same) {
      const outcome = run(first.split(' '));
      assert.deepEqual({ ...outcome, stdout: '' }, { status: 0, stdout: '', stderr: '' });
      for (const words of others) assert.deepEqual(run(words.split(' ')), outcome, words);
    }
    assert.match(run(['--version']).stdout, /^\d+\.\d+\.\d+\n$/);
    assert.ok(
      Math.max(
        ...onTerminal('stty cols 60; allow-nets --help')
          .split('\n')
          .map(({ length }) => length),
      ) <= 82,
    );
  });
});
