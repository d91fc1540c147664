// Following a minimum from one point of the plane to another.

const LARGEST_MOVE = 0.15; // of W^T W and b in one step: more is another minimum
const FOLLOWING_RADIUS = 0.1;
const HALVINGS = 3;
const RETURNED = 1e-4; // distance from where one came, after a step there and back

/**
 * Return the state to which a minimum goes at the search's point, or null where it is none any more.
 * It stays on the kinks that it is on.
 */
function followed(search, state, checked = true) {
  const end = search.descend(Float64Array.from(state.x), FOLLOWING_RADIUS, null);
  if (!end || !(largestMove(state.signature, end.signature) < LARGEST_MOVE)) return null;
  if (!checked) return end;
  const kinks = kinksOf(search.loss, end.x);
  if (kinks !== (state.kinks ?? kinksOf(search.loss, state.x))) return null;
  const { stable, direction } = search.curvature.isMinimum(end.x, state.direction);
  return stable ? { ...end, kinks, direction } : null;
}

/** How many corners are on a kink. */
function kinksOf(loss, x) {
  let count = 0;
  forEachCorner(loss, x, (z) => { if (z < KINK) count++; });
  return count;
}

function largestMove(one, other) {
  let largest = 0;
  for (let i = 0; i < one.length; i++) largest = Math.max(largest, Math.abs(one[i] - other[i]));
  return largest;
}

/** Follow a minimum from one point to another; a step that is too long is halved, three times at most. */
function followedTo(search, state, from, to, checked = true) {
  let minimum = state, here = from;
  const steps = [to];
  while (steps.length) {
    const next = steps[steps.length - 1], moved = followed(search.at(...next), minimum, checked);
    if (moved && (!checked || leadsTo(search, moved, here, minimum))) {
      [minimum, here] = [moved, next];
      steps.pop();
    } else if (steps.length > HALVINGS) {
      return null;
    } else {
      steps.push(search.assumptions.middle(here, next));
    }
  }
  return minimum;
}

/** Whether a minimum leads back to where it came from. */
function leadsTo(search, state, point, origin) {
  const back = followed(search.at(...point), state, false);
  return back !== null && largestMove(back.signature, origin.signature) < RETURNED;
}

/** Follow a minimum along points [[p, r], ...] until it ends; return the states, as many as there are. */
function followedAlong(search, state, from, points) {
  const found = [];
  let here = from, minimum = state;
  for (const there of points) {
    minimum = followedTo(search, minimum, here, there);
    if (!minimum) break;
    found.push(minimum);
    here = there;
  }
  return found;
}
