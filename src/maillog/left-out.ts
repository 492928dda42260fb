// An account of what was left out of a log.

export interface LeftOut {
  /** Lines that should be deliveries and are not well formed. */
  readonly broken: number;
  readonly example: Example | null;
  readonly tooLong: number;
  readonly withNul: number;
}

/** The first of the broken lines. */
export interface Example {
  readonly line: string;
  /** In bytes from the beginning of the log. */
  readonly position: number;
}

export class LeftOutCount implements LeftOut {
  broken = 0;
  example: Example | null = null;
  tooLong = 0;
  withNul = 0;

  addBroken(line: string, position: number): void {
    this.add({ broken: 1, example: { line, position }, tooLong: 0, withNul: 0 });
  }

  add({ broken, example, tooLong, withNul }: LeftOut): void {
    this.broken += broken;
    this.tooLong += tooLong;
    this.withNul += withNul;
    if (example !== null && !(this.example !== null && this.example.position <= example.position)) {
      this.example = example;
    }
  }

  /** What was counted since it was asked last. */
  take(): LeftOut {
    const { broken, example, tooLong, withNul } = this;
    [this.broken, this.example, this.tooLong, this.withNul] = [0, null, 0, 0];
    return { broken, example, tooLong, withNul };
  }
}
