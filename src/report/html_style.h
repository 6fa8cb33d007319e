// The style of the HTML report. Inside of report/.
#pragma once

namespace cnplay::report {

// Colours are of at least 4.5:1 on their ground, in both schemes (tests/report/browser_test.py).
// No colour says what words do not say.
inline constexpr char kStyle[] = R"css(
:root {
  color-scheme: light dark;
  --ground: #ffffff; --block: #f4f4f2; --line: #cfcfca; --ink: #1b1b1a; --dim: #5d5d59;
  --good: #1b6632; --change: #7f5300; --info: #0b5884; --bad: #b0231b; --all: #6b6b66;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --ground: #17191c; --block: #212429; --line: #454a52; --ink: #e8e8e6; --dim: #aaaaa5;
    --good: #74d190; --change: #e8b854; --info: #80c6f2; --bad: #ff9088; --all: #a0a09a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1rem; max-width: 76rem; background: var(--ground); color: var(--ink);
  font: 15px/1.45 system-ui, "DejaVu Sans", sans-serif; overflow-wrap: anywhere;
}
h1 { font-size: 1.7rem; line-height: 1.2; margin: .2rem 0; }
h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; border-bottom: 2px solid var(--line); }
h3 { font-size: 1rem; margin: 1rem 0 .3rem; }
h4 { font-size: .85rem; margin: .6rem 0 .2rem; color: var(--dim); font-weight: 600; }
p { margin: .4rem 0; }
a { color: inherit; }
small, .dim, .cut { color: var(--dim); }
small { font-weight: 400; }
.cut { font-style: italic; }
.good { color: var(--good); }
.change { color: inherit; }
td.change { color: var(--change); }
.info { color: var(--info); }
.bad { color: var(--bad); }
.verdict { padding: .4rem .8rem; border-left: .5rem solid; background: var(--block); }
.verdict p { color: var(--ink); }
.verdict p.result { font-size: 1.2rem; color: inherit; }
.result strong { text-transform: uppercase; letter-spacing: .03em; }
.verdict p.remains, .hold { color: var(--bad); }
.advice, .said { white-space: pre-line; }
.said { width: 100%; }
.figure { font-size: 1.1rem; }
nav a { margin-right: 1rem; }
dl { display: grid; grid-template-columns: repeat(2, max-content 1fr); gap: .15rem 1rem; margin: 1rem 0; }
dt { color: var(--dim); }
dd { margin: 0; }
pre {
  margin: .2rem 0; padding: .5rem .7rem; background: var(--block); border: 1px solid var(--line);
  font: 12.5px/1.4 ui-monospace, "DejaVu Sans Mono", monospace; white-space: pre-wrap; tab-size: 8;
}
summary { color: var(--dim); cursor: pointer; padding: .2rem 0; }
ins { color: var(--good); text-decoration: none; }
del { color: var(--bad); text-decoration: none; }
.failure { border-left: .25rem solid var(--bad); padding-left: .8rem; margin: 1rem 0; }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .2rem .5rem; border-bottom: 1px solid var(--line); }
thead th, .dim th { color: var(--dim); font-weight: 600; }
thead th { overflow-wrap: normal; }
tbody th { font-weight: 400; min-width: 10rem; }
.sums th, .sums td { font-weight: 600; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.timeline .step th, .timeline .phase th { font-weight: 600; }
.timeline .phase { background: var(--block); }
.timeline .host { padding-left: 1.6rem; }
.on { font-weight: 400; }
.bar { width: 34%; min-width: 8rem; }
svg { display: block; width: 100%; height: 18px; overflow: hidden; }
svg text { fill: var(--dim); font-size: 11px; }
rect.expect { fill: none; stroke: var(--dim); stroke-width: 1px; stroke-dasharray: 3 2; }
rect.run { fill: currentColor; stroke: currentColor; stroke-width: 1.5px; }
rect.open { fill-opacity: .35; }
rect.good { color: var(--good); }
rect.change { color: var(--change); }
rect.info { color: var(--info); }
rect.bad { color: var(--bad); }
rect.all { color: var(--all); }
footer { margin-top: 2rem; color: var(--dim); }
@media screen {
  pre { max-height: 40rem; overflow-y: auto; }
}
@media screen and (max-width: 760px) {
  thead { display: none; }
  tr { display: flex; flex-wrap: wrap; gap: 0 .8rem; border-bottom: 1px solid var(--line); padding: .3rem 0; }
  th, td { border: 0; padding: 0; }
  th[scope] { flex: 1 0 100%; min-width: 0; }
  td.number { flex: 0 0 1.6rem; }
  td.number + th { flex: 1 0 calc(100% - 3rem); }
  td[data-label]:not(:empty)::before { content: attr(data-label) " "; color: var(--dim); font-weight: 400; }
  td:empty, th:empty, td.none { display: none; }
  .n { text-align: left; white-space: normal; }
  .timeline .host { padding-left: 1rem; }
  .bar { flex: 1 0 100%; min-width: 0; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .4rem; }
}
@media print {
  :root { color-scheme: light; font-size: 9pt; }
  body { max-width: none; padding: 0; font-size: 9pt; line-height: 1.3; }
  h1 { font-size: 15pt; }
  h2 { font-size: 11pt; margin: .8rem 0 .2rem; border-bottom-width: 1px; }
  h3 { font-size: 9.5pt; margin: .5rem 0 .2rem; }
  .verdict p.result { font-size: 11pt; }
  .figure { font-size: inherit; }
  dl { margin: .4rem 0; gap: 0 1rem; }
  th, td { padding: .5pt 4pt; }
  svg { height: 16px; }
  nav { display: none; }
  a { text-decoration: none; }
  pre { font-size: 7.5pt; padding: .2rem .5rem; }
  footer { margin-top: .8rem; }
  h2, h3, h4 { break-after: avoid; }
  tr, .verdict { break-inside: avoid; }
  .bar { width: 24%; min-width: 0; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
@page { size: A4; margin: 12mm; }
)css";

}  // namespace cnplay::report
