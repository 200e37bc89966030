/** The one style sheet of reports and pages: light, dark, narrow, printed. It stands inside of each page, so that a report is one file. */
export const style = `
:root {
  color-scheme: light dark;
  --ink: #17212b; --soft: #55636f; --line: #dde4ea; --paper: #fff; --panel: #f6f8fa; --link: #1f5fa8;
  --good: #0d7049; --good-bg: #e2f3ea; --warn: #875300; --warn-bg: #fcf0d9; --bad: #b0241c; --bad-bg: #fdeae8; --calm: #2a5d99; --calm-bg: #e7f0fa;
  --machine: #2f6fb5; --retries: #8d6bb8; --people: #d08f1f; --budget: #e4eaef; --mark: #17212b;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6ecf1; --soft: #9dabb7; --line: #2c3843; --paper: #11171d; --panel: #182028; --link: #83b7ef;
    --good: #62d3a4; --good-bg: #10342a; --warn: #efbd66; --warn-bg: #38290e; --bad: #ff938a; --bad-bg: #40191a; --calm: #8dbcf0; --calm-bg: #15293f;
    --machine: #5f9fe0; --retries: #b597dd; --people: #e4b04f; --budget: #27323c; --mark: #e6ecf1;
  }
}
* { box-sizing: border-box; margin: 0; }
html { -webkit-text-size-adjust: 100%; }
body { font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; color: var(--ink); background: var(--paper); max-width: 66rem; margin: 0 auto; padding: 1.25rem clamp(1rem, 4vw, 2rem) 4rem; font-variant-numeric: tabular-nums; overflow-wrap: break-word; }
a { color: var(--link); text-underline-offset: .15em; text-decoration-thickness: from-font; }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: .2rem; }
code, pre { font-family: var(--mono); font-size: .86em; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; background: var(--panel); border: 1px solid var(--line); border-radius: .4rem; padding: .7rem .9rem; line-height: 1.5; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.soft { color: var(--soft); }
.lines { white-space: pre-line; }
.whole { white-space: nowrap; }
.name::first-letter { text-transform: uppercase; }

.top { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; align-items: baseline; justify-content: space-between; font-size: .875rem; color: var(--soft); padding-bottom: .9rem; border-bottom: 1px solid var(--line); }
.top b { color: var(--ink); font-weight: 650; letter-spacing: .01em; }
.top nav { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; }

.verdict { display: grid; grid-template-columns: auto 1fr; gap: 0 1.25rem; align-items: center; margin: 2rem 0 1.6rem; }
.seal { width: 4rem; height: 4rem; }
.seal circle { fill: var(--tone-bg); stroke: var(--tone); }
.seal path { stroke: var(--tone); fill: none; stroke-width: 4; stroke-linecap: round; stroke-linejoin: round; }
.words { display: flex; flex-wrap: wrap; gap: .3rem .5rem; align-items: center; margin-bottom: .3rem; }
.pill { display: inline-block; font-size: .78rem; font-weight: 650; line-height: 1.4; color: var(--tone); background: var(--tone-bg); padding: .15rem .6rem; border-radius: 1rem; }
.pill.word { font-weight: 750; letter-spacing: .07em; }
.good { --tone: var(--good); --tone-bg: var(--good-bg); } .warn { --tone: var(--warn); --tone-bg: var(--warn-bg); }
.bad { --tone: var(--bad); --tone-bg: var(--bad-bg); } .calm { --tone: var(--calm); --tone-bg: var(--calm-bg); }
h1 { font-size: clamp(1.5rem, 1.1rem + 2vw, 2.15rem); font-weight: 680; letter-spacing: -.018em; line-height: 1.18; text-wrap: balance; }
.sub { grid-column: 2; color: var(--soft); margin-top: .45rem; }
.sub span:not(:last-child)::after { content: "·"; margin: 0 .5em; }

h1.page { margin: 2rem 0 1.4rem; }

.failure { border: 1px solid var(--tone); border-left-width: 5px; background: var(--tone-bg); border-radius: .5rem; padding: 1.1rem 1.3rem; margin: 0 0 1.25rem; }
.failure h2 { font-size: 1.15rem; color: var(--tone); margin-bottom: .3rem; }
.failure p + p { margin-top: .6rem; }
.failure .means { font-weight: 400; color: var(--ink); }

.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr)); gap: 1rem; }
.cards.few { grid-template-columns: repeat(auto-fill, minmax(min(21rem, 100%), 1fr)); }
.card h2 + .big .glyph { font-size: 1.25rem; }
.card { background: var(--panel); border: 1px solid var(--line); border-radius: .7rem; padding: 1.1rem 1.25rem 1.15rem; display: flex; flex-direction: column; }
.card h2 { font-size: .875rem; font-weight: 600; color: var(--soft); }
.big { font-size: 2.2rem; font-weight: 660; letter-spacing: -.025em; line-height: 1.25; color: var(--ink); }
.big.words-only { font-size: 1.5rem; line-height: 2.75rem; letter-spacing: -.015em; }
.big small { display: block; font-size: 1rem; line-height: 1.4; font-weight: 400; color: var(--soft); letter-spacing: 0; }
.over { color: var(--bad); font-weight: 600; font-size: .9rem; }
.kept { font-size: .9rem; }
.kept + .how, .over + .how { margin-top: .35rem; }
.bar { display: block; width: 100%; height: .5rem; margin: .45rem 0 .6rem; border-radius: .25rem; overflow: hidden; background: var(--budget); }
.bar rect { fill: var(--tone); }
.bar .mark { fill: var(--mark); }
.how { font-size: .86rem; line-height: 1.45; color: var(--soft); }
.how + .how { margin-top: .35rem; }

.say { display: grid; grid-template-columns: max-content 1fr; gap: .55rem 1.1rem; margin: 1.1rem 0 0; padding: 1rem 1.25rem; border: 1px solid var(--line); border-radius: .7rem; }
.say dt { font-weight: 650; } .say dd { margin: 0; } .say ul { padding-left: 1.1rem; }
.say .do { color: var(--ink); font-weight: 600; }

main > section:not(.failure) { margin-top: 2.75rem; }
main > section:not(.failure) > h2 { font-size: 1.2rem; font-weight: 660; letter-spacing: -.01em; margin-bottom: .2rem; }
main > section:not(.failure) > .how { margin-bottom: .8rem; max-width: 46rem; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; font-size: .86rem; color: var(--soft); margin-bottom: .6rem; list-style: none; padding: 0; }
.legend svg { display: inline-block; width: .75rem; height: .75rem; margin-right: .4rem; vertical-align: -1px; border-radius: .15rem; }

.phase { display: grid; grid-template-columns: 9rem 1fr 10.5rem; gap: 0 1rem; align-items: center; padding: .38rem 0; }
.phase .name { font-weight: 600; } .phase .name .soft { font-weight: 400; margin-right: .35em; }
.phase .num { text-align: right; font-size: .92rem; color: var(--soft); }
.phase .note { grid-column: 2 / -1; font-size: .86rem; color: var(--soft); }
.track { display: block; width: 100%; height: 1.05rem; border-radius: .25rem; background: var(--budget); }
.track.none { background: none; border: 1px dashed var(--line); }
.machine { fill: var(--machine); } .allowed { fill: var(--calm); opacity: .55; } .retries { fill: var(--retries); } .people { fill: var(--people); } .mark { fill: var(--mark); }

.glyph { font-weight: 700; color: var(--tone); }

.timeline { font-size: .875rem; line-height: 1.3; }
.row, .axis { display: grid; grid-template-columns: minmax(0, 25rem) 1fr 4.5rem; gap: 0 1rem; align-items: center; }
.axis { color: var(--soft); font-size: .8rem; border-bottom: 1px solid var(--line); padding-bottom: .15rem; margin-bottom: .3rem; }
.axis svg { width: 100%; height: 1.2rem; overflow: visible; display: block; }
.axis text { fill: var(--soft); font-size: .8rem; }
.row { min-height: 1.55rem; }
.row a { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; color: inherit; text-decoration: none; }
.row a:hover { text-decoration: underline; }
.row .num { text-align: right; color: var(--soft); white-space: nowrap; }
.row svg { width: 100%; height: 1.55rem; display: block; overflow: visible; }
.row .grid { stroke: var(--line); shape-rendering: crispEdges; stroke-width: 1; }
.row rect { fill: var(--tone); }
/* However short a step was, it is seen. */
.row .step-bar { stroke: var(--tone); stroke-width: 2; }
.row.head { margin-top: .35rem; font-weight: 650; } .row.head rect { fill: var(--budget); }
.row.head a { padding: 0; } .row a.step { padding-left: .9rem; }

table { width: 100%; border-collapse: collapse; font-size: .94rem; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: .82rem; }
td, th { padding: .5rem .9rem .5rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td:last-child, th:last-child { padding-right: 0; }
.right { text-align: right; white-space: nowrap; }
.time { white-space: nowrap; color: var(--soft); }
tbody .group th { font-size: .98rem; font-weight: 650; color: var(--ink); padding-top: 1.3rem; border-bottom-width: 2px; }
.group .soft { font-weight: 400; font-size: .86rem; margin-left: .6rem; }
.meta { display: block; font-size: .82rem; color: var(--soft); }
.steps .what { width: 34%; }
.steps td p { margin: 0; } .steps td p + p, .steps td details { margin-top: .25rem; }
.steps .aside { font-size: .86rem; color: var(--soft); }
.steps tr:target td { background: var(--calm-bg); }
.steps .why { color: var(--bad); }
.asked + .asked, .asked + h3, p + .asked { margin-top: 1.4rem; }
.asked, main > section > h3 { break-inside: avoid-page; }
h3 { font-size: 1rem; font-weight: 650; } h3 .soft { font-weight: 400; font-size: .92rem; }
.asked > p, .asked > .scroll, .asked > ol, .asked > ul { margin-top: .3rem; } .asked ol, .asked ul { padding-left: 1.3rem; font-size: .94rem; }
.asked .aside { font-size: .86rem; color: var(--soft); } .asked .facts td, .asked .facts th, .failure .facts td, .failure .facts th { padding-block: .2rem; border-bottom: 0; }
.clicks td:first-child { width: 5rem; } .clicks td:nth-child(2) { width: 7rem; } .clicks td:nth-child(4) { width: 12rem; } .clicks .right { width: 5rem; }
.failure pre { margin-top: .6rem; }
details > summary { cursor: pointer; font-size: .86rem; color: var(--link); width: fit-content; }
details pre { margin-top: .4rem; font-size: .8em; }
.facts th { width: 12rem; font-weight: 600; font-size: .88rem; white-space: nowrap; }
.scroll { overflow-x: auto; }
footer { margin-top: 3.5rem; color: var(--soft); font-size: .86rem; border-top: 1px solid var(--line); padding-top: 1rem; }
.notice { border: 1px solid var(--warn); background: var(--warn-bg); border-radius: .5rem; padding: .7rem 1rem; margin: 1rem 0; }
.runs td:nth-child(-n+2) { white-space: nowrap; }
@media (prefers-reduced-motion: no-preference) { .row.going rect.step-bar, .track .going { animation: breathe 2.4s ease-in-out infinite; } }
@keyframes breathe { 50% { opacity: .55; } }

@media (max-width: 44rem) {
  .verdict { grid-template-columns: 1fr; } .seal { width: 3.2rem; height: 3.2rem; margin-bottom: .7rem; } .sub { grid-column: 1; }
  .say { grid-template-columns: 1fr; gap: .1rem; } .say dd:not(:last-child) { margin-bottom: .6rem; }
  .phase { grid-template-columns: 1fr auto; row-gap: .25rem; padding: .5rem 0; } .phase .track { grid-column: 1 / -1; grid-row: 2; } .phase .note { grid-column: 1 / -1; }
  .row, .axis { grid-template-columns: 1fr 4.9rem; gap: 0 .4rem; } .axis span:first-child { display: none; }
  .row > :first-child { grid-column: 1 / -1; } .row a { white-space: normal; } .row a.step { padding-left: 0; } .row svg { height: 1.1rem; } .row:not(.head) { margin-top: .2rem; }
  .row.head > svg, .row.head > .num { display: none; } .row.head { margin-top: .9rem; }
  .runs thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .runs, .runs tbody { display: block; } .runs tr { display: grid; grid-template-columns: 1fr auto; gap: 0 1rem; padding: .8rem 0; border-bottom: 1px solid var(--line); } .runs tbody tr:first-child { border-top: 1px solid var(--line); }
  .runs td { border: 0; padding: .1rem 0; } .runs td.right, .runs td.time { text-align: left; grid-column: 1 / -1; font-size: .88rem; color: var(--soft); } .runs td[data-name]::before { content: attr(data-name) " "; } .runs td:empty { display: none; }
  .runs td:nth-child(n+3):nth-child(-n+4) { font-size: .88rem; color: var(--soft); }
  .steps thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .steps, .steps tbody, .steps tr, .steps td, .steps th { display: block; width: auto; }
  .steps tr { display: grid; grid-template-columns: 1fr auto; padding: .6rem 0; border-bottom: 1px solid var(--line); } .steps td { border: 0; padding: .05rem 0; grid-column: 1 / -1; } .steps .group { padding-bottom: .2rem; } .steps .group th { border: 0; padding: .6rem 0 0; }
  .steps .time, .steps .right { grid-row: 1; font-size: .82rem; color: var(--soft); } .steps .time { grid-column: 1; } .steps .right { grid-column: 2; }
  .clicks thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .clicks, .clicks tbody, .clicks tr, .clicks td { display: block; width: auto !important; }
  .clicks tr { display: grid; grid-template-columns: auto 1fr auto; gap: 0 .7rem; padding: .5rem 0; border-bottom: 1px solid var(--line); }
  .clicks td { border: 0; padding: 0; } .clicks td:nth-child(3), .clicks td:nth-child(4) { grid-column: 1 / -1; grid-row: auto; } .clicks td:nth-child(5) { grid-column: 3; grid-row: 1; } .clicks td:nth-child(4) .meta { display: inline; margin-left: .4rem; }
  .axis text:nth-child(even) { display: none; } .steps td.what { width: auto; font-weight: 600; } .steps .meta { font-weight: 400; }
  .facts th { width: auto; white-space: normal; }
}
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #444; --line: #ccc; --paper: #fff; --panel: #fff; --good: #0d6a45; --warn: #7c4c00; --bad: #a3201a; --calm: #264f80; --good-bg: #fff; --warn-bg: #fff; --bad-bg: #fff; --calm-bg: #fff; --machine: #2f6fb5; --retries: #8d6bb8; --people: #d08f1f; --budget: #e4eaef; --mark: #000; --link: #000; }
  @page { margin: 14mm 13mm; }
  html { font-size: 8.6pt; }
  body { padding: 0; max-width: none; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  .top nav { display: none; } .verdict { margin: 1rem 0; } main > section:not(.failure) { margin-top: 1.6rem; }
  .pill { border: 1px solid var(--tone); }
  .card, .say, .failure, tr, .phase, .row { break-inside: avoid; } tr:has(details) { break-inside: auto; } h2, .group, section > .how { break-after: avoid; }
  .timeline, section:has(> .timeline) { break-inside: avoid; } .row a { white-space: normal; } .steps .what { width: 27%; } td, th { padding-block: .35rem; }
  .cards { grid-template-columns: repeat(3, 1fr); gap: .6rem; } .card { padding: .7rem .8rem; } .big { font-size: 1.8rem; } .big.words-only { font-size: 1.35rem; line-height: 2.25rem; }
  .row { min-height: 1.35rem; } .row svg { height: 1.35rem; }
  details::details-content { content-visibility: visible; display: block; height: auto; } details > summary { color: var(--soft); list-style: none; }
}
`;
