// better-sqlite3 for a program that only asks: its lib/database.js as far as it opens an existing file and prepares statements.
//
// build.mjs puts this in the place of the package in the policy program, where the rest of its JavaScript would be evaluated at every start
// for nothing. The native addon is the package's own, handed over in `nativeBinding`; package.json names its version exactly.

interface Native {
  readonly inTransaction: boolean;
  prepare(sql: string, database: object, isPragma: boolean): unknown;
  exec(sql: string): void;
  close(): void;
}

interface Addon {
  isInitialized?: boolean;
  setErrorConstructor(error: typeof SqliteError): void;
  readonly Database: new (
    file: string,
    given: string,
    isAnonymous: boolean,
    readonly: boolean,
    fileMustExist: boolean,
    timeout: number,
    verbose: null,
    buffer: null,
  ) => Native;
}

class SqliteError extends Error {
  constructor(
    message: string,
    readonly code: string,
  ) {
    super(message);
  }
}

export default class Database {
  private readonly native: Native;

  constructor(
    file: string,
    options: { readonly: boolean; fileMustExist: boolean; timeout: number; nativeBinding: Addon },
  ) {
    const addon = options.nativeBinding;
    if (!addon.isInitialized) {
      addon.setErrorConstructor(SqliteError);
      addon.isInitialized = true;
    }
    const { readonly, fileMustExist, timeout } = options;
    this.native = new addon.Database(file, file, false, readonly, fileMustExist, timeout, null, null);
  }

  get inTransaction(): boolean {
    return this.native.inTransaction;
  }

  prepare(sql: string): unknown {
    return this.native.prepare(sql, this, false);
  }

  exec(sql: string): void {
    this.native.exec(sql);
  }

  close(): void {
    this.native.close();
  }
}
