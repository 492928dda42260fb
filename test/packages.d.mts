// The types of packages.mjs, which is plain JavaScript because run.mjs needs it before anything is compiled.
export const packageOf: Readonly<Record<string, string>>;
export function programPath(program: string): string | undefined;
export function missing(needs: readonly string[]): string[];
export function installMissing(needs: readonly string[]): void;
