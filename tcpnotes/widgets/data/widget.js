// `data` is a run, `patch` what is different now: see patch.py.
function patched(old, patch) {
  if (patch === undefined) return old;
  if (Array.isArray(old)) return [...old.slice(0, patch[0]), ...patch[1]];
  if (!old || typeof old !== "object" || !patch || typeof patch !== "object") return patch;
  const made = { ...old };
  for (const key of Object.keys(patch)) made[key] = patched(old[key], patch[key]);
  return made;
}
function render({ model, el }) {
  let stepper = null, data = null, patch = null;
  const show = () => {
    const whole = model.get("data"), changes = model.get("patch"), index = model.get("index");
    if (whole === data && changes === patch) return stepper.go(index);
    [data, patch] = [whole, changes];
    const fresh = patched(JSON.parse(whole), changes ? JSON.parse(changes) : undefined);
    if (stepper && stepper.take(fresh, index)) return;
    if (stepper) stepper.stop();
    const root = document.createElement("div");
    el.replaceChildren(root);
    stepper = mount(root, fresh, index, (at) => {
      model.set("index", at);
      model.save_changes();
    });
  };
  show();
  // One message may change several of them: whichever is told first shows all.
  const names = ["index", "data", "patch"].map((name) => "change:" + name);
  for (const name of names) model.on(name, show);
  return () => {
    for (const name of names) model.off(name, show);
    stepper.stop();
  };
}
export default { render };
