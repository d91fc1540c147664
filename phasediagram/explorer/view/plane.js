// The plane of the diagram: the axes' coordinates, log10 on logarithmic scales, and the window that is shown.

const SMALLEST_SHARE = 1e-5; // of the axes' ranges, in the closest view

/** Decode points of a curve: coordinates as 32-bit integers, vertical ones first. */
function decodedCurve(packed, resolutions) {
  const text = atob(packed), bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  const numbers = new DataView(bytes.buffer), points = [];
  for (let at = 0; at < bytes.length; at += 8) {
    points.push({ y: numbers.getInt32(at, true) * resolutions[0], x: numbers.getInt32(at + 4, true) * resolutions[1] });
  }
  return points;
}

class Plane {
  constructor({ y, x }) {
    Object.assign(this, { y, x, whole: { left: x.low, right: x.high, bottom: y.low, top: y.high } });
    this.window = { ...this.whole };
  }

  /** The same plane, to be looked at by itself. */
  copy() {
    return Object.assign(new Plane(this), { window: { ...this.window } });
  }

  get isWhole() {
    return Object.keys(this.whole).every((side) => this.window[side] === this.whole[side]);
  }

  /** Position in the drawing, of shares 0 to 1 from the left and from the top. */
  share(p, r) {
    return this.shareOfCoordinates({ y: this.y.coordinate(p), x: this.x.coordinate(r) });
  }

  shareOfCoordinates({ x, y }) {
    const { left, right, bottom, top } = this.window;
    return [(x - left) / (right - left), (top - y) / (top - bottom)];
  }

  /** The values at shares of the drawing. */
  at(across, down) {
    const { left, right, bottom, top } = this.window;
    return this.atCoordinates(top - down * (top - bottom), left + across * (right - left));
  }

  atCoordinates(y, x) {
    return this.clamped(this.y.value(y), this.x.value(x));
  }

  clamped(p, r) {
    return [this.y.clamped(p), this.x.clamped(r)];
  }

  /** Show `factor` times as much, the point at these shares staying where it is. */
  zoom(factor, across = 0.5, down = 0.5) {
    const { left, right, bottom, top } = this.window, { whole } = this;
    const [most, highest] = [whole.right - whole.left, whole.top - whole.bottom];
    const width = Math.min(most, Math.max(SMALLEST_SHARE * most, factor * (right - left)));
    const height = Math.min(highest, Math.max(SMALLEST_SHARE * highest, factor * (top - bottom)));
    const x = left + across * (right - left), y = top - down * (top - bottom);
    this.place(x - across * width, y + down * height, width, height);
  }

  /** Move what is shown by shares of the window. */
  pan(across, down) {
    const { left, right, bottom, top } = this.window;
    this.place(left - across * (right - left), top + down * (top - bottom), right - left, top - bottom);
  }

  place(left, top, width, height) {
    const { whole } = this;
    left = Math.min(whole.right - width, Math.max(whole.left, left));
    top = Math.max(whole.bottom + height, Math.min(whole.top, top));
    const full = width >= whole.right - whole.left;
    this.window = full ? { ...whole } : { left, right: left + width, bottom: top - height, top };
  }

  /** Make a point visible. */
  include(p, r) {
    const { left, right, bottom, top } = this.window, x = this.x.coordinate(r), y = this.y.coordinate(p);
    if (x < left || x > right || y < bottom || y > top) {
      this.place(x - (right - left) / 2, y + (top - bottom) / 2, right - left, top - bottom);
    }
  }
}

/** Round values of an axis between two coordinates, to mark on it. */
function ticks(axis, low, high) {
  const from = axis.value(low), to = axis.value(high);
  const found = [];
  if (axis.isLog && high - low > 0.7) {
    const decades = high - low;
    const steps = decades > 1.5 ? [1] : decades > 1 ? [1, 2, 5] : [1, 1.5, 2, 3, 5, 7], every = Math.ceil(decades / 4);
    for (let power = Math.floor(low); power <= Math.ceil(high); power++) {
      if (power % every === 0) for (const step of steps) found.push(Number((step * 10 ** power).toPrecision(6)));
    }
  } else {
    const rough = (to - from) / 4, unit = 10 ** Math.floor(Math.log10(rough));
    const step = unit * [1, 2, 5, 10].find((times) => times * unit >= rough);
    for (let k = Math.ceil(from / step - 1e-9); k * step <= to + 1e-12 * Math.abs(to); k++) found.push(Number((k * step).toPrecision(12)));
  }
  return found.filter((value) => value >= from * (1 - 1e-12) && value <= to * (1 + 1e-12));
}

/** A value to mark on an axis. */
const tickText = (value) => (value !== 0 && Math.abs(value) < 1e-3 ? minus(value.toExponential().replace("e-", " · 10^-")) : minus(String(value)));
