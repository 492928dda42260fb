export function isCommand(_word: string): boolean {
  return false;
}
export async function runCommand(_words: readonly string[]): Promise<void> {}
