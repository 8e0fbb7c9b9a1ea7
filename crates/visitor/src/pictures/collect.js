// What a person could find on the page, and where it stands.
(() => {
  const short = (text, length) => (text || '').replace(/\s+/g, ' ').trim().slice(0, length);
  const plain = (text) => text.replace(/[0-9]/g, '#');
  const seen = (element) => {
    const box = element.getBoundingClientRect();
    const checks = { opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true };
    return box.width >= 2 && box.height >= 2 && box.right > 0 && box.bottom + scrollY > 0 &&
      box.left < document.documentElement.scrollWidth &&
      (!element.checkVisibility || element.checkVisibility(checks));
  };
  const area = (element) => {
    const box = element.getBoundingClientRect();
    return { x: box.x + scrollX, y: box.y + scrollY, width: box.width, height: box.height };
  };
  const formName = (element) => {
    const form = element.form || element.closest('form');
    if (!form) return null;
    const action = form.getAttribute('action') || '';
    let path = '';
    try { path = new URL(action, location.href).pathname; } catch { path = ''; }
    return short(form.getAttribute('id') || form.getAttribute('name') || path, 80);
  };
  const sells = ['place_order', 'single_add_to_cart_button', 'add_to_cart_button', 'checkout-button',
    'wc-block-cart__submit-button', 'wc-block-components-checkout-place-order-button'];
  const controls = {};
  const keep = (key, element) => {
    const name = short(plain(key), 160);
    if (Object.keys(controls).length < 150) controls[name] = controls[name] === true || seen(element);
  };
  const many = 'input:not([type=hidden]),select,textarea,button,[role=button],a[class]';
  for (const element of [...document.querySelectorAll(many)].slice(0, 600)) {
    const type = (element.getAttribute('type') || '').toLowerCase();
    const tag = element.tagName.toLowerCase();
    const names = [element.id, element.getAttribute('name'), ...element.classList];
    const selling = sells.find((name) => names.includes(name));
    const label = short(element.id || element.getAttribute('name') || element.getAttribute('aria-label') ||
      element.textContent || element.value, 60);
    if (selling) keep(`sells:${selling}`, element);
    else if (tag === 'a') continue;
    else if (tag === 'button' || element.getAttribute('role') === 'button' ||
      ['submit', 'image', 'button', 'reset'].includes(type)) {
      const form = formName(element);
      const sends = form !== null && (type === 'submit' || type === 'image' || (tag === 'button' && type === ''));
      keep(sends ? `submit:${form}` : `button:${label}`, element);
    } else {
      const form = formName(element);
      const name = element.getAttribute('name');
      if (form !== null && name) keep(`field:${form} ${short(name, 60)}`, element);
    }
  }
  const anchors = [];
  const counts = {};
  const telling = 'h1,h2,h3,h4,p,img,form,nav,main,article,header,footer,aside,blockquote,table,ul';
  for (const element of [...document.querySelectorAll(telling)].slice(0, 1500)) {
    if (anchors.length >= 150) break;
    if (!seen(element)) continue;
    const tag = element.tagName.toLowerCase();
    const isText = /^(h[1-4]|p|blockquote)$/.test(tag);
    const text = isText ? short(plain(element.textContent), 60) : '';
    if (isText && text.length < 2) continue;
    const source = tag === 'img' ? short((element.getAttribute('src') || '').split('?')[0].split('/').pop(), 60) : '';
    const name = isText || tag === 'img' ? '' : short(plain(element.id || element.className?.toString() || ''), 60);
    const key = `${tag}|${name}|${text}|${source}`;
    counts[key] = (counts[key] || 0) + 1;
    anchors.push({ key: `${key}|${counts[key]}`, ...area(element) });
  }
  const overlays = [];
  const whole = (document.body?.innerText || '').length;
  for (const element of [...document.querySelectorAll('body *')].slice(0, 6000)) {
    if (overlays.length >= 10) break;
    if (getComputedStyle(element).position !== 'fixed' || !seen(element)) continue;
    const box = area(element);
    const holdsThePage = whole > 200 && (element.innerText || '').length > whole / 2;
    if (box.width * box.height >= 1000 && !holdsThePage) overlays.push(box);
  }
  // Whether something lies over all that a visitor could use in the window. What is in a frame or
  // a component of its own nobody can tell here, and what has the pointer of a link is taken for one.
  const usable = 'a[href],button,input:not([type=hidden]),select,textarea,summary,[role=button],[role=link],[onclick],iframe';
  const middle = (element) => {
    const box = element.getClientRects()[0];
    const at = box && [box.x + box.width / 2, box.y + box.height / 2];
    return at && at[0] > 0 && at[1] > 0 && at[0] < innerWidth && at[1] < innerHeight ? at : null;
  };
  const isReached = (element) => {
    const at = middle(element);
    const top = at && document.elementFromPoint(...at);
    return Boolean(top) && element.contains(top);
  };
  const invites = (element) => element.matches(usable) || element.shadowRoot !== null ||
    getComputedStyle(element).cursor === 'pointer';
  const everything = [...document.querySelectorAll('body *')];
  const some = everything.length > 6000 ? [...everything.slice(0, 3000), ...everything.slice(-3000)] : everything;
  const shut = some.some((element) => element.matches(usable) && seen(element) && middle(element) !== null) &&
    !some.some((element) => invites(element) && isReached(element));
  const root = document.documentElement;
  return JSON.stringify({
    controls, anchors, overlays, shut,
    height: Math.max(root.scrollHeight, document.body ? document.body.scrollHeight : 0),
  });
})()
