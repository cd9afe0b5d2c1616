#include "server/html.h"

const char html_style[] =
	":root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#606a76;--line:#d9dee4;"
	"--soft:#f5f7f9;--link:#0b57a4;--bad:#a4232b;--badbg:#fdf1f1;--warn:#8a5a00;--app:#1b1f24}"
	"@media(prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#d8dde3;--dim:#8f99a5;"
	"--line:#2c333b;--soft:#1b2026;--link:#79b8ff;--bad:#ff8b85;--badbg:#2a1a1c;"
	"--warn:#e0b354;--app:#eef2f6}}"
	"*{box-sizing:border-box}"
	"html{-webkit-text-size-adjust:100%}"
	"body{margin:0;background:var(--bg);color:var(--fg);"
	"font:14px/1.45 system-ui,-apple-system,\"Segoe UI\",Roboto,sans-serif}"
	"header,main,footer{max-width:78rem;margin:0 auto;padding:0 1rem}"
	"header{display:flex;gap:1rem;align-items:baseline;padding-top:.7rem;padding-bottom:.7rem;"
	"border-bottom:1px solid var(--line)}"
	"header a{font-weight:600;color:var(--fg)}header nav{margin-left:auto}"
	"footer{color:var(--dim);padding-top:1rem;padding-bottom:1.5rem;font-size:12px}"
	"a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}"
	"h1{font-size:1.25rem;line-height:1.3;margin:1rem 0 .4rem;overflow-wrap:anywhere}"
	"h2{font-size:1rem;margin:1.6rem 0 .4rem}h2 small{font-weight:400;color:var(--dim)}"
	"p{margin:.4rem 0}.dim{color:var(--dim)}.num{text-align:right;white-space:nowrap;"
	"font-variant-numeric:tabular-nums}"
	"code,pre,.stack{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans "
	"Mono\",monospace;overflow-wrap:anywhere}"
	"pre.message{background:var(--badbg);color:var(--bad);border-left:3px solid var(--bad);"
	"padding:.5rem .7rem;margin:.5rem 0;white-space:pre-wrap;unicode-bidi:isolate}"
	"dl.facts{display:grid;grid-template-columns:max-content 1fr max-content 1fr;gap:.15rem "
	".9rem;margin:.6rem 0}dl.facts dt{color:var(--dim)}"
	"dl.facts dd{margin:0;overflow-wrap:anywhere;unicode-bidi:isolate}"
	"table{border-collapse:collapse;width:100%}"
	"th{text-align:left;font-weight:500;color:var(--dim);white-space:nowrap}"
	"th,td{padding:.28rem .6rem .28rem 0;border-bottom:1px solid var(--line);"
	"vertical-align:top}td{overflow-wrap:anywhere;unicode-bidi:isolate}"
	".fill{width:80%}td.name{white-space:nowrap;max-width:14rem;overflow:hidden;"
	"text-overflow:ellipsis}"
	"tbody tr:hover{background:var(--soft)}td.nowrap{white-space:nowrap}"
	".title{font-weight:500}"
	"ol.stack{margin:.3rem 0;padding-left:2.6rem}ol.stack li{color:var(--dim);"
	"padding:.05rem 0}ol.stack li::marker{color:var(--dim);font-size:11px}"
	"ol.stack li.app b{color:var(--app)}ol.stack b{font-weight:500}"
	"ol.stack li.app b{font-weight:600}"
	".at{color:var(--dim);margin-left:.6rem}.tag{color:var(--dim);font-size:11px;"
	"border:1px solid var(--line);border-radius:3px;padding:0 .25rem;margin-left:.4rem}"
	".error{color:var(--bad)}.warning{color:var(--warn)}"
	"form{display:flex;gap:.4rem;margin:1rem 0 .6rem}"
	"input,button{font:inherit;color:inherit;background:var(--bg);border:1px solid "
	"var(--line);border-radius:4px;padding:.3rem .5rem}input{flex:1;min-width:0;"
	"max-width:30rem}"
	"ul.ids{columns:9rem;padding-left:0;list-style:none;font-variant-numeric:tabular-nums}"
	"@media(max-width:44rem){dl.facts{grid-template-columns:max-content 1fr}"
	".wide{display:none}td.name{white-space:normal}.at{display:block;margin-left:0}ol.stack{"
	"padding-left:1.9rem}"
	"header,main,footer{padding-left:.7rem;padding-right:.7rem}}";

void html_begin(struct text *t, const char *title, size_t title_size)
{
	text_add(t, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		    "<meta name=\"viewport\" content=\"width=device-width, "
		    "initial-scale=1\">\n<title>");
	text_html_sized(t, title, title_size);
	text_add(t, "</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>");
	text_add(t, html_style);
	text_add(t,
		"</style>\n</head>\n<body>\n<header><a href=\"/\">coresnap</a></header>\n<main>\n");
}

void html_end(struct text *t)
{
	text_add(t, "</main>\n<footer>coresnap " CORESNAP_VERSION "</footer>\n</body>\n</html>\n");
}
