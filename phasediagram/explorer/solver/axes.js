// Axes of the plane: values, and the coordinates in which they are drawn, log10 on logarithmic scales.

const PAPER_AXES = {
  y: { name: "density", start: 0.01, stop: 1, scale: "log" },
  x: { name: "relative_importance", start: 0.1, stop: 10, scale: "log" },
};

class Axis {
  constructor(given) {
    Object.assign(this, given, { isLog: given.scale === "log" });
    [this.low, this.high] = [given.start, given.stop].map((value) => this.coordinate(value));
  }

  coordinate(value) {
    return this.isLog ? Math.log10(value) : value;
  }

  value(coordinate) {
    return this.isLog ? 10 ** coordinate : coordinate;
  }

  clamped(value) {
    return Math.min(this.stop, Math.max(this.start, value));
  }

  /** The value half way between two. */
  middle(one, other) {
    return this.isLog ? Math.sqrt(one * other) : 0.5 * (one + other);
  }

  /** A value moved by a step, of the logarithm or of the range. */
  moved(value, step) {
    return this.isLog ? value * Math.exp(step) : value + step * (this.stop - this.start);
  }
}
