// The text of the default main.cf with and without a folder in its alternate_config_directories. Pure: the folders that are
// there are asked through a function. What is taken out leaves the text as it was, byte for byte (but for a newline at its end).

const made = '# made by a test of postfix-allow-nets, as there was no main.cf\n';
// Two spaces, which tell our own line from an administrator's.
const ourHeader = 'alternate_config_directories =  ';
const anyHeader = /^alternate_config_directories\s*=/;

/**
 * @param text the main.cf, null when there is none
 * @param exists whether a folder is there: lines of tests that were killed are dropped
 */
export function withFolder(text: string | null, folder: string, exists: (folder: string) => boolean): string {
  const lines = splitLines(text ?? made).filter((line) => !isOurs(line) || exists(line.trim()));
  // The last one counts for Postfix.
  let header = lines.findLastIndex((line) => anyHeader.test(line));
  if (header < 0) header = lines.push(ourHeader) - 1;
  // A line that begins with white space continues the one before it (postconf(5)).
  lines.splice(header + 1, 0, entry(folder));
  return joinLines(lines);
}

/** @returns null when nothing but what `withFolder` made would be left */
export function withoutFolder(text: string, folder: string): string | null {
  const lines = splitLines(text).filter((line) => line !== entry(folder));
  const header = lines.lastIndexOf(ourHeader);
  if (header >= 0 && !/^\s+\S/.test(lines[header + 1] ?? '')) lines.splice(header, 1);
  const rest = joinLines(lines);
  return rest === made ? null : rest;
}

function entry(folder: string): string {
  return `    ${folder}`;
}

function isOurs(line: string): boolean {
  return /^ {4}\/\S*\/allow-nets-\S+$/.test(line);
}

function splitLines(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

function joinLines(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}
