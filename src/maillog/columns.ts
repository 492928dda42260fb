// Typed arrays that grow, for tables of numbers.

type Column = Uint32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

/** `column`, or a larger copy, so that `index` has a place in it. */
export function withRoom<T extends Column>(column: T, index: number): T {
  if (index < column.length) return column;
  const length = Math.max(index + 1, column.length * 2);
  const larger = new (column.constructor as new (length: number) => T)(length);
  larger.set(column);
  return larger;
}

/** A hash table of `length` places (a power of two) with the numbers below `size` in it, each plus one: 0 is a free place. */
export function placed(
  size: number,
  length: number,
  hashOf: (number: number) => number,
): Int32Array<ArrayBuffer> {
  const places = new Int32Array(length);
  for (let number = 0; number < size; number++) {
    let place = hashOf(number) & (length - 1);
    while (places[place] !== 0) place = (place + 1) & (length - 1);
    places[place] = number + 1;
  }
  return places;
}
