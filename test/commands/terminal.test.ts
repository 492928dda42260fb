// What the commands show on a terminal, and what they leave out elsewhere: colours, column titles, the line that tells how far an import is.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { needs } from '../requires';
import { change, writeDatabase } from '../rig/database';
import { onTerminal, programFolder, run } from '../rig/run';
import { makeFolder, newPath } from '../rig/scratch';
import { writeInput } from './many-rows';

const ESC = '\x1b';
const ROWS = 150_000;

describe('on a terminal', needs('script'), () => {
  const db = newPath();
  writeDatabase(db, [
    { name: 'alice', network: '10.0.0.0/8' },
    { name: 'bob@example.com', network: '192.0.2.0/24', expires: '2020-01-01T00:00:00Z' },
    { name: 'carol', network: '10.0.0', byHand: true },
    { name: `da${ESC}[31mve`, network: '10.0.0.0/8', byHand: true },
  ]);
  const shown = (words: string, env = {}) => onTerminal(`allow-nets ${words}`, { db, env });
  const PLAIN = [
    'alice            10.0.0.0/8    -',
    'bob@example.com  192.0.2.0/24  2020-01-01T00:00:00Z  EXPIRED',
    'carol            10.0.0        -                     GRANTS NOTHING: the network cannot be read',
    'da?[31mve        10.0.0.0/8    -',
  ];
  const TITLES = 'USER             NETWORK       UNTIL                 STATE AND NOTE';
  const [alice, bob, carol, dave] = PLAIN;

  test('list has titles, what grants nothing is red, and what is over is dim', () => {
    const coloured = [
      `${ESC}[1m${TITLES}${ESC}[0m`,
      alice,
      `${ESC}[2m${bob}${ESC}[0m`,
      `${ESC}[31m${carol}${ESC}[0m`,
      dave,
    ];
    assert.equal(shown('list'), `${coloured.join('\n')}\n`);
    assert.equal(shown('list', { NO_COLOR: '' }), `${coloured.join('\n')}\n`);
  });

  test('no colours with NO_COLOR, or where the terminal has none', () => {
    for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
      assert.equal(shown('list', env), `${[TITLES, ...PLAIN].join('\n')}\n`);
    }
  });

  test('neither titles nor colours elsewhere', () => {
    const bytes = `${PLAIN.join('\n')}\n`.replace('?', ESC);
    assert.deepEqual(run(['list', '--db', db]), { status: 0, stdout: bytes, stderr: '' });
    assert.equal(shown('list | cat'), bytes);
  });

  test('check', () => {
    assert.match(shown('check alice 10.0.0.1'), new RegExp(`^${ESC}\\[32mallowed${ESC}\\[0m\n`));
    assert.match(shown('check alice 11.0.0.1 || true'), new RegExp(`^${ESC}\\[31mrefused${ESC}\\[0m\n`));
    assert.match(run(['check', 'alice', '11.0.0.1', '--db', db]).stdout, /^refused\n/);
  });

  test('no control and no bidirectional character of a name or note reaches it, in any output', () => {
    const hostile = newPath();
    writeDatabase(hostile, []);
    // ESC, C1 (CSI), BEL, right-to-left override, isolate, line separator, a line break that would forge a line.
    const bad =
      "char(27) || '[31m' || char(155) || '2J' || char(7) || char(8238) || char(8294) || char(8232) || char(10) || 'x'";
    change(
      hostile,
      `insert into access (user, network, note) values ('eve' || ${bad}, 'any', ${bad}), ('eve' || ${bad}, '10.' || ${bad}, null);
      insert into network_set (name, network, note) values ('set' || ${bad}, '10.0.0.0/8', ${bad})`,
    );
    const name = '"$(printf \'eve\\033[31m\\302\\2332J\\007\\342\\200\\256\\342\\201\\246\\342\\200\\250\\nx\')"';
    const commands = [
      'list',
      'list --json',
      'export --format csv',
      'export --format tsv',
      'export --format json',
      'set list',
      'set list --json',
      `check ${name} 10.0.0.1`,
      `check ${name} 10.0.0.1 --json`,
      `list ${name}`,
      `block ${name}`,
      `add ${name} 10.0.0.x`,
      `remove ${name} 10.0.0.9`,
      `list --nots${name}`,
      `${name}`,
      'tidy',
      `remove ${name} --all`,
    ];
    for (const words of commands) {
      const output = onTerminal(`allow-nets ${words} || true`, { db: hostile, env: { NO_COLOR: '1' } });
      assert.notEqual(output, '');
      assert.match(output, /^(?:\t|\n|[^\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}])*$/u, words);
      // A field of csv may hold a line break, between quotes.
      if (!words.startsWith('export')) assert.doesNotMatch(output, /^x/m, `${words}: a forged line`);
    }
  });

  test('in a file there are the bytes', () => {
    const own = newPath();
    writeDatabase(own, [{ name: 'e\u009bv\u202ee', network: 'any', byHand: true }]);
    for (const words of ['list', 'list --json', 'export --format csv', 'export --format tsv', 'export --format json']) {
      assert.ok(run([...words.split(' '), '--db', own]).stdout.includes('e\u009bv\u202ee'), words);
    }
  });

  test('nothing that is run there writes to the mail log', () => {
    const log = path.join(makeFolder(), 'logged');
    const folder = makeFolder();
    for (const name of ['postlog', 'logger'])
      fs.writeFileSync(path.join(folder, name), `#!/bin/sh\necho "$@" >> '${log}'\n`, { mode: 0o755 });
    const env = { PATH: `${folder}:${programFolder()}:${process.env['PATH']}` };
    const typed = (line: string) => onTerminal(line, { db: '/no/such.db', env });
    for (const words of [
      '-h',
      '-V',
      '-v',
      '-?',
      'help',
      'help add',
      'del',
      '--nonsense',
      '--log',
      '--log all nonsense',
      'list',
    ]) {
      typed(`allow-nets ${words} < /dev/null || true`);
    }
    for (const text of ['sasl_username=a\\n\\n', 'nonsense', 'nonsense\\n\\n']) {
      typed(`printf '${text}' | allow-nets || true`);
    }
    assert.equal(fs.existsSync(log), false);
    typed('printf nonsense | allow-nets 2> /dev/null || true');
    assert.equal(fs.existsSync(log), true, 'elsewhere it does');
  });

  test('help and version, as people ask for them', () => {
    const help = run(['--help']).stdout;
    const ofAdd = run(['add', '--help']).stdout;
    assert.match(help, /manage named sets of networks/);
    for (const words of ['-h', '-?', 'help'])
      assert.deepEqual(run([words]), { status: 0, stdout: help, stderr: '' }, words);
    for (const words of ['help add', 'add -h', 'add -?', 'add alice --help']) {
      assert.deepEqual(run(words.split(' ')), { status: 0, stdout: ofAdd, stderr: '' }, words);
    }
    const ofSet = run(['set', '--help']).stdout;
    for (const words of ['set help', 'help set']) {
      assert.deepEqual(run(words.split(' ')), { status: 0, stdout: ofSet, stderr: '' }, words);
    }
    const ofSetAdd = run(['set', 'add', '--help']).stdout;
    assert.deepEqual(run(['set', 'help', 'add']), { status: 0, stdout: ofSetAdd, stderr: '' });
    for (const words of ['--version', '-V', '-v']) assert.match(run([words]).stdout, /^\d+\.\d+\.\d+\n$/, words);
  });

  test('a long import tells how far it is, and wipes that away', () => {
    const target = newPath();
    writeDatabase(target, []);
    const input = writeInput(path.join(makeFolder(), 'rows.csv'), 10, ROWS);
    const output = onTerminal(`allow-nets import '${input}'`, { db: target });
    const wipe = `\r${ESC}[K`;
    const bar = `\rread [\\d.]+ MB, \\d+ %${ESC}\\[K`;
    assert.match(output, new RegExp(`^(${bar})+`));
    assert.ok(output.includes(`\rcomparing with the database, and writing what differs${ESC}[K`), output);
    assert.ok(output.endsWith(`${wipe}added ${ROWS}, changed 0, removed 0, unchanged 0\n`), output);

    const refused = onTerminal(`echo 'alice,10.0.0.x' | cat '${input}' - | allow-nets import - || true`, {
      db: target,
    });
    assert.match(
      refused,
      new RegExp(`^(\rread [\\d.]+ MB${ESC}\\[K)+${wipe.replace('[', '\\[')}allow-nets: error: line ${ROWS + 2}: `),
    );

    const elsewhere = run(['import', '--replace', input, '--db', target]);
    assert.deepEqual(elsewhere, {
      status: 0,
      stdout: `added 0, changed 0, removed 0, unchanged ${ROWS}\n`,
      stderr: '',
    });
  });
});
