# doc: man pages, one line each: dist_man_MANS += doc/erad.8
dist_man_MANS += doc/erad.conf.5 doc/erad-charter.5
dist_man_MANS += doc/erad.8 doc/erad-protocol.7
dist_man_MANS += doc/eractl.1
include doc/model/local.mk
dist_man_MANS += doc/erasim.1
# In README.md; made by: erasim run --nodes 60 --hours 1 --epoch 600 --faults none --spread doc/spread.svg
EXTRA_DIST += doc/spread.svg
