/** Makes the page live: follows the workspace, and sends what is clicked, typed and confirmed. */
export const script = `
(() => {
  const { as, channel } = document.body.dataset;
  const trouble = document.getElementById('trouble');
  const send = async (what, body) => {
    trouble.textContent = '';
    const answer = await fetch('/page/' + what, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ as, ...body }),
    }).catch(() => undefined);
    if (!answer?.ok) trouble.textContent = answer ? await answer.text() : 'The workspace does not answer.';
  };

  const confirming = () => document.querySelector('dialog.confirm[open]') !== null;
  const modal = () => document.querySelector('dialog.modal');

  const showModal = () => {
    const dialog = modal();
    if (dialog && !dialog.open) dialog.showModal();
  };

  const typed = (dialog) => new Map([...dialog.querySelectorAll('[name]')].map((field) => [field.name, field.value]));

  const swapModal = (fresh) => {
    const old = modal();
    const next = fresh.querySelector('dialog.modal');
    if (old?.dataset.hash === next?.dataset.hash && old?.dataset.view === next?.dataset.view) return;
    const kept = old && next && old.dataset.view === next.dataset.view ? typed(old) : new Map();
    old?.close();
    document.getElementById('modal').replaceChildren(...(next ? [document.adoptNode(next)] : []));
    for (const [name, value] of kept) {
      const field = document.querySelector('dialog.modal [name="' + CSS.escape(name) + '"]');
      if (field && value !== '') field.value = value;
    }
    showModal();
  };

  const messages = () => [...document.querySelectorAll('.message')].sort((a, b) => Number(a.dataset.ts) - Number(b.dataset.ts));
  const newest = () => messages().at(-1);
  const showNewest = () => newest()?.scrollIntoView({ block: 'end' });
  const seesNewest = () => (newest()?.getBoundingClientRect().bottom ?? 0) <= window.innerHeight;

  // What waits for an answer comes first: its buttons stand at its end.
  const openAtTheNewest = () => (messages().filter((one) => one.querySelector('[data-click]')).at(-1) ?? newest())?.scrollIntoView({ block: 'end' });

  const refresh = async () => {
    const answer = await fetch(location.href, { cache: 'no-store' }).catch(() => undefined);
    if (!answer?.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
    document.getElementById('connection').textContent = fresh.getElementById('connection').textContent;
    swapModal(fresh);
    if (confirming()) return;
    const old = document.getElementById('messages');
    const next = fresh.getElementById('messages');
    if (old.innerHTML === next.innerHTML) return;
    const follows = seesNewest();
    old.replaceWith(document.adoptNode(next));
    if (follows) showNewest();
  };

  const click = ({ channel, ts, version, block, action }) =>
    send('click', { channel, ts, version: Number(version), block, action });

  document.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (!button) return;
    if ('click' in button.dataset) {
      if (button.dataset.confirm === '') return void click(button.dataset);
      const dialog = document.getElementById(button.dataset.confirm);
      dialog.querySelector('[data-yes]').onclick = () => { dialog.close(); click(button.dataset).then(refresh); };
      dialog.querySelector('[data-deny]').onclick = () => dialog.close();
      dialog.showModal();
    }
    if ('close' in button.dataset) send('close', { view: modal().dataset.view });
  });

  document.addEventListener('submit', (event) => {
    event.preventDefault();
    if (event.target.id === 'say') {
      const line = document.getElementById('line');
      if (line.value.trim() !== '') send('say', { channel, line: line.value });
      line.value = '';
      return;
    }
    const dialog = event.target.closest('dialog.modal');
    const submit = dialog.querySelector('[type=submit]');
    submit.disabled = true;
    send('submit', { view: dialog.dataset.view, values: Object.fromEntries(typed(dialog)) }).then(() => { submit.disabled = false; });
  });

  document.addEventListener('cancel', (event) => {
    if (event.target.matches('dialog.modal')) send('close', { view: event.target.dataset.view });
  }, true);

  document.getElementById('as').addEventListener('change', (event) => {
    location.search = '?as=' + event.target.value + '&channel=' + channel;
  });

  const follow = new EventSource('/page/events');
  let due;
  follow.onmessage = () => { clearTimeout(due); due = setTimeout(refresh, 50); };
  follow.onopen = refresh;
  showModal();
  openAtTheNewest();
})();
`;
