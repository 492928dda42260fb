// The code that only some runs need, kept in the built file as one comment line each, compressed: V8 neither parses nor compiles a comment,
// and Node reads a program 8 KB at a time. As plain code it would cost a policy answer a tenth of its time.
// build.mjs writes the sections, `loadSection` brings one to life.
import * as fs from 'node:fs';
import * as vm from 'node:vm';
import { brotliDecompressSync } from 'node:zlib';

/** The exports of the section `name` of this file. */
export function loadSection(name: string): unknown {
  const script = new vm.Script(
    `(function (exports, require, module, __filename, __dirname) {${sectionCode(name)}\n})`,
    { filename: `${__filename}@${name}` },
  );
  const module = { exports: {} };
  script.runInThisContext()(module.exports, require, module, __filename, __dirname);
  return module.exports;
}

/** The code of the section `name` of this file, or null when it has none. */
export function sectionCode(name: string): string | null {
  const file = fs.readFileSync(__filename, 'latin1');
  const mark = `\n//@section ${name} `;
  const at = file.indexOf(mark);
  if (at < 0) return null;
  const start = at + mark.length;
  const packed = Buffer.from(file.slice(start, file.indexOf('\n', start)), 'base64');
  return brotliDecompressSync(packed).toString();
}
