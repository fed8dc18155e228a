/* Inflates what zlib deflated (RFC 1950, 1951). The browser's own DecompressionStream answers only later, when
   a browser without a window may have printed the page already; this answers at once, and everywhere. */

const LENGTHS = [[3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258],
  [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0]];
const DISTANCES = [[1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577],
  [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13]];
const LENGTHS_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** The bytes that a zlib stream holds; throws where it is cut off or damaged. */
function inflate(bytes) {
  let [at, held, bits] = [2, 0, 0]; // behind the stream's header
  let out = new Uint8Array(bytes.length * 6);
  let size = 0;

  function take(count) {
    while (held < count) {
      if (at >= bytes.length) throw new Error("cut off");
      bits |= bytes[at++] << held;
      held += 8;
    }
    const value = bits & ((1 << count) - 1);
    bits >>>= count;
    held -= count;
    return value;
  }

  /** The next symbol of a canonical Huffman code. */
  function symbol({ counts, symbols }) {
    let [code, first, index] = [0, 0, 0];
    for (let length = 1; length < 16; length++) {
      code |= take(1);
      if (code - counts[length] < first) return symbols[index + code - first];
      index += counts[length];
      first = (first + counts[length]) << 1;
      code <<= 1;
    }
    throw new Error("damaged");
  }

  function room(more) {
    if (size + more <= out.length) return;
    const larger = new Uint8Array(2 * (size + more));
    larger.set(out);
    out = larger;
  }

  function stored() {
    [bits, held] = [0, 0];
    const length = bytes[at] | (bytes[at + 1] << 8);
    room(length);
    out.set(bytes.subarray(at + 4, at + 4 + length), size);
    at += 4 + length;
    size += length;
  }

  function coded([literals, distances]) {
    for (;;) {
      const found = symbol(literals);
      if (found === 256) return;
      room(258);
      if (found < 256) {
        out[size++] = found;
        continue;
      }
      const length = LENGTHS[0][found - 257] + take(LENGTHS[1][found - 257]);
      const back = symbol(distances);
      const from = size - DISTANCES[0][back] - take(DISTANCES[1][back]);
      if (!(from >= 0)) throw new Error("damaged");
      for (let n = 0; n < length; n++) out[size++] = out[from + n];
    }
  }

  /** The two codes that a block brings with it, themselves coded. */
  function ownCodes() {
    const [literals, distances, own] = [take(5) + 257, take(5) + 1, take(4) + 4];
    const lengths = new Array(19).fill(0);
    for (let n = 0; n < own; n++) lengths[LENGTHS_ORDER[n]] = take(3);
    const code = huffman(lengths);
    const read = [];
    while (read.length < literals + distances) {
      const found = symbol(code);
      if (found < 16) read.push(found);
      else if (found === 16) read.push(...new Array(3 + take(2)).fill(read.at(-1)));
      else read.push(...new Array(found === 17 ? 3 + take(3) : 11 + take(7)).fill(0));
    }
    return [huffman(read.slice(0, literals)), huffman(read.slice(literals))];
  }

  for (let last = false; !last; ) {
    last = take(1) === 1;
    const kind = take(2);
    if (kind === 0) stored();
    else coded(kind === 1 ? FIXED : ownCodes());
  }
  return out.subarray(0, size);
}

function huffman(lengths) {
  const [counts, offsets, symbols] = [new Uint16Array(16), new Uint16Array(17), new Uint16Array(lengths.length)];
  for (const length of lengths) if (length) counts[length] += 1;
  for (let length = 1; length < 16; length++) offsets[length + 1] = offsets[length] + counts[length];
  lengths.forEach((length, n) => {
    if (length) symbols[offsets[length]++] = n;
  });
  return { counts, symbols };
}

const FIXED = [
  huffman(Array.from({ length: 288 }, (_, n) => (n < 144 ? 8 : n < 256 ? 9 : n < 280 ? 7 : 8))),
  huffman(new Array(30).fill(5)),
];
