#include "src/erad/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "src/host/error.h"

#define LINE_BYTES 2048

static int level_most = 6;
static bool on_terminal;

void era_log_start(int most)
{
    level_most = most;
    on_terminal = isatty(STDERR_FILENO);
}

static const char *level_name(int level)
{
    static const char *const names[] = {"panic",   "alert",  "critical", "error",
                                        "warning", "notice", "info",     "debug"};
    return names[level < 0 ? 0 : level > 7 ? 7 : level];
}

/* One write a line, so that lines of several processes on one stderr stay whole. What peers put into a text
 * cannot break the line or talk to the terminal: it is escaped. */
void era_log(int level, const char *format, ...)
{
    char text[LINE_BYTES], clean[LINE_BYTES], line[LINE_BYTES + 64];
    if (level > level_most)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    era_text_escape(text, clean, sizeof clean);
    int len;
    if (on_terminal) {
        char at[16] = "--:--:--";
        struct tm local;
        time_t now = time(NULL);
        if (localtime_r(&now, &local))
            strftime(at, sizeof at, "%H:%M:%S", &local);
        len = snprintf(line, sizeof line, "%s %-7s %s\n", at, level_name(level), clean);
    } else {
        len = snprintf(line, sizeof line, "<%d>%s\n", level, clean);
    }
    if (write(STDERR_FILENO, line, (size_t)len) < 0)
        return; /* nobody reads: there is nowhere to say so */
}
