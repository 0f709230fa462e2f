#include "train/page.h"

#include <math.h>
#include <stdarg.h>

#include "core/file.h"

pm_status pm_page_create(pm_ctx *ctx, pm_page **out)
{
    *out = pm_new(ctx, pm_page);
    PM_CHECK_ALLOC(*out);
    (*out)->ctx = ctx;
    return PM_OK;
}

void pm_page_bytes(pm_page *page, const char *html, int64_t length)
{
    if (page->failed) return;
    if (page->size + length + 1 > page->capacity) {
        const int64_t capacity = PM_MAX(2 * page->capacity, page->size + length + 4096);
        page->failed = pm_grow_array(page, (void **)&page->text, capacity, 1) != PM_OK;
        if (page->failed) return;
        page->capacity = capacity;
    }
    memcpy(page->text + page->size, html, (size_t)length);
    page->size += length;
    page->text[page->size] = 0;
}

void pm_page_raw(pm_page *page, const char *html)
{
    pm_page_bytes(page, html, (int64_t)strlen(html));
}

void pm_page_print(pm_page *page, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    page->failed = page->failed || n < 0 || n >= (int)sizeof text;
    if (!page->failed) pm_page_bytes(page, text, n);
}

void pm_page_text(pm_page *page, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&': pm_page_raw(page, "&amp;"); break;
        case '<': pm_page_raw(page, "&lt;"); break;
        case '>': pm_page_raw(page, "&gt;"); break;
        case '"': pm_page_raw(page, "&quot;"); break;
        case '\'': pm_page_raw(page, "&#39;"); break;
        default: pm_page_bytes(page, (unsigned char)*text < 0x20 ? " " : text, 1);
        }
    }
}

pm_number pm_number_text(int digits, double value)
{
    pm_number n = { "" };
    if (!isfinite(value)) return n;
    if (digits < 0) snprintf(n.text, sizeof n.text, "%.6g", value);
    else if (fabs(value) < 1e15) snprintf(n.text, sizeof n.text, "%.*f", digits, value);
    else snprintf(n.text, sizeof n.text, "%.*e", digits, value);
    for (char *c = n.text; *c; c++)
        if (*c == ',') *c = '.';
    return n;
}

void pm_page_real(pm_page *page, int digits, double value)
{
    const pm_number n = pm_number_text(digits, value);
    pm_page_raw(page, n.text[0] ? n.text : "–");
}

pm_status pm_page_save(pm_page *page, const char *path)
{
    pm_file *file;
    PM_REQUIRE(page->ctx, !page->failed && page->text, PM_ERR_NOMEM, "no memory for the page %s", path);
    PM_TRY(pm_file_create(page->ctx, path, &file));
    const pm_status st = pm_file_write(file, page->text, (size_t)page->size);
    if (st == PM_OK) return pm_file_commit(&file);
    pm_file_discard(&file);
    return st;
}
