// The plane of the diagram: log10 r to the right, log10 p upwards, and the window that is shown.

const WHOLE = { left: -1, right: 1, bottom: -2, top: 0 };
const SMALLEST_SPAN = 2e-5; // of log10, in the closest view

/** Decode points of a curve: log10 p and log10 r as 32-bit integers. */
function decodedCurve(packed, resolution) {
  const text = atob(packed), bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  const numbers = new DataView(bytes.buffer), points = [];
  for (let at = 0; at < bytes.length; at += 8) {
    points.push({ y: numbers.getInt32(at, true) * resolution, x: numbers.getInt32(at + 4, true) * resolution });
  }
  return points;
}

class Plane {
  constructor() {
    this.window = { ...WHOLE };
  }

  get isWhole() {
    return Object.keys(WHOLE).every((side) => this.window[side] === WHOLE[side]);
  }

  /** Position in the drawing, of shares 0 to 1 from the left and from the top. */
  share(p, r) {
    const { left, right, bottom, top } = this.window;
    return [(Math.log10(r) - left) / (right - left), (top - Math.log10(p)) / (top - bottom)];
  }

  shareOfLogs({ x, y }) {
    const { left, right, bottom, top } = this.window;
    return [(x - left) / (right - left), (top - y) / (top - bottom)];
  }

  /** Density and relative importance at shares of the drawing. */
  at(across, down) {
    const { left, right, bottom, top } = this.window;
    return this.clamped(10 ** (top - down * (top - bottom)), 10 ** (left + across * (right - left)));
  }

  clamped(p, r) {
    return [
      Math.min(10 ** WHOLE.top, Math.max(10 ** WHOLE.bottom, p)),
      Math.min(10 ** WHOLE.right, Math.max(10 ** WHOLE.left, r)),
    ];
  }

  /** Show `factor` times as much, the point at these shares staying where it is. */
  zoom(factor, across = 0.5, down = 0.5) {
    const { left, right, bottom, top } = this.window;
    const width = Math.min(WHOLE.right - WHOLE.left, Math.max(SMALLEST_SPAN, factor * (right - left)));
    const height = Math.min(WHOLE.top - WHOLE.bottom, Math.max(SMALLEST_SPAN, factor * (top - bottom)));
    const x = left + across * (right - left), y = top - down * (top - bottom);
    this.place(x - across * width, y + down * height, width, height);
  }

  /** Move what is shown by shares of the window. */
  pan(across, down) {
    const { left, right, bottom, top } = this.window;
    this.place(left - across * (right - left), top + down * (top - bottom), right - left, top - bottom);
  }

  place(left, top, width, height) {
    left = Math.min(WHOLE.right - width, Math.max(WHOLE.left, left));
    top = Math.max(WHOLE.bottom + height, Math.min(WHOLE.top, top));
    const full = width >= WHOLE.right - WHOLE.left;
    this.window = full ? { ...WHOLE } : { left, right: left + width, bottom: top - height, top };
  }

  /** Make a point visible. */
  include(p, r) {
    const { left, right, bottom, top } = this.window, x = Math.log10(r), y = Math.log10(p);
    if (x < left || x > right || y < bottom || y > top) {
      this.place(x - (right - left) / 2, y + (top - bottom) / 2, right - left, top - bottom);
    }
  }
}

/** Round values between 10^low and 10^high to mark on an axis. */
function ticks(low, high) {
  const from = 10 ** low, to = 10 ** high;
  const found = [];
  if (high - low > 0.7) {
    const steps = high - low > 1.5 ? [1] : high - low > 1 ? [1, 2, 5] : [1, 1.5, 2, 3, 5, 7];
    for (let power = Math.floor(low); power <= Math.ceil(high); power++) {
      for (const step of steps) found.push(Number((step * 10 ** power).toPrecision(6)));
    }
  } else {
    const rough = (to - from) / 4, unit = 10 ** Math.floor(Math.log10(rough));
    const step = unit * [1, 2, 5, 10].find((times) => times * unit >= rough);
    for (let k = Math.ceil(from / step); k * step <= to * (1 + 1e-12); k++) found.push(Number((k * step).toPrecision(12)));
  }
  return found.filter((value) => value >= from * (1 - 1e-12) && value <= to * (1 + 1e-12));
}
