/* page.c - what is around the content: head, CSS, sections, grids of panels. */
#include "report/page.h"

#include <math.h>

static const char css[] =
    ":root{color-scheme:light dark;--paper:#fff;--back:#f4f4f1;--ink:#222;--soft:#5a5a5a;--rule:#dcdcd7;--mark:#e3f0f9;--mark2:#f0f6fa}\n"
    "@media screen and (prefers-color-scheme:dark){:root{--paper:#1b1d20;--back:#131416;--ink:#e6e6e4;--soft:#a9a9a6;--rule:#373a3f;"
    "--mark:#173a52;--mark2:#1c2b37}}\n"
    "*{box-sizing:border-box}body{margin:0;background:var(--back);color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}\n"
    "main{max-width:1240px;margin:0 auto;padding:20px}h1{font-size:26px;line-height:1.25;margin:8px 0 4px;overflow-wrap:anywhere}\n"
    "h2{font-size:21px;line-height:1.3;margin:44px 0 10px;padding-top:14px;border-top:2px solid var(--rule);overflow-wrap:anywhere}\n"
    "h3{font-size:16.5px;margin:0 0 4px}p{margin:4px 0 10px;max-width:80ch}.soft,figcaption,caption{color:var(--soft);font-size:13.5px}\n"
    ".part{background:var(--paper);border:1px solid var(--rule);border-radius:6px;padding:16px 18px;margin:14px 0}\n"
    ".panels{display:flex;flex-wrap:wrap;gap:18px 26px;align-items:flex-start}svg{max-width:100%;height:auto;display:block}\n"
    ".scroll{overflow-x:auto;max-width:100%}table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}\n"
    "caption{text-align:left;padding:0 0 8px;max-width:90ch}th,td{padding:4px 7px;text-align:right;vertical-align:baseline;white-space:nowrap;"
    "border-bottom:1px solid var(--rule)}\n"
    "th{font-weight:600}th[scope=row]{font-weight:400;text-align:left;white-space:normal;min-width:8em}.systems th[scope=row]{min-width:15em}th .soft{display:block;font-weight:400;font-size:12px;max-width:44em}thead th{border-bottom:2px solid "
    "var(--rule);vertical-align:bottom}"
    "td.l,th.l{text-align:left}tbody th[scope=rowgroup]{text-align:left;padding-top:12px;color:var(--soft);font-size:12.5px}\n"
    "tr.first td,tr.first th{background:var(--mark);font-weight:600}tr.second td,tr.second th{background:var(--mark2)}\n"
    ".tag{display:inline-block;font-size:11.5px;font-weight:400;border:1px solid var(--soft);border-radius:9px;padding:0 7px;margin-left:6px;"
    "white-space:nowrap}\n"
    ".facts{display:flex;flex-wrap:wrap;gap:10px 48px;align-items:flex-start}.facts caption{padding-bottom:2px}dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:0;font-size:14px}dt{color:var(--soft)}"
    "dd{margin:0;overflow-wrap:anywhere}code{font:13px ui-monospace,Menlo,Consolas,monospace}\n"
    "nav ul{display:flex;flex-wrap:wrap;gap:2px 18px;padding:0;margin:8px 0;list-style:none}a{color:inherit;text-underline-offset:2px}\n"
    "details{margin-top:12px}summary{cursor:pointer;color:var(--soft)}details>.panels{margin-top:12px}ul.plain{margin:4px 0;padding-left:20px}\n"
    "@media print{body{background:#fff;font-size:11pt}main{max-width:none;padding:0}.part{border:0;padding:0;margin:14pt 0}nav{display:none}"
    "svg,tr,figure{break-inside:avoid}h2,h3,.part>p,th[scope=rowgroup]{break-after:avoid}details:not([open]){display:none}.scroll{overflow:visible}table{font-size:8.5pt}th,td{padding:2pt 5pt}"
    "*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}\n";

void mmli_page_begin(mmli_markup *m, const char *title)
{
    mmli_put(m, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n"
                "<title>");
    mmli_put_text(m, title);
    mmli_put(m, "</title>\n<style>\n");
    mmli_put(m, css);
    mmli_svg_style(m);
    mmli_put(m, "</style>\n</head>\n<body>\n<main>\n");
}

void mmli_page_end(mmli_markup *m)
{
    mmli_put(m, "<p class=\"soft\">Written by libmmlego ");
    mmli_put_text(m, mml_version());
    mmli_put(m, ". Missing values are gaps; nothing was filled in.</p>\n</main>\n</body>\n</html>\n");
}

/* ---- parts ---------------------------------------------------------------------------------------------------------- */

void mmli_part_begin(mmli_part *part, mmli_markup *m, const char *heading, const char *about)
{
    part->begin = m->text.len;
    mmli_put(m, "<section class=\"part\">\n<h3>");
    mmli_put_text(m, heading);
    mmli_put(m, "</h3>\n<p class=\"soft\">");
    mmli_put(m, about);
    mmli_put(m, "</p>\n<div class=\"panels\">\n");
    part->filled = m->text.len;
}

void mmli_part_end(mmli_part *part, mmli_markup *m)
{
    if (m->text.len == part->filled)
        mmli_undo(m, part->begin);
    else
        mmli_put(m, "</div>\n</section>\n");
}

static bool is_chosen(const size_t *chosen, size_t n, size_t i)
{
    for (size_t k = 0; k < n; k++)
        if (chosen[k] == i)
            return true;
    return false;
}

void mmli_put_panels(mmli_markup *m, const mmli_comparison *c, mmli_panel *panel)
{
    size_t chosen[MMLI_MOST_CHOSEN], begin, filled;
    const size_t n = mmli_choose(chosen, c);

    for (size_t k = 0; k < n; k++)
        panel(m, c, &c->entry[chosen[k]]);
    begin = m->text.len;
    mmli_put(m, "</div>\n<details><summary>All other systems</summary>\n<div class=\"panels\">\n");
    filled = m->text.len;
    for (size_t i = 0; i < c->n; i++)
        if (!is_chosen(chosen, n, i))
            panel(m, c, &c->entry[i]);
    if (m->text.len == filled)
        mmli_undo(m, begin);
    else
        mmli_put(m, "</div></details>\n<div>\n"); /* mmli_part_end closes a <div> */
}

/* ---- groups --------------------------------------------------------------------------------------------------------- */

int mmli_group_style(mmli_group group)
{
    static const int style[MMLI_GROUPS] = {[MMLI_GROUP_UNIMODAL] = MMLI_BLUE, [MMLI_GROUP_MULTIMODAL] = MMLI_OCHRE,
                                           [MMLI_GROUP_LEGO] = MMLI_RED, [MMLI_GROUP_REFERENCE] = MMLI_GREY,
                                           [MMLI_GROUP_OTHER] = MMLI_PURPLE};

    return style[group];
}

const char *mmli_group_title(mmli_group group)
{
    static const char *const title[MMLI_GROUPS] = {
        [MMLI_GROUP_UNIMODAL] = "Single modality", [MMLI_GROUP_MULTIMODAL] = "Several modalities",
        [MMLI_GROUP_LEGO] = "Lego", [MMLI_GROUP_REFERENCE] = "Reference", [MMLI_GROUP_OTHER] = "Others"};

    return title[group];
}
