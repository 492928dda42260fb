// The code that only some runs need, kept in the built file as comment lines: V8 neither parses nor compiles those, which would cost a
// policy answer a tenth of its time. build.mjs writes the sections, `loadSection` brings one to life.
import * as fs from 'node:fs';
import * as vm from 'node:vm';

const MARK = '\n//@section ';

/** The exports of the section `name` of this file. Its stack traces have this file's line numbers. */
export function loadSection(name: string): unknown {
  const file = fs.readFileSync(__filename, 'latin1');
  const mark = file.indexOf(`${MARK}${name}\n`) + 1;
  const start = file.indexOf('\n', mark) + 1;
  const next = file.indexOf(MARK, start);
  const code = file.slice(start, next < 0 ? file.length : next).replace(/^\/\//gm, '');
  const script = new vm.Script(`(function (exports, require, module, __filename, __dirname) {${code}\n})`, {
    filename: __filename,
    lineOffset: file.slice(0, start).split('\n').length - 1,
  });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, require, module, __filename, __dirname);
  return module.exports;
}
