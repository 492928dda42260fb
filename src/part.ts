// Code that only some runs need, kept in the program as a constant: compressed, so that a policy answer does not pay for compiling it,
// and in memory, so that an upgrade of the program's file changes nothing for a program that runs. build.mjs makes the parts.
import * as vm from 'node:vm';
import { brotliDecompressSync } from 'node:zlib';

/** The exports of a part. `name`: for stack traces; `packed`: its CommonJS code, brotli, base64. */
export function loadPart(name: string, packed: string): unknown {
  const code = brotliDecompressSync(Buffer.from(packed, 'base64')).toString();
  const part = vm.compileFunction(code, ['exports', 'require', 'module', '__filename', '__dirname'], {
    filename: `${__filename}@${name}`,
  });
  const module = { exports: {} };
  part(module.exports, require, module, __filename, __dirname);
  return module.exports;
}
