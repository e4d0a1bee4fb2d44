# erasim: the simulator. Everything but main.c is in liberasim.a, so that tests and mutant builds link it.
noinst_LIBRARIES += src/erasim/liberasim.a
src_erasim_liberasim_a_SOURCES = src/erasim/sim.h src/erasim/parts.h src/erasim/cast.h src/erasim/check.h
src_erasim_liberasim_a_SOURCES += src/erasim/sim.c src/erasim/sim_life.c src/erasim/sim_effects.c
src_erasim_liberasim_a_SOURCES += src/erasim/sim_net.c src/erasim/sim_links.c src/erasim/sim_wire.c
src_erasim_liberasim_a_SOURCES += src/erasim/sim_disk.c src/erasim/sim_clock.c
src_erasim_liberasim_a_SOURCES += src/erasim/sim_memo.c src/erasim/sim_memo.h
src_erasim_liberasim_a_SOURCES += src/erasim/faults.c src/erasim/faults.h
src_erasim_liberasim_a_SOURCES += src/erasim/sim_make.c
src_erasim_liberasim_a_SOURCES += src/erasim/people.h src/erasim/plan.c src/erasim/cast.c src/erasim/cast_keys.c
src_erasim_liberasim_a_SOURCES += src/erasim/cast_draft.c src/erasim/cast_signer.c src/erasim/cast_host.c
src_erasim_liberasim_a_SOURCES += src/erasim/cast_next.c src/erasim/cast_rotate.c src/erasim/hostile_rotate.c src/erasim/hostile_pair.c src/erasim/hostile_switch.c src/erasim/hostile_switch.h src/erasim/hostile_switch_charter.c src/erasim/cast_release.c
src_erasim_liberasim_a_SOURCES += src/erasim/hostile.c src/erasim/hostile.h src/erasim/hostile_acts.c
src_erasim_liberasim_a_SOURCES += src/erasim/hostile_noise.c src/erasim/hostile_more.c src/erasim/hostile_crowd.c src/erasim/strike.c src/erasim/strike.h
src_erasim_liberasim_a_SOURCES += src/erasim/check.c src/erasim/check_internal.h src/erasim/facts.c src/erasim/facts.h
src_erasim_liberasim_a_SOURCES += src/erasim/check_disk.c src/erasim/check_wire.c src/erasim/check_node.c
src_erasim_liberasim_a_SOURCES += src/erasim/check_tally.c src/erasim/check_end.c src/erasim/check_sets.c
src_erasim_liberasim_a_SOURCES += src/erasim/check_era.c src/erasim/check_lock.c
src_erasim_liberasim_a_SOURCES += src/erasim/check_chain.c src/erasim/check_turn.c src/erasim/hostile_turn.c
src_erasim_liberasim_a_SOURCES += src/erasim/proof.c src/erasim/proof.h

# Programs that drive many nodes remember signature checks: PROGRAM_LDFLAGS = $(AM_LDFLAGS) $(SIM_MEMO_WRAP)
SIM_MEMO_WRAP = -Wl,--wrap=crypto_sign_verify_detached -Wl,-u,__wrap_crypto_sign_verify_detached

# What a person sees: command line, report, picture, sweeps, scenario files.
bin_PROGRAMS += erasim
erasim_SOURCES = src/erasim/main.c
erasim_LDFLAGS = $(AM_LDFLAGS) $(SIM_MEMO_WRAP)
erasim_LDADD = $(FLOOR_ERASIM)
src_erasim_liberasim_a_SOURCES += src/erasim/options.c src/erasim/options.h
src_erasim_liberasim_a_SOURCES += src/erasim/once.c src/erasim/once.h src/erasim/report.c src/erasim/report.h
src_erasim_liberasim_a_SOURCES += src/erasim/sweep.c src/erasim/sweep.h src/erasim/mutants.c
src_erasim_liberasim_a_SOURCES += src/erasim/trace.c src/erasim/trace.h src/erasim/svg.c src/erasim/svg.h
src_erasim_liberasim_a_SOURCES += src/erasim/svg_draw.c src/erasim/svg_draw.h
src_erasim_liberasim_a_SOURCES += src/erasim/spread.c src/erasim/spread.h src/erasim/spread_svg.c
src_erasim_liberasim_a_SOURCES += src/erasim/scenario.c src/erasim/scenario.h src/erasim/scenario_parts.h
src_erasim_liberasim_a_SOURCES += src/erasim/scenario_words.c src/erasim/scenario_head.c src/erasim/scenario_lines.c
src_erasim_liberasim_a_SOURCES += src/erasim/scenario_plan.c src/erasim/scenario_next.c src/erasim/scenario_act.c src/erasim/scenario_see.c
