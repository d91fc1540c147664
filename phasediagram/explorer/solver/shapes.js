// What the shape of one group of interfering features is called, up to four of them in up to three
// dimensions.  A port of phasediagram/naming/shapes.py.
//
// A group is { gram, size }: the products of its features' directions, the one it is judged from
// last.  `outputSlope(gains, bias)` is that of the last feature's expected squared error in its bias.

const EQUAL_NORMS_TOLERANCE = 1e-4; // norms, or products, that differ relatively by less are equal
const PARALLEL_TOLERANCE = 1e-6; // of 1 less a cosine, and of eigenvalues of the matrix of cosines
const CENTRE_OF_INTERFERENCE = 3 / 4; // E[x^3] / E[x^2]
const SCALENE = "scalene";
const SIMPLICES = { 2: "antipodal", 3: "triangle", 4: "tetrahedron" };

const entry = (group, i, j) => group.gram[i * group.size + j];
const length = (group, i) => Math.sqrt(entry(group, i, i));
const cosine = (group, i, j) => entry(group, i, j) / (length(group, i) * length(group, j));
const indices = (size) => Array.from({ length: size }, (_, i) => i);

function reordered(group, order) {
  const gram = order.flatMap((i) => order.map((j) => entry(group, i, j)));
  return { gram, size: order.length };
}

/** Return the name; `fine` tells apart also what distinctNames does. */
function shapeName(group, hidden, outputSlope, ofExtra, fine) {
  const { size } = group;
  if (size === 2) return pairName(group, outputSlope, ofExtra, fine);
  if (!ofExtra) group = withApexLast(group);
  const dimensions = rankOf(group, hidden), directions = distinctDirections(group).length;
  if (dimensions === 1) return collinearName(group, ofExtra, fine);
  if (directions < size) return sharedName(group, hidden, outputSlope, ofExtra, fine);
  const name = spreadName(group, dimensions, outputSlope);
  if (dimensions === directions - 1) return withSide(name, group, fine);
  if (!fine) return name;
  const acute = indices(size).reduce((sum, i) => sum + indices(i).filter((j) => entry(group, i, j) > 0).length, 0);
  return `${name}-${acute}-acute`;
}

/** Whether the last feature's output hardly filters the interference of the others. */
function letsInterferencePass(group, outputSlope) {
  const last = group.size - 1, gains = indices(group.size).map((j) => entry(group, last, j));
  const filtered = gains.slice(0, last).reduce((sum, gain) => sum + Math.min(gain, 0), 0);
  return outputSlope(gains, -CENTRE_OF_INTERFERENCE * filtered) < 0;
}

function pairName(group, outputSlope, ofExtra, fine) {
  const otherIsShort = length(group, 0) < length(group, 1);
  const reversed = otherIsShort && ofExtra;
  if (entry(group, 0, 1) > 0) return reversed && fine ? "aligned-other" : "aligned";
  if (!letsInterferencePass(otherIsShort ? reordered(group, [1, 0]) : group, outputSlope)) return SIMPLICES[2];
  return reversed ? "partial-other" : "partial";
}

function collinearName(group, ofExtra, fine) {
  const last = group.size - 1;
  let along = indices(group.size).map((j) => entry(group, last, j) > 0);
  const count = () => along.filter(Boolean).length;
  if (!ofExtra && count() > group.size - count()) along = along.map((one) => !one);
  const first = count(), second = group.size - first;
  if (!first || !second) return `${group.size}-aligned`;
  const name = `${first}-against-${second}`;
  if (!fine) return name;
  const longest = indices(group.size).reduce((best, i) => (entry(group, i, i) > entry(group, best, best) ? i : best), 0);
  return `${name}-longest-${along[longest] ? "first" : "last"}`;
}

/** Features of one direction count as one, with the sum of their squared norms. */
function sharedName(group, hidden, outputSlope, ofExtra, fine) {
  const kept = distinctDirections(group), last = group.size - 1;
  const parallel = (i, j) => cosine(group, i, j) > 1 - PARALLEL_TOLERANCE;
  const lengths = kept.map((i) => Math.sqrt(indices(group.size).reduce((sum, j) => sum + (parallel(i, j) ? entry(group, j, j) : 0), 0)));
  const gram = kept.flatMap((i, a) => kept.map((j, b) => cosine(group, i, j) * lengths[a] * lengths[b]));
  const name = shapeName({ gram, size: kept.length }, hidden, outputSlope, ofExtra, fine);
  if (!ofExtra) return `${name}-shared`;
  return indices(last).some((j) => parallel(last, j)) ? `shared-${name}` : `${name}-shared-other`;
}

/** The last feature of each direction. */
function distinctDirections(group) {
  return indices(group.size).filter((i) => !indices(group.size).some((j) => j > i && cosine(group, i, j) > 1 - PARALLEL_TOLERANCE));
}

function spreadName(group, dimensions, outputSlope) {
  const { size } = group, last = size - 1;
  const simplex = SIMPLICES[size];
  const name = dimensions === size - 1 ? simplex : dimensions === size ? `oblique-${simplex}` : "quadrilateral";
  const mostKinds = name === "quadrilateral" ? 2 : 1;
  if (kindsOfOthers(group) > mostKinds) return name === SIMPLICES[3] ? SCALENE : `${SCALENE}-${name}`;
  if (indices(last).reduce((sum, j) => sum + entry(group, last, j), 0) > 0) return `aligned-${name}`;
  return letsInterferencePass(group, outputSlope) ? `partial-${name}` : name;
}

/** Say which features of a scalene simplex must be turned around so that all oppose each other. */
function withSide(name, group, fine) {
  const { size } = group, last = size - 1;
  if (!name.startsWith(SCALENE) || (size === 3 && !fine)) return name;
  const turned = indices(size).map((j) => (j < last && entry(group, last, j) > 0 ? -1 : 1));
  const opposed = indices(size).every((i) => indices(i).every((j) => entry(group, i, j) * turned[i] * turned[j] <= 0));
  const others = indices(size).filter((j) => turned[j] < 0);
  if (!opposed || others.length === 0) return name;
  if (others.length === size - 1) return `aligned-${name}`;
  if (others.length > 1) return `${name}-aligned-${others.length}-others`;
  if (!fine) return `${name}-aligned-other`;
  const rest = indices(last).filter((i) => i !== others[0]).map((i) => entry(group, i, i));
  const mean = rest.reduce((sum, square) => sum + square, 0) / rest.length;
  return `${name}-aligned-${entry(group, others[0], others[0]) > mean ? "longer" : "shorter"}`;
}

/** In how many kinds the other features fall, seen from the last one. */
function kindsOfOthers(group) {
  const { size } = group, last = size - 1;
  const largest = Math.max(...indices(size).map((i) => entry(group, i, i)));
  const keys = indices(last).map((i) => [
    Math.sqrt(entry(group, i, i) * largest), // a norm, so that its relative error is that of the tolerance
    entry(group, i, last),
    ...indices(last).filter((j) => j !== i).map((j) => entry(group, i, j)).sort((one, other) => one - other),
  ]);
  const alike = (one, other) => one.every((value, k) => Math.abs(value - other[k]) <= EQUAL_NORMS_TOLERANCE * largest);
  return keys.filter((key, i) => !keys.slice(0, i).some((earlier) => alike(earlier, key))).length;
}

/** The group with the feature last about which it is most symmetric, the shortest among equals. */
function withApexLast(group) {
  const candidates = indices(group.size).map((apex) => {
    const turned = reordered(group, [...indices(group.size).filter((j) => j !== apex), apex]);
    return { turned, kinds: kindsOfOthers(turned), norm: length(group, apex) };
  });
  return candidates.reduce((best, one) =>
    one.kinds < best.kinds || (one.kinds === best.kinds && one.norm < best.norm) ? one : best).turned;
}

function rankOf(group, hidden) {
  const { size } = group;
  if (size === 3 && hidden === 2) {
    const isParallel = indices(3).every((i) => indices(i).every((j) => Math.abs(cosine(group, i, j)) > 1 - PARALLEL_TOLERANCE));
    return isParallel ? 1 : 2;
  }
  const cosines = Float64Array.from(indices(size).flatMap((i) => indices(size).map((j) => cosine(group, i, j))));
  const values = new Float64Array(size);
  eigen(cosines, values, new Float64Array(size * size));
  return values.filter((value) => value > PARALLEL_TOLERANCE).length;
}
