// What a minimum is called, from its geometry: first what became of the extra feature, the last one,
// then what the others do without it.  A port of phasediagram/naming/phases.py, which has the grammar.

const NORM_TOLERANCE = 1e-6; // a direction with a smaller norm counts as zero
const COSINE_TOLERANCE = 1e-6; // directions with a smaller cosine between them count as orthogonal

/** Names the minima of n features in m dimensions at one density. */
class Naming {
  constructor(n, m) {
    Object.assign(this, { n, m, space: new Space(n, m, []), losses: new Map() });
  }

  /** Slope, in its bias, of the last output's expected squared error, for any number of features. */
  outputSlope(density) {
    return (gains, bias) => {
      const n = gains.length;
      if (!this.losses.has(n)) this.losses.set(n, { rows: ROWS[n] ?? makeRows(n), work: new Float64Array(200) });
      const { rows, work } = this.losses.get(n);
      work.fill(0);
      for (let j = 0; j < n; j++) work[j] = gains[(j + n - 1) % n]; // its own feature first
      work[2 * n] = bias;
      for (let active = 0; active < 1 << n; active++) {
        let weight = 1;
        for (let j = 0; j < n; j++) weight *= (active >> j) & 1 ? density : 1 - density;
        work[2 * n + 1 + active] = weight;
      }
      rows(work, 1);
      return work[2 * n + 1 + (1 << n) + 1 + n];
    };
  }

  /** Groups of represented features that interfere, directly or through others. */
  groups(gram) {
    const { n } = this, norms = indices(n).map((i) => Math.sqrt(gram[i * n + i]));
    const represented = indices(n).filter((i) => norms[i] > NORM_TOLERANCE);
    const touches = (i, j) => Math.abs(gram[i * n + j]) > COSINE_TOLERANCE * norms[i] * norms[j];
    let groups = [];
    for (const i of represented) {
      const joined = groups.filter((group) => group.some((j) => touches(i, j)));
      groups = [...groups.filter((group) => !joined.includes(group)), [i, ...joined.flat()].sort((a, b) => a - b)];
    }
    return groups;
  }

  /** The name of one minimum by itself. */
  name(x, density, fine = false) {
    const { n, m } = this, gram = this.space.signature(x), last = n - 1;
    const groups = this.groups(gram), slope = this.outputSlope(density);
    const shape = (group, ofExtra) =>
      shapeName(reordered({ gram, size: n }, group), m, slope, ofExtra, fine);
    const own = groups.find((group) => group.includes(last)) ?? [];
    const others = groups.filter((group) => group !== own && group.length > 1).map((group) => shape(group, false));
    const name = own.length > 1 ? shape(own, true) : own.length ? "dedicated" : "ignored";
    if (!others.length) return name;
    return own.length === 1 ? `others-${listed(others)}` : `${name}-others-${listed(others)}`;
  }

  /** Names of all minima at one point, different for different minima. */
  distinctNames(states, density) {
    const names = states.map((x) => this.name(x, density));
    for (const rows of clashing(names)) for (const row of rows) names[row] = this.name(states[row], density, true);
    for (const rows of clashing(names)) {
      const keys = new Map(rows.map((row) => [row, this.lengthKey(states[row])]));
      const longestFirst = [...rows].sort((a, b) => compareKeys(keys.get(b), keys.get(a)));
      const taken = new Set(names.filter((_, row) => !rows.includes(row)));
      ranked(names[rows[0]], rows.length, taken).forEach((name, k) => { names[longestFirst[k]] = name; });
    }
    return names;
  }

  /** How long the extra feature is, relative to its group, then all of the geometry. */
  lengthKey(x) {
    const { n } = this, gram = this.space.signature(x), last = n - 1;
    const norm = (i) => Math.sqrt(gram[i * n + i]);
    const groups = this.groups(gram), own = groups.find((group) => group.includes(last)) ?? [];
    const products = indices(n).flatMap((i) => indices(i + 1).map((j) => gram[i * n + j])).sort((a, b) => a - b);
    if (own.length > 1) {
      const others = own.filter((i) => i !== last).map(norm);
      return [norm(last) / (others.reduce((sum, one) => sum + one, 0) / others.length), ...products];
    }
    const ratios = groups.map((group) => Math.min(...group.map(norm)) / Math.max(...group.map(norm)));
    return [...ratios.sort((a, b) => a - b), ...products];
  }

  /** What became of the extra feature: ignored, dedicated or superposition. */
  outcome(x) {
    const { n } = this, own = this.groups(this.space.signature(x)).find((group) => group.includes(n - 1));
    return !own ? "ignored" : own.length > 1 ? "superposition" : "dedicated";
  }
}

function listed(names) {
  if (names.length === 1) return names[0];
  const counts = new Map();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => (count > 1 ? `${count}-${name}` : name)).join("+");
}

function clashing(names) {
  const rows = new Map();
  names.forEach((name, row) => rows.set(name, [...(rows.get(name) ?? []), row]));
  return [...rows.values()].filter((some) => some.length > 1);
}

function compareKeys(one, other) {
  for (let k = 0; k < Math.min(one.length, other.length); k++) if (one[k] !== other[k]) return one[k] - other[k];
  return one.length - other.length;
}

/** Distinct names for minima that would all have the same, the longest first. */
function ranked(name, count, taken) {
  if (count === 2) {
    const pair = [lengthened(name), shortened(name)];
    if (!pair.some((one) => taken.has(one))) return pair;
  }
  return [name, ...Array.from({ length: count - 1 }, (_, k) => `${name}-${k + 2}`)];
}

/** What comes before the first shape, the shape, and what comes after. */
function nameParts(name) {
  for (const head of ["ignored-others-", "others-"]) if (name.startsWith(head)) return [head, name.slice(head.length), ""];
  const at = name.indexOf("-others-");
  return at < 0 ? ["", name, ""] : ["", name.slice(0, at), name.slice(at)];
}

function shortened(name) {
  const [head, shape, tail] = nameParts(name);
  if (shape === "antipodal") return `${head}partial${tail}`;
  return shape.startsWith("partial") ? name : `${head}partial-${shape}${tail}`;
}

function lengthened(name) {
  const [head, shape, tail] = nameParts(name);
  if (!shape.startsWith("partial")) return name;
  return `${head}${shape === "partial" ? "antipodal" : shape.replace(/^partial-/, "")}${tail}`;
}
