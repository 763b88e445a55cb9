# Properties of block, merge and fuse that hold whatever the numbers: exact shortcuts, gradients, missing modalities,
# threads, failures. tests/golden has the numbers of others.
LEGO_RIG = tests/lego/rig.c tests/lego/rig.h
LEGO_MADE = tests/lego/made.c tests/lego/made.h
LEGO_MERGES = $(LEGO_RIG) $(LEGO_MADE) tests/lego/merges.c tests/lego/merges.h
LEGO_STATES = tests/lego/states.c tests/lego/states.h
LEGO_SLOPES = tests/lego/slopes.c tests/lego/slopes.h
LEGO_CODERS = tests/lego/coders.c tests/lego/coders.h

check_PROGRAMS += tests/lego/test_differences
tests_lego_test_differences_SOURCES = tests/lego/test_differences.c $(LEGO_RIG) $(LEGO_CODERS) $(LEGO_SLOPES)

check_PROGRAMS += tests/lego/test_shortcuts
tests_lego_test_shortcuts_SOURCES = tests/lego/test_shortcuts.c $(LEGO_RIG)

check_PROGRAMS += tests/lego/test_pieces
tests_lego_test_pieces_SOURCES = tests/lego/test_pieces.c $(LEGO_RIG)

check_PROGRAMS += tests/lego/test_missing
tests_lego_test_missing_SOURCES = tests/lego/test_missing.c $(LEGO_RIG) $(LEGO_CODERS)

check_PROGRAMS += tests/lego/test_feed_forward
tests_lego_test_feed_forward_SOURCES = tests/lego/test_feed_forward.c

check_PROGRAMS += tests/lego/test_fuse
tests_lego_test_fuse_SOURCES = tests/lego/test_fuse.c $(LEGO_RIG)

check_PROGRAMS += tests/lego/test_heads
tests_lego_test_heads_SOURCES = tests/lego/test_heads.c

check_PROGRAMS += tests/lego/test_merge
tests_lego_test_merge_SOURCES = tests/lego/test_merge.c $(LEGO_STATES)

check_PROGRAMS += tests/lego/test_merge_blocks
tests_lego_test_merge_blocks_SOURCES = tests/lego/test_merge_blocks.c $(LEGO_STATES)

check_PROGRAMS += tests/lego/test_merged_model
tests_lego_test_merged_model_SOURCES = tests/lego/test_merged_model.c $(LEGO_MERGES)

check_PROGRAMS += tests/lego/test_merged_heads
tests_lego_test_merged_heads_SOURCES = tests/lego/test_merged_heads.c $(LEGO_MERGES)

check_PROGRAMS += tests/lego/test_threads
tests_lego_test_threads_SOURCES = tests/lego/test_threads.c $(LEGO_RIG)

check_PROGRAMS += tests/lego/test_tape
tests_lego_test_tape_SOURCES = tests/lego/test_tape.c

check_PROGRAMS += tests/lego/test_encoders
tests_lego_test_encoders_SOURCES = tests/lego/test_encoders.c $(LEGO_RIG)

check_PROGRAMS += tests/lego/test_memory
tests_lego_test_memory_SOURCES = tests/lego/test_memory.c $(LEGO_RIG) $(LEGO_CODERS)

check_PROGRAMS += tests/lego/test_params
tests_lego_test_params_SOURCES = tests/lego/test_params.c $(LEGO_RIG)

check_PROGRAMS += tests/lego/test_dropout
tests_lego_test_dropout_SOURCES = tests/lego/test_dropout.c $(LEGO_RIG) $(LEGO_CODERS)
