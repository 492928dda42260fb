// One change of main.cf or master.cf, as data: the texts after it, and the lines that differ, for the administrator to read.
import { changedLines, type Edit, edited, removal } from './config-text';
import type { Parameter } from './main-cf';
import type { ConfigFiles } from './service-view';

export type FileName = 'main.cf' | 'master.cf';

export interface Change {
  readonly file: FileName;
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Both files after this change and those before it. */
  readonly files: ConfigFiles;
}

export const keyOf = (file: FileName) => (file === 'main.cf' ? 'main' : 'master');

export function changed(files: ConfigFiles, file: FileName, edits: readonly Edit[]): Change {
  return replaced(files, file, edited(files[keyOf(file)], edits));
}

export function replaced(files: ConfigFiles, file: FileName, text: string): Change {
  const key = keyOf(file);
  return { file, ...changedLines(files[key], text), files: { ...files, [key]: text } };
}

/** A parameter taken out of main.cf with its line. */
export function droppedParameter(files: ConfigFiles, { line }: Parameter): Change {
  return changed(files, 'main.cf', [removal(files.main, line)]);
}
