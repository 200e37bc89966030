/** Light, dark and narrow. */
export const style = `
:root {
  color-scheme: light dark;
  --ink: #1d2430; --soft: #5a6573; --line: #dde3ea; --paper: #fff; --panel: #f5f7f9; --link: #1f5fa8; --side: #232f3e; --side-ink: #eef2f6; --side-soft: #a9b6c4;
  --primary: #0d7049; --primary-ink: #fff; --danger: #b0241c; --bad: #b0241c; --mention: #1f5fa8; --mention-bg: #e7f0fa; --only: #fbf7ec;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6ecf1; --soft: #9dabb7; --line: #2c3843; --paper: #11171d; --panel: #1a232c; --link: #83b7ef; --side: #0b1015; --side-ink: #e6ecf1; --side-soft: #8d9aa6;
    --primary: #3cb384; --primary-ink: #07120d; --danger: #ff938a; --bad: #ff938a; --mention: #8dbcf0; --mention-bg: #15293f; --only: #201c12;
  }
}
* { box-sizing: border-box; margin: 0; }
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; color: var(--ink); background: var(--paper); display: grid; grid-template-columns: 15rem 1fr; min-height: 100vh; overflow-wrap: break-word; }
aside { background: var(--side); color: var(--side-ink); padding: 1.1rem 1rem; position: sticky; top: 0; align-self: start; height: 100vh; overflow-y: auto; }
aside h1 { font-size: 1.05rem; font-weight: 680; }
aside .soft { color: var(--side-soft); margin: .2rem 0 1.1rem; }
aside label { font-size: .8rem; color: var(--side-soft); display: block; margin-bottom: .25rem; }
aside select { width: 100%; margin-bottom: 1.2rem; }
aside nav a { display: block; color: var(--side-ink); text-decoration: none; padding: .3rem .6rem; border-radius: .4rem; }
aside nav a[aria-current] { background: #ffffff22; font-weight: 600; }
aside #connection { margin-top: 1.2rem; }
main { padding: 1rem 1.5rem 6.5rem; max-width: 56rem; width: 100%; }
main h2 { font-size: 1.15rem; padding-bottom: .7rem; border-bottom: 1px solid var(--line); margin-bottom: .6rem; }
.soft { color: var(--soft); font-size: .86rem; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.thread { padding: .5rem 0; }
.replies { margin-left: 1rem; padding-left: 1rem; border-left: 2px solid var(--line); }
.message { padding: .55rem .7rem; border-radius: .5rem; scroll-margin-bottom: 6rem; }
.message.only { background: var(--only); }
.message header { display: flex; gap: .5rem; align-items: baseline; flex-wrap: wrap; }
.message time { color: var(--soft); font-size: .8rem; font-variant-numeric: tabular-nums; }
.badge { font-size: .65rem; font-weight: 700; letter-spacing: .04em; color: var(--soft); background: var(--panel); border: 1px solid var(--line); border-radius: .25rem; padding: 0 .3rem; }
.eye { color: var(--soft); font-size: .8rem; }
.body h3 { font-size: 1.08rem; margin: .15rem 0 .3rem; }
.body .section { margin: .25rem 0; }
.fields { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: .45rem 1.2rem; margin: .35rem 0; }
.context { display: flex; flex-wrap: wrap; gap: .15rem .9rem; color: var(--soft); font-size: .84rem; margin: .3rem 0; }
.verbatim { white-space: pre-wrap; }
code { font: .86em ui-monospace, "SF Mono", "DejaVu Sans Mono", Menlo, monospace; background: var(--panel); border: 1px solid var(--line); border-radius: .25rem; padding: 0 .25rem; overflow-wrap: anywhere; }
a { color: var(--link); }
.mention { color: var(--mention); background: var(--mention-bg); border-radius: .25rem; padding: 0 .2rem; }
.mention.everybody { color: var(--bad); }
.actions { display: flex; flex-wrap: wrap; gap: .5rem; margin: .6rem 0 .2rem; }
button { font: inherit; font-weight: 600; font-size: .9rem; padding: .35rem .8rem; border-radius: .4rem; border: 1px solid var(--line); background: var(--paper); color: var(--ink); cursor: pointer; }
button.primary { background: var(--primary); border-color: var(--primary); color: var(--primary-ink); }
button.danger { color: var(--danger); border-color: var(--danger); }
button:disabled { opacity: .6; }
button:focus-visible, input:focus-visible, select:focus-visible, textarea:focus-visible, a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
input, textarea, select { font: inherit; width: 100%; padding: .4rem .6rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--paper); color: var(--ink); }
#say { position: fixed; bottom: 0; left: 15rem; right: 0; padding: .8rem 1.5rem; background: var(--paper); border-top: 1px solid var(--line); display: flex; gap: .6rem; }
#say input { max-width: 46rem; }
#trouble { color: var(--bad); }
.error { color: var(--bad); font-size: .88rem; margin-top: .25rem; }
dialog { border: 1px solid var(--line); border-radius: .7rem; padding: 1.2rem 1.3rem; width: min(32rem, calc(100vw - 2rem)); margin: auto; color: var(--ink); background: var(--paper); max-height: calc(100vh - 3rem); }
dialog::backdrop { background: #0b1015aa; }
dialog h3 { font-size: 1.1rem; margin-bottom: .6rem; }
dialog .actions { justify-content: flex-end; margin-top: 1rem; }
.input { margin: .8rem 0; } .input label { font-weight: 600; display: block; margin-bottom: .25rem; }
@media (max-width: 46rem) { body { display: block; } aside { padding-bottom: .8rem; position: static; height: auto; } aside nav { display: flex; gap: .4rem; } aside .soft { margin-bottom: .6rem; } main { padding: 1rem 1rem 6.5rem; } #say { left: 0; padding: .7rem 1rem; } .replies { margin-left: .2rem; padding-left: .6rem; } }
`;
