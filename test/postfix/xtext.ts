// RFC 3461 section 4: how XCLIENT carries values that hold spaces, control characters and the like.

/** @returns printable ASCII without `+`, `=` and space, everything else as `+XX`; a string is taken as UTF-8 */
export function xtext(value: string | Buffer): string {
  return [...Buffer.from(value)]
    .map((byte) => {
      const plain = byte > 0x20 && byte < 0x7f && byte !== 0x2b && byte !== 0x3d;
      return plain ? String.fromCharCode(byte) : `+${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}
