// What the commands show on a terminal, and what they leave out elsewhere: colours, column titles, the line that tells how far an import is.
import assert from 'node:assert/strict';
import * as path from 'node:path';
import { describe, test } from 'node:test';
import { commandLine, noDatabase, onTerminal, run } from '../maillog/command';
import { writeDatabase } from '../policy/database';
import { makeScratch } from '../policy/scratch';
import { needs } from '../requires';
import { writeInput } from './many-rows';

const ESC = '\x1b';
const ROWS = 150_000;

describe('on a terminal', needs('script'), () => {
  const db = noDatabase();
  writeDatabase(db, [
    { name: 'alice', network: '10.0.0.0/8' },
    { name: 'bob@example.com', network: '192.0.2.0/24', expires: '2020-01-01T00:00:00Z' },
    { name: 'carol', network: '10.0.0', byHand: true },
    { name: `da${ESC}[31mve`, network: '10.0.0.0/8', byHand: true },
  ]);
  const line = (words: string) => `${commandLine(db)} ${words}`;
  const PLAIN = [
    'alice            10.0.0.0/8    -',
    'bob@example.com  192.0.2.0/24  2020-01-01T00:00:00Z  EXPIRED',
    'carol            10.0.0        -                     GRANTS NOTHING: the network cannot be read',
    'da\ufffd[31mve        10.0.0.0/8    -',
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
    assert.equal(onTerminal(line('list')), `${coloured.join('\n')}\n`);
    assert.equal(onTerminal(line('list'), { NO_COLOR: '' }), `${coloured.join('\n')}\n`);
  });

  test('no colours with NO_COLOR, or where the terminal has none', () => {
    for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
      assert.equal(onTerminal(line('list'), env), `${[TITLES, ...PLAIN].join('\n')}\n`);
    }
  });

  test('neither titles nor colours elsewhere', () => {
    assert.deepEqual(run(['list', '--db', db]), { status: 0, stdout: `${PLAIN.join('\n')}\n`, stderr: '' });
    assert.equal(onTerminal(`${line('list')} | cat`), `${PLAIN.join('\n')}\n`);
  });

  test('check', () => {
    assert.match(onTerminal(line('check alice 10.0.0.1')), new RegExp(`^${ESC}\\[32mallowed${ESC}\\[0m\n`));
    assert.match(
      onTerminal(`${line('check alice 11.0.0.1')} || true`),
      new RegExp(`^${ESC}\\[31mrefused${ESC}\\[0m\n`),
    );
    assert.match(run(['check', 'alice', '11.0.0.1', '--db', db]).stdout, /^refused\n/);
  });

  test('a long import tells how far it is, and wipes that away', () => {
    const target = noDatabase();
    writeDatabase(target, []);
    const input = writeInput(path.join(makeScratch(), 'rows.csv'), 10, ROWS);
    const output = onTerminal(`${commandLine(target)} import '${input}'`);
    const wipe = `\r${ESC}[K`;
    const bar = `\r\\[[#.]{30}\\] [ \\d]{3} %  [\\d.]+ [kM]B of [\\d.]+ MB, \\d+:\\d\\d left${ESC}\\[K`;
    assert.match(output, new RegExp(`^(${bar})+`));
    assert.ok(output.includes(`\rcomparing with the database${ESC}[K`), output);
    assert.ok(output.includes(`\rwriting ${ROWS} rows${ESC}[K`), output);
    assert.ok(output.endsWith(`${wipe}added ${ROWS}, changed 0, removed 0, unchanged 0\n`), output);

    const refused = onTerminal(
      `echo 'alice,10.0.0.x' | cat '${input}' - | ${commandLine(target)} import - || true`,
    );
    assert.match(
      refused,
      new RegExp(
        `^(\rread [\\d.]+ [kM]B${ESC}\\[K)+${wipe.replace('[', '\\[')}allow-nets: error: line ${ROWS + 2}: `,
      ),
    );

    const elsewhere = run(['import', '--replace', input, '--db', target]);
    assert.deepEqual(elsewhere, {
      status: 0,
      stdout: `added 0, changed 0, removed 0, unchanged ${ROWS}\n`,
      stderr: '',
    });
  });
});
