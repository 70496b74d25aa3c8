/** The reference's look, in light and dark. */
export const style = `
:root { --ink: light-dark(#17202a, #e8edf2); --soft: light-dark(#5b6875, #97a4b1); --line: light-dark(#dde3e9, #2b3540);
  --card: light-dark(#fff, #182029); --ground: light-dark(#f4f6f8, #10161c); --accent: light-dark(#2557d6, #86aaff);
  --good: light-dark(#0d7a4c, #52d69c); --bad: light-dark(#b3372b, #ff8d80); color-scheme: light dark; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
  display: grid; grid-template-columns: minmax(15rem, 20rem) minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1.25rem; border-right: 1px solid var(--line); }
nav h1 { margin: 0; font-size: 1.3rem; } nav ul { list-style: none; margin: 0; padding: 0; font-size: .85rem; }
nav li { padding: .15rem 0; overflow-wrap: anywhere; } nav b { color: var(--soft); }
main { padding: 1.25rem; max-width: 60rem; }
a { color: var(--accent); text-decoration: none; } a:hover { text-decoration: underline; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1.1rem;
  margin-bottom: 1rem; scroll-margin-top: 1rem; } section:target { border-color: var(--accent); }
h2 { margin: 0 0 .5rem; font-size: 1.1rem; overflow-wrap: anywhere; } h2 b { color: var(--accent); }
h2 .DELETE { color: var(--bad); } h2 .GET { color: var(--good); }
h3 { margin: .9rem 0 .3rem; font-size: .9rem; color: var(--soft); } p { margin: 0 0 .5rem; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; } small { color: var(--soft); font-weight: 400; }
dl { margin: 0; } dt { font-weight: 600; } dd { margin: 0 0 .6rem 1rem; }
.good { color: var(--good); } .bad { color: var(--bad); }
.members { margin: .2rem 0 .4rem; padding-left: 1rem; list-style: none; border-left: 2px solid var(--line); }
.members p, dd p { color: var(--soft); margin: 0; } .members .or { color: var(--soft); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
@media (max-width: 50rem) { body { display: block; } nav { position: static; height: auto; border: 0; } }
`;
