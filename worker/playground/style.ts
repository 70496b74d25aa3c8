/** The playground's look, in light and dark. */
export const style = `
:root { --ink: light-dark(#17202a, #e8edf2); --soft: light-dark(#566371, #9aa7b4); --line: light-dark(#dde3e9, #2b3540);
  --card: light-dark(#fff, #182029); --ground: light-dark(#f4f6f8, #10161c); --accent: light-dark(#2557d6, #86aaff);
  --yes: light-dark(#0b6e44, #52d69c); --no: light-dark(#b3372b, #ff8d80); --edge: light-dark(#7d8894, #6c7a87);
  color-scheme: light dark; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0 auto; padding: clamp(.75rem, 3vw, 1.5rem); max-width: 80rem; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; align-items: baseline; margin-bottom: 1rem; }
h1 { margin: 0; font-size: 1.4rem; } h1 span { color: var(--accent); letter-spacing: -.1em; }
h2 { margin: 0 0 .75rem; font-size: 1rem; } p { margin: 0 0 .75rem; }
header p, #meaning, #map-note, #gallery-note, small, figcaption, label { color: var(--soft); }
header p { margin: 0; flex: 1 1 18rem; } header a { color: var(--accent); }
main { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); }
section { min-width: 0; background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1.1rem; }
@media (min-width: 46rem) { .broad { grid-column: span 2; } }
#drop { display: grid; place-items: center; min-height: 13rem; border: 2px dashed var(--edge); border-radius: 10px;
  cursor: pointer; text-align: center; overflow: hidden; padding: .5rem; margin-bottom: .6rem; position: relative; }
#drop.over { border-color: var(--accent); } #file { position: absolute; opacity: 0; width: 1px; height: 1px; }
#preview { max-width: 100%; max-height: 15rem; border-radius: 6px; }
figure { display: flex; gap: .8rem; align-items: center; margin: .9rem 0 0; font-size: .9rem; }
#network-input { width: 5rem; min-width: 5rem; image-rendering: pixelated; border: 1px solid var(--line); border-radius: 4px; }
form { display: flex; gap: .5rem; align-items: end; margin-top: .9rem; } form label { flex: 1; min-width: 0; }
input, select, button { font: inherit; color: var(--ink); background: var(--ground); border: 1px solid var(--edge);
  border-radius: 8px; padding: .4rem .7rem; } form input { width: 100%; } select { max-width: 100%; min-width: 0; }
button { cursor: pointer; } button:hover { border-color: var(--ink); }
.primary { background: var(--accent); border-color: var(--accent); color: var(--card); }
:focus-visible, #drop:focus-within { outline: 3px solid var(--accent); outline-offset: 2px; }
ol, ul { list-style: none; margin: 0 0 .9rem; padding: 0; }
li { display: flex; gap: .6rem; align-items: center; padding: .45rem 0; border-bottom: 1px solid var(--line); }
li div { flex: 1; min-width: 0; } li strong { overflow-wrap: anywhere; }
small { display: block; font-variant-numeric: tabular-nums; } li button { padding: .2rem .6rem; font-size: .9rem; }
.rank { flex: none; width: 1.4rem; height: 1.4rem; border-radius: 50%; border: 1px solid var(--edge); text-align: center;
  font-size: .8rem; line-height: 1.3rem; } .match .rank { border-color: var(--yes); }
.thumbnail { flex: none; width: 3rem; height: 3rem; object-fit: cover; border-radius: 6px; }
.mark { flex: none; font-weight: 600; color: var(--soft); } .match .mark, #decision.match { color: var(--yes); }
#decision { font-size: 1.15rem; font-weight: 600; margin-bottom: .25rem; overflow-wrap: anywhere; }
#decision.no_match { color: var(--no); } .row { display: flex; gap: .6rem; align-items: center; margin-bottom: .5rem; }
#subjects { max-height: 22rem; overflow: auto; } .wide { display: block; }
#threshold { display: block; width: 100%; padding: 0; margin: .3rem 0 .6rem; accent-color: var(--accent); }
#rates { display: flex; flex-wrap: wrap; gap: .5rem; } #rates button { padding: .15rem .6rem; font-size: .9rem; }
dl { margin: .8rem 0; font-size: .95rem; } dd { margin: 0 0 .4rem; font-variant-numeric: tabular-nums; }
dt, dd { color: var(--soft); } dd strong { color: var(--ink); }
.fmr-key::before, .fnmr-key::before { content: ""; display: inline-block; margin-right: .4rem; vertical-align: middle; }
.fmr-key::before { width: .9rem; height: 3px; background: var(--accent); }
.fnmr-key::before { width: .6rem; height: .6rem; border-radius: 50%; background: var(--no); margin-inline: .15rem .55rem; }
svg { display: block; width: 100%; } #scale { height: 16.5rem; } #map { height: clamp(18rem, 40vw, 27rem); } svg text { fill: var(--soft); font-size: 12px; }
.grid { stroke: var(--line); } .within { fill: var(--yes); opacity: .14; } .threshold { stroke: var(--yes); stroke-width: 2; }
.fmr { fill: none; stroke: var(--accent); stroke-width: 2.5; } .fnmr { stroke: var(--no); fill: var(--no); stroke-width: 2; }
.point { fill: var(--accent); opacity: .55; } .badge circle { fill: var(--card); stroke: var(--edge); stroke-width: 1.5; }
.badge.match circle { stroke: var(--yes); } svg .badge text { fill: var(--ink); font-size: 11px; }
.photo path { stroke: var(--no); stroke-width: 3; } svg .photo text { fill: var(--ink); }
dialog { border: 1px solid var(--edge); border-radius: 14px; background: var(--card); color: var(--ink); max-width: 95vw; }
dialog::backdrop { background: #0009; } video { display: block; width: 40rem; max-width: 100%; margin-bottom: .8rem; }
#view { position: relative; } #overlay { position: absolute; inset: 0; width: 100%; height: 100%; color: var(--yes); }
#aligned { width: 5rem; height: 5rem; border-radius: 6px; background: var(--ground); } #enrol { flex-wrap: wrap; } #enrol > label:first-child { flex-basis: 12rem; }
.consent { flex: 1 0 100%; display: flex; gap: .5rem; align-items: start; font-size: .9rem; } .consent input { width: auto; }
#error { position: fixed; inset: auto .75rem .75rem; margin: auto; max-width: 44rem; display: flex; gap: 1rem;
  align-items: center; justify-content: space-between; padding: .7rem 1rem; border: 2px solid var(--no); border-radius: 10px;
  background: var(--card); } #error p { margin: 0; overflow-wrap: anywhere; }
`;
