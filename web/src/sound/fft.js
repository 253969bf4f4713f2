/**
 * The spectra of real samples and back, for lengths of small prime factors: Cooley and Tukey's transform of half the length, in mixed
 * radices, with the samples in pairs as complex numbers.
 */

export class Transform {
  /** @param {number} length of the samples, even */
  constructor(length) {
    this.half = length / 2;
    this.factors = factorsOf(this.half);
    this.cos = Float64Array.from({ length: this.half }, (_, at) => Math.cos((2 * Math.PI * at) / this.half));
    this.sin = Float64Array.from({ length: this.half }, (_, at) => -Math.sin((2 * Math.PI * at) / this.half));
    this.turn = Float64Array.from({ length: 2 * (this.half + 1) }, (_, at) => {
      const angle = (Math.PI * (at >> 1)) / this.half;
      return at & 1 ? -Math.sin(angle) : Math.cos(angle);
    });
    this.input = new Float64Array(length);
    this.output = new Float64Array(length);
    this.gathered = new Float64Array(2 * Math.max(...this.factors));
  }

  /**
   * The spectrum, length / 2 + 1 complex numbers one after another.
   * @param {ArrayLike<number>} samples
   * @param {Float32Array} spectrum
   */
  forward(samples, spectrum) {
    const { half, input, output, turn } = this;
    for (let at = 0; at < input.length; at += 1) input[at] = samples[at];
    this.transform(0, 1, 0, half, 0);
    for (let at = 0; at <= half; at += 1) {
      const [one, other] = [2 * (at % half), 2 * ((half - at) % half)];
      const even = [(output[one] + output[other]) / 2, (output[one + 1] - output[other + 1]) / 2];
      const odd = [(output[one + 1] + output[other + 1]) / 2, (output[other] - output[one]) / 2];
      const [cos, sin] = [turn[2 * at], turn[2 * at + 1]];
      spectrum[2 * at] = even[0] + odd[0] * cos - odd[1] * sin;
      spectrum[2 * at + 1] = even[1] + odd[0] * sin + odd[1] * cos;
    }
  }

  /**
   * The samples of a spectrum; the imaginary parts of its first and last number do not count.
   * @param {Float32Array} spectrum
   * @param {Float32Array} samples
   */
  backward(spectrum, samples) {
    const { half, input, output, turn } = this;
    for (let at = 0; at < half; at += 1) {
      const [one, other] = [2 * at, 2 * (half - at)];
      const [oneIm, otherIm] = at ? [spectrum[one + 1], spectrum[other + 1]] : [0, 0];
      const even = [(spectrum[one] + spectrum[other]) / 2, (oneIm - otherIm) / 2];
      const apart = [(spectrum[one] - spectrum[other]) / 2, (oneIm + otherIm) / 2];
      const [cos, sin] = [turn[2 * at], -turn[2 * at + 1]];
      const odd = [apart[0] * cos - apart[1] * sin, apart[0] * sin + apart[1] * cos];
      // The transform once more, of the conjugate: the inverse, conjugated.
      input[2 * at] = even[0] - odd[1];
      input[2 * at + 1] = -(even[1] + odd[0]);
    }
    this.transform(0, 1, 0, half, 0);
    for (let at = 0; at < half; at += 1) {
      samples[2 * at] = output[2 * at] / half;
      samples[2 * at + 1] = -output[2 * at + 1] / half;
    }
  }

  /**
   * The complex transform of every `stride`th number of the input from `from` on, `length` of them, to the output from `to` on.
   * @param {number} from
   * @param {number} stride
   * @param {number} to
   * @param {number} length
   * @param {number} depth which of the factors is next
   */
  transform(from, stride, to, length, depth) {
    const { input, output } = this;
    const radix = this.factors[depth];
    const part = length / radix;
    if (part === 1) {
      for (let at = 0; at < radix; at += 1) {
        output[2 * (to + at)] = input[2 * (from + at * stride)];
        output[2 * (to + at) + 1] = input[2 * (from + at * stride) + 1];
      }
    } else for (let at = 0; at < radix; at += 1) this.transform(from + at * stride, stride * radix, to + at * part, part, depth + 1);
    if (radix === 2) this.pairs(to, part, stride);
    else this.joined(to, part, stride, radix);
  }

  /** Two transforms of `part` numbers each into one. @param {number} to @param {number} part @param {number} stride */
  pairs(to, part, stride) {
    const { output, cos, sin } = this;
    for (let at = 0; at < part; at += 1) {
      const [one, other] = [2 * (to + at), 2 * (to + at + part)];
      const [re, im] = [cos[at * stride], sin[at * stride]];
      const turnedRe = output[other] * re - output[other + 1] * im;
      const turnedIm = output[other] * im + output[other + 1] * re;
      output[other] = output[one] - turnedRe;
      output[other + 1] = output[one + 1] - turnedIm;
      output[one] += turnedRe;
      output[one + 1] += turnedIm;
    }
  }

  /**
   * As many transforms of `part` numbers each as `radix` into one.
   * @param {number} to
   * @param {number} part
   * @param {number} stride
   * @param {number} radix
   */
  joined(to, part, stride, radix) {
    const { output, cos, sin, gathered, half } = this;
    for (let at = 0; at < part; at += 1) {
      for (let each = 0; each < radix; each += 1) {
        const [place, angle] = [2 * (to + at + each * part), (at * each * stride) % half];
        gathered[2 * each] = output[place] * cos[angle] - output[place + 1] * sin[angle];
        gathered[2 * each + 1] = output[place] * sin[angle] + output[place + 1] * cos[angle];
      }
      for (let each = 0; each < radix; each += 1) {
        let [re, im] = [0, 0];
        for (let other = 0; other < radix; other += 1) {
          const angle = (each * other * part * stride) % half;
          re += gathered[2 * other] * cos[angle] - gathered[2 * other + 1] * sin[angle];
          im += gathered[2 * other] * sin[angle] + gathered[2 * other + 1] * cos[angle];
        }
        output[2 * (to + at + each * part)] = re;
        output[2 * (to + at + each * part) + 1] = im;
      }
    }
  }
}

/** The prime factors of a number, [1] of one. @param {number} number */
export function factorsOf(number) {
  const found = [];
  let rest = number;
  for (let factor = 2; rest > 1; factor += 1) {
    for (; rest % factor === 0; rest /= factor) found.push(factor);
  }
  return found.length ? found : [1];
}
