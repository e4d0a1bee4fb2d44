# doc: man pages, one line each: dist_man_MANS += doc/erad.8
