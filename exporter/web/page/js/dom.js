// Builds elements. Text only ever becomes text nodes and attribute values, never markup, so
// nothing that a label, an annotation or a table name holds can run.

// h('p', {class: 'x', onclick: f}, 'text', element, [more])
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(element, child);
    else element.append(child instanceof Node ? child : String(child));
  }
}

export function replace(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

// A link, or null unless it leads to the web or to this page: an annotation may hold
// "javascript:...".
export function link(url, ...children) {
  if (!/^(https?:\/\/|#|\/(?!\/))/i.test(url ?? '')) return null;
  const away = /^https?:/i.test(url);
  return h('a', {href: url, rel: away ? 'noreferrer noopener' : null, target: away ? '_blank' : null},
           ...children);
}

// Sets the text of an element, and touches the page only if it is another.
export function setText(element, text) {
  if (element.text_ === text) return;
  element.text_ = text;
  element.textContent = text;
}

// Whether an element is on the screen, or within half a screen of it.
export function isNear(element) {
  const {top, bottom} = element.getBoundingClientRect();
  return bottom > -innerHeight / 2 && top < innerHeight * 1.5;
}

// Rebuilds the children of `parent` for `items`, keeping the elements of those that stay:
// make(item) builds one, update(element, item) brings it up to date.
export function reconcile(parent, items, key, make, update) {
  const old = new Map([...parent.children].map(child => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const id = key(item);
    let element = old.get(id);
    if (element) old.delete(id);
    else {
      element = make(item);
      element.dataset.key = id;
    }
    update(element, item);
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
  for (const element of old.values()) element.remove();
}
