// The diagram under a mouse, fingers and keys.

const CLOSE = 9; // pixels within which a press means a special point
const WHEEL = 0.0016; // zoom of a pixel of the wheel
const KEY_STEP = 0.004, BIG_STEP = 10; // of the window
const ZOOM_STEP = 1.6;

function listenToDiagram(app) {
  const diagram = byId("diagram"), pointers = new Map();
  let panning = false, held = false;
  const shares = ({ clientX, clientY }) => {
    const box = diagram.getBoundingClientRect();
    return [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
  };
  const inside = ([across, down]) => [across, down].map((share) => Math.min(1, Math.max(0, share)));
  const move = (event) => app.moveTo(...app.plane.at(...inside(shares(event))));

  diagram.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, shares(event));
    diagram.setPointerCapture(event.pointerId);
    diagram.focus({ preventScroll: true });
    event.preventDefault();
    panning = pointers.size > 1 || event.shiftKey || event.button === 1;
    held = !panning;
    if (!held) return;
    const near = specialPointNear(app, shares(event));
    if (near) app.goTo(near);
    else move(event);
  });
  diagram.addEventListener("pointermove", (event) => {
    showTip(app, shares(event), event.pointerType === "mouse" && !pointers.size);
    if (!pointers.has(event.pointerId)) return;
    const before = [...pointers.values()], at = shares(event), last = pointers.get(event.pointerId);
    if (held && Math.hypot(at[0] - last[0], at[1] - last[1]) > 0) move(event);
    pointers.set(event.pointerId, at);
    if (!panning) return;
    const after = [...pointers.values()], middle = (points, k) => points.reduce((sum, point) => sum + point[k], 0) / points.length;
    if (after.length > 1) {
      const apart = (points) => Math.max(1e-3, Math.hypot(points[0][0] - points[1][0], points[0][1] - points[1][1]));
      app.plane.zoom(apart(before) / apart(after), middle(after, 0), middle(after, 1));
    }
    app.plane.pan(middle(after, 0) - middle(before, 0), middle(after, 1) - middle(before, 1));
    app.windowChanged();
  });
  const release = (event) => {
    pointers.delete(event.pointerId);
    if (!pointers.size) panning = held = false;
  };
  diagram.addEventListener("pointerup", release);
  diagram.addEventListener("pointercancel", release);
  diagram.addEventListener("pointerleave", () => showTip(app, null, false));
  diagram.addEventListener("wheel", (event) => {
    event.preventDefault();
    app.plane.zoom(Math.exp(WHEEL * event.deltaY * (event.deltaMode ? 30 : 1)), ...shares(event));
    app.windowChanged();
  }, { passive: false });
  diagram.addEventListener("keydown", (event) => keyDown(app, event));
  const zoomBy = (factor) => () => app.zoom(factor);
  byId("zoom-in").addEventListener("click", zoomBy(1 / ZOOM_STEP));
  byId("zoom-out").addEventListener("click", zoomBy(ZOOM_STEP));
  byId("zoom-all").addEventListener("click", zoomBy(Infinity));
}

function keyDown(app, event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const step = KEY_STEP * (event.shiftKey ? BIG_STEP : 1), { left, right, bottom, top } = app.plane.window;
  const moves = { ArrowUp: [step, 0], ArrowDown: [-step, 0], ArrowLeft: [0, -step], ArrowRight: [0, step] };
  if (event.key in moves) {
    const [up, across] = moves[event.key];
    const { x, y } = app.plane;
    app.moveTo(y.value(y.coordinate(app.p) + up * (top - bottom)), x.value(x.coordinate(app.r) + across * (right - left)));
    app.plane.include(app.p, app.r);
  } else if (event.key === "+" || event.key === "=") app.zoom(1 / ZOOM_STEP);
  else if (event.key === "-") app.zoom(ZOOM_STEP);
  else if (event.key === "0") app.zoom(Infinity);
  else if (/^[1-9]$/.test(event.key) && app.minima[event.key - 1]) app.choose(event.key - 1);
  else if (event.key === "Enter") descend(app);
  else return;
  event.preventDefault();
}

function specialPointNear(app, [across, down]) {
  const size = byId("diagram").clientWidth;
  if (!app.layers["special points"]) return null;
  const distance = (point) => {
    const [x, y] = app.plane.share(point.p, point.r);
    return Math.hypot(x - across, y - down) * size;
  };
  const nearest = [...app.model.special_points].sort((one, other) => distance(one) - distance(other))[0];
  return nearest && distance(nearest) < CLOSE ? nearest : null;
}

/** What is under the mouse, beside it. */
function showTip(app, place, isWanted) {
  const tip = byId("tip");
  tip.hidden = !isWanted;
  if (!isWanted) return;
  const [across, down] = place, near = specialPointNear(app, place), [p, r] = app.plane.at(across, down);
  tip.textContent = near ? `${near.kind}: ${near.phases.join(", ")}` : `${app.phaseAt(across, down) ?? ""}  ${app.plane.y.symbol} = ${brief(p, 4)}, ${app.plane.x.symbol} = ${brief(r, 4)}`;
  const diagram = byId("diagram"), x = diagram.offsetLeft + across * diagram.clientWidth;
  tip.style.top = `${diagram.offsetTop + down * diagram.clientHeight + 18}px`;
  tip.style.left = `${Math.min(x + 14, diagram.offsetLeft + diagram.clientWidth - tip.offsetWidth)}px`;
}

const SLIDER_STEPS = 2000;
const FIELDS = { y: "density", x: "importance" }; // elements of the vertical and of the horizontal axis

/** What sliders and numbers are for. */
function labelPlace({ plane }) {
  for (const [side, id] of Object.entries(FIELDS)) {
    const axis = plane[side], slider = byId(id);
    byId(`${id}-label`).replaceChildren(`${axis.short} `, element("i", {}, axis.symbol));
    Object.assign(slider, { min: axis.low, max: axis.high, step: (axis.high - axis.low) / SLIDER_STEPS });
    slider.setAttribute("aria-label", axis.phrase + (axis.isLog ? ", logarithmic" : ""));
    byId(`${id}-number`).setAttribute("aria-label", axis.phrase);
  }
  byId("diagram").setAttribute("aria-label", `Phase diagram over ${plane.x.phrase} and ${plane.y.phrase}`);
}

/** Sliders and typed numbers. */
function listenToPlace(app) {
  const jump = (p, r) => {
    app.moveTo(p, r);
    app.plane.include(p, r);
    app.windowChanged();
  };
  const change = (side, value) => (side === "y" ? jump(value, app.r) : jump(app.p, value));
  for (const [side, id] of Object.entries(FIELDS)) {
    const input = byId(`${id}-number`);
    const take = () => {
      const axis = app.plane[side], value = typedNumber(input.value), wrong = !(value >= axis.start && value <= axis.stop);
      input.setAttribute("aria-invalid", wrong);
      say("place-message", wrong ? `The ${axis.phrase} must be a number from ${axis.start} to ${axis.stop}, got “${input.value}”.` : "");
      if (!wrong && value !== (side === "y" ? app.p : app.r)) change(side, value);
    };
    input.addEventListener("change", take);
    input.addEventListener("keydown", (event) => { if (event.key === "Enter") take(); });
    byId(id).addEventListener("input", (event) => change(side, app.plane[side].clamped(app.plane[side].value(Number(event.target.value)))));
  }
}

function showPlace(app) {
  for (const [side, id] of Object.entries(FIELDS)) {
    const value = side === "y" ? app.p : app.r, input = byId(`${id}-number`);
    byId(id).value = app.plane[side].coordinate(value);
    if (document.activeElement === input && typedNumber(input.value) === value) continue;
    input.value = brief(value);
    input.title = String(value);
    input.removeAttribute("aria-invalid");
  }
  say("place-message", "");
}
