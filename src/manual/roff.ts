// Turns text into man(7) macros, and escapes what roff would take for a request, an escape or a typographic dash.

function escapeRoff(text: string): string {
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

/**
 * Each line is a paragraph. `# ` and `## ` begin a section and a subsection, four spaces a line that is not filled
 * (commands, files); `TAG :: TEXT` explains an option, a status or a file.
 */
export function roff(text: string): string {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines
    .map((line, i) => {
      if (line.startsWith('    ')) {
        const isFirst = !lines[i - 1]?.startsWith('    ');
        const isLast = !lines[i + 1]?.startsWith('    ');
        return `${isFirst ? '.PP\n.in +4n\n.nf\n' : ''}${escapeRoff(line.slice(4))}${isLast ? '\n.fi\n.in' : ''}`;
      }
      const [, mark, title = ''] = /^(##?) (.*)$/.exec(line) ?? [];
      if (mark !== undefined) return `.S${mark === '#' ? 'H' : 'S'} ${argument(title)}`;
      const [, tag, meaning = ''] = /^(.+?) :: (.*)$/.exec(line) ?? [];
      return tag === undefined ? `.PP\n${escapeRoff(line)}` : `.TP\n.B ${argument(tag)}\n${escapeRoff(meaning)}`;
    })
    .join('\n');
}
