// What is shown, made of elements and text alone: no text is ever read as markup.

/** Return an element; attributes that are null or false are left out, children may be nested. */
export function h(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value !== null && value !== undefined && value !== false) {
      node.setAttribute(name, value === true ? "" : String(value));
    }
  }
  node.append(...children.flat(Infinity).filter(isThere));
  return node;
}

/**
 * Have `parent` show these children, changing only what differs: so the focus, what is selected and
 * what was opened stay. Children with a `data-key` are known again by it, wherever they go.
 */
export function show(parent, ...children) {
  const focused = document.activeElement;
  const wanted = h("div", null, children);
  patchChildren(parent, [...wanted.childNodes]);
  if (focused !== document.activeElement && focused?.isConnected) {
    focused.focus({ preventScroll: true });
  }
}

function patchChildren(parent, wanted) {
  const keyed = new Map();
  for (const child of parent.children) {
    if (child.dataset.key) keyed.set(child.dataset.key, child);
  }
  let at = parent.firstChild;
  for (const node of wanted) {
    const key = node.dataset?.key;
    const known = key ? keyed.get(key) : at?.dataset?.key ? null : at;
    if (!known || !isAlike(known, node)) {
      parent.insertBefore(node, at);
      continue;
    }
    // Should two have the same key, none may take the other's place.
    if (key) keyed.delete(key);
    if (known === at) at = at.nextSibling;
    else parent.insertBefore(known, at);
    patch(known, node);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function patch(known, node) {
  if (known.nodeType === Node.TEXT_NODE) {
    if (known.data !== node.data) known.data = node.data;
    return;
  }
  for (const name of known.getAttributeNames()) {
    // Whether details are open is up to whoever reads them.
    if (name !== "open" && !node.hasAttribute(name)) known.removeAttribute(name);
  }
  for (const name of node.getAttributeNames()) {
    const value = node.getAttribute(name);
    if (name !== "open" && known.getAttribute(name) !== value) known.setAttribute(name, value);
  }
  patchChildren(known, [...node.childNodes]);
}

function isAlike(known, node) {
  return known.nodeName === node.nodeName && known.dataset?.key === node.dataset?.key;
}

function isThere(child) {
  return child !== null && child !== undefined && child !== false && child !== "";
}
