// The folders of src/ import each other one way: who reads one needs no folder that imports it.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

/** The folder below src/, or the name of a file that lies in src/ itself: commands.ts is the table of commands/. */
const placeOf = (path: string) => path.split('/')[1]?.replace(/\.ts$/, '') ?? '';

function importsByPlace(): Map<string, Set<string>> {
  const imports = new Map<string, Set<string>>();
  for (const name of readdirSync('src', { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const path = join('src', name);
    const place = placeOf(path);
    const targets = [...readFileSync(path, 'utf8').matchAll(/(?:from |\()'(\.[^']*)'/g)].map(([, target = '']) =>
      placeOf(normalize(join(dirname(path), target))),
    );
    imports.set(place, new Set([...(imports.get(place) ?? []), ...targets.filter((target) => target !== place)]));
  }
  return imports;
}

test('no circle of imports between folders', () => {
  const imports = importsByPlace();
  assert.ok(imports.get('policy')?.has('rules'));
  // Take away whatever imports nothing that is left, until nothing more can go: only circles remain.
  for (let size = -1; size !== imports.size; ) {
    size = imports.size;
    for (const [place, targets] of imports) {
      if (![...targets].some((target) => imports.has(target))) imports.delete(place);
    }
  }
  assert.deepEqual([...imports.keys()], []);
});
