/** How far the map can be enlarged. */
const MOST_ZOOM = 40;

/** Wheel, drag, pinch and keys move the view; the pointer alone looks at points. Returns a function that zooms by a factor. */
export function handleInput(canvas, { view, size, draw, onPoint, onLeave, onClick }) {
  const pointers = new Map();
  let moved = 0;
  const at = (event) => {
    const { left, top } = canvas.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const scale = () => scaleOf(view, size());
  const zoom = (factor, { x, y }) => {
    const { width, height } = size();
    const before = scale();
    view.zoom = Math.min(MOST_ZOOM, Math.max(1, view.zoom * factor));
    const shift = 1 / before - 1 / scale();
    view.x += (x - width / 2) * shift;
    view.y += (y - height / 2) * shift;
    draw();
  };
  const pan = (dx, dy) => {
    view.x -= dx / scale();
    view.y -= dy / scale();
    draw();
  };
  canvas.addEventListener("wheel", (event) => {
    // Until the map is clicked, the wheel scrolls the page past it.
    if (!event.ctrlKey && document.activeElement !== canvas) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 400), at(event));
    onPoint(at(event).x, at(event).y);
  }, { passive: false });
  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, at(event));
    moved = 0;
    onPoint(at(event).x, at(event).y);
  };
  canvas.onpointermove = (event) => {
    const here = at(event), before = pointers.get(event.pointerId);
    if (!before) return onPoint(here.x, here.y);
    moved += Math.hypot(here.x - before.x, here.y - before.y);
    if (pointers.size === 1) pan(here.x - before.x, here.y - before.y);
    else {
      const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, position]) => position);
      const spread = (position) => Math.hypot(position.x - other.x, position.y - other.y) || 1;
      zoom(spread(here) / spread(before), { x: (here.x + other.x) / 2, y: (here.y + other.y) / 2 });
    }
    pointers.set(event.pointerId, here);
  };
  canvas.onpointerup = canvas.onpointercancel = (event) => {
    pointers.delete(event.pointerId);
    if (event.type === "pointerup" && moved < 5) onClick();
  };
  // A finger that is lifted leaves the canvas too, and what it touched should stay.
  canvas.onpointerleave = ({ pointerType }) => pointers.size === 0 && pointerType !== "touch" && onLeave();
  canvas.onkeydown = (event) => {
    const middle = { x: size().width / 2, y: size().height / 2 };
    const action = {
      ArrowLeft: () => pan(40, 0),
      ArrowRight: () => pan(-40, 0),
      ArrowUp: () => pan(0, 40),
      ArrowDown: () => pan(0, -40),
      "+": () => zoom(1.3, middle),
      "=": () => zoom(1.3, middle),
      "-": () => zoom(1 / 1.3, middle),
    }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  };
  return (factor) => zoom(factor, { x: size().width / 2, y: size().height / 2 });
}

/** Pixels across the unit square of the map. */
export function scaleOf(view, { width, height }) {
  return Math.min(width, height) * 0.9 * view.zoom;
}
