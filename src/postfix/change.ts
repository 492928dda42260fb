// One change of main.cf or master.cf, as data: the text after it, the lines that differ, and the postconf command that has the same effect, for
// the administrator to read. The change itself is made in the text (config-text.ts says why).
import { changedLines, type Edit, edited, removal } from './config-text';
import type { Parameter } from './main-cf';
import type { ConfigFiles } from './service-view';

export type FileName = 'main.cf' | 'master.cf';

export interface Change {
  readonly file: FileName;
  /** The words after `postconf -c DIR`, or null when postconf cannot do it. */
  readonly command: readonly string[] | null;
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Both files after this change and those before it. */
  readonly files: ConfigFiles;
}

export const keyOf = (file: FileName) => (file === 'main.cf' ? 'main' : 'master');

export function changed(
  files: ConfigFiles,
  file: FileName,
  edits: readonly Edit[],
  command: readonly string[] | null,
): Change {
  return replaced(files, file, edited(files[keyOf(file)], edits), command);
}

export function replaced(
  files: ConfigFiles,
  file: FileName,
  text: string,
  command: readonly string[] | null,
): Change {
  const key = keyOf(file);
  return { file, command, ...changedLines(files[key], text), files: { ...files, [key]: text } };
}

/** A parameter taken out of main.cf with its line. */
export function droppedParameter(files: ConfigFiles, { name, line }: Parameter): Change {
  return changed(files, 'main.cf', [removal(files.main, line)], ['-X', name]);
}
