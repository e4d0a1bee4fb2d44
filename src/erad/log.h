/* log: lines that a person and journald both read: "<N>text" with syslog
 * levels when stderr is not a terminal (sd-daemon(3)), "TIME level text" on one. */
#ifndef ERA_ERAD_LOG_H
#define ERA_ERAD_LOG_H

/* Levels as in syslog: 3 error … 7 debug. Lines above `most` are dropped. */
void era_log_start(int most);
void era_log(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
