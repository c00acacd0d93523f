"use strict";
// Without this script the page is whole: tables are in the report's order and show every row.
(() => {
  const make = (name, attributes, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };

  const compare = (column, sign) => (one, other) => {
    const [a, b] = [one.cells[column], other.cells[column]];
    const missing = a.hasAttribute("data-missing") - b.hasAttribute("data-missing");
    if (missing || a.hasAttribute("data-missing")) return missing;
    if (a.dataset.sort !== undefined && b.dataset.sort !== undefined) return sign * (a.dataset.sort - b.dataset.sort);
    return sign * a.textContent.localeCompare(b.textContent, "en", { numeric: true });
  };

  const sortable = (table, say) => {
    const headers = [...table.tHead.rows[0].cells];
    const body = table.tBodies[0];
    const original = [...body.rows];
    headers.forEach((header, column) => {
      const button = make("button", { type: "button" }, header.textContent);
      header.replaceChildren(button);
      button.addEventListener("click", () => {
        const next = { ascending: "descending", descending: null }[header.getAttribute("aria-sort")];
        const order = next === undefined ? "ascending" : next;
        for (const other of headers) other.removeAttribute("aria-sort");
        if (order) header.setAttribute("aria-sort", order);
        const rows = order ? original.slice().sort(compare(column, order === "ascending" ? 1 : -1)) : original;
        body.append(...rows);
        say(order ? `sorted by ${button.textContent}, ${order}` : "in the report's order");
      });
    });
  };

  const filterable = (holder, table, status) => {
    const rows = [...table.tBodies[0].rows];
    const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
    const words = make("input", { type: "search", placeholder: "words in a row", autocomplete: "off" });
    const bar = make("div", { class: "filter", role: "search" }, make("label", {}, "Filter ", words));
    const choices = [];
    for (const name of ["runtime", "precision", "scenario", "batch", "threads"]) {
      const column = names.indexOf(name);
      const values = column < 0 ? [] : [...new Set(rows.map((row) => row.cells[column].textContent))];
      if (values.length < 2) continue;
      const select = make("select", {}, make("option", { value: "" }, "all"), ...values.map((v) => make("option", {}, v)));
      choices.push([column, select]);
      bar.append(make("label", {}, `${name} `, select));
    }
    bar.append(status);
    const apply = () => {
      const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const text = [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase();
        const keep =
          wanted.every((word) => text.includes(word)) &&
          choices.every(([column, select]) => !select.value || row.cells[column].textContent === select.value);
        row.hidden = !keep;
        shown += keep;
      }
      status.textContent = `${shown} of ${rows.length} rows`;
    };
    bar.addEventListener("input", apply);
    holder.prepend(bar);
    apply();
  };

  for (const holder of document.querySelectorAll(".table")) {
    const table = holder.querySelector("table");
    const status = make("span", { class: "status", role: "status" });
    if (table.tBodies[0].rows.length < 2) continue;
    if (holder.hasAttribute("data-filtered")) filterable(holder, table, status);
    else holder.append(make("div", { class: "unseen" }, status));
    sortable(table, (text) => { status.textContent = text; });
  }

  // Paper has no summary to open.
  addEventListener("beforeprint", () => { for (const part of document.querySelectorAll("details")) part.open = true; });
})();
