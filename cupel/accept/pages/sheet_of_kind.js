// Labels of a kind: several choices, kept as a JSON list of them, or a text that is written.
function chosen() {
  try { const found = JSON.parse(answers[rows[here].code]); return Array.isArray(found) ? found : []; }
  catch (error) { return []; }
}
try {
  const kept = JSON.parse(localStorage.getItem(store) || "{}");
  for (const row of rows) if (typeof kept[row.code] === "string") answers[row.code] = kept[row.code];
  const open = rows.findIndex((row) => !(row.code in answers));
  here = open < 0 ? 0 : open;
} catch (error) { canStore = false; }
function settle(text) {
  if (text === "") delete answers[rows[here].code]; else answers[rows[here].code] = text;
  keep();
  show();
}
function answer(label) {
  if (label === CANNOT) { answers[rows[here].code] = CANNOT; keep(); return go(nextOpen()); }
  if (!data.is_multiple) { settle(JSON.stringify([label])); return go(nextOpen()); }
  const before = chosen();
  const isAlone = (one) => data.alone.includes(one);
  const kept = isAlone(label) ? before.filter((one) => one === label) : before.filter((one) => !isAlone(one));
  const after = kept.includes(label) ? kept.filter((one) => one !== label) : [...kept, label];
  settle(after.length ? JSON.stringify(classes.filter((one) => after.includes(one))) : "");
}
function showChoices(row) {
  const box = $("choices"), wanted = $("filter").value.trim().toLowerCase(), now = chosen();
  box.replaceChildren();
  classes.forEach((label, index) => {
    if (wanted && !label.toLowerCase().includes(wanted)) return;
    const button = element("button", undefined, now.includes(label) ? "chosen" : "");
    button.setAttribute("aria-pressed", now.includes(label));
    if (index < 9) button.append(element("kbd", String(index + 1)));
    button.append(label);
    button.onclick = () => answer(label);
    box.append(button);
  });
  if (!classes.length) {
    const written = element("input");
    written.type = "search"; written.placeholder = "Write the label, Enter keeps it"; written.setAttribute("aria-label", "Label");
    written.value = answers[row.code] === CANNOT ? "" : answers[row.code] || "";
    written.onchange = () => { const text = written.value.trim(); settle(text); if (text) go(nextOpen()); };
    box.append(written);
  }
  const cannot = element("button", undefined, "cannot" + (answers[row.code] === CANNOT ? " chosen" : ""));
  cannot.append(element("kbd", "0"), CANNOT);
  cannot.onclick = () => answer(CANNOT);
  box.append(cannot);
}
// Digits and letters that are written are no keys of the page.
document.addEventListener("keydown", (event) => { if (event.target.matches("#choices input")) event.stopImmediatePropagation(); }, true);
