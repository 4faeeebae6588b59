// Units and regions of a panel that have the same number light together. The page comes and goes: listen at its root.
(() => {
  const numbered = (event) => event.target.closest?.(".tg-panel [data-unit]");
  const light = (panel, number) => {
    const there = number !== undefined && panel.querySelector(`.tg-region[data-unit="${number}"]`);
    panel.classList.toggle("tg-some-lit", Boolean(there));
    for (const one of panel.querySelectorAll("[data-unit]")) {
      one.classList.toggle("tg-lit", Boolean(there) && one.dataset.unit === number);
    }
  };
  const keep = (panel, number) => {
    if (number === undefined) delete panel.dataset.kept;
    else panel.dataset.kept = number;
    for (const unit of panel.querySelectorAll(".tg-unit")) {
      unit.setAttribute("aria-pressed", String(unit.dataset.unit === number));
    }
    light(panel, number);
  };
  const enter = (event) => {
    const one = numbered(event);
    if (one) light(one.closest(".tg-panel"), one.dataset.unit);
  };
  const leave = (event) => {
    const panel = numbered(event)?.closest(".tg-panel");
    if (panel) light(panel, panel.dataset.kept);
  };
  document.addEventListener("pointerover", enter);
  document.addEventListener("pointerout", leave);
  document.addEventListener("focusin", enter);
  document.addEventListener("focusout", leave);
  document.addEventListener("click", (event) => {
    const one = numbered(event);
    if (!one) return;
    const panel = one.closest(".tg-panel");
    keep(panel, panel.dataset.kept === one.dataset.unit ? undefined : one.dataset.unit);
  });
  document.addEventListener("keydown", (event) => {
    const one = numbered(event);
    if (!one) return;
    const panel = one.closest(".tg-panel");
    const units = [...panel.querySelectorAll(".tg-unit")];
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") keep(panel, undefined);
    if (!step) return;
    event.preventDefault();
    units[(units.findIndex((unit) => unit.dataset.unit === one.dataset.unit) + step + units.length) % units.length].focus();
  });
})();
