# eractl: the CLI. With the first main.c (then one line a module):
#bin_PROGRAMS += eractl
#eractl_SOURCES = src/eractl/main.c
#eractl_LDADD = $(FLOOR_ERACTL)
