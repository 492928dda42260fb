// One sighting: an authenticated user, at an address, at a time; as offsets into the bytes of its line.

export interface Sighting {
  /** Seconds since 1970. */
  seconds: number;
  /** How many messages the line stands for. */
  times: number;
  userStart: number;
  userEnd: number;
  addressStart: number;
  addressEnd: number;
}

/** What a line is: a delivery, none of our business, or one that should be a delivery and cannot be read. */
export type WhatLine = 'delivery' | 'other' | 'broken';

export function newSighting(): Sighting {
  return { seconds: 0, times: 0, userStart: 0, userEnd: 0, addressStart: 0, addressEnd: 0 };
}
