# Mutants: erasim with one rule broken, made from the same sources by a patch. `make mutants` builds all,
# `erasim mutants` runs them: each must be caught. One line a mutant: MUTANTS += NAME of NAME.patch, whose head says
# which rule is broken, `seeds: A..B` that show it, and options that the sweep needs (`sweep: --unbounded`).
MUTANTS =
MUTANTS += vote-leaves-early vote-twice
MUTANTS += quorum-bare-majority live-stakes signer-counts-twice certificates-by-bytes
MUTANTS += lowest-hash-wins head-by-arrival extending-rule-not-kept expiry-voids
MUTANTS += blocked-emits no-recovery-lane keys-unlocked-at-start
MUTANTS += evidence-subtracts
MUTANTS += lease-ignores-vote vote-ignores-lease carried-without-headroom
MUTANTS += close-without-last close-without-slots
MUTANTS += words-by-arrival carriers-by-arrival overtaken-evidence-stays
MUTANTS += charters-by-arrival no-late-close accepts-used-up evidence-waits-for-no-charter clock-locks carrier-locks

MUTANT_BUILDS = $(MUTANTS:%=erasim-mutant-%$(EXEEXT))
$(MUTANT_BUILDS): erasim-mutant-%$(EXEEXT): tests/sim/mutants/%.patch tests/sim/mutants/build.sh erasim$(EXEEXT)
	$(AM_V_GEN)ERA_SRC='$(srcdir)' \
	ERA_COMPILE='$(CC) $(DEFAULT_INCLUDES) $(AM_CPPFLAGS) $(CPPFLAGS) $(BARE_CFLAGS) $(CFLAGS)' \
	ERA_LINK_WITH='$(CC) $(BARE_CFLAGS) $(CFLAGS) $(erasim_LDFLAGS) $(LDFLAGS)' \
	ERA_PARTS='src/erasim/main.$(OBJEXT) $(erasim_LDADD) $(LIBS)' \
	$(SHELL) $(srcdir)/tests/sim/mutants/build.sh '$(srcdir)/tests/sim/mutants/$*.patch' $@
mutants: $(MUTANT_BUILDS)
.PHONY: mutants
CLEANFILES += $(MUTANT_BUILDS) $(MUTANTS:%=erasim-mutant-%.sweep)
EXTRA_DIST += tests/sim/mutants/build.sh $(MUTANTS:%=tests/sim/mutants/%.patch)
