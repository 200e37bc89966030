/**
 * Keeps a page up to date while there is something to follow: fetches it again and swaps <main>, keeping the place, the focus and
 * what was unfolded. `data-refresh` on <main> gives the pause in milliseconds; a page without it is final.
 */
export const liveScript = `
(() => {
  const say = (text) => {
    const status = document.getElementById('live');
    if (status && status.textContent !== text) status.textContent = text;
  };
  const swap = (old, fresh) => {
    for (const open of old.querySelectorAll('details[open][id]')) fresh.querySelector('#' + CSS.escape(open.id))?.setAttribute('open', '');
    if (old.outerHTML === fresh.outerHTML) return;
    const focused = old.contains(document.activeElement) ? document.activeElement.id : '';
    const place = window.scrollY;
    old.replaceWith(document.adoptNode(fresh));
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    window.scrollTo({ top: place, behavior: 'instant' });
  };
  const refresh = async () => {
    let pause = document.querySelector('main').dataset.refresh;
    try {
      const answer = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(10000) });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      pause = page.querySelector('main').dataset.refresh;
      for (const part of ['header', 'main']) swap(document.querySelector(part), page.querySelector(part));
      document.title = page.title;
      say(page.getElementById('live')?.textContent ?? '');
    } catch {
      say('No answer: what you see is what was last known. Trying again.');
    }
    if (pause) setTimeout(refresh, Number(pause));
  };
  const pause = document.querySelector('main').dataset.refresh;
  if (pause) setTimeout(refresh, Number(pause));
})();
`;
