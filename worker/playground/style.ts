/** The playground's look, in light and dark. */
export const style = `
:root { --ink: light-dark(#17202a, #e8edf2); --soft: light-dark(#5b6875, #97a4b1); --line: light-dark(#dde3e9, #2b3540);
  --card: light-dark(#fff, #182029); --ground: light-dark(#f4f6f8, #10161c); --accent: light-dark(#2557d6, #86aaff);
  --yes: light-dark(#0d7a4c, #52d69c); --no: light-dark(#b3372b, #ff8d80); color-scheme: light dark; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0 auto; padding: 1.5rem; max-width: 76rem; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; align-items: baseline; margin-bottom: 1rem; }
h1 { margin: 0; font-size: 1.4rem; } h1 span { color: var(--accent); letter-spacing: -.1em; }
h2 { margin: 0 0 .75rem; font-size: 1rem; } p { margin: 0 0 .75rem; } header p { margin: 0; color: var(--soft); }
main { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); align-items: start; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1.1rem; }
#drop { display: grid; place-items: center; height: 17rem; border: 2px dashed var(--line); border-radius: 10px; cursor: pointer;
  color: var(--soft); text-align: center; overflow: hidden; padding: .5rem; }
#drop.over { border-color: var(--accent); } #file { position: absolute; opacity: 0; width: 1px; height: 1px; }
#preview { max-width: 100%; max-height: 15.5rem; border-radius: 6px; }
form { display: flex; gap: .5rem; align-items: end; margin-top: .9rem; } form label { flex: 1; color: var(--soft); }
input, select, button { font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line);
  border-radius: 8px; padding: .4rem .7rem; } form input { width: 100%; color: var(--ink); }
button { cursor: pointer; } form button { background: var(--accent); border-color: var(--accent); color: var(--card); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
ol, ul { list-style: none; margin: 0 0 .9rem; padding: 0; }
li { display: flex; gap: .6rem; align-items: center; justify-content: space-between; padding: .45rem 0;
  border-bottom: 1px solid var(--line); } li div { min-width: 0; } li strong { overflow-wrap: anywhere; }
small { display: block; color: var(--soft); font-variant-numeric: tabular-nums; }
.mark { flex: none; font-weight: 600; color: var(--soft); } .match .mark, .yes { color: var(--yes); } .no { color: var(--no); }
#decision { font-size: 1.15rem; font-weight: 600; } .row { display: flex; gap: .6rem; align-items: center; color: var(--soft); }
#subjects { max-height: 22rem; overflow: auto; margin-top: .5rem; } #error { color: var(--no); margin-top: 1rem; }
`;
