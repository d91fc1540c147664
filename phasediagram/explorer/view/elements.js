// Elements of the page, numbers as text, and work in slices.

const SVG = "http://www.w3.org/2000/svg";
const SLICE = 9; // milliseconds of work before the page gets its turn

const byId = (id) => document.getElementById(id);

function element(tag, attributes = {}, ...children) {
  const made = tag.startsWith("svg:") ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
const svg = (tag, attributes, ...children) => element("svg:" + tag, attributes, ...children);

const minus = (text) => text.replace(/-/g, "−");
const fixed = (value, digits = 4) => minus((Math.abs(value) < 0.5 * 10 ** -digits ? 0 : value).toFixed(digits));
const lossText = (loss) => minus(loss.toPrecision(10));
const brief = (value, digits = 6) => String(Number(value.toPrecision(digits)));
const percent = (excess) => {
  const value = 100 * excess;
  if (Math.abs(value) < 1e-10) return "equal";
  if (value < 0.001) return "+" + minus(value.toExponential(1)) + " %";
  return "+" + (value < 10 ? value.toPrecision(3) : value.toFixed(value < 1000 ? 1 : 0)) + " %";
};
const featureName = (n, i) => (i === n - 1 ? "extra" : String(i + 1));
const featureColor = (n, i) => `var(--${i === n - 1 ? "extra" : i === 0 ? "first" : i === 1 ? "second" : "third"})`;
const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** A number that somebody typed, or NaN; a comma may be the decimal point. */
function typedNumber(text) {
  const plain = text.trim().replace(/[−–]/g, "-").replace(/^([+-]?\d*),(\d+)$/, "$1.$2");
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : NaN;
}

function say(id, text) {
  byId(id).hidden = !text;
  byId(id).textContent = text;
}

/** Work that generators do in slices; starting a name again drops what it was doing. */
const work = {
  running: new Map(),
  start(name, generator) {
    this.running.set(name, generator);
    if (this.running.size === 1) setTimeout(() => this.slice(), 0);
  },
  stop(name) {
    this.running.delete(name);
  },
  slice() {
    const until = performance.now() + SLICE;
    while (this.running.size && performance.now() < until) {
      const [[name, generator]] = this.running;
      if (generator.next().done && this.running.get(name) === generator) this.running.delete(name);
    }
    if (this.running.size) setTimeout(() => this.slice(), 0);
  },
};
