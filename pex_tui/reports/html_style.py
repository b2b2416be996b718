"""Style sheet of the HTML report: light or dark as the reader prefers, nothing to load."""

STYLE = """
:root{color-scheme:light dark;--page:#fbfbfd;--card:#fff;--ink:#1c2230;--dim:#667085;
--line:#e3e7ef;--good:#1f7a4a;--bad:#b4323c;--busy:#3f74c6;--land:#8a63c4;--hold:#c08a1e;
--rail:#eef1f6}
@media(prefers-color-scheme:dark){:root{--page:#12151c;--card:#1a1f29;--ink:#dbe1ec;
--dim:#8f99ad;--line:#2a313f;--good:#7cc79a;--bad:#f07f88;--busy:#6fa0ea;--land:#b596e6;
--hold:#dcb35a;--rail:#202735}}
*{box-sizing:border-box}
body{font:15px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--page);
max-width:64rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}
h1{font-size:1.45rem;margin:0 0 .4rem}h2{font-size:1rem;margin:2.2rem 0 .7rem}
p{margin:.25rem 0}.dim,.tiles span,th{color:var(--dim)}
code,pre{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,monospace}
pre{overflow:auto;background:var(--card);border:1px solid var(--line);border-radius:8px;
padding:.7rem .9rem;margin:.4rem 0 1rem}pre.bad{border-left:3px solid var(--bad)}
.verdict{font-size:.85rem;font-weight:600;border:1px solid;border-radius:99px;
padding:.1rem .65rem;vertical-align:.15em;color:var(--bad)}
.verdict.ok{color:var(--good)}.verdict.open,.verdict.interrupted{color:var(--hold)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(10rem,1fr));gap:.7rem;
margin-top:1.2rem}
.tiles div{background:var(--card);border:1px solid var(--line);border-radius:10px;
padding:.7rem .9rem}
.tiles b{display:block;font-size:1.35rem;font-variant-numeric:tabular-nums}
.tiles span{font-size:.8rem;line-height:1.35;display:block}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
td,th{text-align:left;padding:.35rem .9rem .35rem 0;border-bottom:1px solid var(--line);
vertical-align:top}th{font-weight:500;font-size:.85rem}
td.landed,td.done{color:var(--good)}td.failed,td.conflict{color:var(--bad)}
td.aborted,td.skipped{color:var(--dim)}
.lanes{display:grid;grid-template-columns:max-content minmax(24rem,1fr);gap:.25rem .9rem;
align-items:center;padding-right:2rem}
.lane{position:relative;height:1.15rem;background:var(--rail);border-radius:4px}
.lane i{position:absolute;top:.15rem;bottom:.15rem;border-radius:3px}
.ticks{position:relative;height:1.3rem;font-size:.75rem;color:var(--dim)}
.ticks i{position:absolute;font-style:normal;transform:translateX(-50%);white-space:nowrap}
.ticks i:first-child{transform:none}
i.run{background:var(--busy)}i.start{background:var(--busy);opacity:.45}
i.land{background:var(--land)}i.hold{background:var(--hold)}
i.clash,i.run.failed{background:var(--bad)}
.legend{font-size:.8rem;margin-top:.6rem}
.legend i{display:inline-block;width:.8rem;height:.8rem;border-radius:3px;
vertical-align:-.08em;margin:0 .35rem 0 .9rem}.legend i:first-child{margin-left:0}
ul{margin:.3rem 0;padding-left:1.2rem}
@media print{body{max-width:none;padding:0}pre,.tiles div{break-inside:avoid}}
"""
