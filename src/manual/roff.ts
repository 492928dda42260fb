// Turns text into man(7) macros, and escapes what roff would take for a request, an escape or a typographic dash.

export function escapeRoff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replaceAll('`', '\\(ga')
    .replace(/^\./gm, '\\&.');
}

/** An argument of a macro, which a `"` would end. */
const argument = (text: string) => `"${escapeRoff(text).replaceAll('"', '\\(dq')}"`;

export const section = (title: string) => `.SH ${argument(title)}`;
export const subsection = (title: string) => `.SS ${argument(title)}`;
export const paragraph = (text: string) => `.PP\n${escapeRoff(text)}`;

/** A tagged paragraph: an option, a status, a file. */
export const item = (tag: string, text: string) => `.TP\n.B ${argument(tag)}\n${escapeRoff(text)}`;

/** Lines that are not filled: commands, files. */
export const verbatim = (lines: string) => `.PP\n.in +4n\n.nf\n${escapeRoff(lines)}\n.fi\n.in`;
