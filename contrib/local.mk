# contrib: what surrounds erad.
#EXTRA_DIST += contrib/check contrib/install-deps
