/* SHA-256, by which a finding is called: computed, and not carried along. FIPS 180-4. */

const ROUND = []; // the first 32 bits of the fractions of the cube roots of the first 64 primes
const START = []; // of the square roots of the first eight
for (let n = 2; ROUND.length < 64; n++) {
  let prime = true;
  for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
  if (!prime) continue;
  if (START.length < 8) START.push(fraction(n ** (1 / 2)));
  ROUND.push(fraction(n ** (1 / 3)));
}

function fraction(x) {
  return ((x - Math.floor(x)) * 2 ** 32) | 0;
}

const turned = (x, n) => (x >>> n) | (x << (32 - n));

/** The first 16 hexadecimal digits of a text's SHA-256. */
function digest(text) {
  const bytes = new TextEncoder().encode(text);
  const blocks = new DataView(new ArrayBuffer(((bytes.length + 72) >> 6) << 6));
  new Uint8Array(blocks.buffer).set(bytes);
  blocks.setUint8(bytes.length, 0x80);
  blocks.setUint32(blocks.byteLength - 4, bytes.length * 8);
  const sum = [...START];
  const w = new Int32Array(64);
  for (let at = 0; at < blocks.byteLength; at += 64) {
    for (let i = 0; i < 64; i++) {
      if (i < 16) {
        w[i] = blocks.getInt32(at + i * 4);
        continue;
      }
      const [x, y] = [w[i - 15], w[i - 2]];
      w[i] = w[i - 16] + (turned(x, 7) ^ turned(x, 18) ^ (x >>> 3)) + w[i - 7] + (turned(y, 17) ^ turned(y, 19) ^ (y >>> 10));
    }
    let [a, b, c, d, e, f, g, h] = sum;
    for (let i = 0; i < 64; i++) {
      const one = (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) + ROUND[i] + w[i]) | 0;
      const two = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((part, i) => (sum[i] = (sum[i] + part) | 0));
  }
  return [sum[0], sum[1]].map((part) => (part >>> 0).toString(16).padStart(8, "0")).join("");
}
