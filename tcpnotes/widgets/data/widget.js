function render({ model, el }) {
  const root = document.createElement("div");
  el.append(root);
  const show = () => {
    root.replaceChildren();
    const stepper = mount(root, JSON.parse(model.get("data")), model.get("index"), (index) => {
      model.set("index", index);
      model.save_changes();
    });
    root.stepper = stepper;
  };
  show();
  const follow = () => root.stepper.go(model.get("index"));
  model.on("change:index", follow);
  model.on("change:data", show);
  return () => {
    model.off("change:index", follow);
    model.off("change:data", show);
  };
}
export default { render };
