// Loads code that only some runs need. build.mjs embeds it in the program as a constant: compressed, so that a policy
// answer does not pay for compiling it; embedded, so that upgrading the file does not affect a running program.
import { compileFunction } from 'node:vm';
import { brotliDecompressSync } from 'node:zlib';

/**
 * Returns the exports of a part. `name`: for stack traces. `packed`: its CommonJS code, brotli-compressed, in base64.
 */
export function loadPart(name: string, packed: string): unknown {
  const code = brotliDecompressSync(Buffer.from(packed, 'base64')).toString();
  const part = compileFunction(code, ['exports', 'require', 'module', '__filename', '__dirname'], {
    filename: `${__filename}@${name}`,
  });
  const module = { exports: {} };
  part(module.exports, require, module, __filename, __dirname);
  return module.exports;
}
